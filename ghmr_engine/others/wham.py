"""WHAM's `wham_output.pkl` (demo.py, wham_api.py with save_pkl): a dict of people, each with camera and world motion.

Every person has a world of their own there, with y up; `trans_world` is where the middle between the hips is.
"""

from __future__ import annotations

import numpy as np

from ghmr_engine.others.axes import Y_UP, from_axis_angle, joints_from_body
from ghmr_engine.others.record import Other, OtherPerson, Placing, numbers, rising

LICENCE = "research only (SMPL and WHAM's training data; code MIT)"
_NEEDED = {"pose", "trans", "pose_world", "trans_world", "betas", "frame_ids"}


def is_wham(content: object) -> bool:
    """Whether a file's content looks like it."""
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(person, dict) and set(person) >= _NEEDED for person in content.values())
    )


def read_wham(content: dict, name: str) -> Other:
    """Its people. The camera is known from each person's place in it; its lens is as wide as the picture's diagonal."""
    people = tuple(_person(person, name) for person in content.values())
    return Other("WHAM", LICENCE, people, Y_UP, focal=1.0, focal_by_size="diagonal", own_worlds=True)


def _person(person: dict, name: str) -> OtherPerson:
    frames = rising(person["frame_ids"], name, "frame_ids")
    count = len(frames)
    seen, world = (numbers(person[key], name, key, (count, 72)) for key in ("pose", "pose_world"))
    return OtherPerson(
        frames,
        joints_from_body(world[:, 3:]),
        np.median(numbers(person["betas"], name, "betas", (count, 10)), axis=0),
        Placing(from_axis_angle(world[:, :3]), numbers(person["trans_world"], name, "trans_world", (count, 3)), "hips"),
        Placing(from_axis_angle(seen[:, :3]), numbers(person["trans"], name, "trans", (count, 3))),
    )

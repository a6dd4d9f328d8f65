"""A part of a motion, and that part made into a cycle. NumPy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..motion import Person
from ..scene.rotations import axis_angle_from_quaternions, inverse, multiply, quaternions_from_axis_angle, without_flips

FIELDS = ("frames", "poses", "transl", "contacts", "confidence", "keypoints", "reprojection")
_FEWEST = 2


def cut(person: Person, keep: np.ndarray) -> Person:
    """Only some of the frames. keep: (N,) bool, or places."""
    return replace(person, **{name: getattr(person, name)[keep] for name in FIELDS})


def trimmed(person: Person, first: int | None, last: int | None) -> Person:
    """The frames from first to last (included); all where fewer than two would be left."""
    low = -1 if first is None else first
    keep = (person.frames >= low) & (person.frames <= (person.frames[-1:].max(initial=0) if last is None else last))
    if keep.all() or keep.sum() < _FEWEST:
        return person
    return cut(person, keep)


def closed(person: Person, frames: int, *, stays: bool) -> Person:
    """The end led into the beginning over `frames` frames: the last frame has the first one's pose and speed.

    stays: the place on the ground comes back too; otherwise the cycle goes on from where it has come to.
    The difference is added with a cubic (Hermite's) that starts at nothing, as games blend ("inertialization").
    """
    count = len(person.frames)
    if frames <= 0 or count <= _FEWEST:
        return person
    share = np.clip((person.frames - person.frames[-1]) / min(frames, person.frames[-1] - person.frames[0]) + 1, 0, 1)
    length = min(frames, int(person.frames[-1] - person.frames[0]))
    place, speed = share**2 * (3 - 2 * share), length * (share**3 - share**2)
    poses = np.array(person.poses, dtype=np.float64)
    quaternions = without_flips(quaternions_from_axis_angle(poses))
    at_end, at_start = (_turn_speed(quaternions[rows], person.frames[rows]) for rows in ([-2, -1], [0, 1]))
    gap = axis_angle_from_quaternions(multiply(inverse(quaternions[-1]), quaternions[0]))
    added = place[:, None, None] * gap + speed[:, None, None] * (at_start - at_end)
    poses = axis_angle_from_quaternions(multiply(quaternions, quaternions_from_axis_angle(added)))
    transl = np.array(person.transl, dtype=np.float64)
    gap = transl[0] - transl[-1]
    if not stays:
        gap[:2] = 0
    steps = np.diff(transl, axis=0) / np.diff(person.frames)[:, None]
    transl = transl + place[:, None] * gap + speed[:, None] * (steps[0] - steps[-1])
    rows = share > 0
    return replace(
        person,
        poses=np.where(rows[:, None, None], poses, person.poses),
        transl=np.where(rows[:, None], transl, person.transl),
    )


def _turn_speed(pair: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(2, 24, 4) at two frames (2,) -> (24, 3) radians a frame, as the joint itself sees it."""
    return axis_angle_from_quaternions(multiply(inverse(pair[0]), pair[1])) / (frames[1] - frames[0])

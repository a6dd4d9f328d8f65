"""SLAHMR's `*_world_results.npz` (optim/output.py): people as SMPL+H and cameras in one world, the first camera's axes.

`track_info.json` beside it says who is seen when.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ghmr_engine.others.axes import checked, from_axis_angle, joints_from_body
from ghmr_engine.others.record import Other, OtherPerson, Placing, numbers, refused

LICENCE = "research only (SMPL+H and SLAHMR's priors; code MIT)"
_FEET = (7, 10, 8, 11)
"""Of SMPL's joints: left ankle and foot, right ankle and foot."""


def is_slahmr(content: object) -> bool:
    """Whether a file's content looks like it."""
    return isinstance(content, dict) and {"trans", "root_orient", "pose_body", "cam_R", "cam_t"} <= set(content)


def read_slahmr(content: dict, path: Path) -> Other:
    """Its people, cameras and floor. Pictures are as large as twice the lens's centre."""
    name = path.name
    trans = numbers(content["trans"], name, "trans", (None, None, 3))
    who, count = trans.shape[:2]
    roots = numbers(content["root_orient"], name, "root_orient", (who, count, 3))
    poses = numbers(content["pose_body"], name, "pose_body", (who, count, 63))
    betas = numbers(content["betas"], name, "betas", (who, None))[:, :10] if "betas" in content else None
    seen = _seen(content, path, who, count)
    contacts = _contacts(content, who, count)
    people = tuple(
        OtherPerson(
            np.flatnonzero(mask),
            joints_from_body(poses[number][mask]),
            None if betas is None else np.pad(betas[number], (0, 10 - betas.shape[1])),
            Placing(from_axis_angle(roots[number][mask]), trans[number][mask]),
            None,
            None if contacts is None else contacts[number][mask],
        )
        for number, mask in enumerate(seen)
        if mask.any()
    )
    if not people:
        raise refused(name, "has nobody")
    R = numbers(content["cam_R"], name, "cam_R", (who, None, 3, 3))[0]
    t = numbers(content["cam_t"], name, "cam_t", (who, len(R), 3))[0]
    focal = size = None
    if "intrins" in content:
        lens = numbers(content["intrins"], name, "intrins", (4,))
        focal, size = float(lens[0]), (round(2 * lens[2]), round(2 * lens[3]))
    return Other("SLAHMR", LICENCE, people, _up(content, name), R=checked(R, name, "cam_R"), t=t, focal=focal,
                 image_size=size, own_rate=True)  # fmt: skip


def _up(content: dict, name: str) -> np.ndarray | None:
    """Of the first floor, a normal times its distance, turned to where -y is: the camera's up."""
    if "floor_plane" not in content:
        return None
    floor = numbers(np.atleast_2d(content["floor_plane"])[0], name, "floor_plane", (3,))
    length = np.linalg.norm(floor)
    if length < 1e-6:
        return None
    return floor / length * (-1 if floor[1] > 0 else 1)


def _seen(content: dict, path: Path, who: int, count: int) -> np.ndarray:
    """(P, T) bool: between the first and the last frame in which somebody is seen."""
    if "track_mask" in content and np.shape(content["track_mask"]) == (who, count):
        return np.asarray(content["track_mask"]).astype(bool)
    everywhere = np.ones((who, count), bool)
    for folder in list(path.absolute().parents)[:3]:
        info = folder / "track_info.json"
        if info.is_file():
            return _masks(info, everywhere)
    return everywhere


def _masks(path: Path, everywhere: np.ndarray) -> np.ndarray:
    try:
        tracks = json.loads(path.read_text(encoding="utf-8"))["tracks"].values()
        masks = everywhere.copy()
        for track in tracks:
            seen = np.flatnonzero(np.asarray(track["vis_mask"], float) > 0)
            if int(track["index"]) < len(masks) and len(seen):
                masks[int(track["index"])] = False
                masks[int(track["index"]), seen[0] : seen[-1] + 1] = True
        return masks
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise refused(path.name, "does not say who is seen when") from None


def _contacts(content: dict, who: int, count: int) -> np.ndarray | None:
    """(P, T, 4) where the motion prior said them."""
    said = content.get("contacts_conf")
    if said is None or np.ndim(said) != 3 or np.shape(said)[:2] != (who, count) or np.shape(said)[2] < 12:
        return None
    return np.clip(np.asarray(said, float)[..., _FEET], 0, 1)

"""Where on a body the landmark detector puts its marks: BlazePose's hips, shoulders and heels are not SMPL's."""

from __future__ import annotations

import numpy as np
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.body.smpl import Posed

_LEFT_CM = {
    "nose": ("head", 0.0, 0.7, -1.9), "eye_inner": ("head", -0.2, 0.4, -1.5), "eye": ("head", -0.3, 0.1, -2.2),
    "eye_outer": ("head", -0.7, 0.2, -2.3), "ear": ("head", -2.1, 0.0, 2.4), "mouth": ("head", -0.5, 1.8, -0.6),
    "shoulder": ("spine3", -1.3, 2.9, 0.6), "elbow": ("elbow", 0.1, 1.6, 2.1), "wrist": ("wrist", 1.4, 0.9, 0.8),
    "pinky": ("wrist", -2.1, 0.1, 2.8), "index": ("wrist", -2.4, -2.6, -1.2), "thumb": ("wrist", 1.2, -0.2, -3.3),
    "hip": ("pelvis", -2.1, -1.5, 3.0), "knee": ("knee", -0.3, -1.3, -1.0), "ankle": ("ankle", 0.4, 3.3, 2.1),
    "heel": ("ankle", -0.3, 3.4, 2.4), "foot_index": ("ankle", -0.3, 0.0, -4.5),
}  # fmt: skip
"""The joint that a left landmark goes with, and how far BlazePose's mark is from the body's own point, cm, in the rest
pose's axes (x to the left, y up, z to the front). The right ones mirror it."""


def side_and_part(name: str) -> tuple[str, str]:
    """left_eye_inner -> left, eye_inner; what has no side counts as left."""
    words = name.split("_")
    return ("right" if "right" in words else "left"), "_".join(word for word in words if word not in ("left", "right"))


def _table() -> tuple[list[int], np.ndarray]:
    joints, offsets = [], []
    for name in LANDMARK_NAMES:
        side, part = side_and_part(name)
        joint, *cm = _LEFT_CM[part]
        joints.append(JOINT_NAMES.index(joint if joint in JOINT_NAMES else f"{side}_{joint}"))
        offsets.append(np.array(cm) / 100 * [-1 if side == "right" else 1, 1, 1])
    return joints, np.array(offsets)


JOINT_OF_LANDMARK, BLAZEPOSE_OFFSETS = _table()
"""33 places among SMPL's joints, and (33, 3) m. Measured by train/marks.py (docs/training.md)."""


def marks(posed: Posed, offsets: torch.Tensor) -> torch.Tensor:
    """(N, 33, 3) m: where a detector that is off by offsets (33, 3) m, each turned with its joint, sees landmarks."""
    return posed.landmarks + (posed.turns[:, JOINT_OF_LANDMARK] @ offsets[..., None])[..., 0]

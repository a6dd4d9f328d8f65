"""What a human joint can do: limits and spread of SMPL's 21 body joints, as axis-angle components.

Axes are SMPL's rest frame: x to the left, y up, z forward; the rest pose is a T. Ranges follow the ranges of motion of
physiotherapy's tables, rounded outwards; they are soft walls, not a prior for likely poses.
"""

from __future__ import annotations

import numpy as np

from ghmr_engine.body.skeleton import JOINT_NAMES

BODY_JOINTS = JOINT_NAMES[1:22]

# Left side or middle: (low xyz, high xyz, usual xyz, spread xyz), radians. The right side mirrors y and z.
_LEFT = {
    "hip": ((-2.3, -0.9, -0.6), (0.7, 0.9, 1.2), (-0.15, 0.0, 0.05), (0.8, 0.4, 0.35)),
    "knee": ((0.0, -0.12, -0.12), (2.7, 0.12, 0.12), (0.3, 0.0, 0.0), (1.0, 0.1, 0.1)),
    "ankle": ((-0.6, -0.5, -0.4), (0.9, 0.5, 0.4), (0.0, 0.0, 0.0), (0.35, 0.2, 0.2)),
    "foot": ((-0.9, -0.1, -0.1), (0.3, 0.1, 0.1), (0.0, 0.0, 0.0), (0.15, 0.05, 0.05)),
    "spine1": ((-0.3, -0.3, -0.3), (0.7, 0.3, 0.3), (0.05, 0.0, 0.0), (0.2, 0.12, 0.12)),
    "spine2": ((-0.3, -0.4, -0.3), (0.6, 0.4, 0.3), (0.05, 0.0, 0.0), (0.15, 0.15, 0.12)),
    "spine3": ((-0.3, -0.4, -0.3), (0.5, 0.4, 0.3), (0.0, 0.0, 0.0), (0.12, 0.15, 0.12)),
    "neck": ((-0.5, -0.7, -0.5), (0.7, 0.7, 0.5), (0.1, 0.0, 0.0), (0.2, 0.25, 0.15)),
    "head": ((-0.6, -0.8, -0.5), (0.6, 0.8, 0.5), (0.0, 0.0, 0.0), (0.2, 0.3, 0.15)),
    "collar": ((-0.2, -0.4, -0.4), (0.2, 0.4, 0.5), (0.0, -0.05, -0.05), (0.08, 0.12, 0.15)),
    "shoulder": ((-1.5, -2.2, -2.1), (1.5, 1.1, 1.7), (0.1, -0.2, -1.1), (0.5, 0.7, 0.6)),
    "elbow": ((-1.4, -2.7, -0.2), (1.4, 0.0, 0.2), (0.0, -0.5, 0.0), (0.35, 0.9, 0.1)),
    "wrist": ((-0.9, -0.7, -1.2), (0.9, 0.7, 1.2), (0.0, 0.0, 0.0), (0.2, 0.2, 0.3)),
}


def _table() -> np.ndarray:
    rows = np.zeros((4, len(BODY_JOINTS), 3), np.float32)
    mirror = np.array([1.0, -1.0, -1.0], np.float32)
    for place, name in enumerate(BODY_JOINTS):
        side, _, kind = name.rpartition("_")
        low, high, usual, spread = (np.array(row, np.float32) for row in _LEFT[kind])
        if side == "right":
            low, high = np.minimum(low * mirror, high * mirror), np.maximum(low * mirror, high * mirror)
            usual = usual * mirror
        rows[:, place] = low, high, usual, spread
    return rows


LOW, HIGH, USUAL, SPREAD = _table()
"""Each (21, 3) radians."""

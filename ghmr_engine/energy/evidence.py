"""How far the evidence is trusted: figures that every fit shares."""

from __future__ import annotations

import numpy as np

from ghmr_engine.body.skeleton import JOINT_NAMES

LANDMARK_TRUST = np.array(
    [0.3] + [0.1] * 6 + [0.4] * 2 + [0.1] * 2 + [1] * 6 + [0.15] * 6 + [0.6] * 2 + [1] * 4 + [0.6] * 4
)
"""(33,): hips are drawn by convention rather than seen; a face counts as one thing although it has eleven points."""

NOISE = 0.012
"""How far a landmark is off in the picture, as a share of the person's size there."""

_FAST = {"wrist": 25.0, "hand": 30.0, "ankle": 20.0, "foot": 25.0, "elbow": 15.0, "knee": 12.0}
SIGMA_ACCELERATION = np.array([_FAST.get(name.rpartition("_")[2], 6.0) for name in JOINT_NAMES], np.float32)
"""(24,) m/s^2: how far joints are from constant speed in lively motion."""

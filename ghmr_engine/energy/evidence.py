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

_FAST = {"wrist": 12.0, "hand": 14.0, "ankle": 9.0, "foot": 11.0, "elbow": 9.0, "knee": 6.0}
SIGMA_ACCELERATION = np.array([_FAST.get(name.rpartition("_")[2], 3.5) for name in JOINT_NAMES], np.float32)
"""(24,) m/s^2: how far joints are from constant speed in quiet motion; beyond it a robust cost lets them snap."""

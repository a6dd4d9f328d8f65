"""What is put onto a rig: a person's motion as it is shown, joint by joint, in the world. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Performance:
    """N frames of one person. SMPL's 24 joints in their order; z up, metres."""

    frames: np.ndarray
    """(N,) whole scene frames, rising; a step of more than one: the person is away in between."""
    fps: float
    """Scene frames a second."""
    turns: np.ndarray
    """(N, 24, 3, 3) each joint's turn from SMPL's rest axes (y up, facing z) to the world."""
    places: np.ndarray
    """(N, 24, 3) m."""
    contacts: np.ndarray
    """(N, 4) bool: left heel, left toe, right heel, right toe are planted."""
    rest: np.ndarray
    """(24, 3) m: the joints at rest, in SMPL's rest axes."""
    sole: float
    """m: height of the soles at rest along SMPL's y."""
    ground: float = 0.0
    """m: height of the ground in the world."""

    @property
    def soles(self) -> np.ndarray:
        """(N, 4, 3) m: the points of the soles below ankles and balls at rest, in the order of the contacts."""
        points = []
        for ankle, ball in ((7, 10), (8, 11)):
            for below in (ankle, ball):
                drop = np.array([0.0, self.sole - self.rest[below, 1], 0.0])
                # The ball's own joint bends the toes: its place moves with the foot, and so does the sole below it.
                points.append(self.places[:, below] + self.turns[:, ankle] @ drop)
        return np.stack(points, 1)

"""How good one person's motion is, by figures that need no ground truth; they go into the motion file."""

from __future__ import annotations

import numpy as np

from ghmr_engine.types import WorldPerson

CONTACT = 0.5
"""A foot point with a larger probability counts as resting."""


def figures(person: WorldPerson, joints: np.ndarray, feet: np.ndarray, fps: float) -> dict[str, float | None]:
    """All figures of one person; None where there was nothing to measure.

    joints (N, 24, 3) m, world; feet (N, 4, 3) m, world: the contact points. reprojection_px: mean over frames;
    sliding_mm: mm a frame; penetration_mm; jitter: 10 m/s^3; seen: share of the person's frames.
    """
    seen = person.reprojection[np.isfinite(person.reprojection)]
    return {
        "reprojection_px": _mean(seen),
        "sliding_mm": sliding_mm(person.frames, feet, person.contacts),
        "penetration_mm": penetration_mm(feet),
        "jitter": jitter(person.frames, joints, fps),
        "seen": _mean(person.seen.astype(float)),
    }


def sliding_mm(frames: np.ndarray, feet: np.ndarray, contacts: np.ndarray) -> float | None:
    """Mean way in mm that resting foot points move from one frame to the next.

    frames (N,), feet (N, 4, 3) m, contacts (N, 4) probability. A point counts where it rests in both of two
    neighbouring frames. None where none does.
    """
    rests = contacts > CONTACT
    both = rests[1:] & rests[:-1] & (np.diff(frames) == 1)[:, None]
    return _mean(1000 * np.linalg.norm(np.diff(feet, axis=0), axis=-1)[both])


def penetration_mm(feet: np.ndarray) -> float | None:
    """Mean depth in mm of the foot points (N, 4, 3) m below the ground z = 0; 0 for a point above it."""
    return _mean(1000 * np.maximum(-feet[..., 2], 0))


def jitter(frames: np.ndarray, joints: np.ndarray, fps: float) -> float | None:
    """Mean norm of the joints' third difference times fps^3, in 10 m/s^3 (as WHAM's evaluation has it).

    frames (N,), joints (N, 24, 3) m. Only runs of four neighbouring frames count; None where there is none.
    """
    runs = frames[3:] - frames[:-3] == 3
    return _mean(np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1)[runs] * fps**3 / 10)


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values, dtype=np.float64)) if values.size else None

"""Which foot points rest, in a result that has no contacts: as the world stage finds them, and more strictly in a world
that another program has smoothed already."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import percentile_filter

from ghmr_engine.world.contacts import find_contacts

_FAR_M = 1e4
_SPEED, _SPEED_SOFT = 0.2, 0.04
"""m/s. On five people's truth 0.15 to 0.3 agreed about as well, 0.55 (of places read from a picture) worse by 0.1."""
_HEIGHT, _HEIGHT_SOFT = 0.05, 0.01
"""m over the ground nearby."""


def planted(feet: np.ndarray, frames: np.ndarray, fps: float, eyes: np.ndarray | None) -> np.ndarray:
    """(N, 4) probability that each foot point (N, 4, 3) m rests, z up.

    eyes (N, 3) m: of the camera that the places were read through; None for places in a world of their own.
    """
    rests = find_contacts(feet, frames, seen_from(feet, eyes), fps, False)
    if eyes is not None or len(feet) < 2:
        return rests
    speed = np.linalg.norm(np.gradient(feet, frames / fps, axis=0), axis=-1)
    ground = percentile_filter(feet[..., 2].min(1), 10, size=max(int(3 * fps) | 1, 3), mode="nearest")
    over = feet[..., 2] - ground[:, None]
    return rests * _below(speed, _SPEED, _SPEED_SOFT) * _below(over, _HEIGHT, _HEIGHT_SOFT)


def seen_from(feet: np.ndarray, eyes: np.ndarray | None) -> np.ndarray:
    """(N, 3) m: the eyes, or points straight above, from where all that counts is speed along the ground."""
    return np.tile([0.0, 0.0, _FAR_M], (len(feet), 1)) if eyes is None else eyes


def _below(value: np.ndarray, threshold: float, softness: float) -> np.ndarray:
    return 1 / (1 + np.exp(np.clip((value - threshold) / softness, -40, 40)))

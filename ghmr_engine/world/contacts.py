"""Which parts of the feet rest on the ground, from how high they are and how fast they move."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter, percentile_filter

# A foot point rests below this speed and this height over the lowest one of the frame; the second is the softness.
_SPEED, _SPEED_SOFT = 0.55, 0.1
_HEIGHT, _HEIGHT_SOFT = 0.08, 0.015
_JUMP, _JUMP_SOFT = 0.16, 0.03
"""Over the ground nearby. Generous: a place read wrongly along the line of sight lies too high or too low as well."""
# Motion along the line of sight is mostly depth noise.
_ALONG_SIGHT = 0.25


def find_contacts(feet: np.ndarray, frames: np.ndarray, eye: np.ndarray, fps: float, camera_moves: bool) -> np.ndarray:
    """(N, 4) probability that each foot point rests. feet (N, 4, 3) m, eye (N, 3) m (the camera), in a world with z up.

    Where the camera moves but only its turning is known, the lowest foot's own speed is taken for the camera's:
    whoever walks always has a foot on the ground.
    """
    velocity = _velocity(feet, frames, fps)
    height = feet[..., 2] - feet[..., 2].min(1, keepdims=True)
    if camera_moves:
        lowest = np.take_along_axis(velocity, height.argmin(1)[:, None, None], 1)
        velocity = velocity - gaussian_filter1d(median_filter(lowest, (5, 1, 1)), 0.1 * fps, axis=0, mode="nearest")
    sight = feet - eye[:, None]
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    along = (velocity * sight).sum(-1, keepdims=True) * sight
    speed = np.linalg.norm(velocity - along + _ALONG_SIGHT * along, axis=-1)
    over_ground = feet[..., 2] - _ground_nearby(feet, fps)[:, None]
    rests = _below(speed, _SPEED, _SPEED_SOFT) * _below(height, _HEIGHT, _HEIGHT_SOFT)
    rests *= _below(over_ground, _JUMP, _JUMP_SOFT)
    return median_filter(rests, (5, 1), mode="nearest") if len(rests) >= 5 else rests


def _velocity(points: np.ndarray, frames: np.ndarray, fps: float) -> np.ndarray:
    """Central differences in m/s over the frames that a person has; a gap counts as the time it lasted."""
    time = frames / fps
    return np.gradient(points, time, axis=0) if len(points) > 1 else np.zeros_like(points)


def _ground_nearby(feet: np.ndarray, fps: float) -> np.ndarray:
    """(N,) m: the low tenth of the lowest foot point over three seconds, so that a slope or a step is followed but a
    jump is not."""
    return percentile_filter(feet[..., 2].min(1), 10, size=max(int(3 * fps) | 1, 3), mode="nearest")


def _below(value: np.ndarray, threshold: float, softness: float) -> np.ndarray:
    return 1 / (1 + np.exp(np.clip((value - threshold) / softness, -40, 40)))

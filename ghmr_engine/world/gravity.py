"""Where up is and where the ground lies, from people who stand and walk, held together by how cameras are held."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

# What is known before looking: cameras are held level, and tilted up or down a little.
_PRIOR_ROLL, _PRIOR_PITCH = np.radians(3.0), np.radians(15.0)
# What a standing body tells: lean toward or away from the camera is read off a picture badly, sideways lean well.
_BODY_ROLL, _BODY_PITCH = np.radians(5.0), np.radians(9.0)
# Neighbouring frames err alike: so many of them count as one.
_CORRELATED_S = 0.5
_SIGMA_GROUND = 0.06


def find_up(axes: np.ndarray, stance: np.ndarray, fps: float) -> tuple[np.ndarray, float]:
    """Up and ground in the first camera's frame (OpenCV).

    axes (A, 3): unit body axes, feet to shoulders, of frames in which people stand or walk upright; stance (S, 3) m:
    foot points while they rest on the ground. Returns up (3,), unit, and the ground's height along it, m. A robust
    least-squares fit of roll, pitch and height; with no evidence it is a level camera at 1.5 m.
    """
    share = np.sqrt(1 / max(_CORRELATED_S * fps, 1.0))

    def residuals(x: np.ndarray) -> np.ndarray:
        up = _up(x[0], x[1])
        right, forward = _across(up)
        lean = np.stack([axes @ right / _BODY_ROLL, axes @ forward / _BODY_PITCH], 1) * share
        ground = (stance @ up - x[2]) / _SIGMA_GROUND * share
        prior = np.array([x[0] / _PRIOR_ROLL, x[1] / _PRIOR_PITCH, 0.01 * (x[2] + 1.5)])
        return np.concatenate([_soft(lean.ravel()), _soft(ground), prior])

    start = np.array([0.0, 0.0, np.median(stance @ _up(0.0, 0.0)) if len(stance) else -1.5])
    solved = least_squares(residuals, start)
    return _up(solved.x[0], solved.x[1]), float(solved.x[2])


def _soft(residual: np.ndarray) -> np.ndarray:
    """Residuals whose square grows like |r| beyond 1 (a smooth Huber): a few wrong frames do not tip the world."""
    return np.sign(residual) * np.sqrt(2 * (np.sqrt(1 + residual**2) - 1))


def _up(roll: float, pitch: float) -> np.ndarray:
    """Up for a camera rolled and pitched by radians; one that looks down has pitch > 0, and up leans toward it."""
    return np.array([np.sin(roll), -np.cos(roll) * np.cos(pitch), -np.cos(roll) * np.sin(pitch)])


def _across(up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors across `up`: to the camera's right, and away from the camera."""
    forward = np.array([0.0, 0.0, 1.0]) - up[2] * up
    forward /= np.linalg.norm(forward)
    return np.cross(-up, forward), forward


def world_from_camera(up: np.ndarray, ground: float, pelvis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x_world = R x + t from the first camera's frame: z up, ground at 0, camera along +y, pelvis (3,) above 0."""
    right, forward = _across(up)
    R = np.stack([right, forward, up])
    t = -R @ pelvis
    t[2] = -ground
    return R, t

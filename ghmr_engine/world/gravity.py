"""Where up is and where the ground lies, from people who stand and walk, held together by how cameras are held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

# What is known before looking: cameras are held level, and tilted up or down a little.
_PRIOR_ROLL, _PRIOR_PITCH = np.radians(3.0), np.radians(15.0)
# What a standing body tells: lean toward or away from the camera is read off a picture badly, sideways lean well.
_BODY_ROLL, _BODY_PITCH = np.radians(5.0), np.radians(9.0)
# Neighbouring frames err alike: so many of them count as one.
_CORRELATED_S = 0.5
_SIGMA_GROUND, _SIGMA_DEPTH = 0.04, 0.1
"""Of a resting foot: metres across the line of sight, and a share of its distance along it."""


@dataclass(frozen=True)
class UpHint:
    """A direction that is likely up."""

    direction: np.ndarray
    """(3,) unit."""
    deviation: float | np.ndarray
    """Radians, or (3,) about each of the camera's axes."""


def find_up(
    axes: np.ndarray, stances: list[np.ndarray], fps: float, hints: tuple[UpHint, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Up in the first camera's frame (OpenCV), and how high each person's ground lies along it.

    axes (A, 3): unit body axes, feet to shoulders, of frames in which people stand or walk upright; stances: a person
    each, (S, 3) m, foot points while they rest; hints: what the background tells. Returns up (3,), unit, and heights
    (P,) m. A robust least-squares fit
    of roll, pitch and one height a person (somebody may stand on a roof); with no evidence it is a level camera held
    at 1.5 m.
    """
    share = np.sqrt(1 / max(_CORRELATED_S * fps, 1.0))
    whose = np.repeat(np.arange(len(stances)), [len(points) for points in stances])
    points = np.concatenate([np.zeros((0, 3)), *stances])
    # A place read too far away slides along its line of sight, which lies steeply to the ground under a low foot. Were
    # that taken for the ground's slope, the ground would tip toward the lines of sight.
    sigma = np.hypot(_SIGMA_GROUND, _SIGMA_DEPTH * np.abs(points @ _up(0.0, 0.0)))

    def residuals(x: np.ndarray) -> np.ndarray:
        up = _up(x[0], x[1])
        right, forward = _across(up)
        lean = np.stack([axes @ right / _BODY_ROLL, axes @ forward / _BODY_PITCH], 1) * share
        ground = (points @ up - x[2 + whose]) / sigma * share
        prior = [x[0] / _PRIOR_ROLL, x[1] / _PRIOR_PITCH, *(0.01 * (x[2:] + 1.5))]
        told = [np.cross(hint.direction, up) / hint.deviation for hint in hints]
        return np.concatenate([_soft(lean.ravel()), _soft(ground), prior, *(_soft(part) for part in told)])

    level = _up(0.0, 0.0)
    heights = [np.median(stance @ level) if len(stance) else -1.5 for stance in stances]
    start = _angles(hints[0].direction) if hints else (0.0, 0.0)
    solved = least_squares(residuals, np.array([*start, *heights]))
    return _up(solved.x[0], solved.x[1]), solved.x[2:]


def shared_scale(heights: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """(P,) factors by which people are made larger (and farther) so that those who stand nearly level share a ground.

    heights (P,) m of each person's ground under the camera, fixed (P,) bool for people whose size is known. A body's
    size is guessed within 5 percent, a ground's height read within 2 percent of the camera's: least squares of both.
    Who would have to change by more than 18 percent stands elsewhere and is left alone.
    """
    factors = np.ones(len(heights))
    below = heights < -0.2
    if below.sum() < 2:
        return factors
    logs = np.log(-heights[below])
    sure = fixed[below]
    together = np.abs(logs[:, None] - logs) < 0.18
    near = together[sure.argmax() if sure.any() else together.sum(1).argmax()]
    centre = logs[sure].mean() if sure.any() else logs[near].mean()
    pull = np.where(near & ~sure, (centre - logs) * 0.05**2 / (0.05**2 + 0.02**2), 0.0)
    factors[below] = np.exp(pull)
    return factors


def ground_level(heights: np.ndarray) -> float:
    """Where z = 0 belongs among the heights (S,) m of resting feet: the lowest level at which a good part of them is.

    A level is a peak of their density, smoothed by 10 cm; a good part is a sixth of the highest peak.
    """
    if not len(heights):
        return -1.5
    grid = np.arange(heights.min() - 0.3, heights.max() + 0.3, 0.01)
    density = np.exp(-0.5 * ((grid[:, None] - heights) / 0.1) ** 2).sum(1)
    peak = (density[1:-1] >= density[:-2]) & (density[1:-1] > density[2:]) & (density[1:-1] > density.max() / 6)
    return float(grid[1:-1][peak][0])


def _soft(residual: np.ndarray) -> np.ndarray:
    """Residuals whose square grows like |r| beyond 1 (a smooth Huber): a few wrong frames do not tip the world."""
    return np.sign(residual) * np.sqrt(2 * (np.sqrt(1 + residual**2) - 1))


def _up(roll: float, pitch: float) -> np.ndarray:
    """Up for a camera rolled and pitched by radians; one that looks down has pitch > 0, and up leans toward it."""
    return np.array([np.sin(roll), -np.cos(roll) * np.cos(pitch), -np.cos(roll) * np.sin(pitch)])


def _angles(up: np.ndarray) -> tuple[float, float]:
    """Roll and pitch of _up."""
    return float(np.arcsin(np.clip(up[0], -1, 1))), float(np.arctan2(-up[2], -up[1]))


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

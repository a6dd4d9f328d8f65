"""Up from upright lines: all that are point to one vanishing point."""

from __future__ import annotations

import numpy as np

from ghmr_engine.world.gravity import UpHint

_REACH_DEG, _STEP_DEG = 20.0, 0.5
_GUESS_DEG = 12.0  # deviation of the guess
_WIDTH_DEG, _REFINED_DEG = 1.0, 0.5  # of what counts as pointing there
_FEWEST = 12
_APART_DEG, _ALONE = 8.0, 1.3
"""The best direction must be better by this factor than any other that far away."""
_MOST = 0.5
"""... unless so many of all steep lines point there: then a guess that was wrong must not speak for another."""
_SHARE = 0.25  # of all steep lines' weight that points there; floor boards are mostly not upright
_LINE_DEG = 0.4  # how exactly a line is found
_SURE_DEG = 0.3  # walls and posts are no straighter


def vanishing_up(planes: np.ndarray, guess: np.ndarray, lens: float = 0.0) -> UpHint | None:
    """Up near a guess (3,), from planes (S, 4) through the camera and lines: unit normals and weights. None where no
    direction stands out. lens: how unsure the focal length's logarithm is, and with it the camera's pitch: the
    vanishing point lies at focal length / tan(pitch) from the picture's middle.

    A plane holds its line's vanishing point, so up is at right angles to its normal. All directions near the guess are
    tried (floor boards that run away from the camera look upright too, but point elsewhere), then the best is refined
    by weighted least squares.
    """
    if len(planes) < _FEWEST:
        return None
    normals, weight = planes[:, :3], planes[:, 3]
    tries = _around(guess)
    away = np.degrees(np.arccos(np.clip(tries @ guess, -1, 1)))
    pointing = weight @ _pointing(normals, tries, _WIDTH_DEG)
    score = np.exp(-0.5 * (away / _GUESS_DEG) ** 2) * pointing
    best = tries[score.argmax()]
    share = pointing[score.argmax()] / max(weight.sum(), 1e-9)
    others = score[tries @ best < np.cos(np.radians(_APART_DEG))]
    if share < _SHARE or (share < _MOST and score.max() < _ALONE * others.max()):
        return None
    values = np.zeros(3)
    for _ in range(5):
        near = weight * _pointing(normals, best[None], _REFINED_DEG)[:, 0]
        if near.sum() <= 0:
            return None
        values, vectors = np.linalg.eigh((normals * near[:, None]).T @ normals / near.sum())
        best = vectors[:, 0] * np.sign(vectors[:, 0] @ best)
    agreeing = int((np.abs(normals @ best) < np.radians(2 * _REFINED_DEG)).sum())
    if agreeing < _FEWEST:
        return None
    # Lines close together leave their vanishing point's height open: the second value says how far they spread.
    deviation = np.radians(_LINE_DEG) / np.sqrt(max(values[1], 1e-6) * agreeing)
    sure = np.hypot(deviation, np.radians(_SURE_DEG))
    return UpHint(best, np.array([np.hypot(sure, lens * best[1] * best[2]), sure, sure]))


def _pointing(normals: np.ndarray, tries: np.ndarray, width_deg: float) -> np.ndarray:
    """(S, M) 0 to 1: how well each direction (M, 3) lies in each plane."""
    return np.exp(-0.5 * (normals @ tries.T / np.radians(width_deg)) ** 2)


def _around(guess: np.ndarray) -> np.ndarray:
    """(M, 3) unit vectors near a guess, half a degree apart."""
    side = np.cross(guess, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side)
    steps = np.radians(np.arange(-_REACH_DEG, _REACH_DEG + _STEP_DEG, _STEP_DEG))
    a, b = np.meshgrid(np.tan(steps), np.tan(steps))
    near = np.hypot(a, b) <= np.tan(np.radians(_REACH_DEG))
    tries = guess + a[near][:, None] * side + b[near][:, None] * np.cross(guess, side)
    return tries / np.linalg.norm(tries, axis=1, keepdims=True)

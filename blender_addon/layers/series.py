"""Values over time: Gaussian means of vectors and of turns, the same at the ends as in the middle. NumPy only."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..scene.rotations import inverse, multiply, without_flips
from ..scene.sampling import Sampling
from ..scene.timing import presence

_REACH = 3.0
"""Standard deviations after which a Gaussian is taken as over."""


def stretches(frames: np.ndarray, fps: Fraction) -> list[tuple[np.ndarray, Sampling]]:
    """The times in which a person is there: places (n,) in `frames` of each, and how to put values at them onto every
    frame in between, short absences bridged. frames (N,) rising."""
    found = []
    for first, last in presence(frames, fps):
        mine = np.flatnonzero((frames >= first) & (frames <= last))
        every = np.arange(first, last + 1)
        places = np.interp(every, frames[mine], np.arange(len(mine)))
        before = np.floor(places + 1e-9).astype(int)
        found.append((mine, Sampling(every, before, np.clip(places - before, 0, 1), np.zeros(len(every), bool))))
    return found


def mean_vectors(values: np.ndarray, deviation: float) -> np.ndarray:
    """(M, ...) -> (M, ...): weighed by a Gaussian of `deviation` frames; a straight line stays, at its ends too."""
    reach = _reach(deviation, len(values))
    if not reach:
        return values
    before = 2 * values[0] - values[reach:0:-1]
    after = 2 * values[-1] - values[-2 : -reach - 2 : -1]
    return _weighed(np.concatenate([before, values, after]), deviation, reach)


def mean_turns(quaternions: np.ndarray, deviation: float) -> np.ndarray:
    """(M, ..., 4) without flips -> (M, ..., 4) unit: the same for turns, whose ends are mirrored along the arc."""
    reach = _reach(deviation, len(quaternions))
    if not reach:
        return quaternions
    first, last = quaternions[:1], quaternions[-1:]
    before = multiply(multiply(first, inverse(quaternions[reach:0:-1])), first)
    after = multiply(multiply(last, inverse(quaternions[-2 : -reach - 2 : -1])), last)
    # Over a Gaussian's width turns are near enough to each other for the mean of their numbers to be their mean.
    mean = _weighed(without_flips(np.concatenate([before, quaternions, after])), deviation, reach)
    mean /= np.linalg.norm(mean, axis=-1, keepdims=True)
    return np.where((mean * quaternions).sum(-1, keepdims=True) < 0, -mean, mean)


def _reach(deviation: float, count: int) -> int:
    """Neighbours that count on each side: no more than there are."""
    return min(int(np.ceil(_REACH * deviation)), count - 1) if deviation > 0 else 0


def _weighed(padded: np.ndarray, deviation: float, reach: int) -> np.ndarray:
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights /= weights.sum()
    count = len(padded) - 2 * reach
    total = np.zeros((count, *padded.shape[1:]))
    for shift, weight in enumerate(weights):
        total += weight * padded[shift : shift + count]
    return total

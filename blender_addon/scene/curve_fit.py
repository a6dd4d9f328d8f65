"""Few smooth keys for many values: cubic pieces with handles, as Blender's Bezier keys are. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STIFF = 1e-3
"""How much a piece that few values tell of would rather be straight."""
_HALFWAY = 0.5
"""What an error halfway between two frames counts."""


@dataclass(frozen=True)
class Track:
    """Keys of C curves over the same frames. K keys, slopes a frame."""

    frames: np.ndarray
    """(K,) rising."""
    values: np.ndarray
    """(K, C)."""
    before: np.ndarray
    """(K, C) slopes at which the curves come to a key."""
    after: np.ndarray
    """(K, C) slopes at which they leave it."""

    def at(self, frames: np.ndarray) -> np.ndarray:
        """(N, C) values at frames (N,); before the first and after the last key those keys' values."""
        frames = np.clip(frames, self.frames[0], self.frames[-1])
        left = np.clip(np.searchsorted(self.frames, frames, "right") - 1, 0, max(len(self.frames) - 2, 0))
        right = np.minimum(left + 1, len(self.frames) - 1)
        a, b, c, d = _shares(frames, self.frames[left], self.frames[right])
        return a * self.values[left] + b * self.after[left] + c * self.values[right] + d * self.before[right]


def fit_track(frames: np.ndarray, values: np.ndarray, zero: np.ndarray, counts: np.ndarray, tolerance: float) -> Track:
    """Keys for values (N, C) at whole frames (N,), one after the other.

    zero (N,) bool: rows in which the curves must be 0 throughout. counts (N,): what an error of 1 in a row counts as;
    keys are added until no error counts as more than `tolerance`.
    """
    keys: dict[int, list[np.ndarray]] = {}
    nothing = np.zeros(values.shape[1])
    edges = np.flatnonzero(np.diff(np.concatenate([[1], zero.astype(np.int8), [1]])))
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        a, b = max(first - 1, 0), min(after, len(frames) - 1)
        ends = (bool(zero[a]), bool(zero[b]))
        knots, found, slopes = _fit(frames[a : b + 1], values[a : b + 1], counts[a : b + 1], ends, tolerance)
        for place, knot in enumerate(knots):
            key = keys.setdefault(int(knot), [found[place], nothing, nothing])
            if place > 0:
                key[1] = slopes[place]
            if place < len(knots) - 1:
                key[2] = slopes[place]
    keys.setdefault(int(frames[0]), [nothing, nothing, nothing])
    order = sorted(keys)
    columns = [np.array([keys[frame][column] for frame in order]) for column in range(3)]
    return Track(np.array(order), *columns)


def _fit(
    frames: np.ndarray, values: np.ndarray, counts: np.ndarray, ends: tuple[bool, bool], tolerance: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Knots (K,), values and slopes (K, C) there. ends: whether the first and the last value are to be 0."""
    # Halfway between two frames it has to be about right too, or the curve swings out where the values have a corner.
    half = np.arange(2 * len(frames) - 1) / 2
    fine = frames[0] + half
    between = np.stack([np.interp(half, np.arange(len(frames)), column) for column in values.T], 1)
    weights = np.interp(half, np.arange(len(frames)), counts) * np.where(half % 1, _HALFWAY, 1)
    knots = np.unique(frames[[0, -1]])
    while True:
        found, slopes = _solve(fine, between, weights, knots, ends)
        errors = counts * np.linalg.norm(Track(knots, found, slopes, slopes).at(frames) - values, axis=1)
        errors[np.isin(frames, knots)] = 0
        if errors.max() <= tolerance:
            return knots, found, slopes
        knots = np.sort(np.append(knots, frames[errors.argmax()]))


def _solve(
    frames: np.ndarray, values: np.ndarray, counts: np.ndarray, at: np.ndarray, ends: tuple[bool, bool]
) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes (K, C) at the knots `at` (K,) by least squares over values (N, C) at frames (N,)."""
    count = len(at)
    if count == 1:
        return values, np.zeros_like(values)
    left = np.clip(np.searchsorted(at, frames, "right") - 1, 0, count - 2)
    rows = np.arange(len(frames))
    matrix = np.zeros((len(frames), 2 * count))
    shares = _shares(frames, at[left], at[left + 1])
    for column, share in zip((left, count + left, left + 1, count + left + 1), shares, strict=True):
        matrix[rows, column] += share[:, 0]
    straight = np.zeros((2 * count - 2, 2 * count))
    for piece in range(count - 1):
        length = at[piece + 1] - at[piece]
        for row, slope in ((2 * piece, piece), (2 * piece + 1, piece + 1)):
            straight[row, [piece, piece + 1]] = 1, -1
            straight[row, count + slope] = length
    given = {place for place, zero in zip((0, count - 1), ends, strict=True) if zero}
    free = [place for place in range(2 * count) if place not in given]
    weighed = np.concatenate([matrix * counts[:, None], straight * _STIFF * counts.max()])[:, free]
    wanted = np.concatenate([values * counts[:, None], np.zeros((len(straight), values.shape[1]))])
    answer = np.zeros((2 * count, values.shape[1]))
    answer[free] = np.linalg.lstsq(weighed, wanted, rcond=None)[0]
    return answer[:count], answer[count:]


def _shares(frames: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
    """Four (N, 1): what the value and slope at the left key and those at the right one count at each frame (Hermite's
    cubics; a Bezier piece whose handles lie at thirds of it is the same)."""
    length = np.maximum(right - left, 1e-9)[:, None]
    u = np.clip((frames - left)[:, None] / length, 0, 1)
    value = u * u * (3 - 2 * u)
    return 1 - value, length * u * (1 - u) ** 2, value, -length * u * u * (1 - u)

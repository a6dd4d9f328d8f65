"""Curves over time without steps. NumPy only; rows are frames one after the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .turning import ramp


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """(N, C) the mean around each frame, weighed by a bell of so many frames; at both ends as if it went on alike."""
    reach = int(np.ceil(3 * sigma))
    if len(values) < 2 or reach < 1:
        return values.copy()
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    bell /= bell.sum()
    wide = values
    while len(wide) < len(values) + 2 * reach:  # what is shorter than the bell is turned over more than once
        side = min(reach - (len(wide) - len(values)) // 2, len(wide) - 1)
        wide = np.pad(wide, ((side, side), (0, 0)), mode="reflect", reflect_type="odd")
    return np.stack([np.convolve(column, bell, "valid") for column in wide.T], 1)


def over(values: np.ndarray, reach: int) -> np.ndarray:
    """(N,) a smooth curve that is nowhere under `values`: the mean around each frame of the highest ones around it."""
    every = np.pad(values, 2 * reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(every, 2 * reach + 1).max(1)
    weights = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(highest, weights / weights.sum(), "valid")


def eased(values: np.ndarray, known: np.ndarray, reach: int) -> np.ndarray:
    """(N, C) with what is known (N,) bool as it is; in between it goes to 0 within `reach` frames and comes from there,
    or straight from one to the next where they are nearer to each other."""
    out, rows, places = np.where(known[:, None], values, 0.0), np.arange(len(values)), np.flatnonzero(known)
    if not len(places):
        return np.zeros_like(values)
    after = np.searchsorted(places, rows)
    has_next, has_before = after < len(places), after > 0
    following, before = places[np.minimum(after, len(places) - 1)], places[np.maximum(after - 1, 0)]
    span = np.where(has_next & has_before, np.minimum((following - before).astype(float), 2 * reach), 2 * reach)
    # Within a short gap the two shares add up to one; in a long one each has its own half.
    width = np.where(span < 2 * reach, span, reach)
    leave = np.where(has_before, 1 - ramp((rows - before) / np.maximum(width, 1), 0, 1), 0)
    come = np.where(has_next, 1 - ramp((following - rows) / np.maximum(width, 1), 0, 1), 0)
    between = leave[:, None] * values[before] + come[:, None] * values[following]
    return np.where(known[:, None], out, between)


def stretches(frames: np.ndarray) -> list[slice]:
    """Rows of frames that follow each other without a gap."""
    cuts = [0, *(np.flatnonzero(np.diff(frames) > 1) + 1).tolist(), len(frames)]
    return [slice(a, b) for a, b in pairwise(cuts) if b > a]


def runs(on: np.ndarray) -> list[tuple[int, int]]:
    """First row and the one after the last of each time that (N,) bool is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]

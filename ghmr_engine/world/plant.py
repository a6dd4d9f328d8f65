"""A first guess in which resting feet stay: whole bodies shifted by as little as that takes, in one linear solve."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

# Expected deviations of the shift: across and along the line of sight (m), its unsteadiness (m a frame squared), and of
# a resting foot from frame to frame (m).
_ACROSS, _ALONG, _STEADY, _REST = 0.03, 0.2, 0.0005, 0.005


def planting_shift(
    feet: np.ndarray, contacts: np.ndarray, pairs: np.ndarray, triples: np.ndarray, sight: int, free: bool
) -> np.ndarray:
    """(N, 3) m to add to a person's place so that feet (N, 4, 3) which rest (contacts, N x 4) do not move.

    pairs, triples: solver.neighbours; sight: the axis along the camera's line of sight, in which places are least sure;
    free: a camera that walks leaves all of them unsure. Least squares, exact, linear in N (a banded system of width 2).
    """
    weight = (contacts[1:] * contacts[:-1] * pairs[:, None])[..., None] / _REST**2
    steps = feet[1:] - feet[:-1]
    tie, pull = weight.sum(1)[:, 0], -(weight * steps).sum(1)
    count = len(feet)
    shift = np.zeros((count, 3))
    for axis in range(3):
        loose = 1.0 if free and axis < 2 else _ALONG if axis == sight else _ACROSS
        band = np.zeros((3, count))
        band[2] = 1 / loose**2
        band[2, 1:] += tie
        band[2, :-1] += tie
        band[1, 1:] -= tie
        steady = triples / _STEADY**2
        for place, factor in enumerate((1.0, 4.0, 1.0)):
            band[2, place : place + len(steady)] += factor * steady
        band[1, 1:-1] += -2 * steady
        band[1, 2:] += -2 * steady
        band[0, 2:] += steady
        right = np.zeros(count)
        right[1:] += pull[:, axis]
        right[:-1] -= pull[:, axis]
        shift[:, axis] = solveh_banded(band, right)
    return shift

"""A first guess in which resting feet stay: whole bodies shifted by as little as that takes, in one linear solve."""

from __future__ import annotations

import numpy as np
from scipy.sparse import block_diag, diags, eye, kron
from scipy.sparse.linalg import spsolve

# Expected deviations of the shift: across and along the line of sight (m), its unsteadiness (m a frame squared), and of
# a resting foot from frame to frame (m).
_ACROSS, _ALONG, _STEADY, _REST = 0.03, 0.2, 0.0005, 0.005


def planting_shift(
    feet: np.ndarray, contacts: np.ndarray, pairs: np.ndarray, triples: np.ndarray, sight: np.ndarray, free: bool
) -> np.ndarray:
    """(N, 3) m to add to a person's place so that feet (N, 4, 3) which rest (contacts, N x 4) do not move.

    pairs, triples: solver.neighbours; sight (N, 3): unit vectors from the camera to the person, along which places are
    least sure; free: a camera that walks leaves them unsure all over the ground. Least squares, exact, linear in N.
    """
    weight = (contacts[1:] * contacts[:-1] * pairs[:, None])[..., None] / _REST**2
    steps = feet[1:] - feet[:-1]
    tie, pull = weight.sum(1)[:, 0], -(weight * steps).sum(1)
    count = len(feet)
    first = diags([-1.0, 1.0], [0, 1], shape=(count - 1, count))
    second = diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(count - 2, count))
    tied = first.T @ diags(tie) @ first + second.T @ diags(triples / _STEADY**2) @ second
    across = np.array([1.0, 1.0, _ACROSS]) if free else np.full(3, _ACROSS)
    along = 0.0 if free else 1 / _ALONG**2 - 1 / _ACROSS**2
    held = np.diag(1 / across**2) + along * sight[:, :, None] * sight[:, None, :]
    # Numbers in the order x, y, z of the first frame, then of the second: a band as wide as three frames.
    matrix = kron(tied, eye(3)) + block_diag(list(held))
    return spsolve(matrix.tocsc(), (first.T @ pull).ravel()).reshape(count, 3)

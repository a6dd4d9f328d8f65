"""The best similarity or rigid motion between two point sets. NumPy only."""

from __future__ import annotations

import numpy as np

_POINT_M2 = 1e-20
"""A set whose points spread less than this (sum of squares) is one point, up to rounding."""


def similarity(found: np.ndarray, true: np.ndarray, scale: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(s, R, t) with s R x + t nearest to `true` in least squares (Umeyama 1991, eq. 34 to 43), batched.

    found, true (..., M, 3) m -> s (...,), R (..., 3, 3) a rotation and never a reflection, t (..., 3) m. Without
    `scale`, s is 1. So it is where either set is a single point: no size can be read from it.
    """
    found, true = np.asarray(found, dtype=np.float64), np.asarray(true, dtype=np.float64)
    mean_found, mean_true = found.mean(-2), true.mean(-2)
    a, b = found - mean_found[..., None, :], true - mean_true[..., None, :]
    R, values = _rotation_and_values(np.swapaxes(b, -1, -2) @ a)
    s = np.ones(found.shape[:-2])
    if scale:
        spread_a, spread_b = (np.square(x).sum((-1, -2)) for x in (a, b))
        sized = (spread_a > _POINT_M2) & (spread_b > _POINT_M2)
        s = np.where(sized, values.sum(-1) / np.where(sized, spread_a, 1.0), 1.0)
    t = mean_true - s[..., None] * (R @ mean_found[..., None])[..., 0]
    return s, R, t


def apply(s: np.ndarray, R: np.ndarray, t: np.ndarray, points: np.ndarray) -> np.ndarray:
    """s R x + t for points (..., M, 3) m; s (...,), R (..., 3, 3), t (..., 3) m, as `similarity` gives them."""
    return np.asarray(s)[..., None, None] * (points @ np.swapaxes(R, -1, -2)) + np.asarray(t)[..., None, :]


def nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    """The rotation R nearest to (..., 3, 3) in the Frobenius norm: of a sum of rotations, their chordal mean.

    Hartley et al., Rotation Averaging, 2013, section 5.3.
    """
    return _rotation_and_values(matrix)[0]


def _rotation_and_values(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest rotation (..., 3, 3) and the singular values (..., 3), the last negative where that unmirrors."""
    u, values, vt = np.linalg.svd(matrix)
    sign = np.ones_like(values)
    sign[..., 2] = np.where(np.linalg.det(u @ vt) < 0, -1.0, 1.0)
    return (u * sign[..., None, :]) @ vt, values * sign

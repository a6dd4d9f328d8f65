"""Rigid transforms in NumPy, many at once: put together, inverted, blended. Any leading axes."""

from __future__ import annotations

import numpy as np

from .turning import mixed


def rigid(turns: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(..., 3, 3) and (..., 3) as (..., 4, 4)."""
    shape = np.broadcast_shapes(turns.shape[:-2], places.shape[:-1])
    whole = np.zeros((*shape, 4, 4))
    whole[..., :3, :3], whole[..., :3, 3], whole[..., 3, 3] = turns, places, 1
    return whole


def inverses(matrices: np.ndarray) -> np.ndarray:
    """(..., 4, 4) of turns and shifts, drawn out or not."""
    return np.linalg.inv(matrices)


def unscaled(turns: np.ndarray) -> np.ndarray:
    """(..., 3, 3) with columns of length 1."""
    return turns / np.maximum(np.linalg.norm(turns, axis=-2, keepdims=True), 1e-12)


def blended(a: np.ndarray, b: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """(..., 4, 4) from a (share 0) to b (1): turns by the short way, places by a straight line."""
    turns = mixed(unscaled(a[..., :3, :3]), unscaled(b[..., :3, :3]), share)
    places = a[..., :3, 3] + np.asarray(share)[..., None] * (b[..., :3, 3] - a[..., :3, 3])
    return rigid(turns, places)

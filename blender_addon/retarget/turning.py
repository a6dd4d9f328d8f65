"""Turns of vectors and frames, many at once. NumPy only; matrices (..., 3, 3), vectors (..., 3), angles in radians."""

from __future__ import annotations

import numpy as np

from ..scene.rotations import (
    matrices_from_axis_angle,
    matrices_from_quaternions,
    quaternions_from_axis_angle,
    quaternions_from_matrices,
    slerp,
)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Of length 1; what has none stays."""
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(size, 1e-12)


def across(vectors: np.ndarray, along: np.ndarray) -> np.ndarray:
    """The parts of vectors that are square to the unit vectors `along`."""
    return vectors - along * (vectors * along).sum(-1, keepdims=True)


def frame(along: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """Axes in columns: `along`, the part of `aside` that is square to it, and what is square to both."""
    x = unit(along)
    y = unit(across(aside, x))
    return np.stack([x, y, np.cross(x, y)], -1)


def about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Turns about unit axes."""
    return matrices_from_axis_angle(axis * np.asarray(angle)[..., None])


def onto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest turn of a's direction to b's; half a turn about something square to them where they are opposite."""
    a, b = np.broadcast_arrays(unit(a), unit(b))
    cross, cosine = np.cross(a, b), (a * b).sum(-1)
    sine = np.linalg.norm(cross, axis=-1)
    axis = np.divide(cross, sine[..., None], out=np.zeros_like(cross), where=sine[..., None] > 1e-12)
    opposite = (sine < 1e-9) & (cosine < 0)
    if opposite.any():
        spare = unit(across(np.where(np.abs(a[..., :1]) < 0.9, [1.0, 0, 0], [0, 1.0, 0]), a))
        axis = np.where(opposite[..., None], spare, axis)
    return about(axis, np.arctan2(sine, cosine))


def turned(turns: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Each vector by its turn."""
    return (turns @ np.asarray(vectors)[..., None])[..., 0]


def back(turns: np.ndarray) -> np.ndarray:
    """The turns the other way round."""
    return np.swapaxes(turns, -1, -2)


def mixed(a: np.ndarray, b: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """From a (share 0) to b (1), the short way round."""
    share = np.broadcast_to(share, np.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
    a, b = np.broadcast_arrays(quaternions_from_matrices(a), quaternions_from_matrices(b))
    return matrices_from_quaternions(slerp(a, b, share))


def twist_about(turns: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(...) how far each turn turns about its unit axis: the rest of it is the smallest turn of the axis."""
    quaternions = quaternions_from_matrices(turns)
    return 2 * np.arctan2((quaternions[..., 1:] * axis).sum(-1), quaternions[..., 0])


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(...) between vectors, 0 to pi; exact near both ends too."""
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1))


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 up to low, 1 from high on, level at both."""
    x = np.clip((values - low) / (high - low), 0, 1)
    return x * x * (3 - 2 * x)


def quaternions_about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """(..., 4) w x y z."""
    return quaternions_from_axis_angle(axis * np.asarray(angle)[..., None])

"""Rigid transforms in NumPy: inverses, the shortest turn from one direction to another, blends. Any leading axes."""

from __future__ import annotations

import numpy as np

from ..scene.rotations import axis_angle_from_matrices, matrices_from_axis_angle


def rigid(turns: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(..., 3, 3) and (..., 3) as (..., 4, 4)."""
    shape = np.broadcast_shapes(turns.shape[:-2], places.shape[:-1])
    whole = np.zeros((*shape, 4, 4))
    whole[..., :3, :3], whole[..., :3, 3], whole[..., 3, 3] = turns, places, 1
    return whole


def inverses(matrices: np.ndarray) -> np.ndarray:
    """(..., 4, 4) of turns and shifts, drawn out or not."""
    return np.linalg.inv(matrices)


def unit(turns: np.ndarray) -> np.ndarray:
    """(..., 3, 3) with columns of length 1."""
    return turns / np.maximum(np.linalg.norm(turns, axis=-2, keepdims=True), 1e-12)


def normalized(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) of length 1, or of none where there is no direction."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def across(vectors: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(..., 3) what of the vectors is at right angles to the axes, which are of length 1."""
    return vectors - (vectors * axes).sum(-1, keepdims=True) * axes


def swing(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(..., 3, 3) the shortest turn from one direction to another; half a turn where they are opposite."""
    a, b = normalized(np.broadcast_to(start, np.shape(end))), normalized(end)
    axis, cosine = np.cross(a, b), (a * b).sum(-1)
    # Opposite: about whatever is at right angles.
    spare = across(np.where(np.abs(a[..., :1]) < 0.9, [1.0, 0, 0], [0, 1.0, 0]), a)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    axis = np.where((sine < 1e-9) & (cosine[..., None] < 0), normalized(spare), axis / np.maximum(sine, 1e-12))
    return matrices_from_axis_angle(axis * np.arctan2(sine, cosine[..., None]))


def part_of(turns: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """(..., 3, 3) a share of each turn, the short way."""
    return matrices_from_axis_angle(axis_angle_from_matrices(turns) * np.asarray(share)[..., None])


def blended(a: np.ndarray, b: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """(..., 4, 4) from a (share 0) to b (1): turns by the short way, places by a straight line."""
    first, second = unit(a[..., :3, :3]), unit(b[..., :3, :3])
    way = part_of(second @ np.swapaxes(first, -1, -2), share)
    places = a[..., :3, 3] + np.asarray(share)[..., None] * (b[..., :3, 3] - a[..., :3, 3])
    return rigid(way @ first, places)

"""A bone's own turn and place as the numbers that Blender keys, without flips, and which keys say nothing new."""

from __future__ import annotations

import numpy as np

from ..scene.rotations import (
    axis_angle_from_quaternions,
    quaternions_from_matrices,
    without_flips,
)

_ORDERS = {"XYZ": (0, 1, 2), "XZY": (0, 2, 1), "YXZ": (1, 0, 2), "YZX": (1, 2, 0), "ZXY": (2, 0, 1), "ZYX": (2, 1, 0)}
_EVEN = {"XYZ", "YZX", "ZXY"}
CHANNELS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
"""Property of a rotation mode, rotation_euler for all others."""
_STILL = 1e-6


def turn_channels(turns: np.ndarray, mode: str) -> tuple[str, np.ndarray]:
    """Property and values, (N, 3 or 4), of turns (N, 3, 3) over time."""
    if mode in _ORDERS:
        return "rotation_euler", eulers(turns, mode)
    quaternions = without_flips(quaternions_from_matrices(turns))
    if mode == "QUATERNION":
        return CHANNELS[mode], quaternions
    ways = axis_angle_from_quaternions(quaternions)
    angle = np.linalg.norm(ways, axis=1, keepdims=True)
    axis = np.where(angle > 1e-9, ways / np.maximum(angle, 1e-12), [0.0, 1.0, 0.0])
    return CHANNELS["AXIS_ANGLE"], np.concatenate([angle, axis], 1)


def eulers(turns: np.ndarray, order: str) -> np.ndarray:
    """(N, 3) rad about x, y, z of turns (N, 3, 3) by Blender's order (XYZ: about x first), each near the one before it.

    Of the two triples that are one turn the nearer one is taken, and whole turns are added where that is nearer.
    """
    i, j, k = _ORDERS[order]
    sign = 1.0 if order in _EVEN else -1.0
    m = np.swapaxes(turns, 1, 2)  # columns first, as the textbook's formula for row vectors has it
    flat = np.hypot(m[:, i, i], m[:, i, j])
    lost = flat < 1e-7
    first, second = np.empty((len(m), 3)), np.empty((len(m), 3))
    first[:, i] = np.where(lost, np.arctan2(-m[:, k, j], m[:, j, j]), np.arctan2(m[:, j, k], m[:, k, k]))
    first[:, j] = np.arctan2(-m[:, i, k], flat)
    first[:, k] = np.where(lost, 0.0, np.arctan2(m[:, i, j], m[:, i, i]))
    second[:, i], second[:, j], second[:, k] = first[:, i] + np.pi, np.pi - first[:, j], first[:, k] + np.pi
    chosen = np.empty_like(first)
    before = np.zeros(3)
    for row, pair in enumerate(zip(sign * first, sign * second, strict=True)):
        near = [triple - 2 * np.pi * np.round((triple - before) / (2 * np.pi)) for triple in pair]
        before = chosen[row] = min(near, key=lambda triple: float(np.abs(triple - before).sum()))
    return chosen


def telling(values: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(N,) bool: keys that straight lines between the others do not say: those inside a stretch without change go.

    values (N, C), frames (N,). A step of more than one frame ends a stretch.
    """
    if len(values) < 2:
        return np.ones(len(values), dtype=bool)
    alike = (np.abs(np.diff(values, axis=0)) < _STILL).all(1) & (np.diff(frames) == 1)
    keep = np.ones(len(values), dtype=bool)
    keep[1:-1] = ~(alike[1:] & alike[:-1])
    if (np.abs(values - values[0]) < _STILL).all():
        keep[1:] = False
    return keep

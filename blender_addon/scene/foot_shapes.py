"""Meshes that show where the feet's targets are and can be grabbed."""

from __future__ import annotations

import bpy
import numpy as np

_WIDTH_M, _BEYOND_M = 0.055, 0.05
_CIRCLE_M, _CIRCLE_POINTS = 0.03, 24


def sole_shape(name: str, points: np.ndarray, axes: np.ndarray) -> bpy.types.Object:
    """A sole's outline around heel and toe. points (2, 3) m and axes (3, 3), in rows, in the bone's space."""
    side, forward, _ = axes
    heel, toe = points
    angles = np.linspace(0, np.pi, 9)[:, None]
    front = toe + _BEYOND_M * np.sin(angles) * forward + _WIDTH_M * np.cos(angles) * side
    back = heel - _WIDTH_M * 0.7 * (np.sin(angles) * forward + np.cos(angles) * side)
    return _outline(name, np.concatenate([front, back]))


def circle_shape(name: str) -> bpy.types.Object:
    """A circle about the bone's x, about which it rolls."""
    angles = np.arange(_CIRCLE_POINTS) * 2 * np.pi / _CIRCLE_POINTS
    return _outline(name, _CIRCLE_M * np.stack([0 * angles, np.cos(angles), np.sin(angles)], 1))


def _outline(name: str, points: np.ndarray) -> bpy.types.Object:
    """An object in no scene: only the bones show it."""
    mesh = bpy.data.meshes.new(name)
    count = len(points)
    mesh.from_pydata(points, [(place, (place + 1) % count) for place in range(count)], [])
    return bpy.data.objects.new(name, mesh)

"""Keys that somebody set before a motion begins or after it ends: no frame of it says them, so they go along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..compat import Curves
from .keys import key_values

_NUMBERS = {"co": 2, "handle_left": 2, "handle_right": 2}
_CHOICES = ("interpolation", "handle_left_type", "handle_right_type", "type")


@dataclass(frozen=True)
class Beyond:
    """Such keys of one curve."""

    path: str
    index: int
    numbers: dict[str, np.ndarray]
    """(K, 2) by the name of a key's property."""
    choices: dict[str, np.ndarray]
    """(K,) the same of its enums."""


def keys_beyond(curves: Curves, first: float, last: float) -> list[Beyond]:
    """Keys of the pose outside scene frames first to last, which is what was written."""
    found = []
    for curve in curves.fcurves:
        points = curve.keyframe_points
        if not curve.data_path.startswith("pose.bones") or not len(points):
            continue
        at = key_values(curve)[:, 0]
        rows = (at < first - 0.5) | (at > last + 0.5)
        if rows.any():
            numbers = {name: _read(points, name, np.float32, size)[rows] for name, size in _NUMBERS.items()}
            choices = {name: _read(points, name, np.int32, 1)[rows] for name in _CHOICES}
            found.append(Beyond(curve.data_path, curve.array_index, numbers, choices))
    return found


def put_back(curves: Curves, kept: list[Beyond], first: float, last: float) -> None:
    """Add them to what was written, which now goes from first to last: what it reaches by now is its own."""
    for beyond in kept:
        curve, at = curves.fcurves.find(beyond.path, index=beyond.index), beyond.numbers["co"][:, 0]
        rows = (at < first - 0.5) | (at > last + 0.5)
        if curve is None or not rows.any() or np.isin(at[rows], key_values(curve)[:, 0]).any():
            continue  # a curve that was not written anew has them still
        points, before = curve.keyframe_points, len(curve.keyframe_points)
        points.add(int(rows.sum()))
        for name, size in _NUMBERS.items():
            _write(points, name, before, beyond.numbers[name][rows], np.float32, size)
        for name in _CHOICES:
            _write(points, name, before, beyond.choices[name][rows], np.int32, 1)
        curve.update()


def _read(points: object, name: str, kind: type, size: int) -> np.ndarray:
    values = np.empty(size * len(points), dtype=kind)
    points.foreach_get(name, values)
    return values.reshape(-1, size) if size > 1 else values


def _write(points: object, name: str, before: int, added: np.ndarray, kind: type, size: int) -> None:
    values = _read(points, name, kind, size)
    values[before:] = added
    points.foreach_set(name, values.ravel())

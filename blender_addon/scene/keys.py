"""Keys in bulk: a whole curve at a time with foreach_set, never keyframe_insert."""

from __future__ import annotations

import bpy
import numpy as np

from ..compat import Curves
from .curve_fit import Track


def write_curves(
    curves: Curves, data_path: str, frames: np.ndarray, values: np.ndarray, group: str, holds: np.ndarray | None = None
) -> None:
    """One curve for each column of values.

    frames (N,) scene frames, values (N, C). Linear from key to key: what lies between two frames of the motion stays
    between their values. holds (N,) bool: keys whose value stands still until the next one.
    """
    interpolation = np.full(len(frames), _value_of("interpolation", "LINEAR"), dtype=np.int32)
    if holds is not None:
        interpolation[holds] = _value_of("interpolation", "CONSTANT")
    for index in range(values.shape[1]):
        _write(curves, data_path, index, frames, values[:, index], interpolation, group)


def write_steps(
    curves: Curves,
    data_path: str,
    frames: np.ndarray,
    values: np.ndarray,
    group: str,
    looks: tuple[str, str] = ("KEYFRAME", "KEYFRAME"),
) -> bpy.types.FCurve:
    """One curve of whole steps: constant interpolation, a key at the first frame and where the value changes.

    frames (N,), values (N,) bool or int. looks: the key's type (its colour in the dope sheet) for 0 and for the rest.
    """
    keep = changes(values)
    frames, values = frames[keep], values[keep]
    interpolation = np.full(len(frames), _value_of("interpolation", "CONSTANT"), dtype=np.int32)
    curve = _write(curves, data_path, 0, frames, values.astype(np.float32), interpolation, group)
    off, on = (_value_of("type", look) for look in looks)
    curve.keyframe_points.foreach_set("type", np.where(values, on, off).astype(np.int32))
    return curve


def write_track(curves: Curves, data_path: str, track: Track, holds: np.ndarray, group: str) -> None:
    """One curve for each column of a track, its handles as the track's slopes say.

    holds (K,) bool: keys whose value stands still until the next one.
    """
    bezier, constant = (_value_of("interpolation", word) for word in ("BEZIER", "CONSTANT"))
    interpolation = np.where(holds, constant, bezier).astype(np.int32)
    third = np.diff(track.frames, prepend=track.frames[0] - 3, append=track.frames[-1] + 3) / 3
    for index in range(track.values.shape[1]):
        curve = _write(curves, data_path, index, track.frames, track.values[:, index], interpolation, group)
        for side, slopes, step in (("left", track.before, -third[:-1]), ("right", track.after, third[1:])):
            free = np.full(len(step), _value_of("handle_left_type", "FREE"), dtype=np.int32)
            curve.keyframe_points.foreach_set(f"handle_{side}_type", free)
            ends = np.stack([track.frames + step, track.values[:, index] + slopes[:, index] * step], 1)
            curve.keyframe_points.foreach_set(f"handle_{side}", ends.astype(np.float32).ravel())
        curve.update()


def changes(values: np.ndarray) -> np.ndarray:
    """(N,) bool: the first value, and each that differs from the one before it."""
    return np.concatenate([np.ones(min(len(values), 1), dtype=bool), values[1:] != values[:-1]])


def _write(
    curves: Curves,
    data_path: str,
    index: int,
    frames: np.ndarray,
    values: np.ndarray,
    interpolation: np.ndarray,
    group: str,
) -> bpy.types.FCurve:
    """A new curve, or other keys for the one that is there. Keys at the same frames keep what they look like."""
    keys = np.stack([frames, values], 1).astype(np.float32)
    curve = curves.fcurves.find(data_path, index=index)
    if curve is None:
        curve = curves.fcurves.new(data_path, index=index)
        curve.group = curves.groups.get(group) or curves.groups.new(group)
    elif np.array_equal(key_values(curve)[:, 0], keys[:, 0]):
        curve.keyframe_points.foreach_set("co", keys.ravel())
        curve.update()
        return curve
    points = curve.keyframe_points
    points.clear()
    points.add(len(frames))
    points.foreach_set("co", keys.ravel())
    points.foreach_set("interpolation", interpolation)
    # Added keys have free handles at the origin, which would leap out as soon as somebody chooses Bezier.
    handles = np.full(len(frames), _value_of("handle_left_type", "AUTO_CLAMPED"), dtype=np.int32)
    points.foreach_set("handle_left_type", handles)
    points.foreach_set("handle_right_type", handles)
    curve.update()
    return curve


def key_values(curve: bpy.types.FCurve) -> np.ndarray:
    """(K, 2) float32: frame and value of each of a curve's keys."""
    keys = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", keys)
    return keys.reshape(-1, 2)


def _value_of(prop: str, item: str) -> int:
    """The number that foreach_set wants for an item of one of Keyframe's enums."""
    return bpy.types.Keyframe.bl_rna.properties[prop].enum_items[item].value

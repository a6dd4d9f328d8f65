"""What an animator keyed by hand on a recovered person: found by comparing with what was written, and kept."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from .compat import Curves, own_curves
from .layers import Layers, layered
from .motion import JOINT_NAMES, Person
from .scene.keys import key_values
from .scene.performance import pose_channels
from .scene.rotations import axis_angle_from_matrices, matrices_from_axis_angle
from .scene.sampling import Sampling, cycle_sampling, sampling
from .scene.skeleton import pelvis_of_bone, poses_of_bones
from .subjects import Subject

_SAME = 1e-5
"""Metres (of a value over 1 so much a metre), and parts of a quaternion: what floats of 32 bits make of one number
differs by less."""


def checksum(curves: Curves) -> str:
    """Of all keys that a pose is made of."""
    total = 0
    for path, size in _channels():
        for index in range(size):
            curve = curves.fcurves.find(path, index=index)
            total = zlib.crc32(key_values(curve).tobytes() if curve is not None else b"none", total)
    return f"{total:08x}"


def with_hand_made(subject: Subject, written: Layers) -> Person | None:
    """The base with the keys that were changed by hand since they were written under the layers `written`.

    None where there are none. A layer that can be taken off (root) is; under one that cannot, the base gets the value
    that is shown.
    """
    curves = own_curves(subject.armature)
    if curves is None:
        return None
    shown = layered(subject.base, subject.clock.motion_fps, written)
    keys = (cycle_sampling if written.loop else sampling)(shown.frames, subject.clock)
    times = _known_times(subject.clock.scene_frames(shown.frames), keys)
    expected, actual = [], []
    for path, _, values in pose_channels(keys, shown, subject.rest):
        was = np.stack([np.interp(times, keys.at, column) for column in values.T], 1)
        expected.append(was)
        actual.append(_evaluated(curves, path, times, was))
    changed = [
        (np.abs(now - was) > _SAME * np.maximum(np.abs(was), 1)).any(1)
        for was, now in zip(expected, actual, strict=True)
    ]
    if not np.any(changed):
        return None
    return _taken_over(subject, written, shown, (expected[0], actual[0]), (np.stack(actual[1:], 1), np.stack(changed)))


def _known_times(times: np.ndarray, keys: Sampling) -> np.ndarray:
    """Scene frames (n,) as Blender counts them, in 32 bits; what lies beyond the keys of its stretch, which are on
    whole frames, at the nearest of them: past it a curve stands still, or shows another stretch."""
    times = np.clip(times, keys.at[0], keys.at[-1]).astype(np.float32).astype(np.float64)
    for end in np.flatnonzero(keys.holds):
        last, again = keys.at[end], keys.at[end + 1]
        away = (times > last) & (times < again)
        times[away] = np.where(times[away] - last < again - times[away], last, again)
    return times


def _channels() -> list[tuple[str, int]]:
    """Data path and size of each."""
    turns = [(f'pose.bones["{name}"].rotation_quaternion', 4) for name in JOINT_NAMES]
    return [(f'pose.bones["{JOINT_NAMES[0]}"].location', 3), *turns]


def _evaluated(curves: Curves, path: str, times: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """(n, C) at scene frames (n,); a curve that was deleted says nothing."""
    out = otherwise.copy()
    for index in range(otherwise.shape[1]):
        curve = curves.fcurves.find(path, index=index)
        if curve is not None and len(curve.keyframe_points):
            out[:, index] = [curve.evaluate(time) for time in times]
    return out


def _taken_over(
    subject: Subject,
    written: Layers,
    shown: Person,
    places: tuple[np.ndarray, np.ndarray],
    turns: tuple[np.ndarray, np.ndarray],
) -> Person:
    """places: the pelvis' location as written and as it is, (n, 3); turns: quaternions (n, 24, 4) as they are, and
    (25, n) which place and which turns were changed."""
    base, (quaternions, changed) = subject.base, turns
    rows = np.searchsorted(base.frames, shown.frames)
    back = written.root.turn().T
    poses, transl = np.array(base.poses, dtype=np.float64), np.array(base.transl, dtype=np.float64)
    was, now = (pelvis_of_bone(subject.rest, place) for place in places)
    transl[rows[changed[0]]] += (now - was)[changed[0]] @ back.T
    own = poses_of_bones(subject.rest, np.where(np.any(quaternions, -1, keepdims=True), quaternions, [1, 0, 0, 0]))
    own[:, 0] = _turned(back, own[:, 0])
    for joint in range(len(JOINT_NAMES)):
        poses[rows[changed[joint + 1]], joint] = own[changed[joint + 1], joint]
    return replace(base, poses=poses, transl=transl)


def _turned(turn: np.ndarray, poses: np.ndarray) -> np.ndarray:
    return axis_angle_from_matrices(turn @ matrices_from_axis_angle(poses))


def merged(old: Person, by_hand: Person, new: Person) -> Person:
    """`new` with what `by_hand` changed in `old`: all three have the same frames."""
    return replace(
        new,
        poses=np.where((by_hand.poses != old.poses).any(-1, keepdims=True), by_hand.poses, new.poses),
        transl=np.where((by_hand.transl != old.transl).any(-1, keepdims=True), by_hand.transl, new.transl),
    )

"""Foot contacts as the user sees them: four curves with steps, read at the motion's frames and written anew."""

from __future__ import annotations

import bpy
import numpy as np

from .compat import Curves, own_curves
from .motion import CONTACT_LEVEL, CONTACT_NAMES
from .scene.performance import contact_path, write_contact
from .scene.sampling import sampling
from .subjects import Subject


def contacts_shown(subject: Subject) -> np.ndarray:
    """(N, 4) bool: planted, by the curves; by the motion where a curve says nothing else than the motion does.

    Curves lie on the scene's whole frames: read back where the rates differ, they alone would shift a little.
    """
    base = subject.base.contacts >= CONTACT_LEVEL
    curves = own_curves(subject.armature)
    keys = sampling(subject.base.frames, subject.clock)
    times = subject.clock.scene_frames(subject.base.frames)
    held = np.clip(np.searchsorted(keys.at, times + 1e-6, side="right") - 1, 0, len(keys.at) - 1)
    out = base.copy()
    for index, contact in enumerate(CONTACT_NAMES):
        curve = curves.fcurves.find(contact_path(contact)) if curves is not None else None
        if curve is None or not len(curve.keyframe_points):
            continue
        now = _at(curve, times)
        was = keys.nearest(base[:, index])[held]
        out[:, index] = np.where(now != was, now, base[:, index])
    return out


def contacts_changed(subject: Subject) -> np.ndarray:
    """(N,) bool: frames in which the user wants another contact than the motion has."""
    return (contacts_shown(subject) != (subject.base.contacts >= CONTACT_LEVEL)).any(1)


def set_contact(
    subject: Subject, contact: str, planted: bool, first: int, last: int | None = None
) -> tuple[int, int] | None:
    """Plant or lift one of CONTACT_NAMES from scene frame `first` to `last`, by default to the contact's next change.

    The first and the last frame that changed; None where nothing did, or the person is not there.
    """
    curves = own_curves(subject.armature)
    frames = sampling(subject.base.frames, subject.clock).at
    start = int(np.searchsorted(frames, first))
    if curves is None or start == len(frames) or (last is not None and last < frames[start]):
        return None
    values = _values(subject, curves, contact, frames)
    if last is None:
        other = np.flatnonzero(values[start:] != values[start])
        end = start + int(other[0]) if len(other) else len(frames)
    else:
        end = int(np.searchsorted(frames, last, side="right"))
    if (values[start:end] == planted).all():
        return None
    values[start:end] = planted
    write_contact(subject.armature, curves, contact, frames, values)
    return int(frames[start]), int(frames[end - 1])


def write_contacts_shown(subject: Subject, planted: np.ndarray) -> None:
    """Write all four curves. planted (N, 4) bool, at the motion's frames."""
    curves, keys = own_curves(subject.armature), sampling(subject.base.frames, subject.clock)
    if curves is None:
        return
    on_keys = keys.nearest(planted)
    for index, contact in enumerate(CONTACT_NAMES):
        write_contact(subject.armature, curves, contact, keys.at, on_keys[:, index])


def _values(subject: Subject, curves: Curves, contact: str, frames: np.ndarray) -> np.ndarray:
    """(M,) bool at scene frames (M,)."""
    curve = curves.fcurves.find(contact_path(contact))
    if curve is not None and len(curve.keyframe_points):
        return _at(curve, frames)
    planted = subject.base.contacts[:, CONTACT_NAMES.index(contact)] >= CONTACT_LEVEL
    return sampling(subject.base.frames, subject.clock).nearest(planted)


def _at(curve: bpy.types.FCurve, times: np.ndarray) -> np.ndarray:
    """(M,) bool, at scene frames (M,)."""
    return np.array([curve.evaluate(time) >= CONTACT_LEVEL for time in times])

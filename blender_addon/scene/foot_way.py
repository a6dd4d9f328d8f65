"""How an armature's feet move and stand, as its action says: read from the curves, so that nothing has to be shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Euler, Quaternion

from ..compat import action_curves
from ..ghmr_engine.errors import RecoverError
from ..motion import CONTACT_NAMES, JOINT_NAMES
from ..translations import told
from .rotations import matrices_from_quaternions

_MISSING = 1.5
"""Keys further apart than so many of the usual steps leave a time of which nothing is known."""

_Curves = Mapping[tuple[str, int], bpy.types.FCurve]


@dataclass(frozen=True)
class Way:
    """One foot over N scene frames, whole and one after the other."""

    frames: np.ndarray
    """(N,)."""
    turns: np.ndarray
    """(N, 3, 3) and shifts (N, 3) m: the ankle's motion from rest, in the armature's space."""
    shifts: np.ndarray
    contacts: np.ndarray
    """(N, 2) bool: heel and toe planted."""
    shown: np.ndarray
    """(N,) bool: the person is there."""


@dataclass(frozen=True)
class Times:
    """When a person is there and stands, over N scene frames, whole and one after the other."""

    frames: np.ndarray
    """(N,)."""
    contacts: np.ndarray
    """(N, 4) bool, in CONTACT_NAMES' order."""
    shown: np.ndarray
    """(N,) bool: the person is there."""


def read_times(armature: bpy.types.Object) -> Times:
    """Frames, contacts and presence. Raises RecoverError where the action does not tell."""
    curves = {(curve.data_path, curve.array_index): curve for curve in action_curves(armature)}
    keys = _pose_keys(armature, curves)
    frames = np.arange(math.ceil(keys[0] - 1e-6), math.floor(keys[-1] + 1e-6) + 1)
    hidden = curves.get(("hide_viewport", 0))
    shown = np.ones(len(frames), dtype=bool) if hidden is None else _values(hidden, frames) < 0.5
    contacts = [_contact(armature, curves, f"contact_{name}", frames) for name in CONTACT_NAMES]
    return Times(frames, np.stack(contacts, 1) & _known(frames, keys)[:, None], shown)


def read_way(armature: bpy.types.Object, side: str) -> Way:
    """The way of the foot on `side` ("left", "right"). Raises RecoverError where the action does not tell."""
    times = read_times(armature)
    curves = {(curve.data_path, curve.array_index): curve for curve in action_curves(armature)}
    turns, shifts = _from_rest(armature, f"{side}_ankle", curves, times.frames)
    mine = [CONTACT_NAMES.index(f"{side}_{part}") for part in ("heel", "toe")]
    return Way(times.frames, turns, shifts, times.contacts[:, mine], times.shown)


def _pose_keys(armature: bpy.types.Object, curves: _Curves) -> np.ndarray:
    """(K,) frames, rising, at which the root is keyed."""
    root = f'pose.bones["{JOINT_NAMES[0]}"].'
    roots = [curve for (path, _), curve in curves.items() if path.startswith(root)]
    keys = {point.co.x for curve in roots for point in curve.keyframe_points}
    if not keys:
        raise RecoverError(
            "no_pose",
            told("{person} has no keys.", person=armature.name),
            "Choose a person whose action holds the recovered motion.",
        )
    return np.array(sorted(keys))


def _known(frames: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """(N,) bool: frames that no long absence of keys lies around."""
    if len(keys) < 2:
        return np.ones(len(frames), dtype=bool)
    steps = np.diff(keys)
    after = np.clip(np.searchsorted(keys, frames), 1, len(keys) - 1)
    on_key = np.isclose(keys[after], frames) | np.isclose(keys[after - 1], frames)
    return on_key | (steps[after - 1] <= _MISSING * max(np.median(steps), 1))


def _contact(armature: bpy.types.Object, curves: _Curves, name: str, frames: np.ndarray) -> np.ndarray:
    """(N,) bool, from the curve that write_contacts made and the user may have changed."""
    curve = curves.get((f'["{name}"]', 0))
    if curve is not None:
        return _values(curve, frames) >= 0.5
    if name not in armature:
        raise RecoverError(
            "no_contacts",
            told("{person} has no foot contacts.", person=armature.name),
            "Choose a person that Recover Motion made.",
        )
    return np.full(len(frames), armature[name] >= 0.5)


def _from_rest(
    armature: bpy.types.Object, name: str, curves: _Curves, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Motion from rest of a bone (N, 3, 3), (N, 3): its parents' and its own, one after the other, from the root."""
    bone = armature.data.bones[name]
    turns, shifts = np.broadcast_to(np.eye(3), (len(frames), 3, 3)), np.zeros((len(frames), 3))
    for link in reversed([bone, *bone.parent_recursive]):
        rest = np.array(link.matrix_local)
        axes, head = rest[:3, :3], rest[:3, 3]
        posed = armature.pose.bones[link.name]
        turn = axes @ _own_turns(posed, curves, frames) @ axes.T
        shift = head - turn @ head
        if not link.use_connect:
            shift = shift + _channels(posed, "location", curves, frames) @ axes.T
        shifts = np.einsum("nij,nj->ni", turns, shift) + shifts
        turns = turns @ turn
    return turns, shifts


def _own_turns(posed: bpy.types.PoseBone, curves: _Curves, frames: np.ndarray) -> np.ndarray:
    """(N, 3, 3): what the bone's own rotation channels say."""
    if posed.rotation_mode == "QUATERNION":
        return matrices_from_quaternions(_channels(posed, "rotation_quaternion", curves, frames))
    if posed.rotation_mode == "AXIS_ANGLE":
        rows = _channels(posed, "rotation_axis_angle", curves, frames)
        return np.array([Quaternion(row[1:], row[0]).to_matrix() for row in rows])
    rows = _channels(posed, "rotation_euler", curves, frames)
    return np.array([Euler(row, posed.rotation_mode).to_matrix() for row in rows])


def _channels(posed: bpy.types.PoseBone, channel: str, curves: _Curves, frames: np.ndarray) -> np.ndarray:
    """(N, C) values of a bone's channel; what has no curve stands as it is."""
    path = f'pose.bones["{posed.name}"].{channel}'
    columns = []
    for index, now in enumerate(getattr(posed, channel)):
        curve = curves.get((path, index))
        columns.append(np.full(len(frames), now) if curve is None else _values(curve, frames))
    return np.stack(columns, 1)


def _values(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])

"""A rig as it was before a motion was put onto it: its action, pose, constraints and NLA, to be put back exactly."""

from __future__ import annotations

import json
from collections.abc import Iterable

import bpy

from .compat import LAYERED_ACTIONS

_CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
_BLENDING = ("use_nla", "action_influence", "action_blend_type", "action_extrapolation")


def keep_before(rig: bpy.types.Object, keyed: Iterable[str], still: Iterable[str], *, mute: bool) -> None:
    """Remember the rig, and make room for keys: no other animation.

    keyed: bones that get keys; still: bones between them, which go to rest. mute: no constraint moves a keyed bone.
    """
    own, animation = rig.recover_motion_retarget, rig.animation_data
    keyed, still = set(keyed), set(still)
    bones = {name: _channels(rig.pose.bones[name]) for name in sorted(keyed | still)}
    blending = None if animation is None else {name: getattr(animation, name) for name in _BLENDING}
    slot = getattr(getattr(animation, "action_slot", None), "identifier", None)
    own.former = animation.action if animation is not None else None
    muted = _mute(rig, keyed) if mute else []
    before = {"blending": blending, "slot": slot, "bones": bones, "muted": muted, "switches": []}
    if rig.data.library is None and rig.data.pose_position == "REST":
        before["resting"] = True
        rig.data.pose_position = "POSE"
    own.before = json.dumps(before)
    for name in still:
        posed = rig.pose.bones[name]
        posed.location, posed.scale = (0, 0, 0), (1, 1, 1)
        posed.rotation_quaternion, posed.rotation_euler = (1, 0, 0, 0), (0, 0, 0)
        posed.rotation_axis_angle = (0, 0, 1, 0)
    animation = rig.animation_data_create()
    animation.use_nla = False
    animation.action_influence, animation.action_blend_type = 1.0, "REPLACE"


def keep_switches(rig: bpy.types.Object, switches: list[list]) -> None:
    """Remember what a rig's own switches said, beside the rest."""
    own = rig.recover_motion_retarget
    own.before = json.dumps({**json.loads(own.before), "switches": switches})


def kept_switches(rig: bpy.types.Object) -> list[list]:
    """What keep_switches was given."""
    return json.loads(rig.recover_motion_retarget.before)["switches"]


def put_back(rig: bpy.types.Object) -> None:
    """Everything as keep_before found it; bones and constraints that are gone meanwhile are left out."""
    own = rig.recover_motion_retarget
    before = json.loads(own.before)
    animation = rig.animation_data_create()
    animation.action = own.former
    if LAYERED_ACTIONS and own.former is not None and before["slot"]:
        animation.action_slot = next((s for s in own.former.slots if s.identifier == before["slot"]), None)
    for name, channels in before["bones"].items():
        posed = rig.pose.bones.get(name)
        for channel, values in channels.items() if posed is not None else ():
            setattr(posed, channel, values)
    for name, constraint in before["muted"]:
        posed = rig.pose.bones.get(name)
        found = posed.constraints.get(constraint) if posed is not None else None
        if found is not None:
            found.mute = False
    if before["blending"] is None:
        if animation.action is None and not animation.drivers and not animation.nla_tracks:
            rig.animation_data_clear()
    else:
        for name, value in before["blending"].items():
            setattr(animation, name, value)
    if before.get("resting"):
        rig.data.pose_position = "REST"
    own.former, own.before = None, ""
    rig.update_tag()


def _channels(posed: bpy.types.PoseBone) -> dict[str, list[float]]:
    return {channel: list(getattr(posed, channel)) for channel in _CHANNELS}


def _mute(rig: bpy.types.Object, keyed: set[str]) -> list[list[str]]:
    """Bone and name of each constraint that would move a keyed bone, all of them switched off."""
    muted = []
    for posed in rig.pose.bones:
        for constraint in posed.constraints:
            if not constraint.mute and keyed & _moved(posed, constraint):
                constraint.mute = True
                muted.append([posed.name, constraint.name])
    return muted


def _moved(posed: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> set[str]:
    """Names of the bones that a constraint moves."""
    if constraint.type not in ("IK", "SPLINE_IK"):
        return {posed.name}
    chain = [posed, *posed.parent_recursive]
    if constraint.type == "IK" and not constraint.use_tail:
        chain = chain[1:]
    count = constraint.chain_count
    return {bone.name for bone in (chain[:count] if count else chain)}

"""A walker's take beside an animator's rig, with the add-on switched on, for tests inside Blender."""

import importlib
import os
from pathlib import Path

import bpy
import numpy as np
from motions import walking_motion
from scenes import at, build, curves_of, of_type, part


class AddOn:
    """Switched on for one test."""

    def __enter__(self):
        if hasattr(bpy.types.Collection, "recover_motion"):
            part("takes").unregister()  # another test's build put it there
        self.addon = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
        self.addon.register()
        return self

    def __exit__(self, *_error):
        self.addon.unregister()


def walker(frames=60, folder=None, **choices):
    """The armature of somebody who walks along +x. folder: where the take's motion file goes, for layers over it."""
    motion = walking_motion(frames, **choices.pop("motion", {}))
    path = Path(folder or "") / "take.motion.npz"
    if folder is not None:
        part("motion").write_motion(path, motion)
    return of_type(build(motion, path=path, **choices), "ARMATURE")[0]


def put_on(person, rig, **settings):
    """The report of a retargeting with the automatic map."""
    chosen = part("retarget.settings").RetargetSettings(**settings)
    return part("retargeting").retarget(person, rig, part("rig_maps").map_for(rig), chosen)


def heads(rig, frames, names=None):
    """(N, B, 3) m: bones' heads in the world, as Blender shows them."""
    names = names or [bone.name for bone in rig.data.bones]
    rows = []
    for frame in frames:
        at(frame)
        shown = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        rows.append([shown.matrix_world @ shown.pose.bones[name].head for name in names])
    return np.array(rows)


def bones_of(rig, role):
    """Names of the bones that play a role."""
    return part("rig_maps").map_for(rig).bones[role]


def everything(rig):
    """All that is to be as before: pose, keys, drivers, constraints, NLA."""
    animation = rig.animation_data
    curves = {key: [tuple(point.co) for point in curve.keyframe_points] for key, curve in curves_of(rig).items()}
    blending = ("use_nla", "action_influence", "action_blend_type", "action_extrapolation")
    return {
        "action": None if animation is None else animation.action,
        "slot": None if animation is None else getattr(getattr(animation, "action_slot", None), "identifier", None),
        "animated": animation is not None,
        "blending": None if animation is None else [getattr(animation, name) for name in blending],
        "tracks": [] if animation is None else [(track.name, track.mute) for track in animation.nla_tracks],
        "drivers": 0 if animation is None else len(animation.drivers),
        "curves": curves,
        "world": [list(row) for row in rig.matrix_world],
        "bones": {
            posed.name: (
                posed.rotation_mode, *map(tuple, (posed.location, posed.rotation_quaternion, posed.rotation_euler,
                posed.rotation_axis_angle, posed.scale, posed.lock_location, posed.lock_rotation)),
            )
            for posed in rig.pose.bones
        },
        "constraints": [
            (posed.name, item.name, item.mute, item.influence) for posed in rig.pose.bones for item in posed.constraints
        ],
        "properties": {key: rig[key] for key in dict(rig) if not key.startswith("recover")},
    }  # fmt: skip

"""The armature object of one person, in its rest pose."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import bpy
from mathutils import Vector

from ..compat import action_curves
from ..motion import JOINT_NAMES, PARENTS
from .skeleton import RestSkeleton

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDE_PALETTES = {"left": "THEME01", "right": "THEME04", "middle": "THEME09"}


def add_armature(collection: bpy.types.Collection, name: str, rest: RestSkeleton) -> bpy.types.Object:
    """An armature object at the world's origin with SMPL's 24 bones, linked to `collection`."""
    data = bpy.data.armatures.new(name)
    data.display_type = "STICK"
    owner = bpy.data.objects.new(name, data)
    owner.show_in_front = True
    collection.objects.link(owner)
    with edit_mode(owner):
        _add_bones(data.edit_bones, rest)
    for bone in data.bones:
        side = bone.name.split("_")[0]
        bone.color.palette = SIDE_PALETTES.get(side, SIDE_PALETTES["middle"])
    for bone in owner.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return owner


def _add_bones(bones: bpy.types.ArmatureEditBones, rest: RestSkeleton) -> None:
    for index, name in enumerate(JOINT_NAMES):
        bone = bones.new(name)
        bone.head, bone.tail = Vector(rest.heads[index]), Vector(rest.tails[index])
        bone.align_roll(Vector(rest.axes[index][:, 2]))
        if PARENTS[index] >= 0:
            bone.parent = bones[JOINT_NAMES[PARENTS[index]]]
            bone.use_connect = bool(rest.connected[index])


@contextmanager
def edit_mode(owner: bpy.types.Object) -> Iterator[None]:
    """Bones can be made in edit mode only, and an operator is the only way there. It is entered in a scene of its own,
    so that the mode and selection that the user is in stay as they are; who poses `owner` goes on posing it, and who is
    away at this frame stays hidden."""
    posed, hidden = owner.mode == "POSE", owner.hide_viewport
    hiding = [curve for curve in action_curves(owner) if curve.data_path == "hide_viewport" and not curve.mute]
    scene = bpy.data.scenes.new("Recover Motion bones")
    scene.collection.objects.link(owner)
    layer = scene.view_layers[0]
    layer.objects.active = owner
    for curve in hiding:  # or it would be hidden again as soon as the scene is looked at
        curve.mute = True
    owner.hide_viewport = False
    try:
        with bpy.context.temp_override(scene=scene, view_layer=layer, active_object=owner, object=owner):
            bpy.ops.object.mode_set(mode="EDIT")
            try:
                yield
            finally:
                bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        for curve in hiding:
            curve.mute = False
        owner.hide_viewport = hidden
        bpy.data.scenes.remove(scene)
        if posed:
            bpy.ops.object.mode_set(mode="POSE")

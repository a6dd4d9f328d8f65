"""A plain copy of what is exported, in a scene of its own: bones with a key a frame, meshes at rest, nothing else.

The user's rig, scene and selection stay as they are; exporters get something that needs no options.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..compat import new_action
from ..scene.armature import edit_mode
from ..scene.keys import write_curves
from .motion_shown import Shown, channels
from .watching import Skinned

_SHORTEST = 1e-4
"""Blender drops bones without length."""
_SAME_PLACE_M = 1e-4


@dataclass(frozen=True)
class StandIn:
    """What an exporter is called with."""

    scene: bpy.types.Scene
    layer: bpy.types.ViewLayer
    armature: bpy.types.Object
    stretches: bool
    """Whether bones below the first move along, instead of only turning."""


@dataclass(frozen=True)
class Looks:
    """How the copy differs from what it stands for, but for its bones."""

    title: str
    """Of the scene and of the motion."""
    armature: str
    """Name of the armature object."""
    owners: dict[str, str]
    """Which bone of the copy takes over a mesh's weights, by the name of the group, where that is not its own bone."""
    heirs: dict[str, str]
    """Which bone of the copy what hung on a bone hangs on, where that is not the same."""
    to_file: Matrix
    """Space of the skeleton at rest (upright, metres) to the file's axes and units."""
    turned: Matrix
    """The armature object's transform: what the exporter turns by, backwards."""
    unit_m: float
    """Metres in a unit of the scene."""
    bones_only: bool = False
    """No meshes."""
    sizes: bool = True
    """Whether bones may be scaled."""


@contextmanager
def stand_in(scene: bpy.types.Scene, motion: Shown, meshes: tuple[Skinned, ...], looks: Looks) -> Iterator[StandIn]:
    """Around an export: the copy, which goes afterwards. motion: in the file's axes and units. scene: the user's,
    whose rate it has."""
    before = _everything()
    stage = bpy.data.scenes.new(looks.title)
    try:
        _set_time(stage, scene, motion)
        stage.unit_settings.system, stage.unit_settings.scale_length = "METRIC", looks.unit_m
        armature, stretches = _add_armature(stage, motion, looks)
        named: list[tuple[bpy.types.ID, str]] = [(armature, looks.armature)]
        for mesh in () if looks.bones_only else meshes:
            copy = _add_mesh(stage, armature, mesh, looks)
            named += [(copy, mesh.owner.name), (copy.data, mesh.owner.data.name)]
        layer = stage.view_layers[0]
        layer.objects.active = armature
        armature.select_set(True, view_layer=layer)
        with _lent_names(named):
            stage.frame_set(stage.frame_start)
            yield StandIn(stage, layer, armature, stretches)
    finally:
        _remove_new(before)


def _set_time(stage: bpy.types.Scene, scene: bpy.types.Scene, motion: Shown) -> None:
    stage.render.fps, stage.render.fps_base = scene.render.fps, scene.render.fps_base
    stage.frame_start, stage.frame_end = int(motion.frames[0]), int(motion.frames[-1])


def _add_armature(stage: bpy.types.Scene, motion: Shown, looks: Looks) -> tuple[bpy.types.Object, bool]:
    """The copy, and whether its inner bones stretch."""
    data = bpy.data.armatures.new(looks.armature)
    armature = bpy.data.objects.new(looks.armature, data)
    armature.matrix_world = looks.turned
    stage.collection.objects.link(armature)
    with edit_mode(armature):
        for index, name in enumerate(motion.names):
            bone = data.edit_bones.new(name)
            head, axes = motion.rest[index, :3, 3], motion.rest[index, :3, :3]
            bone.head, bone.tail = Vector(head), Vector(head + max(motion.lengths[index], _SHORTEST) * axes[:, 1])
            bone.align_roll(Vector(axes[:, 2]))
            if motion.parents[index] >= 0:
                bone.parent = data.edit_bones[motion.names[motion.parents[index]]]
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
    moved_m = _add_keys(armature, motion, looks) * looks.unit_m
    return armature, moved_m > _SAME_PLACE_M


def _add_keys(armature: bpy.types.Object, motion: Shown, looks: Looks) -> float:
    """How far a bone below the first is moved out of its rest place at most."""
    # Rolls in 32 bits are off by a millionth, which the keys make good.
    rest = np.array([armature.data.bones[name].matrix_local for name in motion.names], dtype=np.float64)
    locations, quaternions, scales = channels(motion, rest, looks.sizes)
    curves = new_action(looks.title, armature)
    for index, name in enumerate(motion.names):
        values = {"location": locations[:, index], "rotation_quaternion": quaternions[:, index]}
        if (scales[:, index] != 1).any():
            values["scale"] = scales[:, index]
        for channel, columns in values.items():
            write_curves(curves, f'pose.bones["{name}"].{channel}', motion.frames, columns, name)
    inner = motion.parents >= 0
    return float(np.abs(locations[:, inner]).max(initial=0.0))


def _add_mesh(stage: bpy.types.Scene, armature: bpy.types.Object, mesh: Skinned, looks: Looks) -> bpy.types.Object:
    """The mesh at rest, its other modifiers applied, bound to the copy's bones."""
    data, groups = _data_at_rest(stage, mesh.owner)
    data.transform(looks.to_file @ Matrix(mesh.to_rest), shape_keys=True)
    data.update()
    owner = bpy.data.objects.new(mesh.owner.name, data)
    stage.collection.objects.link(owner)
    owner.parent = armature
    _name_groups(owner, groups)
    if mesh.bone:
        owner.vertex_groups.clear()
        heir = looks.heirs.get(mesh.bone, mesh.bone)
        owner.vertex_groups.new(name=heir).add(range(len(data.vertices)), 1.0, "REPLACE")
    _hand_over(owner, looks.owners)
    owner.modifiers.new("Armature", "ARMATURE").object = armature
    return owner


def _data_at_rest(stage: bpy.types.Scene, source: bpy.types.Object) -> tuple[bpy.types.Mesh, list[str]]:
    """A mesh of its own, and the names of its vertex groups. One that has shape keys keeps them, and is without what
    its modifiers make of it."""
    groups = [group.name for group in source.vertex_groups]
    others = [modifier for modifier in source.modifiers if modifier.type != "ARMATURE" and modifier.show_viewport]
    if not others or source.data.shape_keys is not None:
        data = source.data.copy()
        if data.shape_keys is not None:
            data.shape_keys.animation_data_clear()
        return data, groups
    copy = source.copy()
    copy.animation_data_clear()
    copy.parent = None
    copy.hide_viewport = False
    for modifier in [m for m in copy.modifiers if m.type == "ARMATURE" or m.name.startswith("Recover Motion compared")]:
        copy.modifiers.remove(modifier)
    stage.collection.objects.link(copy)
    layer = stage.view_layers[0]
    layer.update()
    try:
        graph = layer.depsgraph
        return bpy.data.meshes.new_from_object(
            copy.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph
        ), groups
    finally:
        bpy.data.objects.remove(copy)


def _name_groups(owner: bpy.types.Object, groups: list[str]) -> None:
    """The mesh's weights go by number; names are the object's in some Blenders, the mesh's in others."""
    for name in groups[len(owner.vertex_groups) :]:
        owner.vertex_groups.new(name=name)


def _hand_over(owner: bpy.types.Object, owners: dict[str, str]) -> None:
    """Groups of bones that are called otherwise, or are no more, go by the copy's bones."""
    for group in [group for group in owner.vertex_groups if owners.get(group.name, group.name) != group.name]:
        heir = owners[group.name]
        if heir not in owner.vertex_groups:
            group.name = heir
            continue
        target, place = owner.vertex_groups[heir], group.index
        for vertex in owner.data.vertices:
            weight = next((each.weight for each in vertex.groups if each.group == place), 0.0)
            if weight:
                target.add([vertex.index], weight, "ADD")
        owner.vertex_groups.remove(group)


@contextmanager
def _lent_names(pairs: list[tuple[bpy.types.ID, str]]) -> Iterator[None]:
    """Each copy goes by a name; what has it in this file goes by another meanwhile."""
    lent = []
    try:
        for copy, name in pairs:
            family = bpy.data.meshes if isinstance(copy, bpy.types.Mesh) else bpy.data.objects
            holder = family.get((name, None))
            if holder is not None and holder != copy:
                holder.name = "Recover Motion lent its name"
                lent.append((copy, holder, name))
            copy.name = name
        yield
    finally:
        for copy, holder, name in reversed(lent):
            copy.name = "Recover Motion export"
            holder.name = name


def _everything() -> dict[str, set[bpy.types.ID]]:
    """All that the copy could add to."""
    kinds = ("scenes", "objects", "armatures", "meshes", "actions", "shape_keys")
    return {kind: set(getattr(bpy.data, kind)) for kind in kinds}


def _remove_new(before: dict[str, set[bpy.types.ID]]) -> None:
    for kind, known in before.items():
        items = getattr(bpy.data, kind)
        new = [item for item in items if item not in known]
        for item in new:
            if hasattr(items, "remove"):
                items.remove(item)

"""Reads from Blender what a rig shows, frame by frame, without touching it, the scene, or what the user looks at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from ..compat import action_curves
from ..ghmr_engine.errors import RecoverError
from ..motion import JOINT_NAMES
from ..rigs import rest_of_rig
from ..translations import told
from .motion_shown import Shown, scaled, unscaled

_OF_ANY = ("pose.bones[", "location", "rotation", "scale", "delta_")
"""How the paths of curves begin that move a rig: foot contacts and visibility do not."""
_OF_A_PERSON = tuple(f'pose.bones["{name}"]' for name in JOINT_NAMES)
"""Foot IK's keys may begin earlier and end later than the motion."""


@dataclass(frozen=True)
class Skinned:
    """A mesh that hangs on the rig."""

    owner: bpy.types.Object
    bone: str
    """The one bone that moves all of it; empty where its vertex groups say which."""
    to_rest: np.ndarray
    """(4, 4) its own space to the skeleton's at rest."""


@dataclass(frozen=True)
class Watched:
    """A rig's motion and its meshes."""

    motion: Shown
    meshes: tuple[Skinned, ...]


def frames_of(scene: bpy.types.Scene, rig: bpy.types.Object) -> tuple[int, int]:
    """First and last whole frame of a rig's motion: of its pose's keys, else of its strips, else of the scene."""
    animation = rig.animation_data
    moves = _OF_A_PERSON if rig.recover_motion.number else _OF_ANY
    curves = [c for c in action_curves(rig) if c.data_path.startswith(moves) and len(c.keyframe_points)]
    ends = [curve.range() for curve in curves]
    if not ends and animation is not None:
        strips = (strip for track in animation.nla_tracks if not track.mute for strip in track.strips if not strip.mute)
        ends = [(strip.frame_start, strip.frame_end) for strip in strips]
    if not ends:
        return scene.frame_start, scene.frame_end
    return math.floor(min(a for a, _ in ends) + 1e-4), math.ceil(max(b for _, b in ends) - 1e-4)


def watch(scene: bpy.types.Scene, rig: bpy.types.Object, frames: tuple[int, int]) -> Watched:
    """What a rig shows from one whole frame to another (included). Raises RecoverError."""
    if rig.data.pose_position == "REST":
        raise RecoverError(
            "rest_position", told("{rig} is shown in its rest position.", rig=rig.name),
            "Choose Pose Position in the armature's properties.",
        )  # fmt: skip
    if not len(rig.data.bones):
        raise RecoverError("no_bones", told("{rig} has no bones.", rig=rig.name), "Choose another armature.")
    known = rest_of_rig(rig)
    meshes = list(_meshes_on(scene, rig))
    numbers = np.arange(frames[0], frames[1] + 1)
    poses = np.empty((len(numbers), len(known.names), 4, 4))
    with _looking_at(scene, [rig, *(mesh for mesh, _ in meshes)]) as (stage, layer):
        for row, frame in enumerate(numbers.tolist()):
            stage.frame_set(frame)
            shown = rig.evaluated_get(layer.depsgraph)
            world = np.array(shown.matrix_world, dtype=np.float64)
            world[:3, 3] -= _aside(rig)
            if row == 0:
                upright = _upright(world)
                skinned = tuple(_skinned(layer, shown, known.names, upright, each) for each in meshes)
            poses[row] = world @ _bone_matrices(shown, known.names)
    rest, size = unscaled(upright @ known.matrices)
    turned, scale = unscaled(poses)
    deform = np.array([rig.data.bones[name].use_deform for name in known.names])
    rate = scene.render.fps / scene.render.fps_base
    lengths = known.lengths * size[:, 1]
    shown = Shown(known.names, known.parents, rest, lengths, deform, scaled(turned, scale / size), numbers, rate)
    return Watched(shown, skinned)


@contextmanager
def _looking_at(
    scene: bpy.types.Scene, owners: list[bpy.types.Object]
) -> Iterator[tuple[bpy.types.Scene, bpy.types.ViewLayer]]:
    """A scene of its own in which they are evaluated, hidden or not: an empty that follows each asks for them."""
    stage = bpy.data.scenes.new("Recover Motion export")
    empties = []
    try:
        for name in ("fps", "fps_base"):
            setattr(stage.render, name, getattr(scene.render, name))
        for owner in owners:
            empty = bpy.data.objects.new("Recover Motion export", None)
            empties.append(empty)
            stage.collection.objects.link(empty)
            # Bones that nobody asks for are not evaluated where the rig is hidden: each is asked for.
            follow = empty.constraints.new("ARMATURE" if owner.type == "ARMATURE" else "COPY_TRANSFORMS")
            if owner.type == "ARMATURE":
                for bone in owner.data.bones:
                    asked = follow.targets.new()
                    asked.target, asked.subtarget = owner, bone.name
            else:
                follow.target = owner
        yield stage, stage.view_layers[0]
    finally:
        bpy.data.scenes.remove(stage)
        for empty in empties:
            bpy.data.objects.remove(empty)


def _bone_matrices(shown: bpy.types.Object, names: tuple[str, ...]) -> np.ndarray:
    """(B, 4, 4) bone to armature, in the order of `names`."""
    bones = shown.pose.bones
    flat = np.empty(16 * len(bones), dtype=np.float32)
    bones.foreach_get("matrix", flat)
    # Blender stores columns first.
    matrices = flat.reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
    place = {bone.name: index for index, bone in enumerate(bones)}
    return matrices[[place[name] for name in names]]


def _upright(world: np.ndarray) -> np.ndarray:
    """(4, 4) what an object's transform makes of its rest pose, but for its place and where it faces: its size, and
    how it was tipped upright."""
    turn, scale = unscaled(world)
    x, y = turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]
    back = -math.atan2(x, y) if math.hypot(x, y) > 1e-6 else 0.0
    out = scaled(turn, scale)
    out[:3, 3] = 0
    level = np.eye(4)
    level[:2, :2] = [[math.cos(back), -math.sin(back)], [math.sin(back), math.cos(back)]]
    return level @ out


def _aside(rig: bpy.types.Object) -> np.ndarray:
    """(3,) m: how far a take that is compared was set aside."""
    aside = getattr(rig, "recover_motion_aside", None)
    return np.array(aside.offset if aside is not None else Vector(), dtype=np.float64)


def _meshes_on(scene: bpy.types.Scene, rig: bpy.types.Object) -> Iterator[tuple[bpy.types.Object, str]]:
    """Meshes of the scene that the rig's bones move, by their modifier or by hanging on one bone, with that bone."""
    for item in scene.objects:
        if item.type != "MESH":
            continue
        hangs = item.parent_type if item.parent == rig else ""
        if hangs == "ARMATURE" or any(one.type == "ARMATURE" and one.object == rig for one in item.modifiers):
            yield item, ""
        elif hangs == "BONE" and item.parent_bone in rig.data.bones:
            yield item, item.parent_bone


def _skinned(
    layer: bpy.types.ViewLayer,
    shown: bpy.types.Object,
    names: tuple[str, ...],
    upright: np.ndarray,
    mesh: tuple[bpy.types.Object, str],
) -> Skinned:
    """shown: the evaluated rig."""
    owner, bone = mesh
    own = np.array(owner.evaluated_get(layer.depsgraph).matrix_world, dtype=np.float64)
    to_rig = np.linalg.inv(np.array(shown.matrix_world, dtype=np.float64)) @ own
    if bone:
        posed = _bone_matrices(shown, names)[names.index(bone)]
        rest = np.array(shown.data.bones[bone].matrix_local, dtype=np.float64)
        to_rig = rest @ np.linalg.inv(posed) @ to_rig
    return Skinned(owner, bone, upright @ to_rig)

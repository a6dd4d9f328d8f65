"""A generated Rigify rig in the file: its constraints and switches are read, its controls are keyed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .compat import Curves
from .retarget.channels import telling, turn_channels
from .retarget.posing import Constraint, Posing
from .retarget.rig_map import RigMap
from .retarget.rig_rest import RigRest
from .retarget.rigify import org_skeleton, solve_controls, switches_of
from .retarget.rigify_feet import FootContacts
from .retarget.rigify_names import limbs_of, mechanism
from .retarget.roles import SIDES
from .retarget.settings import RetargetSettings
from .scene.keys import write_curves

if TYPE_CHECKING:
    from .retarget.solve import Solved

_LOCAL = {"LOCAL", "LOCAL_OWNER_ORIENT", "LOCAL_WITH_PARENT"}


def is_rigify(rig: bpy.types.Object) -> bool:
    """Whether Rigify generated it."""
    return "rig_id" in rig.data


def write_rigify(
    rig: bpy.types.Object,
    curves: Curves,
    rest: RigRest,
    rig_map: RigMap,
    solved: Solved,
    fps: float,
    settings: RetargetSettings | None = None,
) -> list[list]:
    """Key a rig's controls, FK and IK, and set its switches. What the switches said before, for put_back.

    rest: of all of the rig. solved: of org_skeleton(rest, rig_map). fps: the scene's rate.
    """
    settings = settings or RetargetSettings()
    bones = org_skeleton(rest, rig_map)
    wanted = {name: solved.matrices[:, row] for row, name in enumerate(bones.names)}
    roots = [wanted[name] for name in rig_map.bones.get("root", ())]
    rooted = any(len(moves) and not np.allclose(moves, moves[:1], atol=1e-6) for moves in roots)
    before = set_switches(rig, switches_of(rest, rig_map, settings, rooted))
    for limb in limbs_of(rest, rig_map):
        before += _stiffen(rig, mechanism(limb.bones["lower"], "ik"))
    feet = {
        side: FootContacts(solved.contacts[:, 2 * row], solved.contacts[:, 2 * row + 1], solved.frames, fps)
        for row, side in enumerate(SIDES)
    }
    posing = posing_of(rig, rest, len(solved.frames))
    write_controls(rig, curves, solved.frames, solve_controls(posing, wanted, rig_map, feet))
    return before


def posing_of(rig: bpy.types.Object, rest: RigRest, frames: int) -> Posing:
    """The rig as it is posed, constrained and switched now, drivers included, for N frames."""
    # Hidden rigs too are evaluated in a scene of their own, where they are shown.
    scene, hidden = bpy.data.scenes.new("Reading the rig"), rig.hide_viewport
    try:
        rig.hide_viewport = False
        scene.collection.objects.link(rig)
        layer = scene.view_layers[0]
        layer.update()
        posed = rig.evaluated_get(layer.depsgraph).pose.bones
        constraints = {bone.name: _constraints(bone) for bone in posed if len(bone.constraints)}
        basis = {bone.name: np.array(bone.matrix_basis, dtype=np.float64) for bone in posed}
    finally:
        rig.hide_viewport = hidden
        bpy.data.scenes.remove(scene)
    moved = {name: _unscaled(matrix) for name, matrix in basis.items() if not np.allclose(matrix, np.eye(4), atol=1e-6)}
    return Posing(rest, constraints, moved, frames)


def _unscaled(matrix: np.ndarray) -> np.ndarray:
    whole = matrix.copy()
    whole[:3, :3] /= np.maximum(np.linalg.norm(whole[:3, :3], axis=0), 1e-12)
    return whole


def _constraints(bone: bpy.types.PoseBone) -> tuple[Constraint, ...]:
    acting = (found for found in bone.constraints if found.is_valid and not found.mute)
    return tuple(_constraint(found) for found in acting)


def _constraint(found: bpy.types.Constraint) -> Constraint:
    targets = ()
    if found.type == "ARMATURE":
        targets = tuple((target.subtarget, float(target.weight)) for target in found.targets)
    return Constraint(
        kind=found.type,
        target=getattr(found, "subtarget", ""),
        influence=float(found.influence),
        owner_local=found.owner_space in _LOCAL,
        target_local=found.target_space in _LOCAL,
        head_tail=float(getattr(found, "head_tail", 0.0)),
        rest_length=float(getattr(found, "rest_length", 0.0)),
        targets=targets,
        pole=getattr(found, "pole_subtarget", ""),
        pole_angle=float(getattr(found, "pole_angle", 0.0)),
    )


def set_switches(rig: bpy.types.Object, switches: Mapping[tuple[str, str], float]) -> list[list]:
    """Set Rigify's properties, by bone and name, those that the rig has. What they said before, for put_back."""
    before = []
    for (name, prop), value in switches.items():
        bone = rig.pose.bones.get(name)
        if bone is not None and prop in bone:
            before.append([name, "", prop, bone[prop]])
            bone[prop] = type(bone[prop])(value)
    rig.update_tag()
    return before


def _stiffen(rig: bpy.types.Object, name: str) -> list[list]:
    """Keep IK from stretching bones: it does so a little in every pose, and elbow or knee leave their place.

    The bones' own ik_stretch would do, but on rigs that are linked from another file it would be forgotten.
    """
    before = []
    bone = rig.pose.bones.get(name)
    for found in bone.constraints if bone is not None else ():
        if found.type == "IK":
            before.append([name, found.name, "use_stretch", found.use_stretch])
            found.use_stretch = False
    return before


def put_back(rig: bpy.types.Object, before: list[list]) -> None:
    """Undo what write_rigify set beside its keys; bones and constraints that are gone meanwhile are left out.

    before: bone, constraint (or empty), property and value of each, as JSON has it.
    """
    for name, constraint, prop, value in before:
        bone = rig.pose.bones.get(name)
        if bone is not None and constraint:
            found = bone.constraints.get(constraint)
            if found is not None:
                setattr(found, prop, value)
        elif bone is not None and prop in bone:
            bone[prop] = value
    rig.update_tag()


def write_controls(rig: bpy.types.Object, curves: Curves, frames: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
    """Key controls at scene frames (N,); values (N, 4, 4) by control. Of a stretch without change the ends are keyed,
    and what is not keyed of a control goes to rest."""
    holds = np.diff(frames, append=frames[-1:] + 1) > 1  # who is away stands still until the return
    for name, basis in values.items():
        bone = rig.pose.bones[name]
        prop, turns = turn_channels(basis[:, :3, :3], bone.rotation_mode)
        channels = {prop: turns}
        bone.location, bone.scale = (0, 0, 0), (1, 1, 1)
        if np.any(basis[:, :3, 3]):
            channels["location"] = basis[:, :3, 3]
        for prop, numbers in channels.items():
            keep = telling(numbers, frames)
            path = f'pose.bones["{bpy.utils.escape_identifier(name)}"].{prop}'
            write_curves(curves, path, frames[keep], numbers[keep], name, holds[keep])

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
from .retarget.rigify import RigifySettings, org_skeleton, solve_controls, switches_of
from .retarget.rigify_feet import FootContacts
from .retarget.roles import SIDES
from .scene.keys import write_curves

if TYPE_CHECKING:
    from .retarget.solve import Solved

_LOCAL = {"LOCAL", "LOCAL_OWNER_ORIENT", "LOCAL_WITH_PARENT"}


def write_rigify(
    rig: bpy.types.Object,
    curves: Curves,
    rest: RigRest,
    rig_map: RigMap,
    solved: Solved,
    fps: float,
    settings: RigifySettings | None = None,
) -> list[list]:
    """Key a rig's controls, FK and IK, and set its switches. What the switches said before, for put_back.

    rest: of all of the rig. solved: of org_skeleton(rest, rig_map). fps: the scene's rate.
    """
    bones = org_skeleton(rest, rig_map)
    wanted = {name: solved.matrices[:, row] for row, name in enumerate(bones.names)}
    roots = [wanted[name] for name in rig_map.bones.get("root", ())]
    rooted = any(len(moves) and not np.allclose(moves, moves[:1], atol=1e-6) for moves in roots)
    before = set_switches(rig, switches_of(rest, rig_map, settings or RigifySettings(), rooted))
    feet = {
        side: FootContacts(solved.contacts[:, 2 * row], solved.contacts[:, 2 * row + 1], solved.frames, fps)
        for row, side in enumerate(SIDES)
    }
    posing = posing_of(rig, rest, len(solved.frames))
    return before + write_controls(rig, curves, solved.frames, solve_controls(posing, wanted, rig_map, feet))


def posing_of(rig: bpy.types.Object, rest: RigRest, frames: int) -> Posing:
    """The rig as it is posed, constrained and switched now, drivers included, for N frames."""
    scene = bpy.data.scenes.new("Reading the rig")  # shown and hidden rigs alike are evaluated in a scene of their own
    try:
        scene.collection.objects.link(rig)
        layer = scene.view_layers[0]
        layer.update()
        posed = rig.evaluated_get(layer.depsgraph).pose.bones
        constraints = {bone.name: _constraints(bone) for bone in posed if len(bone.constraints)}
        basis = {bone.name: np.array(bone.matrix_basis, dtype=np.float64) for bone in posed}
    finally:
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


def set_switches(rig: bpy.types.Object, switches: Mapping[tuple[str, str], float | list[float]]) -> list[list]:
    """Set properties of bones, those that the rig has; what they said before (as JSON has it), for put_back."""
    before = []
    for (name, prop), value in switches.items():
        bone = rig.pose.bones.get(name)
        old = None if bone is None else _property(bone, prop)
        if old is not None:
            before.append([name, prop, old])
            _set_property(bone, prop, value if isinstance(old, list) else type(old)(value))
    rig.update_tag()
    return before


def put_back(rig: bpy.types.Object, before: list[list]) -> None:
    """Undo what write_rigify set beside its keys; bones and properties that are gone meanwhile are left out."""
    for name, prop, old in before:
        bone = rig.pose.bones.get(name)
        if bone is not None and _property(bone, prop) is not None:
            _set_property(bone, prop, old)
    rig.update_tag()


def _property(bone: bpy.types.PoseBone, name: str) -> float | bool | list[float] | None:
    """Rigify's own, or Blender's of that name."""
    value = bone[name] if name in bone else getattr(bone, name, None)
    return list(value) if hasattr(value, "__len__") else value


def _set_property(bone: bpy.types.PoseBone, name: str, value: float | bool | list[float]) -> None:
    if name in bone:
        bone[name] = value
    else:
        setattr(bone, name, value)


def write_controls(
    rig: bpy.types.Object, curves: Curves, frames: np.ndarray, values: Mapping[str, np.ndarray]
) -> list[list]:
    """Key controls at scene frames (N,); values (N, 4, 4) by control. Of a stretch without change the ends are keyed.

    What is not keyed of them is set to what it is at rest; what it was before, for put_back.
    """
    before: list[list] = []
    holds = np.diff(frames, append=frames[-1:] + 1) > 1  # who is away stands still until the return
    for name, basis in values.items():
        prop, turns = turn_channels(basis[:, :3, :3], rig.pose.bones[name].rotation_mode)
        channels = {prop: turns}
        if np.any(basis[:, :3, 3]):
            channels["location"] = basis[:, :3, 3]
        else:
            before += set_switches(rig, {(name, "location"): [0.0] * 3})
        before += set_switches(rig, {(name, "scale"): [1.0] * 3})
        for prop, numbers in channels.items():
            keep = telling(numbers, frames)
            path = f'pose.bones["{name}"].{prop}'
            write_curves(curves, path, frames[keep], numbers[keep], name, holds[keep])
    return before

"""From where a Rigify rig's ORG bones shall be to the values of its controls. NumPy only.

The bones' order, constraints and switches are the rig's own (posing.Posing); only the controls' names are Rigify's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .controls import Controls
from .posing import Posing
from .rig_map import RigMap
from .rig_rest import RigRest
from .rigify_feet import FootContacts, foot_controls
from .rigify_limbs import hinge_limb, ik_controls
from .rigify_names import chain_of, control, deform, limbs_of, plain
from .rigify_spine import trunk_controls
from .roles import FINGERS, SIDES
from .settings import RetargetSettings

IK, FK = 0.0, 1.0
"""What Rigify's property IK_FK says."""


def org_skeleton(rest: RigRest, rig_map: RigMap) -> RigRest:
    """The map's bones as a skeleton of their own: in Rigify they hang on mechanisms, here on each other."""
    above = _parents(rig_map)
    index = {name: row for row, name in enumerate(rest.names)}
    names: list[str] = []
    for name in above:
        _with_parents(name, above, names)
    rows = [index[name] for name in names]
    own = {name: row for row, name in enumerate(names)}
    return replace(
        rest,
        names=tuple(names),
        parents=np.array([own.get(above[name], -1) for name in names], dtype=int),
        matrices=rest.matrices[rows],
        lengths=rest.lengths[rows],
        rotation_modes=tuple("QUATERNION" for _ in rows),
        inherits=np.ones(len(rows), dtype=bool),
        local_place=np.ones(len(rows), dtype=bool),
        connected=np.zeros(len(rows), dtype=bool),
    )


def _with_parents(name: str, above: Mapping[str, str], names: list[str]) -> None:
    if name in names:
        return
    if above[name]:
        _with_parents(above[name], above, names)
    names.append(name)


def _parents(rig_map: RigMap) -> dict[str, str]:
    """Each of the map's bones to the one that carries it, empty for the first."""
    bones = rig_map.bones
    above: dict[str, str] = {}

    def hang(role: str, end: str) -> str:
        for name in bones.get(role, ()):
            above[name], end = end, name
        return end

    pelvis = hang("pelvis", hang("root", ""))
    chest = hang("spine", pelvis)
    hang("head", hang("neck", chest))
    for side in SIDES:
        end = hang(f"{side}_clavicle", chest)
        for part in ("upper_arm", "forearm", "hand"):
            end = hang(f"{side}_{part}", end)
        for finger in FINGERS:
            hang(f"{side}_{finger}", end)
        end = pelvis
        for part in ("thigh", "shin", "foot", "toe"):
            end = hang(f"{side}_{part}", end)
    return above


def switches_of(
    rest: RigRest, rig_map: RigMap, settings: RetargetSettings, rooted: bool
) -> dict[tuple[str, str], float]:
    """What Rigify's properties, by bone and name, shall say; those that the rig lacks have to be left out.

    rooted: the root bone is moved, and feet that hang on it would be moved along.
    """
    switches: dict[tuple[str, str], float] = {}
    for limb in limbs_of(rest, rig_map):
        leg = limb.kind == "leg"
        in_ik = settings.legs_ik if leg else settings.arms_ik
        switches |= {
            (limb.switch, "IK_FK"): IK if in_ik else FK,
            (limb.switch, "IK_Stretch"): 0.0,
            (limb.switch, "pole_vector"): 1.0,
            (control(limb.bones["end"], "heel_ik"), "Toe_Roll"): 0.0,
        }
        if leg and rooted:
            switches[limb.switch, "IK_parent"] = 0.0
    return switches


def hinged(posing: Posing, wanted: Mapping[str, np.ndarray], rig_map: RigMap) -> dict[str, np.ndarray]:
    """What is wanted, (N, 4, 4) by bone, with elbows and knees as hinges: the same in FK and in IK."""
    out = dict(wanted)
    for limb in limbs_of(posing.rest, rig_map):
        out |= hinge_limb(posing, wanted, limb)
    return out


def solve_controls(
    posing: Posing, wanted: Mapping[str, np.ndarray], rig_map: RigMap, feet: Mapping[str, FootContacts] | None = None
) -> dict[str, np.ndarray]:
    """Values of the controls, (N, 4, 4) by control: its own turn and place.

    posing: the rig with its switches as they shall be. wanted: (N, 4, 4) where each of the map's bones shall stand,
    bone to armature; elbows and knees become hinges. feet: by side, when they stand; without it no foot rolls.
    """
    bones = rig_map.bones
    spine = (*bones["pelvis"], *bones.get("spine", ()))
    neck, head = bones.get("neck", ()), bones.get("head", ())
    trunk = sum(posing.rest.lengths[posing.index[name]] for name in spine)
    controls = Controls(posing, hinged(posing, wanted, rig_map), trunk)
    limbs = limbs_of(posing.rest, rig_map)
    for name in bones.get("root", ()):
        controls.follow(name, name)
    trunk_controls(controls, spine, neck, head)
    for side in SIDES:
        for name in bones.get(f"{side}_clavicle", ()):
            controls.follow(name, plain(name))
    for limb in limbs:
        # In a limb FK and IK take turns: it stands where both bring it.
        for name in chain_of(limb):
            posing.put(name, controls.wanted[name])
    for limb in limbs:
        if limb.kind == "leg":
            foot_controls(controls, limb, None if feet is None else feet.get(limb.side))
        for name in chain_of(limb):  # on rigs without a toe for IK this one's serves both, and hangs on the roll
            own = control(name, "fk")
            controls.follow(name, own if own in posing else plain(name))
        ik_controls(controls, limb)
    _fingers(controls, rig_map)
    return controls.written


def _fingers(controls: Controls, rig_map: RigMap) -> None:
    """Finger by finger from its base on; the palm keeps to the hand."""
    for side in SIDES:
        for name in rig_map.bones.get(f"{side}_hand", ()):
            if deform(name) in controls.posing:
                controls.posing.put(deform(name), controls.attached(name, deform(name)))
        for finger in FINGERS:
            for name in rig_map.bones.get(f"{side}_{finger}", ()):
                controls.follow(name, plain(name))

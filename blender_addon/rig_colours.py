"""A rig's bones coloured by the parts that they play, and put back exactly as they were."""

from __future__ import annotations

import colorsys
import json
from contextlib import suppress

import bpy

from .retarget.guess import SURE
from .retarget.rig_map import RigMap
from .retarget.roles import FINGERS, LIMBS, SIDES, part_of
from .rig_maps import kept_map

NOBODY = (0.18, 0.18, 0.18)
_HUES = {"left": 0.58, "right": 0.0, "centre": 0.33}
_PARTS = ("normal", "select", "active")


def colour_of(role: str, sure: bool = True) -> tuple[float, float, float]:
    """Blue on the left, red on the right, green between; parts differ in how light they are, and doubt is pale."""
    side = next((side for side in SIDES if role.startswith(f"{side}_")), "centre")
    part = part_of(role)
    if part in FINGERS:
        light = 0.45 if FINGERS.index(part) % 2 else 0.75
    elif part in LIMBS:
        light = 0.95 if LIMBS.index(part) % 2 else 0.6
    else:
        light = 0.95 if part in ("root", "spine", "head") else 0.6
    return colorsys.hsv_to_rgb(_HUES[side], 0.9, light) if sure else colorsys.hsv_to_rgb(_HUES[side], 0.35, 1.0)


def shown(rig: bpy.types.Object) -> bool:
    """Whether the rig wears our colours."""
    return bool(rig.recover_motion_rig_map.colours)


def show(rig: bpy.types.Object) -> None:
    """Colour every bone; what was there is kept with the rig until `put_back`."""
    rig_map = kept_map(rig) or RigMap("")
    rows = rig.recover_motion_rig_map.roles
    if not shown(rig):
        own = {bone.name: _read(bone.color) for bone in rig.pose.bones}
        kept = {"bones": own, "shown": rig.data.show_bone_colors, "front": rig.show_in_front}
        rig.recover_motion_rig_map.colours = json.dumps(kept)
    rig.data.show_bone_colors = rig.show_in_front = True
    roles = {bone: role for role, bones in rig_map.bones.items() for bone in bones}
    for bone in rig.pose.bones:
        role = roles.get(bone.name)
        row = rows.get(role) if role else None
        colour = NOBODY if role is None else colour_of(role, row is None or row.sure >= SURE)
        bright = tuple(min(1.0, 0.5 + value / 2) for value in colour)
        bone.color.palette = "CUSTOM"
        bone.color.custom.normal, bone.color.custom.select, bone.color.custom.active = colour, bright, bright


def put_back(rig: bpy.types.Object) -> None:
    """Every bone as it was; bones that came since keep what they have."""
    with suppress(ValueError):
        kept = json.loads(rig.recover_motion_rig_map.colours)
        for name, own in kept["bones"].items():
            if name in rig.pose.bones:
                _write(rig.pose.bones[name].color, own)
        rig.data.show_bone_colors, rig.show_in_front = kept["shown"], kept["front"]
    rig.recover_motion_rig_map.colours = ""


def _read(colour: bpy.types.BoneColor) -> list[object]:
    custom = [list(getattr(colour.custom, part)) for part in _PARTS]
    return [colour.palette, custom, colour.custom.show_colored_constraints]


def _write(colour: bpy.types.BoneColor, own: list[object]) -> None:
    for part, value in zip(_PARTS, own[1], strict=True):
        setattr(colour.custom, part, value)
    colour.custom.show_colored_constraints = own[2]
    colour.palette = own[0]

"""Blender 4.2 LTS to 5.2 LTS: the one module that asks for the version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from collections.abc import Iterable

LAYERED_ACTIONS = bpy.app.version >= (4, 4, 0)
"""From 4.4 on an action keeps its curves in layers, strips and a channel bag a slot; 5.0 took Action.fcurves away."""

TELLS_IMPORTS = hasattr(bpy.app.handlers, "blend_import_post")
"""Newer Blenders say what was appended, and from which file."""

RELATIVE = (
    {"PATH_SUPPORTS_BLEND_RELATIVE"}
    if "is_path_supports_blend_relative" in bpy.types.Property.bl_rna.properties
    else set()
)
"""Options of a path property that may begin with //: older Blenders allow it always, 5.x shows it red without them."""


@dataclass(frozen=True)
class Curves:
    """Where the curves of one data-block lie in one action: fcurves.new(data_path, index=) and groups.new(name)."""

    action: bpy.types.Action
    fcurves: bpy.types.bpy_prop_collection
    groups: bpy.types.bpy_prop_collection


def new_action(name: str, owner: bpy.types.ID) -> Curves:
    """A new action, assigned to `owner`, with room for its curves."""
    action = bpy.data.actions.new(name)
    animation = owner.animation_data_create()
    if not LAYERED_ACTIONS:
        animation.action = action
        action.id_root = owner.id_type
        return Curves(action, action.fcurves, action.groups)
    slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    bag = strip.channelbag(slot, ensure=True)
    animation.action = action
    animation.action_slot = slot
    return Curves(action, bag.fcurves, bag.groups)


def action_curves(owner: bpy.types.ID) -> Iterable[bpy.types.FCurve]:
    """The curves that animate `owner`, none where it has no action."""
    curves = own_curves(owner)
    return () if curves is None else curves.fcurves


def own_curves(owner: bpy.types.ID) -> Curves | None:
    """Where the curves lie that animate `owner`, to be added to; None where it has no action."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return None
    action = animation.action
    if not LAYERED_ACTIONS:
        return Curves(action, action.fcurves, action.groups)
    bags = (
        strip.channelbag(animation.action_slot)
        for layer in action.layers
        for strip in layer.strips
        if animation.action_slot is not None
    )
    bag = next((bag for bag in bags if bag is not None), None)
    return None if bag is None else Curves(action, bag.fcurves, bag.groups)


def curves_in(action: bpy.types.Action) -> Iterable[bpy.types.FCurve]:
    """All curves of an action, whoever it moves."""
    if not LAYERED_ACTIONS:
        return action.fcurves
    strips = (strip for layer in action.layers for strip in layer.strips)
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


def shader_input(material: bpy.types.Material, name: str) -> bpy.types.NodeSocket:
    """An input of the material's Principled shader; every material has nodes from 5.0 on, before it has to be asked."""
    if material.node_tree is None:
        material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    return shader.inputs[name]


@dataclass(frozen=True)
class StripTimes:
    """How a movie strip lies in the timeline, in scene frames."""

    first: int
    """First frame that the strip shows."""
    last: int
    """Last frame that it shows (included)."""
    trimmed: float
    """Frames of the timeline that its start was trimmed by."""
    length: float
    """Frames of the timeline that all of the file takes, at the strip's speed."""


def strip_times(strip: bpy.types.Strip) -> StripTimes:
    """Times of a movie strip; 5.x has new names for them and warns at the old ones."""
    if hasattr(strip, "left_handle"):
        first, after = strip.left_handle, strip.right_handle
        trimmed, cut = strip.left_handle_offset, strip.right_handle_offset
    else:
        first, after = strip.frame_final_start, strip.frame_final_end
        trimmed, cut = strip.frame_offset_start, strip.frame_offset_end
    return StripTimes(int(first), int(after) - 1, trimmed, trimmed + after - first + cut)


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose strips are shown; since 5.0 the workspace may show another one's than the viewport."""
    return getattr(context, "sequencer_scene", None) or context.scene

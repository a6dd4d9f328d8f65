"""Two takes at once: the active one as it is, the other in one see-through colour, in the same place or beside it.

Nothing of the other take is lost by it: its people get a modifier, their objects are moved by their delta location, its
ground is hidden, and stop() takes all of it back. Which one is compared is kept with its collection.
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from .compat import shader_input
from .scene.materials import add_material
from .take_list import show
from .takes import active_take, filming, people_of, takes_of

COLOR = (0.85, 0.1, 0.75)
"""Linear: of a take that is compared."""
_NAME = "Recover Motion compared"
_SEEN_THROUGH = 0.45
_WAYS = (
    ("OVER", "Over Each Other", "Both in the same place"),
    ("BESIDE", "Side by Side", "The other one to the right of it, as the camera sees it"),
)


def compared_take(scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """The take that others are compared with, None where nothing is."""
    return next((take for take in takes_of(scene) if take.recover_motion_compared), None)


def compare(context: bpy.types.Context, other: bpy.types.Collection) -> None:
    """Show the active take and `other`, which takes on the colour."""
    stop(context.scene)
    for take in (active_take(context), other):
        show(context.view_layer, take, True)
    other.recover_motion_compared = True
    _set_aside(context.scene, other, active_take(context))


def stop(scene: bpy.types.Scene) -> None:
    """Bring the compared take back to what it was."""
    for take in takes_of(scene):
        if take.recover_motion_compared:
            _bring_back(take)
            take.recover_motion_compared = False
    group = bpy.data.node_groups.get(_NAME)
    if group is not None and group.users == 0:
        bpy.data.node_groups.remove(group)
    material = bpy.data.materials.get(_NAME)
    if material is not None and material.users == 0:
        bpy.data.materials.remove(material)


def change_sides(context: bpy.types.Context, before: bpy.types.Collection | None, now: bpy.types.Collection) -> None:
    """The compared take was made the active one: the one that was active is compared with it instead."""
    if now.recover_motion_compared and before is not None and before != now:
        compare(context, before)


def _set_aside(scene: bpy.types.Scene, other: bpy.types.Collection, active: bpy.types.Collection) -> None:
    settings = scene.recover_motion_comparing
    offset = _right_of(active) * settings.distance if settings.way == "BESIDE" else Vector()
    ground = other.recover_motion.ground
    if ground is not None and not ground.hide_viewport:
        ground.hide_viewport = ground.recover_motion_aside.hidden = True
    people = people_of(other)
    for item in list(other.all_objects):  # hiding makes Blender count them anew
        if item.parent in people and item.type == "MESH":
            item.modifiers.new(_NAME, "NODES").node_group = _tint()
        elif item in people or item.type == "CURVE":
            item.delta_location += offset
            item.recover_motion_aside.offset = offset


def _bring_back(other: bpy.types.Collection) -> None:
    for item in list(other.all_objects):
        aside = item.recover_motion_aside
        if aside.hidden:
            item.hide_viewport = aside.hidden = False
        item.delta_location -= Vector(aside.offset)
        aside.offset = Vector()
        for modifier in [modifier for modifier in item.modifiers if modifier.name.startswith(_NAME)]:
            item.modifiers.remove(modifier)


def _right_of(take: bpy.types.Collection) -> Vector:
    """Level, of length 1: what is to the right in the take's picture at this moment."""
    camera = filming(take)
    right = np.array(camera.matrix_world)[:2, 0] if camera is not None else np.array([1.0, 0.0])
    length = np.linalg.norm(right)
    return Vector((*(right / length), 0.0)) if length > 1e-6 else Vector((1.0, 0.0, 0.0))


def _tint() -> bpy.types.NodeTree:
    """Nodes that give a mesh the colour."""
    group = bpy.data.node_groups.get(_NAME)
    if group is not None:
        return group
    group = bpy.data.node_groups.new(_NAME, "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    enter, leave = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    painted = group.nodes.new("GeometryNodeSetMaterial")
    painted.inputs["Material"].default_value = _material()
    group.links.new(enter.outputs[0], painted.inputs["Geometry"])
    group.links.new(painted.outputs[0], leave.inputs[0])
    return group


def _material() -> bpy.types.Material:
    material = bpy.data.materials.get(_NAME)
    if material is None:
        material = add_material(_NAME, COLOR)
        material.diffuse_color[3] = _SEEN_THROUGH
        shader_input(material, "Alpha").default_value = _SEEN_THROUGH
    return material


def _again(_settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Where they stand was chosen anew."""
    other, active = compared_take(context.scene), active_take(context)
    if other is not None and active is not None:
        _bring_back(other)
        _set_aside(context.scene, other, active)


class RecoverMotionComparing(bpy.types.PropertyGroup):
    """How takes are compared; kept with the scene."""

    way: bpy.props.EnumProperty(name="Compare", description="Where the other take stands", items=_WAYS, update=_again)
    distance: bpy.props.FloatProperty(
        name="Distance", description="How far to the right the other take stands", default=1.5, min=0.0, soft_max=10.0,
        unit="LENGTH", update=_again,
    )  # fmt: skip


class RecoverMotionAside(bpy.types.PropertyGroup):
    """What comparing did to an object, so that it can be taken back."""

    offset: bpy.props.FloatVectorProperty(description="It was moved by so much", subtype="TRANSLATION", unit="LENGTH")
    hidden: bpy.props.BoolProperty(description="It was hidden")


_CLASSES = (RecoverMotionComparing, RecoverMotionAside)


def register() -> None:
    """Called by the add-on."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Scene.recover_motion_comparing = bpy.props.PointerProperty(type=RecoverMotionComparing)
    bpy.types.Object.recover_motion_aside = bpy.props.PointerProperty(type=RecoverMotionAside)
    bpy.types.Collection.recover_motion_compared = bpy.props.BoolProperty(
        description="Others are compared with this take"
    )


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Collection.recover_motion_compared, bpy.types.Object.recover_motion_aside
    del bpy.types.Scene.recover_motion_comparing
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)

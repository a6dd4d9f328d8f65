"""The rows of the list of takes: properties that are kept nowhere, but asked of Blender and done to it."""

from __future__ import annotations

import bpy

from .comparing import change_sides
from .take_list import activate, is_shown, rename, show
from .takes import active_take


def _place_of(take: bpy.types.Collection | None) -> int:
    """The row of a take: its place among Blender's collections; -1 for none."""
    return next((place for place, item in enumerate(bpy.data.collections) if item == take), -1)


def _active(_settings: bpy.types.PropertyGroup) -> int:
    return _place_of(active_take(bpy.context))


def _set_active(_settings: bpy.types.PropertyGroup, place: int) -> None:
    if 0 <= place < len(bpy.data.collections):
        before, take = active_take(bpy.context), bpy.data.collections[place]
        activate(bpy.context, take)
        change_sides(bpy.context, before, take)


def _is_shown(row: bpy.types.PropertyGroup) -> bool:
    return is_shown(bpy.context.view_layer, row.id_data)


def _show(row: bpy.types.PropertyGroup, shown: bool) -> None:
    show(bpy.context.view_layer, row.id_data, shown)


def _title(row: bpy.types.PropertyGroup) -> str:
    return row.id_data.name


def _rename(row: bpy.types.PropertyGroup, name: str) -> None:
    rename(row.id_data, name)


class RecoverMotionRow(bpy.types.PropertyGroup):
    """What can be changed of a take in its row of the list; kept nowhere, but asked of the collection."""

    shown: bpy.props.BoolProperty(
        name="Show Take",
        description="Show this take, in viewports and in renders",
        get=_is_shown,
        set=_show,
    )
    title: bpy.props.StringProperty(
        name="Name",
        description="Name of the take; its people, actions and materials follow it",
        get=_title,
        set=_rename,
    )


class RecoverMotionTakes(bpy.types.PropertyGroup):
    """The list of a scene's takes."""

    active: bpy.props.IntProperty(
        name="Active Take",
        description="The take whose figures are shown; its camera becomes the scene's",
        get=_active,
        set=_set_active,
    )


_CLASSES = (RecoverMotionRow, RecoverMotionTakes)


def register() -> None:
    """Called by the add-on."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Collection.recover_motion_row = bpy.props.PointerProperty(type=RecoverMotionRow)
    bpy.types.Scene.recover_motion_takes = bpy.props.PointerProperty(type=RecoverMotionTakes)


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Scene.recover_motion_takes, bpy.types.Collection.recover_motion_row
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)

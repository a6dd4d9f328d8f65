"""The same panels in the three editors in which one may have a clip before one's eyes."""

from __future__ import annotations

import textwrap

import bpy

from ..translations import local

EDITORS = {"VIEW_3D": "", "CLIP_EDITOR": "_clip", "SEQUENCE_EDITOR": "_strip"}
"""Editors, and what their panels' names end with."""
_PIXELS_A_LETTER = 7.5


class Drawn:
    """What all our panels share; in_editors makes Blender's panels of it."""

    bl_region_type = "UI"
    bl_category = "Recover Motion"
    parent: str | None = None
    """Name of the panel that this one lies in."""


def in_editors(drawn: type[Drawn], editors: tuple[str, ...] = tuple(EDITORS)) -> list[type[bpy.types.Panel]]:
    """One panel for each editor, named RECOVERMOTION_PT_ and the class' name in small letters."""
    panels = []
    for editor in editors:
        own: dict[str, object] = {"bl_space_type": editor, "__doc__": drawn.__doc__}
        if drawn.parent is not None:
            own["bl_parent_id"] = panel_name(drawn.parent, editor)
        panels.append(type(panel_name(drawn.__name__, editor), (drawn, bpy.types.Panel), own))
    return panels


def panel_name(name: str, editor: str) -> str:
    """Blender's name of a panel in an editor."""
    return f"RECOVERMOTION_PT_{name.lower()}{EDITORS[editor]}"


def words(context: bpy.types.Context, layout: bpy.types.UILayout, text: str, icon: str) -> None:
    """A text, in the user's language, over as many lines as the sidebar's width asks for."""
    width = context.region.width / context.preferences.system.ui_scale - 40
    column = layout.column(align=True)
    for place, line in enumerate(textwrap.wrap(local(text), max(int(width / _PIXELS_A_LETTER), 16))):
        column.label(text=line, icon=icon if place == 0 else "BLANK1", translate=False)

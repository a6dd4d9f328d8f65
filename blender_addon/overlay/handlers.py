"""Where Blender calls the drawing: in three kinds of editors, and anew when something was posed."""

from __future__ import annotations

import bpy

from . import over_clip, over_time
from .drawing import draw_safely

_HANDLES: list[tuple[type[bpy.types.Space], object]] = []
"""Blender's, to take the drawing away again."""


def _over_clip() -> None:
    draw_safely(over_clip.draw_in_clip_editor)
    draw_safely(over_time.draw_in_clip_editor)


def _over_viewport() -> None:
    draw_safely(over_clip.draw_in_viewport)


def _over_dope_sheet() -> None:
    draw_safely(over_time.draw_in_dope_sheet)


@bpy.app.handlers.persistent
def _posed(_scene: bpy.types.Scene, changes: bpy.types.Depsgraph) -> None:
    """Something moved: the Movie Clip editor, which looks at its clip only, is drawn again."""
    if bpy.app.background or not changes.id_type_updated("OBJECT"):
        return
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "CLIP_EDITOR":
                area.tag_redraw()


def register() -> None:
    """Called by the add-on."""
    for space, draw in (
        (bpy.types.SpaceClipEditor, _over_clip),
        (bpy.types.SpaceView3D, _over_viewport),
        (bpy.types.SpaceDopeSheetEditor, _over_dope_sheet),
    ):
        _HANDLES.append((space, space.draw_handler_add(draw, (), "WINDOW", "POST_PIXEL")))
    bpy.app.handlers.depsgraph_update_post.append(_posed)


def unregister() -> None:
    """Called by the add-on."""
    if _posed in bpy.app.handlers.depsgraph_update_post:
        bpy.app.handlers.depsgraph_update_post.remove(_posed)
    while _HANDLES:
        space, handle = _HANDLES.pop()
        space.draw_handler_remove(handle, "WINDOW")

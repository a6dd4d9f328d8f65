"""The quality strip: a row of colours for each person of the active take along the bottom of the editors of time."""

from __future__ import annotations

import bpy
import numpy as np

from ..quality_strip import bars, colors, on_scene_frames
from ..ratings import Rated, rated_or_nobody
from ..takes import active_take, person_of
from .drawing import draw_rectangles

_ROW, _BETWEEN = 5.0, 1.0
"""Pixels at a screen's scale 1."""
_ACTIVE = 1.6
"""So much higher is the active person's row."""
_LOW, _LOW_ROW = 100.0, 2.5
"""A Timeline lower than this has no room above its scroll bar: there thin rows lie on the very bottom."""
_ABOVE = {"CLIP_EDITOR": 22.0, "DOPESHEET_EDITOR": 20.0}
"""Above the editor's own line of cached frames, and above its scroll bar."""
_MODES = ("TIMELINE", "DOPESHEET", "ACTION")


def draw_in_dope_sheet(context: bpy.types.Context) -> None:
    """Under the keys, frame by frame."""
    if context.space_data.mode not in _MODES:
        return
    view = context.region.view2d
    # Whole numbers come back: a long way gives the scale to many digits.
    origin, far = view.view_to_region(0, 0, clip=False)[0], view.view_to_region(10_000, 0, clip=False)[0]
    _draw_strip(context, origin, (far - origin) / 10_000)


def draw_in_clip_editor(context: bpy.types.Context) -> None:
    """Over the line of cached frames, which has all of the scene's frames from edge to edge."""
    scene = context.scene
    frame = context.region.width / max(scene.frame_end - scene.frame_start + 1, 1)
    _draw_strip(context, (0.5 - scene.frame_start) * frame, frame)


def _draw_strip(context: bpy.types.Context, zero: float, width: float) -> None:
    """zero: where in the region frame 0 is; width: pixels a frame. A frame reaches half a frame to both sides."""
    region, scale = context.region, context.preferences.system.ui_scale
    if not context.scene.recover_motion_overlay.strip or width <= 0:
        return
    low_editor = region.height < _LOW * scale
    bottom = 0.0 if low_editor else _ABOVE[context.area.type] * scale
    active = person_of(context.view_layer.objects.active)
    for person in reversed(rated_or_nobody(active_take(context))):  # the first one on top
        height = (
            (_LOW_ROW if low_editor else _ROW) * scale * (_ACTIVE if person.owner == active and not low_editor else 1)
        )
        spans, values = spans_in(person, region.width, zero, width)
        low, high = np.full((len(spans), 2), bottom), np.full((len(spans), 2), bottom + height)
        low[:, 0], high[:, 0] = spans[:, 0], spans[:, 1]
        draw_rectangles(low, high, colors(values))
        bottom += height + (0 if low_editor else _BETWEEN * scale)


def spans_in(person: Rated, pixels: int, zero: float, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Where each bar of a row begins and ends in a region of so many pixels (B, 2), and its value (B,)."""
    first = max(int(np.floor(-zero / width)), int(np.floor(person.at[0])))
    last = min(int(np.ceil((pixels - zero) / width)), int(np.ceil(person.at[-1])))
    if last < first:
        return np.zeros((0, 2)), np.zeros(0)
    spans, values = bars(on_scene_frames(person.row, person.at, first, last), pixels)
    return zero + (first - 0.5 + spans) * width, values

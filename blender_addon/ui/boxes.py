"""Boxes and names over the clip in which people were found: in every editor that shows it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import blf
import bpy
import numpy as np
from mathutils import Color

from ..found_people import RecoverMotionEntry
from ..ghmr_engine.errors import RecoverError
from ..overlay.drawing import draw_safely, draw_triangles
from ..scene.materials import shirt_color
from ..showing import Showing, showing_in

_REGIONS = (
    (bpy.types.SpaceClipEditor, "WINDOW"), (bpy.types.SpaceView3D, "WINDOW"), (bpy.types.SpaceSequenceEditor, "PREVIEW")
)  # fmt: skip
_HANDLES: list[tuple[type[bpy.types.Space], object, str]] = []
"""Blender's, to take the drawing away again."""
_GREY = (0.8, 0.8, 0.8, 1.0)
_SHADE = (0.0, 0.0, 0.0, 0.4)
"""Around a box, for bright pictures."""
_BLACK = (0.0, 0.0, 0.0, 1.0)
_WHITE = (1.0, 1.0, 1.0, 1.0)
_THIN, _USUAL, _THICK = 1.0, 2.5, 5.0
_TEXT = 13.0
_BRIGHTEST = 0.95


@dataclass(frozen=True)
class Mark:
    """A box to draw, with its words. Sizes are for a screen at scale 1."""

    low: np.ndarray
    """(2,) the region's pixels: lower left corner."""
    high: np.ndarray
    """(2,) upper right corner."""
    color: tuple[float, float, float, float]
    """As the screen shows it."""
    width: float
    text: str
    filled: bool
    """Whether the text stands on a ground of this colour."""


def marks(people: bpy.types.PropertyGroup, showing: Showing) -> list[Mark]:
    """What is drawn at this moment, the active person last. Raises RecoverError where the people file is gone."""
    boxes = people.boxes_at(showing.frame)
    # Boxes hold places between the pixels, the picture's corner being 0.
    corners = showing.viewing.to_region(boxes.reshape(-1, 2, 2) - 0.5)
    seen = [place for place in range(len(boxes)) if np.isfinite(boxes[place]).all()]
    seen.sort(key=lambda place: (place == people.active, people.people[place].ticked))
    return [_mark(people.people[place], corners[place], place == people.active) for place in seen]


def person_color(number: int) -> tuple[float, float, float, float]:
    """A person's colour on the screen: the shirt's, as bright as it goes."""
    linear = np.array(shirt_color(number - 1))
    return (*Color(linear / linear.max() * _BRIGHTEST).from_scene_linear_to_srgb(), 1.0)


def frame_triangles(low: np.ndarray, high: np.ndarray, width: float) -> np.ndarray:
    """(24, 2) corners of the triangles that make a rectangle's frame, `width` thick, half of it on either side."""
    out, inn = width / 2, -width / 2
    (x0, y0), (x1, y1) = low, high
    bars = (
        (x0 - out, y0 - out, x1 + out, y0 - inn), (x0 - out, y1 + inn, x1 + out, y1 + out),
        (x0 - out, y0 - inn, x0 - inn, y1 + inn), (x1 + inn, y0 - inn, x1 + out, y1 + inn),
    )  # fmt: skip
    return np.concatenate([rectangle_triangles(*bar) for bar in bars])


def rectangle_triangles(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """(6, 2) corners of the two triangles of a rectangle."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y0), (x1, y1), (x0, y1)])


def free_place(
    x: float, y: float, size: tuple[float, float], taken: list[tuple[float, float, float, float]]
) -> tuple[float, float]:
    """Where a label's lower left corner goes: (x, y), or above the labels that are there already.

    taken holds (left, low, right, high) of those, and gets this one's.
    """
    wide, high = size
    for left, low, right, top in sorted(taken, key=lambda other: other[1]):
        if left < x + wide and x < right and low < y + high and y < top:
            y = top
    taken.append((x, y, x + wide, y + high))
    return x, y


def _mark(entry: RecoverMotionEntry, corners: np.ndarray, active: bool) -> Mark:
    color = person_color(entry.number) if entry.ticked else _GREY
    width = _THICK if active else _USUAL if entry.ticked else _THIN
    text = entry.name or str(entry.number)
    return Mark(corners.min(0), corners.max(0), color, width, text, entry.ticked)


def _draw() -> None:
    """Blender's call, at every redraw of an editor."""
    draw_safely(_draw_boxes)


def _draw_boxes(context: bpy.types.Context) -> None:
    people = context.scene.recover_motion_people
    if not people.show_boxes or (context.area.type == "VIEW_3D" and not context.space_data.overlay.show_overlays):
        return
    with contextlib.suppress(RecoverError):  # a file that is gone, a strip that cannot be used: the panel says it
        showing = showing_in(context.scene, context.area, context.region, context.region_data)
        if showing is not None:
            _draw_marks(marks(people, showing), context.preferences.system.ui_scale)


def _draw_marks(shown: list[Mark], scale: float) -> None:
    if not shown:
        return
    blf.size(0, _TEXT * scale)
    blf.disable(0, blf.SHADOW)
    line = blf.dimensions(0, "Ag")[1]
    pad = 4 * scale
    labels, taken = [], []
    places, colors = [], []

    def add(triangles: np.ndarray, color: tuple[float, float, float, float]) -> None:
        places.append(triangles)
        colors.extend([color] * len(triangles))

    for mark in shown:
        width = mark.width * scale
        add(frame_triangles(mark.low, mark.high, width + 2 * scale), _SHADE)
        add(frame_triangles(mark.low, mark.high, width), mark.color)
        wide, high = blf.dimensions(0, mark.text)[0] + 2 * pad, line + 2 * pad
        x, y = free_place(mark.low[0] - width / 2, mark.high[1] + width / 2, (wide, high), taken)
        add(rectangle_triangles(x, y, x + wide, y + high), _ground(mark))
        labels.append((x + pad, y + pad, mark.text, _BLACK if mark.filled else _WHITE))
    draw_triangles(np.concatenate(places), np.array(colors))
    for x, y, text, color in labels:
        blf.position(0, x, y, 0)
        blf.color(0, *color)
        blf.draw(0, text)


def _ground(mark: Mark) -> tuple[float, float, float, float]:
    return mark.color if mark.filled else (0.0, 0.0, 0.0, 0.6)


def register() -> None:
    """Called by the add-on."""
    for space, region in _REGIONS:
        _HANDLES.append((space, space.draw_handler_add(_draw, (), region, "POST_PIXEL"), region))


def unregister() -> None:
    """Called by the add-on."""
    while _HANDLES:
        space, handle, region = _HANDLES.pop()
        space.draw_handler_remove(handle, region)

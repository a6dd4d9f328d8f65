"""Pins as they lie in the picture: drawn over a viewport that looks through the take's camera."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import blf
import bpy
import numpy as np

from ..ghmr_engine.errors import RecoverError
from ..motion import JOINT_NAMES, MotionFileError
from ..overlay.drawing import draw_lines, draw_safely
from ..overlay.strokes import Strokes
from ..pins import joints_seen, looks_through, viewing_of
from ..subjects import subject_of
from ..takes import active_take, people_of

_OPEN, _SOLVED, _HELD = (1.0, 0.2, 0.7, 1.0), (0.3, 0.85, 0.4, 0.9), (1.0, 0.85, 0.1, 1.0)
_CROSS_PX, _RING_PX, _WIDTH_PX = 8, 9, 2.0
_DRAWN: list[object] = []
"""The handle of what is drawn while the add-on is on: Blender gives it out, no property can hold it."""


def _draw() -> None:
    """Blender's call for every viewport."""
    draw_safely(_draw_pins)


def _draw_pins(context: bpy.types.Context) -> None:
    """The pins of the current frame, a line from each to its joint."""
    take = active_take(context)
    if context.area is None or take is None or not context.space_data.overlay.show_overlays:
        return
    for armature in people_of(take):
        pinned = len(armature.recover_motion_fixes.pins) and armature.visible_get()
        if pinned and looks_through(context.scene, armature):
            try:
                _draw_person(context, armature)
            except (RecoverError, MotionFileError, OSError):
                continue  # whoever uses the take is told; a picture has no place for it


def _draw_person(context: bpy.types.Context, armature: bpy.types.Object) -> None:
    subject = subject_of(armature)
    here = subject.motion_frame(context.scene.frame_current)
    pins = [pin for pin in armature.recover_motion_fixes.pins if pin.frame == here]
    viewing = viewing_of(context.area, context.scene, tuple(subject.motion.meta["image_size"]))
    if not pins or viewing is None:
        return
    seen = joints_seen(armature, context.area, context.evaluated_depsgraph_get())
    for pin in pins:
        at = viewing.to_region(np.array([pin.x, pin.y]))
        color = _SOLVED if pin.solved else _OPEN
        _lines([*_cross(at), at, seen[JOINT_NAMES.index(pin.joint)]], color)


def draw_drag(operator: bpy.types.Operator) -> None:
    """Blender's call while joints are dragged."""
    draw_safely(lambda context: _draw_drag(context, operator))


def _draw_drag(context: bpy.types.Context, operator: bpy.types.Operator) -> None:
    """The joint that the mouse is near, or that it holds."""
    try:
        if operator._near is None or context.area != operator._area:
            return
        seen = joints_seen(operator._person, context.area, context.evaluated_depsgraph_get())
    except ReferenceError:
        return
    joint = seen[JOINT_NAMES.index(operator._near)]
    around = [joint + _RING_PX * np.array([np.cos(a), np.sin(a)]) for a in np.linspace(0, 2 * np.pi, 25)]
    _lines([point for pair in pairwise(around) for point in pair], _HELD)
    if operator._held:
        _lines([*_cross(operator._mouse), joint, operator._mouse], _HELD)
    blf.size(0, 13)
    blf.color(0, *_HELD)
    blf.position(0, *(joint + 12), 0)
    blf.draw(0, operator._near.replace("_", " "))


def _cross(at: np.ndarray) -> list[np.ndarray]:
    ends = [np.array(end) * _CROSS_PX for end in ((-1, -1), (1, 1), (-1, 1), (1, -1))]
    return [at + end for end in ends]


def _lines(points: Sequence[np.ndarray], color: tuple[float, float, float, float]) -> None:
    """A line between each two of the points, px in the region."""
    if not np.isfinite(points).all():
        return
    lines = np.reshape(points, (-1, 2, 2))
    draw_lines(Strokes(lines, np.tile(color, (len(lines), 1)), _WIDTH_PX))


def register() -> None:
    """Called by the add-on."""
    _DRAWN.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    """Called by the add-on."""
    while _DRAWN:
        bpy.types.SpaceView3D.draw_handler_remove(_DRAWN.pop(), "WINDOW")

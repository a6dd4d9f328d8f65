"""What is set for each person to correct it: layers over the motion, and joints pinned in the picture."""

from __future__ import annotations

import math
from contextlib import suppress

import bpy

from .ghmr_engine.errors import RecoverError
from .layer_keys import changed
from .layers.root import travel
from .motion import MotionFileError
from .subjects import subject_of


def _changed(fixes: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    changed(fixes.id_data)


def _all_changed(fixes: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """One slider for all of them; each can be set on its own afterwards."""
    fixes.smooth = (fixes.smooth_all,) * len(fixes.smooth)


def _root_changed(fixes: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """What slope and heading turn about stays as it was when the first of them was set."""
    if not (fixes.root_height or fixes.root_slope or fixes.root_heading):
        fixes.root_about = (0, 0, 0, 0)
    elif not any(fixes.root_about):
        with suppress(RecoverError, MotionFileError, OSError):  # `changed` says what is wrong
            fixes.root_about = travel(subject_of(fixes.id_data).base)
    changed(fixes.id_data)


def _trim_changed(fixes: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """It begins with all there is."""
    if fixes.trim and not fixes.is_property_set("trim_first"):
        with suppress(RecoverError, MotionFileError, OSError):  # `changed` says what is wrong
            subject = subject_of(fixes.id_data)
            first, last = subject.clock.scene_frames(subject.base.frames[[0, -1]])
            fixes.trim_first, fixes.trim_last = math.ceil(first - 1e-6), math.floor(last + 1e-6)
    changed(fixes.id_data)


_PLAIN = {"options": set()}
"""Settings, not animation: they get no keys."""


class RecoverMotionPin(bpy.types.PropertyGroup):
    """A joint that was put somewhere in the picture."""

    frame: bpy.props.IntProperty(name="Frame", description="Of the motion, from 0", **_PLAIN)
    joint: bpy.props.StringProperty(name="Joint", description="The bone whose head it is", **_PLAIN)
    x: bpy.props.FloatProperty(name="X", description="Pixels of the clip, to the right", precision=1, **_PLAIN)
    y: bpy.props.FloatProperty(name="Y", description="Pixels of the clip, down", precision=1, **_PLAIN)
    solved: bpy.props.BoolProperty(name="Solved", description="The motion has followed it", **_PLAIN)


class RecoverMotionFixes(bpy.types.PropertyGroup):
    """Settings at which everything is off leave the motion as it was recovered."""

    smooth_all: bpy.props.FloatProperty(
        name="All", description="Sets all parts of the body at once: 0 is the motion as recovered",
        min=0, max=1, subtype="FACTOR", update=_all_changed, **_PLAIN,
    )  # fmt: skip
    smooth: bpy.props.FloatVectorProperty(
        name="Smooth",
        description="Less jitter in this part of the body: 0 is the motion as recovered. Blows and steps keep their "
        "size, planted feet stay where they are",
        size=6, min=0, max=1, update=_changed, **_PLAIN,
    )  # fmt: skip
    root_height: bpy.props.FloatProperty(
        name="Height", description="Raises or lowers the whole person", soft_min=-2, soft_max=2, unit="LENGTH",
        precision=3, step=1, update=_root_changed, **_PLAIN,
    )  # fmt: skip
    root_slope: bpy.props.FloatProperty(
        name="Slope", description="How much more the path climbs, and the body leans with it: for a path that "
        "climbs or sinks where the floor is level", soft_min=math.radians(-15), soft_max=math.radians(15),
        min=math.radians(-90), max=math.radians(90), subtype="ANGLE", precision=2, update=_root_changed, **_PLAIN,
    )  # fmt: skip
    root_heading: bpy.props.FloatProperty(
        name="Heading", description="How far the person and the path turn to the left about where they begin",
        soft_min=-math.pi, soft_max=math.pi, subtype="ANGLE", precision=1, update=_root_changed, **_PLAIN,
    )  # fmt: skip
    root_about: bpy.props.FloatVectorProperty(
        name="About", description="Place on the ground that slope and heading turn about, and the direction of travel",
        size=4, **_PLAIN,
    )  # fmt: skip
    in_place: bpy.props.BoolProperty(
        name="In Place", description="Walks on the spot: the way over the ground is taken away, sway and steps stay",
        update=_changed, **_PLAIN,
    )  # fmt: skip
    trim: bpy.props.BoolProperty(
        name="Trim", description="Keep only a part of the motion", update=_trim_changed, **_PLAIN
    )
    trim_first: bpy.props.IntProperty(
        name="First", description="Scene frame of the first key that is kept", default=1, update=_changed, **_PLAIN
    )
    trim_last: bpy.props.IntProperty(
        name="Last", description="Scene frame of the last key that is kept", default=250, update=_changed, **_PLAIN
    )
    loop: bpy.props.IntProperty(
        name="Loop", description="Frames of the clip at the end over which it is led into its beginning, so that it "
        "repeats for ever; 0: it does not repeat", min=0, soft_max=60, update=_changed, **_PLAIN,
    )  # fmt: skip
    pins: bpy.props.CollectionProperty(
        name="Pins", description="Joints that were put somewhere in the picture", type=RecoverMotionPin
    )
    unsolved_first: bpy.props.IntProperty(
        name="Waits From", description="First frame that was changed without solving feet; -1: there is none",
        default=-1, **_PLAIN,
    )  # fmt: skip
    unsolved_last: bpy.props.IntProperty(
        name="Waits To", description="Last frame that was changed without solving feet", default=-1, **_PLAIN
    )
    written: bpy.props.StringProperty(
        name="Keys Written", description="The settings under which the keys were written, and what tells those keys"
    )


_CLASSES = (RecoverMotionPin, RecoverMotionFixes)


def register() -> None:
    """Called by the add-on."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Object.recover_motion_fixes = bpy.props.PointerProperty(type=RecoverMotionFixes)


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Object.recover_motion_fixes
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)

"""Joints pinned in the picture: kept with the person, solved by the engine."""

from __future__ import annotations

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d

from .ghmr_engine.edits import Pin
from .ghmr_engine.errors import RecoverError
from .motion import JOINT_NAMES
from .subjects import Subject
from .takes import filming, take_of
from .translations import told
from .viewing import Viewing, camera_viewing

NEAR_S = 0.4
"""Pins this near to the current frame are solved, and the motion this far around them."""


def set_pin(subject: Subject, scene_frame: int, joint: str, x: float, y: float) -> None:
    """Pin a joint at a pixel of the clip (whole numbers are pixels' centres), in place of its pin in that frame.

    Raises RecoverError.
    """
    frame = subject.motion_frame(scene_frame)
    if joint not in JOINT_NAMES:
        raise RecoverError(
            "no_joint",
            told("There is no joint {joint}.", joint=joint),
            told("Choose one of: {joints}.", joints=", ".join(JOINT_NAMES)),
        )
    if frame not in subject.base.frames:
        raise RecoverError(
            "away", told("{person} is not seen in this frame.", person=subject.armature.name), "Go to another frame."
        )
    pins = subject.armature.recover_motion_fixes.pins
    pin = next((item for item in pins if (item.frame, item.joint) == (frame, joint)), None) or pins.add()
    pin.frame, pin.joint, pin.x, pin.y, pin.solved = frame, joint, x, y, False


def clear_pins(subject: Subject, scene_frame: int | None = None) -> int:
    """Take the person's pins away, those of one frame or all; how many there were."""
    pins = subject.armature.recover_motion_fixes.pins
    frame = None if scene_frame is None else subject.motion_frame(scene_frame)
    places = [place for place, pin in enumerate(pins) if frame is None or pin.frame == frame]
    for place in reversed(places):
        pins.remove(place)
    return len(places)


def pins_near(subject: Subject, scene_frame: int) -> tuple[int, int] | None:
    """First and last frame of the motion with a pin near a scene frame; None without any."""
    here, reach = subject.motion_frame(scene_frame), NEAR_S * float(subject.clock.motion_fps)
    frames = [pin.frame for pin in subject.armature.recover_motion_fixes.pins if abs(pin.frame - here) <= reach]
    return (min(frames), max(frames)) if frames else None


def pins_within(subject: Subject, first: int, last: int) -> list[Pin]:
    """As the engine takes them: those solved before count too, or what they did would be undone."""
    pins = subject.armature.recover_motion_fixes.pins
    return [Pin(subject.number, pin.frame, pin.joint, pin.x, pin.y) for pin in pins if first <= pin.frame <= last]


def viewing_of(area: bpy.types.Area, scene: bpy.types.Scene, size: tuple[int, int]) -> Viewing | None:
    """The clip in a viewport's picture; None where it does not look through the scene's camera."""
    region = window_region(area)
    return camera_viewing(region, area.spaces.active.region_3d, scene, size) if region is not None else None


def window_region(area: bpy.types.Area) -> bpy.types.Region | None:
    """The part of an editor in which its content lies."""
    return next((region for region in area.regions if region.type == "WINDOW"), None)


def joints_seen(armature: bpy.types.Object, area: bpy.types.Area, depsgraph: bpy.types.Depsgraph) -> np.ndarray:
    """(24, 2) where each joint is in the viewport's region, px; nan behind the camera."""
    shown, region, view = armature.evaluated_get(depsgraph), window_region(area), area.spaces.active.region_3d
    heads = (shown.matrix_world @ shown.pose.bones[name].head for name in JOINT_NAMES)
    seen = [location_3d_to_region_2d(region, view, head) for head in heads]
    return np.array([(np.nan, np.nan) if point is None else tuple(point) for point in seen])


def looks_through(scene: bpy.types.Scene, armature: bpy.types.Object) -> bool:
    """Whether the scene's camera is the one that filmed this person."""
    take = take_of(scene, armature)
    return take is not None and scene.camera is not None and filming(take) == scene.camera

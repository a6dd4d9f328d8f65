"""What a take shows at this moment in Blender, edits included: its camera, and joints and soles of its people."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from ..ghmr_engine.errors import RecoverError
from ..motion import CONTACT_LEVEL, CONTACT_NAMES, JOINT_NAMES, Motion, MotionFileError
from ..quality_strip import SURE
from ..takes import clock_of, filming, motion_of, people_of
from .projection import PictureCamera, blender_intrinsics, camera_at


@dataclass(frozen=True)
class Posed:
    """One person in the world, now."""

    joints: np.ndarray
    """(24, 3) m."""
    guessed: np.ndarray
    """(24,) bool."""
    soles: np.ndarray
    """(P, 3) m: the points of the soles that are planted."""


def known_motion(take: bpy.types.Collection) -> Motion | None:
    """The take's numbers; None where its file is gone or damaged: what is in the scene can be drawn without."""
    try:
        return motion_of(take)
    except (RecoverError, MotionFileError):
        return None


def picture_size(take: bpy.types.Collection, motion: Motion | None) -> tuple[int, int]:
    """Width and height of the take's clip, px."""
    if motion is not None:
        return tuple(motion.meta["image_size"])
    clip = take.recover_motion.clip
    return tuple(clip.size) if clip is not None else (1, 1)


def camera_of(take: bpy.types.Collection, motion: Motion | None, *, bends: bool) -> PictureCamera | None:
    """The take's camera as it is now. bends: the picture is shown as the lens bent it, not straightened."""
    owner = filming(take)
    if owner is None or owner.type != "CAMERA":
        return None
    data, size = owner.data, picture_size(take, motion)
    tall = motion.K[0, 0, 0] / motion.K[0, 1, 1] if motion is not None else 1.0
    sensor = (data.sensor_fit, data.sensor_width, data.sensor_height)
    K = blender_intrinsics(data.lens, sensor, (data.shift_x, data.shift_y), size, tall)
    distortion = motion.distortion if bends and motion is not None else np.zeros(2)
    return camera_at(np.array(owner.matrix_world), K, size, distortion)


def poses_of(scene: bpy.types.Scene, take: bpy.types.Collection, motion: Motion | None) -> list[Posed]:
    """Everybody who is in view at the scene's frame."""
    frame = frame_of(scene, take, motion) if motion is not None else 0
    return [_posed(owner, motion, frame) for owner in people_of(take) if not owner.hide_viewport]


def frame_of(scene: bpy.types.Scene, take: bpy.types.Collection, motion: Motion) -> int:
    """The motion's frame nearest to the scene's."""
    clock = clock_of(take, motion)
    return int(np.clip(round((scene.frame_current_final - clock.start) / clock.step), 0, motion.meta["frames"] - 1))


def _posed(owner: bpy.types.Object, motion: Motion | None, frame: int) -> Posed:
    world = np.array(owner.matrix_world)
    bones = owner.pose.bones
    heads = np.array([bones[name].head for name in JOINT_NAMES])
    # Beside another take to be compared with, a take stands off its place, but not in the picture.
    place = world[:3, 3] - np.array(owner.recover_motion_aside.offset)
    return Posed(heads @ world[:3, :3].T + place, _guessed(owner, motion, frame), _planted(owner, world[:3, :3], place))


def _guessed(owner: bpy.types.Object, motion: Motion | None, frame: int) -> np.ndarray:
    person = motion.people.get(owner.recover_motion.number) if motion is not None else None
    if person is None or not len(person.frames):
        return np.zeros(len(JOINT_NAMES), dtype=bool)
    return np.asarray(person.confidence[np.abs(person.frames - frame).argmin()]) < SURE


def _planted(owner: bpy.types.Object, axes: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(P, 3) m: below the joint of each planted heel (the ankle) and toe (the ball) on the sole, where it is now."""
    points = []
    for contact in CONTACT_NAMES:
        if owner.get(f"contact_{contact}", 0) < CONTACT_LEVEL:
            continue
        side, part = contact.split("_")
        ankle = owner.pose.bones[f"{side}_ankle"]
        rest = (ankle if part == "heel" else owner.pose.bones[f"{side}_foot"]).bone.head_local
        # At rest soles stand on z = 0; both points go where the ankle's bone takes the foot.
        turn = ankle.matrix @ ankle.bone.matrix_local.inverted()
        points.append(axes @ np.array(turn @ Vector((rest.x, rest.y, 0.0))) + place)
    return np.array(points).reshape(-1, 3)

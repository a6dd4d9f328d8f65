"""The camera that filmed the clip. The one place where OpenCV's camera (y down, z forward) becomes Blender's."""

from __future__ import annotations

import bpy
import numpy as np

from ..compat import Curves, new_action, own_curves
from ..motion import Motion
from .keys import write_curves
from .rotations import quaternions_from_matrices, without_flips
from .sampling import Sampling, sampling
from .timing import Clock

_BLENDER_FROM_OPENCV = np.diag([1.0, -1.0, -1.0])
_LONG_SIDE_MM, _SHORT_SIDE_MM = 36.0, 24.0
_STILL = 1e-6
_SAME_SHAPE = 0.002
"""854 x 480 counts as 16:9."""


def add_camera(collection: bpy.types.Collection, name: str, motion: Motion, clock: Clock) -> bpy.types.Object:
    """The animated camera. A channel that never changes gets one key."""
    data = bpy.data.cameras.new(name)
    owner = bpy.data.objects.new(name, data)
    collection.objects.link(owner)
    owner.rotation_mode = "QUATERNION"
    data.display_size = 0.3
    data.passepartout_alpha = 0.8
    write_camera(owner, motion, clock)
    _set_lens(data, motion, sampling(np.arange(len(motion.R)), clock))
    return owner


def write_camera(owner: bpy.types.Object, motion: Motion, clock: Clock) -> None:
    """Where the camera is over time, over whatever keys it has."""
    keys = sampling(np.arange(len(motion.R)), clock)
    curves = own_curves(owner) or new_action(owner.name, owner)
    _animate(curves, "location", keys.at, keys.values(camera_locations(motion.R, motion.t)), "Camera")
    _animate(curves, "rotation_quaternion", keys.at, keys.turns(camera_quaternions(motion.R)), "Camera")


def show_through(scene: bpy.types.Scene, camera: bpy.types.Object, motion: Motion, *, keep: bool = False) -> None:
    """Make `camera` the scene's own, with the scene's picture as large as the clip's.

    keep: leave a picture as large as it is that has the clip's shape, so that both lie over each other all the same.
    """
    scene.camera = camera
    width, height = motion.meta["image_size"]
    tall, render = _pixel_height(motion.K), scene.render
    shape = render.resolution_x * render.pixel_aspect_x / (render.resolution_y * render.pixel_aspect_y)
    if keep and abs(shape * height * tall / width - 1) < _SAME_SHAPE:
        return
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.pixel_aspect_x, render.pixel_aspect_y = max(1.0, 1 / tall), max(1.0, tall)


def _pixel_height(K: np.ndarray) -> float:
    """How much higher than wide a pixel is: two focal lengths mean pixels that are not square."""
    return float(K[0, 0, 0]) / float(K[0, 1, 1])


def camera_locations(R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """(T, 3) m: x_cam = R x + t is zero at x = -R^T t."""
    return -np.einsum("nji,nj->ni", R, t)


def camera_quaternions(R: np.ndarray) -> np.ndarray:
    """(T, 4) w x y z: Blender's camera to the world, without flips."""
    return without_flips(quaternions_from_matrices(np.swapaxes(R, -1, -2) @ _BLENDER_FROM_OPENCV))


def _set_lens(data: bpy.types.Camera, motion: Motion, keys: Sampling) -> None:
    """Focal length and principal point of K (T, 3, 3) px; whole pixel numbers are pixels' centres there."""
    width, height = motion.meta["image_size"]
    K = np.asarray(motion.K, dtype=np.float64)
    landscape = width >= height
    data.sensor_fit = "HORIZONTAL" if landscape else "VERTICAL"
    data.sensor_width = _LONG_SIDE_MM if landscape else _SHORT_SIDE_MM
    data.sensor_height = _SHORT_SIDE_MM if landscape else _LONG_SIDE_MM
    tall = _pixel_height(K)  # Blender has one for all frames
    # Blender counts shifts in these units, which are a pixel's width.
    long_side = width if landscape else height * tall
    lens_mm = K[:, 0, 0] * _LONG_SIDE_MM / long_side
    shift_x = ((width - 1) / 2 - K[:, 0, 2]) / long_side
    shift_y = (K[:, 1, 2] - (height - 1) / 2) * tall / long_side
    channels = {"lens": lens_mm, "shift_x": shift_x, "shift_y": shift_y}
    for path, values in channels.items():
        setattr(data, path, float(values[0]))
    moving = {path: values for path, values in channels.items() if np.ptp(values) > _STILL}
    if moving:
        curves = new_action(data.name, data)
        for path, values in moving.items():
            _animate(curves, path, keys.at, keys.values(values[:, None]), "Lens")


def _animate(curves: Curves, path: str, frames: np.ndarray, values: np.ndarray, group: str) -> None:
    """values (T, C)."""
    if np.ptp(values, axis=0).max() < _STILL:
        frames, values = frames[:1], values[:1]
    write_curves(curves, path, frames, values, group)

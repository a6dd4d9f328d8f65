"""Where a clip's pixels are on the screen: in the Movie Clip editor, and in a viewport looking through its camera."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d

_FAR = 10000
"""In the view's pixels: whole numbers come back from Blender, and a long way gives the scale to many digits."""
_STRAIGHT = 1e-4
"""rad"""


@dataclass(frozen=True)
class Viewing:
    """A picture upright on a region: pixels to the right and down there, the region's to the right and up."""

    origin: np.ndarray
    """(2,) where in the region the picture's upper left corner is."""
    scale: np.ndarray
    """(2,) the region's pixels for one of the picture's, both positive."""

    def to_region(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) px, whole numbers being pixels' centres -> (..., 2) in the region."""
        return self.origin + (np.asarray(points) + 0.5) * self.scale * (1, -1)

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """The other way round."""
        return (np.asarray(points, dtype=float) - self.origin) / self.scale * (1, -1) - 0.5


def clip_viewing(region: bpy.types.Region, size: tuple[int, int]) -> Viewing:
    """The open clip in the Movie Clip editor's window region. size: the picture's width and height, px."""
    corner = np.array(region.view2d.view_to_region(0, 1, clip=False), dtype=float)
    # Whole numbers come back: a long way gives the scale to many digits.
    far = np.array(region.view2d.view_to_region(1000, -999, clip=False), dtype=float)
    return Viewing(corner, np.abs(far - corner) / 1000 / size)


def preview_viewing(region: bpy.types.Region, strip: bpy.types.Strip, size: tuple[int, int]) -> Viewing | None:
    """A movie strip in the Sequencer's preview region; None where it is turned, flipped or not shown yet."""
    change, file = strip.transform, strip.elements[0]
    own = np.array([file.orig_width, file.orig_height], dtype=float)
    if abs(change.rotation) > _STRAIGHT or strip.use_flip_x or strip.use_flip_y or not own.all():
        return None
    zero = np.array(region.view2d.view_to_region(0, 0, clip=False), dtype=float)
    far = np.array(region.view2d.view_to_region(_FAR, _FAR, clip=False), dtype=float)
    pixel = (far - zero) / _FAR  # of the region, for one of the view's, whose middle is 0
    pivot = (np.array(change.origin) - 0.5) * own
    grown = np.array([change.scale_x, change.scale_y])
    corner = pivot + grown * (own * (-0.5, 0.5) - pivot) + (change.offset_x, change.offset_y)
    return Viewing(zero + corner * pixel, own * grown * pixel / size)


def camera_viewing(
    region: bpy.types.Region, view: bpy.types.RegionView3D, scene: bpy.types.Scene, size: tuple[int, int]
) -> Viewing | None:
    """The picture that the scene's camera frames, in a viewport that looks through it; None in any other."""
    camera = scene.camera
    if view.view_perspective != "CAMERA" or camera is None or camera.type != "CAMERA":
        return None
    corners = [camera.matrix_world @ corner for corner in camera.data.view_frame(scene=scene)]
    seen = [location_3d_to_region_2d(region, view, corner) for corner in corners]
    if any(point is None for point in seen):
        return None
    seen = np.array(seen)
    low, high = seen.min(0), seen.max(0)
    return Viewing(np.array([low[0], high[1]]), (high - low) / size)

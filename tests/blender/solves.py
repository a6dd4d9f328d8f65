"""What the tests inside Blender share of its motion tracker: a known camera, solved by Blender from exact markers."""

import contextlib
from math import pi, sin

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector

FIRST, LAST = 11, 40
"""Clip frames in which the points are seen."""
FOCAL_WIDTHS = 1.17
"""Of the picture, so that every point is in it, whatever its size."""


def camera_to_world(frame):
    """The camera at a clip frame: carried, and turned about all its axes."""
    s = (frame - FIRST) / 30
    place = Matrix.Translation((1.5 * s - 0.7, 0.8 * s, 0.3 * sin(3 * s)))
    return place @ Euler((pi / 2 + 0.05 * s, 0.02, 0.1 - 0.2 * s)).to_matrix().to_4x4()


@contextlib.contextmanager
def clip_editor(clip):
    """The Movie Clip editor, in which the tracker's operators run; gives its space."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    before, area.type = area.type, "CLIP_EDITOR"
    space = area.spaces.active
    space.clip, space.mode = clip, "TRACKING"
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=region, space_data=space):
        yield space
    area.type = before


def through_lens(place, division):
    """Where a lens shows a point that a straight one shows at `place`; both from the centre in focal lengths.

    division: k1, k2 as Blender has them, which go by the straight place's distance.
    """
    k1, k2 = division
    return place / (1 + k1 * place.length_squared + k2 * place.length_squared**2)


def solve(path, frame_start=1, frame_offset=0, division=(0.0, 0.0), told=None):
    """A clip of the file at `path`, whose camera Blender finds from 40 points that camera_to_world saw.

    division: of the lens; told: what Blender is told of it, the truth where None.
    """
    clip = bpy.data.movieclips.load(str(path))
    clip.frame_start, clip.frame_offset = frame_start, frame_offset
    focal_px = FOCAL_WIDTHS * clip.size[0]
    clip.tracking.camera.focal_length_pixels = focal_px
    clip.tracking.camera.distortion_model = "DIVISION"
    clip.tracking.camera.division_k1, clip.tracking.camera.division_k2 = told or division
    width, height = clip.size
    points = np.random.default_rng(0).uniform([-1.5, 6, -1], [1.5, 10, 1], (40, 3))
    for number, point in enumerate(points):
        track = clip.tracking.tracks.new(name=f"point {number}", frame=FIRST)
        for frame in range(FIRST, LAST + 1):
            seen = camera_to_world(frame).inverted() @ Vector(point)
            place = focal_px * through_lens(seen.xy / -seen.z, division)
            track.markers.insert_frame(frame, co=(0.5 + place.x / width, 0.5 + place.y / height))
        track.markers.insert_frame(LAST + 1).mute = True
    camera = clip.tracking.objects[0]
    camera.keyframe_a, camera.keyframe_b = FIRST, LAST
    with clip_editor(clip):
        bpy.ops.clip.solve_camera()
    assert camera.reconstruction.is_valid and camera.reconstruction.average_error < 0.01
    return clip

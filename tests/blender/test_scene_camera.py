"""Runs inside Blender (run_in_blender.py): the camera that filmed the clip, and the clip behind it."""

import dataclasses
import tempfile
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from motions import joints_world, walking_motion
from scenes import at, build, curves_of, of_type, part


def check_camera(motion, frames):
    collection = build(motion)
    camera, scene = of_type(collection, "CAMERA")[0], bpy.context.scene
    width, height = motion.meta["image_size"]
    assert (scene.render.resolution_x, scene.render.resolution_y) == (width, height)
    assert scene.camera == camera
    points = joints_world(motion.people["1"])
    for frame in frames:
        at(1 + frame)
        for point in points[frame]:
            x = motion.K[frame] @ (motion.R[frame] @ point + motion.t[frame])
            u, v, depth = world_to_camera_view(scene, camera, Vector(point))
            # Blender counts from the picture's lower left corner, K from the upper left pixel's centre.
            seen = np.array([u * width - 0.5, (1 - v) * height - 0.5])
            np.testing.assert_allclose(seen, x[:2] / x[2], atol=0.1)
            assert abs(depth - x[2]) < 1e-3


def test_the_camera_sees_a_joint_on_its_pixel():
    check_camera(walking_motion(40), (0, 20, 39))


def test_a_portrait_camera_sees_a_joint_on_its_pixel():
    check_camera(walking_motion(40, image_size=(720, 1280)), (0, 20, 39))


def test_a_zooming_camera_sees_a_joint_on_its_pixel():
    motion = walking_motion(30)
    K = motion.K.copy()
    K[:, [0, 1], [0, 1]] *= np.linspace(1, 1.5, 30)[:, None]
    K[:, 0, 2] += np.linspace(0, 20, 30)
    check_camera(dataclasses.replace(motion, K=K), (0, 11, 29))


def test_pixels_that_are_not_square_are_seen_on_their_pixel():
    for stretch, size in ((0.8, (1280, 720)), (1.25, (1280, 720)), (0.8, (720, 1280)), (1.25, (720, 1280))):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        motion = walking_motion(10, image_size=size)
        K = motion.K.copy()
        K[:, 1, 1] *= stretch
        check_camera(dataclasses.replace(motion, K=K), (0, 9))


def test_a_still_camera_has_one_key_a_channel():
    motion = walking_motion(20)
    still = dataclasses.replace(motion, R=np.repeat(motion.R[:1], 20, axis=0), t=np.repeat(motion.t[:1], 20, axis=0))
    camera = of_type(build(still), "CAMERA")[0]
    assert {len(curve.keyframe_points) for curve in curves_of(camera).values()} == {1}


def picture_in(folder):
    picture = bpy.data.images.new("frame", 16, 9)
    path = Path(folder) / "clip.png"
    picture.filepath_raw, picture.file_format = str(path), "PNG"
    picture.save()
    return path


def test_the_clip_stands_behind_the_camera_on_the_same_moment():
    with tempfile.TemporaryDirectory() as folder:
        motion = walking_motion(10)
        motion.meta["video"] |= {"name": picture_in(folder).name, "start": 12}
        found = part("scene.background").clip_to_show(motion, Path(folder) / "a.motion.npz")
        camera = of_type(build(motion, found, start_frame=5), "CAMERA")[0]
        background = camera.data.background_images[0]
        assert shown_picture(background.clip.frame_start, 5) == 12
        assert camera.data.show_background_images and background.source == "MOVIE_CLIP"
        assert part("scene.background").clip_to_show(motion, Path(folder) / "b" / "a.motion.npz") is None


def shown_picture(clip_starts, scene_frames):
    """Blender shows picture `frame - frame_start`, counted from 0."""
    return scene_frames - clip_starts


def test_the_clip_keeps_its_moments_at_any_rate():
    clip_starts, clock = part("scene.background").clip_starts, part("scene.timing").Clock
    frames = np.arange(5, 205)
    for motion_fps, scene_fps, clip_fps in ((30, 30, 30), (30, 60, 30), (30, 24, 30), (10, 10, 30), (10, 24, 30)):
        starts = clip_starts(frames, clock(Fraction(motion_fps), scene_fps, 5), clip_fps, 12)
        pictures = shown_picture(starts, frames)
        seconds = 12 / motion_fps + (frames - 5) / scene_fps
        assert np.abs(pictures - seconds * clip_fps).max() <= 0.5 + 1e-6, (motion_fps, scene_fps, clip_fps)
    # 29.97 read as 29.969 is the same rate: nothing may drift or be keyed.
    same = clip_starts(np.arange(1, 5000), clock(Fraction(30000, 1001), 30 / 1.001, 1), 29.969, 0)
    assert np.ptp(same) == 0


def test_the_clip_is_keyed_where_the_scene_keeps_its_rate():
    with tempfile.TemporaryDirectory() as folder:
        path = picture_in(folder)
        bpy.context.scene.render.fps = 60
        camera = of_type(build(walking_motion(10), path, set_scene_rate=False), "CAMERA")[0]
        clip = camera.data.background_images[0].clip
        for frame in (1, 2, 11, 19):
            at(frame)
            assert shown_picture(clip.frame_start, frame) == (frame - 1 + 1) // 2, frame


def test_a_scene_that_keeps_its_rate_keeps_a_picture_of_the_same_shape():
    render = bpy.context.scene.render
    for size, after in (((1920, 1080), (1920, 1080)), ((1000, 1000), (854, 480))):
        render.resolution_x, render.resolution_y = size
        collection = build(walking_motion(10, image_size=(854, 480)), set_scene_rate=False)
        assert (render.resolution_x, render.resolution_y) == after
        assert bpy.context.scene.camera == of_type(collection, "CAMERA")[0]


def test_the_upright_copy_goes_before_the_clip():
    with tempfile.TemporaryDirectory() as folder:
        path = picture_in(folder)
        motion = walking_motion(10)
        motion.meta["video"] |= {"name": "turned.mov", "background": path.name, "start": 7}
        found = part("scene.background").clip_to_show(
            motion, Path(folder) / "a.motion.npz", Path(folder) / "turned.mov"
        )
        assert found == path
        camera = of_type(build(motion, found), "CAMERA")[0]
        assert camera.data.background_images[0].clip.frame_start == 1  # the copy begins where the motion does


def test_the_clip_is_shown_without_the_lens_s_distortion():
    with tempfile.TemporaryDirectory() as folder:
        path = picture_in(folder)
        plain = of_type(build(walking_motion(10), path), "CAMERA")[0].data.background_images[0]
        assert not plain.clip_user.use_render_undistorted
        motion = dataclasses.replace(walking_motion(10), distortion=np.array([-0.1, 0.02]))
        shown = of_type(build(motion, path), "CAMERA")[0].data.background_images[0]
        lens = shown.clip.tracking.camera
        assert shown.clip_user.use_render_undistorted and not shown.clip.use_proxy
        assert lens.distortion_model == "DIVISION"
        # The file straightens what is seen; Blender bends it back, to where it was seen.
        focal_px = 1.1 * 1280
        seen = np.linspace(0, np.hypot(640, 360) / focal_px, 50)
        straight = seen / (1 - 0.1 * seen**2 + 0.02 * seen**4)
        bent = straight / (1 + lens.division_k1 * straight**2 + lens.division_k2 * straight**4)
        assert np.abs(bent - seen).max() * focal_px < 0.05 < 10 < np.abs(straight - seen).max() * focal_px
        assert abs(lens.focal_length_pixels - 1.1 * 1280) < 1e-3 and tuple(lens.principal_point) == (0, 0)
        assert plain.clip.tracking.camera.division_k1 == 0

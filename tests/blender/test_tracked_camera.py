"""Runs inside Blender (run_in_blender.py): a solved camera as the engine's file.

RECOVER_MOTION_CLIPS: has moving.mp4, in whose picture n, counted from 0, squares stand around x = 20 + 10 n pixels;
solved.json, truth.npz and lens.npz are left there for test_blender_scene.py, which has the engine read them.
"""

import json
import os
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from scenes import part
from solves import FIRST, FOCAL_WIDTHS, LAST, camera_to_world, clip_editor, solve, through_lens

DEMO = Path(__file__).resolve().parent.parent.parent / "assets" / "demo.mp4"
MOVING = Path(os.environ["RECOVER_MOTION_CLIPS"]) / "moving.mp4"


def written(clip):
    """The clip's file, read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.camera.json"
        part("tracked_camera").write_camera(clip, path)
        assert [item.name for item in Path(folder).iterdir()] == ["a.camera.json"]
        return json.loads(path.read_text())


def refused(clip, text):
    error = part("ghmr_engine.errors").RecoverError
    try:
        part("tracked_camera").camera_content(clip)
    except error as said:
        assert text in str(said) and clip.name in str(said), said
    else:
        raise AssertionError("taken")


def test_a_solved_camera_is_written_as_it_moved():
    content = written(solve(DEMO, frame_start=101, frame_offset=5))
    assert sorted(content) == ["axes", "camera_to_world", "focal_px", "fps", "frames", "picture"]
    assert content["axes"] == "blender" and content["picture"] == [854, 480]
    assert abs(content["fps"] - 30) < 1e-3 and abs(content["focal_px"] - FOCAL_WIDTHS * 854) < 1e-3
    # Clip frame 1 is picture 0 + 5, wherever in the scene the clip begins.
    assert content["frames"] == list(range(FIRST - 1 + 5, LAST + 5))
    solved = np.array(content["camera_to_world"])
    truth = np.array([camera_to_world(picture + 1 - 5) for picture in content["frames"]])
    # One turn, scale and shift of the solve's world; the camera's own axes have to agree as they are.
    turn = truth[0, :3, :3] @ solved[0, :3, :3].T
    ways = [matrices[:, :3, 3] - matrices[0, :3, 3] for matrices in (truth, solved)]
    scale = np.linalg.norm(ways[0][-1]) / np.linalg.norm(ways[1][-1])
    assert np.abs(ways[0] - scale * ways[1] @ turn.T).max() < 1e-4
    assert np.abs(truth[:, :3, :3] - turn @ solved[:, :3, :3]).max() < 1e-4
    assert np.abs(truth[:, :3, :3] - truth[:1, :3, :3]).max() > 0.1  # it did turn


def test_a_marker_s_frame_names_the_picture_that_blender_shows():
    for frame_start, frame_offset, scene_frame, picture in ((1, 0, 6, 5), (101, 0, 106, 5), (101, 7, 106, 12)):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        clip = bpy.data.movieclips.load(str(MOVING))
        clip.frame_start, clip.frame_offset = frame_start, frame_offset
        with clip_editor(clip) as space:
            space.clip_user.frame_current = scene_frame
            bpy.ops.clip.detect_features(margin=2, threshold=0.1, min_distance=8)
        markers = [track.markers[0] for track in clip.tracking.tracks]
        assert len(markers) > 5
        on_show = (np.mean([marker.co[0] for marker in markers]) * clip.size[0] - 20) / 10
        assert round(on_show) == picture, on_show
        for marker in markers:
            assert part("tracked_camera").picture_number(marker.frame, frame_offset) == picture


def test_a_file_that_was_opened_again_says_the_same():
    before = written(solve(DEMO))
    with tempfile.TemporaryDirectory() as folder:
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / "a.blend"))
        bpy.ops.wm.open_mainfile(filepath=str(Path(folder) / "a.blend"))
        assert written(bpy.data.movieclips[0]) == before


def test_distortion_is_written_in_its_own_model():
    clip = bpy.data.movieclips.load(str(DEMO))
    lens = clip.tracking.camera
    lens.k1, lens.division_k2, lens.brown_k4 = 0.125, -0.25, 0.5
    expected = {"POLYNOMIAL": [0.125, 0, 0], "DIVISION": [0, -0.25], "BROWN": [0, 0, 0, 0.5]}
    for model, k in expected.items():
        lens.distortion_model = model
        assert written(clip)["distortion"] == {"model": model.lower(), "k": k}
    lens.k1, lens.distortion_model = 0, "POLYNOMIAL"
    assert "distortion" not in written(clip)  # another model's coefficients do not count


def test_blender_s_division_model_goes_from_the_straight_picture_to_the_bent_one():
    for division in ((0.25, 0.0), (0.125, 0.25)):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        clip = solve(DEMO, division=division)  # fails where Blender means something else by its k1 and k2
        assert written(clip)["distortion"] == {"model": "division", "k": list(division)}
        bpy.ops.wm.read_factory_settings(use_empty=True)
        try:
            solve(DEMO, division=division, told=(0.0, 0.0))
        except AssertionError:
            continue
        raise AssertionError("such a lens makes no difference")


def test_a_lens_that_cannot_be_said_is_refused():
    clip = bpy.data.movieclips.load(str(DEMO))
    lens = clip.tracking.camera
    lens.distortion_model = "NUKE"
    refused(clip, "Choose another model in the Movie Clip editor")
    lens.distortion_model, lens.brown_p1 = "BROWN", 0.01
    refused(clip, "Set P1 and P2 to 0")
    lens.distortion_model = "POLYNOMIAL"
    lens.principal_point_pixels = (854 * 0.515, 240)
    assert written(clip)["frames"] == []  # near enough to the centre
    lens.principal_point_pixels = (427, 240 - 854 * 0.025)
    refused(clip, "Set Optical Center to 0")


def test_oblong_pixels_make_the_picture_s_shape():
    clip = bpy.data.movieclips.load(str(DEMO))
    clip.tracking.camera.pixel_aspect = 2.0  # twice as wide as high
    assert written(clip)["picture"] == [854, 240]


def test_the_solved_clip_is_found_by_the_choice_or_by_the_file():
    find_solved, error = part("tracked_camera").find_solved, part("ghmr_engine.errors").RecoverError
    unsolved = bpy.data.movieclips.load(str(DEMO))
    for chosen in (None, unsolved):
        try:
            find_solved(chosen, DEMO)
        except error as said:
            assert "Track and solve the camera in the Movie Clip editor, or choose another Camera." in str(said)
        else:
            raise AssertionError("an unsolved clip was taken")
    solved = solve(MOVING)
    assert find_solved(solved, DEMO) == solved  # the choice may be another copy of the footage
    assert find_solved(None, MOVING.parent / ".." / MOVING.parent.name / MOVING.name) == solved
    is_solved = part("tracked_camera").is_solved
    assert is_solved(solved) and not is_solved(unsolved)


def test_what_the_engine_shall_read_is_left_for_it():
    division = (0.25, 0.0)
    part("tracked_camera").write_camera(solve(DEMO, frame_offset=5, division=division), MOVING.with_name("solved.json"))
    cameras = np.array([camera_to_world(picture + 1 - 5) for picture in range(LAST + 5)])
    R = np.diag([1.0, -1.0, -1.0]) @ np.swapaxes(cameras[:, :3, :3], 1, 2)
    np.savez(MOVING.with_name("truth.npz"), R=R, t=-np.einsum("tij,tj->ti", R, cameras[:, :3, 3]))
    straight = np.stack([np.linspace(0.02, 0.45, 20), np.zeros(20)], 1)
    bent = [through_lens(Vector(place), division) for place in straight]
    np.savez(MOVING.with_name("lens.npz"), straight=straight, bent=bent)

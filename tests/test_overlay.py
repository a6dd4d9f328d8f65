"""What is drawn over the video, outside Blender: the camera's projection, the lens's bend, lines, the skeleton."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from addon_parts import addon_parts
from motions import joints_world, walking_motion

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS
from ghmr_engine.geometry import straightened
from ghmr_engine.raster import View
from ghmr_engine.scene_views import grid_lines

K = np.array([[900.0, 0, 646.5], [0, 900, 354.5], [0, 0, 1]])
SIZE = (1280, 720)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    with addon_parts(tmp_path_factory.mktemp("tree"), "overlay_under_test") as part:
        yield part


@pytest.fixture(scope="module")
def projection(parts):
    return parts("overlay.projection")


def a_camera(projection, distortion=(0.0, 0.0)):
    motion = walking_motion(5)
    return projection.PictureCamera(motion.R[3], motion.t[3], K, SIZE, np.array(distortion))


def test_joints_are_where_the_engine_s_pictures_have_them(projection):
    camera = a_camera(projection)
    joints = joints_world(walking_motion(5).people["1"])[3]
    np.testing.assert_allclose(
        camera.pixels(camera.seen(joints)), View(camera.R, camera.t, K, SIZE).project(joints), atol=1e-9
    )


def test_a_blender_camera_s_matrix_has_y_up_and_looks_along_minus_z(projection):
    motion = walking_motion(5)
    matrix = np.eye(4)
    matrix[:3, :3] = motion.R[3].T @ np.diag([1, -1, -1]) * 2.5  # a scaled camera sees the same
    matrix[:3, 3] = -motion.R[3].T @ motion.t[3]
    camera = projection.camera_at(matrix, K, SIZE, np.zeros(2))
    np.testing.assert_allclose(camera.R, motion.R[3], atol=1e-12)
    np.testing.assert_allclose(camera.t, motion.t[3], atol=1e-12)


def test_what_is_behind_the_camera_has_no_place(projection):
    camera = a_camera(projection)
    places = camera.pixels(np.array([[0.0, 0, 2], [0, 0, -2], [0, 0, 0.05]]))
    assert np.isfinite(places).all(1).tolist() == [True, False, False]
    np.testing.assert_allclose(places[0], K[:2, 2])


@pytest.mark.parametrize("distortion", [(-0.2, 0.0), (-0.25, 0.06), (0.08, 0.0)])
def test_bending_is_the_other_direction_of_the_engine_s_straightening(projection, distortion):
    across, down = np.meshgrid(np.linspace(0, 1279, 17), np.linspace(0, 719, 9))
    seen = np.stack([across, down], -1).reshape(-1, 2)
    straight = straightened(seen[:, None], K, np.array(distortion))[:, 0]
    assert np.abs(straight - seen).max() > 15
    np.testing.assert_allclose(projection.bent(straight, K, SIZE, np.array(distortion)), seen, atol=1e-3)


def test_no_lens_is_taken_beyond_what_was_measured(projection):
    far = np.array([[50_000.0, 350.0], [646.5, -9_000.0], K[:2, 2]])
    bent = projection.bent(far, K, SIZE, np.array([0.3, 0.0]))
    assert np.isnan(bent[:2]).all()
    np.testing.assert_allclose(bent[2], K[:2, 2])


def test_lines_end_at_the_near_plane(projection):
    starts = np.array([[0.0, 1, -1], [0, 1, 3], [0, 1, -3]])
    ends = np.array([[0.0, 1, 3], [0, 1, 4], [0, 1, -1]])
    starts, ends = projection.cut_near(starts, ends)
    np.testing.assert_allclose(starts, [[0, 1, 0.1], [0, 1, 3]])
    np.testing.assert_allclose(ends, [[0, 1, 3], [0, 1, 4]])
    flipped = projection.cut_near(np.array([[0.0, 0, 2]]), np.array([[4.0, 0, -2]]))
    np.testing.assert_allclose(flipped, [[[0, 0, 2]], [[1.9, 0, 0.1]]])


def test_the_grid_is_the_engine_s(projection):
    low, high = np.array([-2.0, 1]), np.array([3.0, 5])
    for ours, engine in zip(projection.grid(low, high, 1.0), grid_lines(low, high), strict=True):
        np.testing.assert_array_equal(ours, engine)
    assert len(projection.grid(low * 10, high * 10, 10.0)[0]) == 6 + 5


def test_a_bent_grid_is_in_pieces_that_lie_on_the_bent_lines(projection):
    straight, bent = a_camera(projection), a_camera(projection, (-0.2, 0.0))
    starts, ends = np.array([[-1.0, 0, 0]]), np.array([[2.0, 0, 0]])
    (line,) = straight.lines(starts, ends)
    pieces = bent.lines(starts, ends)
    assert len(pieces) == 12
    np.testing.assert_allclose(pieces[1:, 0], pieces[:-1, 1])
    back = straightened(pieces, K, np.array([-0.2, 0.0]))
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    across = np.cross(np.append(along, 0), np.pad(back - line[0], ((0, 0), (0, 0), (0, 1))))[..., 2]
    assert np.abs(across).max() < 1e-3
    assert np.linalg.norm(pieces[0, 0] - line[0]) > 1


def test_lines_that_leave_through_the_camera_s_back_are_drawn_as_far_as_they_are_seen(projection):
    camera = a_camera(projection)
    place = -camera.R.T @ camera.t
    behind, ahead = np.array([[place[0], place[1] - 5, 0]]), np.array([[place[0], place[1] + 9, 0]])
    (line,) = camera.lines(behind, ahead)
    np.testing.assert_allclose(line[1], camera.pixels(camera.seen(ahead))[0])
    assert line[0, 1] > SIZE[1]  # below the picture


def test_the_whole_skeleton_is_drawn_in_its_sides_colours(parts):
    strokes = parts("overlay.strokes")
    colors = {"left": (1, 0, 0, 1), "right": (0, 1, 0, 1), "middle": (0, 0, 1, 1)}
    places = np.random.default_rng(1).uniform(0, 700, (24, 2))
    guessed = np.zeros(24, dtype=bool)
    edge, _, sure, dashed = strokes.skeleton_strokes(places, guessed, colors, 1.0)
    assert len(sure.lines) == 23 == len(edge.lines) and not len(dashed.lines)
    assert edge.width > sure.width > dashed.width
    for line, color in zip(sure.lines, sure.colors, strict=True):
        child = int(np.flatnonzero((places == line[1]).all(1))[0])
        np.testing.assert_array_equal(line[0], places[PARENTS[child]])
        side = JOINT_NAMES[child].split("_")[0]
        assert tuple(color) == colors.get(side, colors["middle"])


def test_a_guessed_limb_is_dashed_and_one_behind_the_camera_left_out(parts):
    strokes = parts("overlay.strokes")
    colors = dict.fromkeys(("left", "right", "middle"), (1, 1, 1, 1))
    places = np.stack([np.arange(24) * 100.0, np.zeros(24)], 1)
    wrist, head = JOINT_NAMES.index("left_wrist"), JOINT_NAMES.index("head")
    guessed = np.arange(24) == wrist
    places[head] = np.nan
    _, _, sure, dashed = strokes.skeleton_strokes(places, guessed, colors, 1.0)
    assert len(sure.lines) == 21
    elbow = PARENTS[wrist]
    total = np.linalg.norm(dashed.lines[:, 1] - dashed.lines[:, 0], axis=1).sum()
    assert len(dashed.lines) > 10 and 0.4 < total / (100 * (wrist - elbow)) < 0.7
    assert dashed.lines[..., 0].min() == 100 * elbow and dashed.lines[..., 0].max() <= 100 * wrist


def test_discs_are_round(parts):
    corners = parts("overlay.strokes").discs(np.array([[10.0, 20.0]]), 5.0)
    canvas = np.zeros((40, 40), np.uint8)
    for triangle in corners.reshape(-1, 3, 2):
        cv2.fillConvexPoly(canvas, np.rint(triangle).astype(np.int32), 1)
    assert abs(canvas.sum() - np.pi * 25) < 25
    assert len(parts("overlay.strokes").discs(np.zeros((0, 2)), 5.0)) == 0


def test_blender_s_lens_in_pixels(projection):
    square = projection.blender_intrinsics(36.0, ("HORIZONTAL", 36.0, 24.0), (0.0, 0.0), (1280, 720), 1.0)
    np.testing.assert_allclose(square, [[1280, 0, 639.5], [0, 1280, 359.5], [0, 0, 1]])
    tall = projection.blender_intrinsics(50.0, ("AUTO", 36.0, 24.0), (0.01, -0.02), (720, 1280), 1.0)
    np.testing.assert_allclose(tall[0, 0], 50 * 1280 / 36)
    np.testing.assert_allclose(tall[:2, 2], [359.5 - 12.8, 639.5 - 25.6])

"""Cameras that people hold, places to film in, and a clip put together: each claim of theirs checked by its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from captures import angle_deg, figure, rest_joints, stepper, walker
from scipy.spatial.transform import Rotation

from ghmr_engine.evaluate.cameras import _PATHS, film, share_beside, share_shown
from ghmr_engine.evaluate.retarget import foot_points, posed
from ghmr_engine.evaluate.scenery import Box, furnish, hidden
from ghmr_engine.evaluate.shot import Shot
from ghmr_engine.evaluate.staging import between, camera_between, camera_matrix, draw_shape, stage

KINDS = tuple(_PATHS)
FPS, SIZE = 30, (854, 480)
K = camera_matrix(Shot())
CORNERS = np.array([[x, y] for x in (-0.5, 0.5) for y in (-0.5, 0.5)])


def walk_by(body, seconds=4.0, speed=1.3):
    """(T, 24, 3) m: an upright figure that glides along +x, which it faces, arms spread."""
    still = rest_joints(body) @ np.array([[0, 1.0, 0], [0, 0, 1], [1, 0, 0]]) + [0, 0, 0.92]
    time = np.arange(round(seconds * FPS)) / FPS
    return still + np.outer(time, [speed, 0, 0])[:, None]


def filmed(kind, joints, seed=0):
    """One person's joints (T, 24, 3)."""
    return film(kind, joints[:, None], 0.0, FPS, K, SIZE, np.random.default_rng(seed))


def turned_deg(R):
    """How far each frame is turned from the first."""
    return angle_deg(R @ R[0].T)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_every_camera_shows_the_walker_upright(body, kind, seed):
    joints = walk_by(body)
    camera = filmed(kind, joints, seed)
    cam = joints @ np.swapaxes(camera.R, 1, 2) + camera.t[:, None]
    pixels = (cam @ K.T)[..., :2] / cam[..., 2:]
    inside = ((pixels > -0.5) & (pixels < np.array(SIZE) - 0.5)).all(-1) & (cam[..., 2] > 0)
    assert inside.mean() > 0.95
    np.testing.assert_allclose(camera.R @ np.swapaxes(camera.R, 1, 2), np.tile(np.eye(3), (120, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(camera.R), 1, atol=1e-9)
    assert (-camera.R[:, 1, 2] > np.cos(np.radians(25))).all()
    assert (camera.centres[:, 2] > 0.9).all() and (camera.centres[:, 2] < 2.0).all()
    # Heads are above feet in the picture, and the left hand of who faces us is on the right.
    assert (pixels[:, 15, 1] < pixels[:, 7, 1] - 50).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_fixes_the_camera(body, kind):
    joints = walk_by(body, 2.0)
    first, same, other = (filmed(kind, joints, seed) for seed in (0, 0, 1))
    assert first.R.tobytes() == same.R.tobytes() and first.t.tobytes() == same.t.tobytes()
    assert np.abs(first.t - other.t).max() > 0.01


def test_a_tripod_does_not_move(body):
    camera = filmed("static", walk_by(body))
    assert turned_deg(camera.R).max() == pytest.approx(0, abs=1e-5)
    assert np.abs(camera.centres - camera.centres[0]).max() < 1e-9


def test_a_pan_turns_on_its_spot(body):
    """Placed beside the way (90 degrees), 6 m off, it turns through what 5.2 m of walking are from there."""
    joints = walk_by(body)
    camera = _PATHS["pan"](joints, 6.0, np.pi / 2, FPS, np.random.default_rng(0))
    assert np.abs(camera.centres - camera.centres[0]).max() < 1e-9
    whole = 2 * np.degrees(np.arctan(5.2 / 2 / 6))
    assert whole - 6 < turned_deg(camera.R)[-1] < whole + 1


def test_a_walking_camera_walks_beside_and_bobs(body):
    joints = walk_by(body)
    camera = filmed("walk", joints)
    pace = (camera.centres[-1] - camera.centres[0])[:2] * FPS / 119 - [1.3, 0]
    assert np.linalg.norm(pace) == pytest.approx(np.hypot(0.45, 0.12), abs=0.05)
    height = camera.centres[:, 2]
    assert height.mean() == pytest.approx(1.5, abs=0.03) and 0.03 < np.ptp(height) < 0.12
    # 1.85 steps a second: that is where the spectrum peaks.
    spectrum = np.abs(np.fft.rfft(height - height.mean()))
    assert spectrum[1:].argmax() + 1 in (7, 8)
    assert 0.05 < np.std(np.diff(turned_deg(camera.R))) < 1.0


@pytest.mark.parametrize("seed", range(5))
def test_an_orbit_goes_around_the_people(body, seed):
    joints = walk_by(body)
    camera = filmed("orbit", joints, seed)
    away = camera.centres[:, :2] - joints[:, 0, :2]
    swept = np.degrees(np.ptp(np.unwrap(np.arctan2(away[:, 1], away[:, 0]))))
    assert 60 < swept < 105
    assert np.ptp(np.linalg.norm(away, axis=1)) < 0.15 * np.linalg.norm(away, axis=1).mean()


def test_a_following_camera_keeps_its_distance(body):
    joints = walk_by(body)
    gone = np.linalg.norm(filmed("follow", joints).centres[:, :2] - joints[:, 0, :2], axis=1)
    assert gone.std() < 0.08 * gone.mean() and np.ptp(gone[45:75]) < 0.05 * gone.mean()
    tripod = np.linalg.norm(filmed("static", joints).centres[:, :2] - joints[:, 0, :2], axis=1)
    assert np.ptp(tripod) > 0.2 * tripod.mean()


def test_a_following_camera_comes_nearer_to_who_stays(body):
    joints = walk_by(body, speed=0.0)
    gone = np.linalg.norm(filmed("follow", joints).centres[:, :2] - joints[:, 0, :2], axis=1)
    assert gone[0] - gone[-1] == pytest.approx(1.2, abs=0.1)


def test_who_is_outside_is_not_shown(body):
    joints = walk_by(body, 1.0)
    camera = filmed("static", joints)
    assert share_shown(joints, camera, K, SIZE) > 0.98
    assert share_shown(joints + np.array([0, 0, 50.0]), camera, K, SIZE) == 0
    behind = 2 * camera.centres[:, None] - joints
    assert share_shown(behind, camera, K, SIZE) == 0


def test_two_people_are_filmed_beside_each_other(body):
    """They walk along +x, one 1.5 m to the left: from straight ahead they are beside each other, from the side not."""
    joints = walk_by(body)
    two = np.stack([joints, joints + np.array([0, 1.5, 0])], 1)
    ahead, side = (
        _PATHS["static"](two.reshape(120, -1, 3), 9.0, azimuth, FPS, np.random.default_rng(0))
        for azimuth in (0.0, np.pi / 2)
    )
    assert share_beside(two, ahead, K) == 1 and share_beside(two[:, :1], side, K) == 1
    assert share_beside(two, side, K) < 0.7
    behind = np.stack([joints, joints - np.array([1.0, 0, 0])], 1)
    assert share_beside(behind, side, K) == 1 and share_beside(behind, ahead, K) == 0
    for kind in KINDS:
        camera = film(kind, two, 0.0, FPS, K, SIZE, np.random.default_rng(2))
        assert share_beside(two, camera, K) > 0.65, kind


# Scenery


def placed(x=0.0, y=0.0, degrees=0.0, size=(1.0, 1.0, 1.0)):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    matrix[:2, 3] = x, y
    return Box("crate_1", matrix, size)


@pytest.mark.parametrize(
    ("point", "expected"),
    [((5, 0, 0.5), True), ((-2, 0, 0.5), False), ((5, 3, 0.5), False), ((-9, 0, 0.5), False), ((5, 0, 3.0), False),
     ((0, 0, 0.5), True), ((5, 0.8, 0.5), True), ((5, 1.2, 0.5), False), ((5, 0, 1.7), False), ((5, 0, 1.3), True)],
)  # fmt: skip
def test_what_stands_behind_a_box_is_hidden(point, expected):
    # From (-5, 0, 0.5): the box's near side, at x = -0.5, is met at 0.45 of the way to x = 5, its far side at 0.55.
    # At the near side a ray to y = 1.2 is at 0.54, one to z = 1.7 at 1.04; to y = 0.8 at 0.36, to z = 1.3 at 0.86.
    eyes = np.array([[-5.0, 0, 0.5]])
    assert hidden(np.array([[point]], float), eyes, (placed(),)).tolist() == [[expected]]
    assert not hidden(np.array([[point]], float), eyes, ()).any()


def test_a_turned_box_hides_by_its_corners():
    # Along y = 0.6: the box reaches 0.5, turned by 45 degrees 0.707.
    eyes, point = np.array([[-5.0, 0.6, 0.5]]), np.array([[[5.0, 0.6, 0.5]]])
    assert not hidden(point, eyes, (placed(),)).any()
    assert hidden(point, eyes, (placed(degrees=45),)).all()
    there = np.array([3.0, 7, 0])
    assert hidden(point + there, eyes + there, (placed(), placed(3, 7, 45))).all()
    # A long box, 4 by 0.2: across the way it hides, along it, beside the way, it does not.
    assert hidden(point, eyes, (placed(0, 0, 90, (4, 0.2, 1)),)).all()
    assert not hidden(point, eyes, (placed(0, 0, 0, (4, 0.2, 1)),)).any()


def test_each_frame_has_its_own_eye():
    eyes = np.array([[-5.0, 0, 0.5], [5, 0, 0.5]])
    points = np.array([[[3.0, 0, 0.5]], [[3.0, 0, 0.5]]])
    assert hidden(points, eyes, (placed(),)).tolist() == [[True], [False]]


def off_box_m(points, box):
    """How far points (..., 2) on the ground are from a box's footprint."""
    own = (points - box.matrix[:2, 3]) @ box.matrix[:2, :2]
    return np.linalg.norm(np.maximum(np.abs(own) - np.array(box.size[:2]) / 2, 0), axis=-1)


@pytest.fixture(scope="module")
def yards(body):
    """Places around a walker, for several seeds: people, camera, scenery."""
    joints = walk_by(body)
    made = []
    for seed in range(6):
        camera = filmed(KINDS[seed % 5], joints, seed).centres[:, :2]
        people = np.stack([joints[:, 0, :2], joints[:, 0, :2] + [0, 1.5]], 1)
        made.append((people, camera, furnish(people, camera, "none", np.random.default_rng(seed))))
    return made


def test_boxes_stand_clear_of_people_camera_and_sight(yards):
    counts = []
    for people, camera, scenery in yards:
        share = np.linspace(0, 1, 60)[:, None, None, None]
        sight = camera[:, None] + share * (people - camera[:, None])
        for box in scenery.boxes:
            assert off_box_m(people, box).min() > 0.75
            assert off_box_m(camera, box).min() > 0.6
            assert off_box_m(sight, box).min() > 0.35
        counts.append(len(scenery.boxes))
    assert min(counts) >= 2 and max(counts) <= 16


def test_walls_are_around_everybody_and_boxes_within(yards):
    for people, camera, scenery in yards:
        walls = [sheet for sheet in scenery.sheets if sheet.look.startswith("wall")]
        assert len(walls) == 4
        inside = np.concatenate([people.reshape(-1, 2), camera, [box.matrix[:2, 3] for box in scenery.boxes]])
        everything = np.column_stack([inside, np.ones(len(inside))])
        for wall in walls:
            toward = wall.matrix[:3, 2]  # where the picture faces
            assert abs(toward[2]) < 1e-9
            off = (everything - wall.matrix[:3, 3]) @ (toward * [1, 1, 0])
            assert off.min() > 0.3


@pytest.mark.parametrize("occluder", ["none", "pillar", "box"])
@pytest.mark.parametrize("seed", range(4))
def test_only_the_occluder_hides_the_person(body, occluder, seed):
    joints = walk_by(body)
    camera = filmed("static", joints, seed)
    rng = np.random.default_rng(seed)
    scenery = furnish(joints[:, :1, :2], camera.centres[:, :2], occluder, rng)
    torso, ankles = [0, 3, 6, 9, 12], [7, 8]
    blocked = hidden(joints, camera.centres, scenery.boxes)
    if occluder == "none":
        assert not blocked[:, torso].any() and blocked.mean() < 0.02
    elif occluder == "pillar":
        assert blocked[60, torso].all()
        assert blocked.mean() < 0.5
    else:
        assert blocked[60, ankles].all() and not blocked[60, [12, 15]].any()
    # It is nearer to the people than to the camera, and nobody runs through it.
    if occluder != "none":
        place = scenery.boxes[-1].matrix[:2, 3]
        assert np.linalg.norm(place - joints[60, 0, :2]) < np.linalg.norm(place - camera.centres[60, :2])
        assert off_box_m(joints[:, 0, :2], scenery.boxes[-1]).min() > 0.15


def test_the_same_place_comes_from_the_same_seed(yards):
    people, camera, scenery = yards[0]
    again = furnish(people, camera, "none", np.random.default_rng(0))
    for a, b in zip(scenery.sheets + scenery.boxes, again.sheets + again.boxes, strict=True):
        assert a.look == b.look and a.size == b.size and a.matrix.tobytes() == b.matrix.tobytes()


# A clip


@pytest.fixture(scope="module")
def two(body):
    return stage([walker(body), stepper(body)], Shot(camera="walk", seed=5, occluder="pillar"), body)


def arrays(staged):
    """Everything that is drawn or computed."""
    found = [staged.camera.R, staged.camera.t, staged.K, staged.to_world]
    for motion in staged.people:
        found += [motion.rotations, motion.transl, motion.betas, motion.contacts]
    return found + [thing.matrix for thing in staged.scenery.sheets + staged.scenery.boxes]


def test_the_world_begins_under_the_first_pelvis_and_looks_along_y(two, body):
    joints = [posed(motion, body).joints.numpy() for motion in two.people]
    np.testing.assert_allclose(joints[0][0, 0, :2], 0, atol=1e-5)
    ahead = two.camera.R[0, 2]
    assert abs(ahead[0]) < 1e-9 and ahead[1] > 0.9
    assert np.quantile(foot_points(two.people[1], body)[..., 2].min(1), 0.5) == pytest.approx(0, abs=0.005)
    assert (-two.camera.R[:, 1, 2] > np.cos(np.radians(25))).all()
    # All went together: both people are still in the picture, the camera at a man's height.
    assert share_shown(np.concatenate(joints, 1).astype(float), two.camera, two.K, SIZE) > 0.95
    assert 1 < two.camera.centres[:, 2].min() < two.camera.centres[:, 2].max() < 2
    assert np.linalg.det(two.to_world[:3, :3]) == pytest.approx(1) and two.to_world[2].tolist() == [0, 0, 1, 0]


def test_people_and_camera_go_into_the_world_together(body):
    """A tripod still looks at 0.95 m above the middle of the walker's way: the middle of a box along old axes."""
    staged = stage([walker(body)], Shot(seed=5), body)
    assert np.linalg.norm(staged.to_world[:2, 3]) > 2
    ground = posed(staged.people[0], body).joints.numpy().astype(float)[..., :2]
    way = (ground.min(1) + ground.max(1)) / 2
    centre, ahead = staged.camera.centres[0], staged.camera.R[0, 2]
    aim = centre + ahead * (0.95 - centre[2]) / ahead[2]
    np.testing.assert_allclose(aim[:2], (way.min(0) + way.max(0)) / 2, atol=0.15)


def test_the_shorter_motion_ends_the_clip(two):
    assert [len(motion.transl) for motion in two.people] == [60, 60] and len(two.camera.R) == 60


def test_two_people_do_not_touch(two, body):
    a, b = (posed(motion, body).joints.numpy() for motion in two.people)
    assert np.linalg.norm(a[:, :, None, :2] - b[:, None, :, :2], axis=-1).min() > 0.3
    assert np.linalg.norm((a - b)[:, 0], axis=-1).min() < 8


def test_the_pillar_still_hides_after_everything_moved(two, body):
    joints = posed(two.people[0], body).joints.numpy().astype(float)
    assert hidden(joints, two.camera.centres, two.scenery.boxes)[30, [0, 3, 6, 9]].all()


def test_the_seed_fixes_every_byte(two, body):
    captures = [walker(body), stepper(body)]
    again = stage(captures, two.shot, body)
    assert [a.tobytes() for a in arrays(two)] == [a.tobytes() for a in arrays(again)]
    other = stage(captures, replace(two.shot, seed=6), body)
    assert np.abs(other.people[0].betas - two.people[0].betas).max() > 0.1
    assert np.abs(other.camera.R[5] - two.camera.R[5]).max() > 1e-3


def test_another_camera_films_the_same_bodies(two, body):
    other = stage([walker(body), stepper(body)], replace(two.shot, camera="static"), body)
    for a, b in zip(two.people, other.people, strict=True):
        np.testing.assert_array_equal(a.betas, b.betas)
        np.testing.assert_allclose(a.rotations[:, 1:], b.rotations[:, 1:], atol=1e-9)


def test_shapes_are_likely_ones_and_not_the_same():
    shapes = np.array([draw_shape(seed, person) for seed in range(40) for person in (0, 1)])
    assert np.abs(shapes).max() <= 1.5 and 0.5 < shapes.std() < 0.8
    assert len(np.unique(shapes[:, 0])) > 70


@pytest.mark.parametrize(("size", "focal"), [((854, 480), 427), ((480, 854), 427)])
def test_the_field_of_view_is_across_the_longer_side(size, focal):
    # 90 degrees: the focal length is half the longer side.
    made = camera_matrix(Shot(fov=90, width=size[0], height=size[1]))
    np.testing.assert_allclose(made, [[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1]])


def test_between_frames_whole_ones_are_hit(two):
    motion, at = two.people[0], np.array([0, 7, 58, 59])
    found = between(motion, at.astype(float))
    np.testing.assert_allclose(found.rotations, motion.rotations[at], atol=1e-6)
    np.testing.assert_allclose(found.transl, motion.transl[at], atol=1e-12)
    filmed_at = camera_between(two.camera, at.astype(float))
    np.testing.assert_allclose(filmed_at.R, two.camera.R[at], atol=1e-6)
    np.testing.assert_allclose(filmed_at.t, two.camera.t[at], atol=1e-6)


def test_half_way_is_half_of_the_turn_and_of_the_way(two):
    found = between(two.people[0], np.array([10.5]))
    a, b = two.people[0].rotations[10:12]
    np.testing.assert_allclose(found.transl[0], two.people[0].transl[10:12].mean(0), atol=1e-12)
    turn = np.swapaxes(a, -1, -2)
    np.testing.assert_allclose(angle_deg(turn @ found.rotations[0]), angle_deg(turn @ b) / 2, atol=1e-4)
    camera = camera_between(two.camera, np.array([10.5]))
    np.testing.assert_allclose(camera.centres[0], two.camera.centres[10:12].mean(0), atol=1e-9)


def test_before_the_first_and_after_the_last_frame_nothing_moves(two):
    found = between(two.people[0], np.array([-0.4, 59.7]))
    np.testing.assert_allclose(found.transl, two.people[0].transl[[0, 59]], atol=1e-12)


def test_a_single_frame_is_staged(body):
    staged = stage([figure(body, frames=1)], Shot(camera="static"), body)
    assert len(staged.camera.R) == 1 and np.isfinite(staged.camera.t).all()

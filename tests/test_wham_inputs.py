"""WHAM's inputs from a track, and a track lifted with it from beginning to end, with drawn weights."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from ghmr_engine.body.skeleton import COCO_FROM_LANDMARKS, LANDMARK_NAMES, PARENTS, mirror_order
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.geometry import intrinsics
from ghmr_engine.lift import lift_people
from ghmr_engine.lift.wham import Reading, Wham, contact_order, lift_with_wham, load_wham
from ghmr_engine.lift.wham.body import smpl_body
from ghmr_engine.lift.wham.inputs import FirstPose, angular_velocity, inputs_of, joined, sight_of
from ghmr_engine.lift.wham.network import WhamNetwork
from ghmr_engine.lift.wham.rollout import mirrored_rotations
from ghmr_engine.options import Options
from ghmr_engine.progress import silent
from ghmr_engine.types import CameraMotion, People, Track, VideoInfo

WIDTH, HEIGHT, FOCAL = 640, 480, 500.0
SIZE = (WIDTH, HEIGHT)
CPU = torch.device("cpu")
FEET = np.array([[0.1, 0, 0.15], [0.1, 0, -0.05], [-0.1, 0, 0.15], [-0.1, 0, -0.05]])
"""A made-up body's foot points, m, in the published order: left toe, left heel, right toe, right heel."""


def checkpoint(vertices: int = 200) -> dict[str, torch.Tensor]:
    """A whole state dict: the network drawn, the body made up."""
    chance = np.random.default_rng(5)
    template = chance.normal(0, 0.3, (vertices, 3))
    template[:4] = FEET
    weights = chance.dirichlet(np.ones(24) * 0.2, vertices)
    J_regressor, joints = (chance.dirichlet(np.ones(vertices), count) for count in (24, 31))
    body = {
        "v_template": template, "shapedirs": chance.normal(0, 0.01, (vertices, 3, 10)),
        "posedirs": chance.normal(0, 0.001, (207, 3 * vertices)), "J_regressor": J_regressor, "lbs_weights": weights,
        "parents": np.array(PARENTS), "faces_tensor": np.array([[0, 1, 2]]), "J_regressor_wham": joints,
        "J_regressor_feet": np.eye(4, vertices),
    }  # fmt: skip
    state = {name: torch.as_tensor(value) for name, value in body.items()}
    state = {f"smpl.{name}": value.float() if value.is_floating_point() else value for name, value in state.items()}
    torch.manual_seed(0)
    return state | WhamNetwork().state_dict()


@pytest.fixture(scope="module")
def wham() -> Wham:
    return load_wham(checkpoint())


@pytest.fixture(scope="module")
def reading(wham) -> Reading:
    chance = torch.Generator().manual_seed(2)
    turns = roma.rotvec_to_rotmat(0.3 * torch.randn(24, 3, generator=chance))
    return Reading(wham.first_pose(turns, torch.zeros(10)))


def track(frames: np.ndarray, fps: float, person: int = 1) -> Track:
    """Landmarks that move smoothly, whatever the rate."""
    seconds = frames / fps
    base = np.random.default_rng(person).normal(0, 0.4, (33, 3))
    sway = np.sin(seconds[:, None, None] * 2 + np.arange(33)[:, None]) * [0.1, 0.05, 0.1]
    world = base + sway
    points = world + np.array([0.2 * person, 0.0, 4.0])
    pixels = FOCAL * points[..., :2] / points[..., 2:] + [319.5, 239.5]
    keypoints = np.concatenate([pixels, np.full((len(frames), 33, 1), 0.9)], -1)
    boxes = np.concatenate([pixels.min(1), pixels.max(1)], 1)
    return Track(person, frames, boxes, keypoints, world, np.ones(len(frames), bool))


def camera(frames: int, fps: float) -> CameraMotion:
    """A pan of 20 degrees a second."""
    turns = roma.rotvec_to_rotmat(torch.tensor([0.0, math.radians(20), 0.0]) * torch.arange(frames)[:, None] / fps)
    return CameraMotion(
        R=turns.double().numpy(), t=np.zeros((frames, 3)), confidence=np.ones(frames), moving=True, unit="metre",
        K=np.repeat(intrinsics(FOCAL, WIDTH, HEIGHT)[None], frames, 0), points=np.zeros((0, 3)),
        upright=np.zeros((0, 4)), focal_source="user", motion_source="rotation",
    )  # fmt: skip


def with_coco(coco: np.ndarray, reading: Reading) -> tuple[Track, Reading]:
    return track(np.arange(len(coco)), 30), replace(reading, coco=coco)


def test_keypoints_are_told_in_a_crop_one_and_a_fifth_times_their_box(reading):
    coco = np.zeros((40, 17, 3))
    coco[:, :, 2] = 0.9
    coco[:, :, :2] = [200.0, 150.0]
    coco[:, 1, :2], coco[:, 2, :2] = [100.0, 50.0], [300.0, 350.0]  # a box of 200 by 300 px about (200, 200)
    coco[:, 3] = [5000.0, 5000.0, 0.2]  # not sure: neither in the box nor told
    sight = sight_of(*with_coco(coco, reading)[:1], camera(40, 30), with_coco(coco, reading)[1], 30, CPU)
    assert torch.allclose(sight.boxes, torch.tensor([200.0, 200.0, 1.2 * 300 / 200]))
    x = inputs_of(sight, SIZE).x[0]
    assert torch.allclose(x[:, 2:4], torch.tensor([-100.0, -150.0]) * 2 / 360)
    assert torch.allclose(x[:, 0:2], torch.tensor([0.0, -50.0]) * 2 / 360, atol=1e-6)
    assert torch.equal(x[:, 6:8], torch.zeros(40, 2))
    assert torch.equal(sight.hidden[0].nonzero(), torch.tensor([[3]]))
    expected = torch.tensor([2 * (200 - 319.5) / 640, 2 * (200 - 239.5) / 640, 360 / 640])
    assert torch.allclose(x[:, 34:], expected)


def test_one_wild_box_does_not_move_the_crop(reading):
    coco = track(np.arange(40), 30).keypoints[:, COCO_FROM_LANDMARKS]
    wild = coco.copy()
    wild[20:25, 0, :2] = 4000.0
    still, jumped = (sight_of(track(np.arange(40), 30), camera(40, 30), replace(reading, coco=each), 30, CPU)
                     for each in (coco, wild))  # fmt: skip
    assert float((still.boxes - jumped.boxes).abs().max()) < 10.0


def test_frames_with_few_sure_keypoints_take_their_neighbours_box_and_are_masked(reading):
    seen = track(np.arange(40), 30)
    keypoints = seen.keypoints.copy()
    keypoints[10:20, list(COCO_FROM_LANDMARKS[5:]), 2] = 0.1  # five are left
    sight = sight_of(replace(seen, keypoints=keypoints), camera(40, 30), reading, 30, CPU)
    assert bool(sight.hidden[10:20].all())
    assert not bool(sight.hidden[:10].any())
    whole = sight_of(seen, camera(40, 30), reading, 30, CPU)
    assert torch.allclose(sight.boxes, whole.boxes, atol=0.08 * 200)


def test_twice_the_rate_tells_the_same(reading):
    slow = sight_of(track(np.arange(40), 30), camera(40, 30), reading, Fraction(30), CPU)
    fast = sight_of(track(np.arange(79), 60), camera(79, 60), reading, Fraction(60), CPU)
    assert slow.boxes.shape == fast.boxes.shape
    for one, other in zip(inputs_of(slow, SIZE), inputs_of(fast, SIZE), strict=True):
        assert torch.allclose(one.float(), other.float(), atol=2e-5)
    assert np.array_equal(fast.rows, np.arange(79) / 2)


def test_uneven_rates_are_resampled_and_never_relabelled(reading):
    rate = Fraction(24000, 1001)
    sight = sight_of(track(np.arange(48), float(rate)), camera(48, float(rate)), reading, rate, CPU)
    true = sight_of(track(np.arange(len(sight.boxes)), 30), camera(80, 30), reading, 30, CPU)
    assert len(sight.boxes) == math.floor(47 / rate * 30) + 1
    assert torch.allclose(sight.keypoints, true.keypoints, atol=0.5)
    assert torch.allclose(inputs_of(sight, SIZE).angular, inputs_of(true, SIZE).angular, atol=2e-3)


def test_an_unsure_neighbour_does_not_pull_a_sure_keypoint(reading):
    seen = track(np.arange(30), 20)
    keypoints = seen.keypoints.copy()
    keypoints[5, 0] = [9000.0, 9000.0, 0.0]
    sight = sight_of(replace(seen, keypoints=keypoints), camera(30, 20), reading, 20, CPU)
    told = sight.keypoints[~sight.hidden[:, 0], 0]
    assert float(told.max()) < 1000
    assert 1 <= int(sight.hidden[:, 0].sum()) <= 2


def test_a_gap_in_a_track_is_there_but_masked(reading):
    frames = np.r_[0:20, 30:50]
    sight = sight_of(track(frames, 30), camera(60, 30), reading, 30, CPU)
    assert len(sight.boxes) == 50
    assert bool(sight.hidden[20:30].all())
    assert not bool(sight.hidden[:20].any() | sight.hidden[30:].any())
    assert np.array_equal(sight.rows, frames)


def test_the_camera_s_turning_is_told_a_second_and_its_last_frame_repeats_the_first():
    degrees = torch.tensor([0.0, 1.0, 3.0, 6.0])
    R = roma.rotvec_to_rotmat(torch.deg2rad(degrees)[:, None] * torch.tensor([0.0, 0.0, 1.0]))
    told = angular_velocity(R, 30)
    for frame, step in enumerate((1.0, 2.0, 3.0, 1.0)):
        cos, sin = math.cos(math.radians(step)), math.sin(math.radians(step))
        # R_t R_{t+1}^T turns back by the step about z: rows (cos, sin, 0) and (-sin, cos, 0).
        expected = torch.tensor([cos - 1, sin, 0, -sin, cos - 1, 0]) * 30
        assert torch.allclose(told[frame], expected, atol=1e-5)
    assert torch.equal(angular_velocity(R[:1], 30), torch.zeros(1, 6))


def test_a_mirror_twice_is_none(reading):
    sight = sight_of(track(np.arange(40), 30), camera(40, 30), reading, 30, CPU)
    once, twice = sight.mirrored(), sight.mirrored().mirrored()
    for one, other in zip(inputs_of(sight, SIZE), inputs_of(twice, SIZE), strict=True):
        assert torch.allclose(one.float(), other.float(), atol=1e-5)
    a, b = inputs_of(sight, SIZE).x[0], inputs_of(once, SIZE).x[0]
    assert torch.allclose(a[:, 0], -b[:, 0], atol=1e-5)  # the nose
    assert torch.allclose(a[:, 2:4], b[:, 4:6] * torch.tensor([-1.0, 1.0]), atol=1e-5)  # the eyes
    assert torch.allclose(a[:, 34], -b[:, 34], atol=1e-5)


def test_a_mirrored_first_pose_has_the_mirrored_joints():
    turns = roma.random_rotmat(24)
    pose = FirstPose(turns, torch.randn(17, 3))
    assert torch.allclose(pose.mirrored().mirrored().rotations, turns)
    assert torch.equal(pose.mirrored().joints[5], pose.joints[6] * torch.tensor([-1.0, 1.0, 1.0]))
    assert torch.allclose(torch.det(mirrored_rotations(turns)), torch.ones(24), atol=1e-5)


def test_shorter_people_are_filled_up_with_their_last_frame(reading):
    people = [inputs_of(sight_of(track(np.arange(count), 30), camera(40, 30), reading, 30, CPU), SIZE)
              for count in (40, 17)]  # fmt: skip
    both = joined(people)
    assert both.x.shape == (2, 40, 37)
    assert torch.equal(both.x[1, :17], people[1].x[0])
    assert torch.equal(both.x[1, 17:], people[1].x[0, -1:].expand(23, -1))
    assert both.init_kp.shape == (2, 1, 88)


def test_contacts_come_in_our_order():
    assert contact_order(load_wham(checkpoint()).body) == [1, 0, 3, 2]
    state = checkpoint()
    state["smpl.J_regressor_feet"] = state["smpl.J_regressor_feet"][[3, 2, 1, 0]]  # right heel and toe, left heel, toe
    assert contact_order(load_wham(state).body) == [2, 3, 0, 1]


def test_a_checkpoint_that_lacks_something_is_named():
    state = checkpoint()
    for name in ("integrator.layer1.weight", "smpl.J_regressor_feet"):
        with pytest.raises(RecoverError, match=name):
            load_wham({key: value for key, value in state.items() if key != name})
    with pytest.raises(RecoverError, match="another size"):
        load_wham(state | {"integrator.layer1.bias": torch.zeros(3)})
    assert load_wham(state | {"smpl.something_else": torch.zeros(1)})


def test_a_body_without_smpl_s_vertices_is_not_taken_for_smpl():
    with pytest.raises(RecoverError, match="6890"):
        smpl_body(checkpoint())


def test_smpl_s_vertices_make_our_body():
    state = checkpoint(6890)
    body, small = smpl_body(state), load_wham(state).body
    turns = roma.random_rotmat(2 * 24).unflatten(0, (2, 24))
    joints, _ = small.posed(turns, torch.zeros(2, 10))
    vertices = body.vertices(turns, torch.zeros(2, 3), torch.zeros(10))
    assert torch.allclose(joints, state["smpl.J_regressor_wham"].float() @ vertices, atol=1e-4)
    assert body.posedirs.shape == (6890, 3, 207)
    assert body.forward(turns, torch.zeros(2, 3), torch.zeros(10)).contacts.shape == (2, 4, 3)


def test_tracks_are_lifted_from_beginning_to_end(wham, reading):
    rate = Fraction(50)
    tracks = [track(np.arange(60), 50), track(np.r_[10:25, 30:48], 50, person=2)]
    told = []
    moved = lift_with_wham(tracks, [reading, reading], camera(60, 50), wham, SIZE, rate, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    for one, motion in zip(tracks, moved, strict=True):
        count = len(one.frames)
        assert motion.rotations.shape == (count, 24, 3, 3)
        assert motion.transl.shape == motion.world_hips.shape == (count, 3)
        assert motion.betas.shape == (10,)
        assert motion.contacts.shape == (count, 4)
        assert 0 <= float(motion.contacts.min()) <= float(motion.contacts.max()) <= 1
        for turns in (motion.rotations, motion.world_root):
            assert torch.allclose(turns @ turns.mT, torch.eye(3).expand_as(turns), atol=1e-4)
            assert torch.allclose(torch.det(turns), torch.ones(turns.shape[:-2]), atol=1e-4)
        assert all(bool(value.isfinite().all()) for value in vars(motion).values())
    alone = lift_with_wham(tracks[1:], [reading], camera(60, 50), wham, SIZE, rate, silent)[0]
    assert torch.allclose(alone.rotations, moved[1].rotations, atol=1e-4)


def test_a_mirrored_clip_gives_the_mirrored_motion(wham, reading):
    seen, filmed = track(np.arange(40), 30), camera(40, 30)
    flip, order = np.diag([-1.0, 1.0, 1.0]), list(mirror_order(LANDMARK_NAMES))
    keypoints = seen.keypoints[:, order].copy()
    keypoints[..., 0] = 2 * 319.5 - keypoints[..., 0]
    mirrored = (replace(seen, keypoints=keypoints), replace(filmed, R=flip @ filmed.R @ flip))
    plain = lift_with_wham([seen], [reading], filmed, wham, SIZE, 30, silent)[0]
    there = Reading(reading.first.mirrored())
    other = lift_with_wham([mirrored[0]], [there], mirrored[1], wham, SIZE, 30, silent)[0]
    assert torch.allclose(other.rotations, mirrored_rotations(plain.rotations), atol=1e-3)
    assert torch.allclose(other.contacts, plain.contacts[:, [2, 3, 0, 1]], atol=1e-4)
    assert torch.allclose(other.betas, plain.betas, atol=1e-4)


def test_lifting_can_be_stopped(wham, reading):
    def stop(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        lift_with_wham([track(np.arange(60), 30)], [reading], camera(60, 30), wham, SIZE, 30, stop)
    assert lift_with_wham([], [], camera(60, 30), wham, SIZE, 30, silent) == []


def test_features_of_the_picture_change_the_pose(wham, reading):
    features = np.random.default_rng(0).normal(0, 1, (40, 1024))
    seen = [reading, replace(reading, features=features, mirrored_features=features)]
    plain, pictured = lift_with_wham([track(np.arange(40), 30)] * 2, seen, camera(40, 30), wham, SIZE, 30, silent)
    assert not torch.allclose(plain.rotations, pictured.rotations, atol=1e-3)


def test_the_lift_begins_from_wham_when_it_is_given():
    state = checkpoint(6890)
    people = People((track(np.arange(30), 30),), np.zeros((30, 6, 1), np.uint8), (6, 8))
    info = VideoInfo(Path("x.mp4"), "x.mp4", 1, "", WIDTH, HEIGHT, Fraction(30), 30, 0, 0, True, False, None)
    options = replace(Options(), quality="fast")
    lifted = lift_people(
        people, camera(30, 30), smpl_body(state), info, options, None, silent, wham=load_wham(state)
    )[0]  # fmt: skip
    assert lifted.contacts.shape == (30, 4)
    assert lifted.up is None
    assert np.isfinite(lifted.rotations).all()
    assert np.isfinite(lifted.transl).all()

"""What stands beside us in the benchmark: the per-frame baseline, and the floor on true keypoints."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.evaluate.baseline import baseline
from ghmr_engine.evaluate.floor import true_camera, true_people
from ghmr_engine.geometry import intrinsics
from ghmr_engine.lift.observations import crop_to_camera
from ghmr_engine.motion_file import read_motion
from ghmr_engine.posed import rotation_matrices
from ghmr_engine.types import People, Track, VideoInfo

J = {name: place for place, name in enumerate(JOINT_NAMES)}
SIZE = (1280, 720)
FOCAL = 0.72 * np.hypot(*SIZE)


def info(frames):
    return VideoInfo(Path("x.mp4"), "x.mp4", 1, "", *SIZE, Fraction(30), frames, 0, 0, True, False, None)


def person(body, place, frames=6, number=1):
    """A track of a standing body whose picture is its own 3D at one scale, at `place` (3,) m before the camera."""
    rest = body.forward(torch.eye(3).expand(1, 24, 3, 3), torch.zeros(1, 3), torch.zeros(10)).landmarks[0].numpy()
    flat = rest @ np.diag([1.0, -1, -1])  # y up, facing the camera -> x right of the picture, y down, z forward
    K = intrinsics(FOCAL, *SIZE)
    pixels = K[:2, 2] + FOCAL / place[2] * (np.array(place[:2]) + flat[:, :2])
    keypoints = np.tile(np.concatenate([pixels, np.ones((33, 1))], 1), (frames, 1, 1))
    seen = np.arange(frames) != 2
    return Track(number, np.arange(frames), np.zeros((frames, 4)), keypoints, np.tile(flat, (frames, 1, 1)), seen), flat


def of(*tracks):
    return People(tracks, np.zeros((6, 1, 1), np.uint8), (1, 8))


def test_the_baseline_places_by_size_and_stands_people_up(body):
    track, flat = person(body, (0.7, -0.2, 4.0))
    made = baseline(of(track), info(6))
    (one,) = made.people
    assert one.frames.tolist() == [0, 1, 3, 4, 5]  # frame 2 was only bridged
    assert one.contacts is None
    camera = one.joints[0] @ made.R[0].T + made.t[0]
    hips = flat[23:25].mean(0) + np.array([0.7, -0.2, 4.0])
    np.testing.assert_allclose(camera[J["pelvis"]], hips, atol=1e-6)
    assert one.joints[0, J["head"], 2] > one.joints[0, J["pelvis"], 2] + 0.4
    assert abs(one.feet[0, :, 2].min()) < 0.05
    np.testing.assert_allclose(made.K[0, 0, 0], FOCAL)


def test_the_baseline_keeps_left_and_right(body):
    track, flat = person(body, (0.0, 0.0, 3.0))
    (one,) = baseline(of(track), info(6)).people
    for name in ("knee", "ankle", "elbow", "wrist", "foot", "hand", "collar", "hip"):
        left, right = (one.joints[0, J[f"{side}_{name}"], 0] for side in ("left", "right"))
        # Facing the camera, a person's left is on the picture's right.
        assert left > right, name
    wrist = flat[LANDMARK_NAMES.index("left_wrist")] + [0, 0, 3.0]
    np.testing.assert_allclose(one.joints[0, J["left_wrist"]][[0, 1]], wrist[[0, 2]], atol=1e-6)


def test_two_people_of_the_baseline_share_one_floor(body):
    near, far = person(body, (-1.0, 0.0, 3.0))[0], person(body, (1.0, 0.3, 6.0), number=2)[0]
    a, b = baseline(of(near, far), info(6)).people
    assert a.joints[0, 0, 2] - b.joints[0, 0, 2] == pytest.approx(0.3)  # the far one was 0.3 m lower
    assert min(a.feet[..., 2].min(), b.feet[..., 2].min()) == pytest.approx(0, abs=0.05)


@pytest.fixture(scope="module")
def truth(repo):
    return read_motion(repo / "assets" / "demo.truth.npz")


def test_the_true_camera_is_the_truth_s_seen_from_its_first_frame(truth):
    camera = true_camera(truth)
    np.testing.assert_allclose(camera.R[0], np.eye(3), atol=1e-6)
    np.testing.assert_allclose(camera.t[0], 0, atol=1e-6)
    world = np.random.default_rng(0).normal(size=(150, 3))
    first = world @ truth.R[0].T + truth.t[0]
    ours = np.einsum("tij,tj->ti", camera.R, first) + camera.t
    np.testing.assert_allclose(ours, np.einsum("tij,tj->ti", truth.R, world) + truth.t, atol=1e-5)
    assert not camera.moving


def test_true_landmarks_come_back_when_the_lift_turns_them(truth, body):
    (track,) = true_people(truth, body).tracks
    someone = truth.people["1"]
    pose = (rotation_matrices(someone.poses.astype(float)), someone.transl, someone.betas)
    landmarks = body.forward(*(torch.as_tensor(x, dtype=torch.float32) for x in pose)).landmarks.numpy()
    cam = landmarks @ np.swapaxes(truth.R, 1, 2) + truth.t[:, None]
    turned = track.world_landmarks @ np.swapaxes(crop_to_camera(track.boxes, truth.K.astype(float)), 1, 2)
    np.testing.assert_allclose(turned, cam - cam[:, 23:25].mean(1, keepdims=True), atol=1e-5)
    np.testing.assert_array_equal(track.keypoints, someone.keypoints.astype(float))
    assert track.seen.all() and len(track.frames) == 150

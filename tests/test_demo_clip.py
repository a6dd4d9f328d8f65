"""The demo clip and its known truth belong together, and the truth keeps the rules that results are measured by."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.body.smpl import Body
from ghmr_engine.motion_file import Motion, read_motion
from ghmr_engine.posed import joint_transforms, rotation_matrices

ASSETS = Path(__file__).parent.parent / "assets"
CLIP, TRUTH = ASSETS / "demo.mp4", ASSETS / "demo.truth.npz"


@pytest.fixture(scope="module")
def truth() -> Motion:
    return read_motion(TRUTH)


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    with av.open(str(CLIP)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def joints(truth: Motion) -> np.ndarray:
    """(T, 24, 3) m, world."""
    person = truth.people["1"]
    chain = joint_transforms(rotation_matrices(person.poses.astype(float)), person.joints.astype(float), truth.parents)
    return chain[..., :3, 3] + person.transl[:, None]


def pixels(motion: Motion, points: np.ndarray) -> np.ndarray:
    """(T, J, 2) px of world points (T, J, 3) m."""
    cam = points @ np.swapaxes(motion.R.astype(float), 1, 2) + motion.t[:, None]
    assert cam[..., 2].min() > 1
    flat = np.einsum("tab,tjb->tja", motion.K.astype(float), cam)
    return flat[..., :2] / cam[..., 2:]


def test_the_clip_is_small_and_has_the_frames_and_size_that_the_truth_states(
    truth: Motion, frames: list[np.ndarray]
) -> None:
    width, height = truth.meta["image_size"]
    assert len(frames) == truth.meta["frames"] == 150
    assert frames[0].shape == (height, width, 3)
    assert CLIP.stat().st_size < 2_000_000
    assert TRUTH.stat().st_size < 300_000
    with av.open(str(CLIP)) as container:
        assert list(container.streams.video[0].average_rate.as_integer_ratio()) == truth.meta["fps"]


def test_the_truth_is_of_this_very_clip(truth: Motion) -> None:
    assert hashlib.sha256(CLIP.read_bytes()).hexdigest() == truth.meta["video"]["sha256"]


def test_the_world_begins_as_results_begin(truth: Motion, joints: np.ndarray) -> None:
    """First pelvis above the origin, first camera along +y, z up."""
    np.testing.assert_allclose(joints[0, 0, :2], 0, atol=1e-4)
    ahead = truth.R[0, 2]
    assert abs(ahead[0]) < 1e-5
    assert ahead[1] > 0.9
    assert 1.2 < -(truth.R[0].T @ truth.t[0])[2] < 1.8
    assert joints[:, JOINT_NAMES.index("head"), 2].min() > 1.4


def test_the_camera_turns_and_moves(truth: Motion) -> None:
    centres = -np.einsum("tba,tb->ta", truth.R, truth.t)
    assert 0.5 < np.linalg.norm(centres[-1] - centres[0]) < 2
    turned = np.degrees(np.arccos(np.clip((np.trace(truth.R[-1] @ truth.R[0].T) - 1) / 2, -1, 1)))
    assert 15 < turned < 60
    np.testing.assert_allclose(truth.R @ np.swapaxes(truth.R, 1, 2), np.tile(np.eye(3), (150, 1, 1)), atol=1e-5)


def test_the_walker_goes_forward(truth: Motion, joints: np.ndarray) -> None:
    way = joints[-1, 0] - joints[0, 0]
    assert 3 < np.linalg.norm(way[:2]) < 5
    forward = rotation_matrices(truth.people["1"].poses[:, 0].astype(float))[:, :, 2]
    steps = np.diff(joints[:, 0], axis=0) * 30
    walking = np.linalg.norm(steps, axis=1) > 0.5
    assert walking.sum() > 80
    ahead = (steps * forward[1:]).sum(axis=1) / np.linalg.norm(steps, axis=1)
    assert ahead[walking].min() > 0.9


def test_a_joint_that_bears_weight_does_not_move(truth: Motion, joints: np.ndarray) -> None:
    """Ankles and balls of the feet while heel and toe are down; a foot counts as flat within half a degree."""
    contact = truth.people["1"].contacts > 0.5
    for side, names in ((0, ("left_ankle", "left_foot")), (2, ("right_ankle", "right_foot"))):
        held = contact[:, side] & contact[:, side + 1]
        both = held[1:] & held[:-1]
        assert both.sum() > 30
        for name in names:
            moved = np.linalg.norm(np.diff(joints[:, JOINT_NAMES.index(name)], axis=0), axis=1)[both]
            assert np.median(moved) < 1e-5
            assert moved.max() < 1e-3


def test_somebody_always_stands_on_something(truth: Motion) -> None:
    contact = truth.people["1"].contacts > 0.5
    assert contact.any(axis=1).mean() > 0.97
    walking = contact[:90]
    assert 0.4 < walking[:, :2].any(axis=1).mean() < 0.8  # each foot also swings


def test_the_figure_is_where_the_truth_says(truth: Motion, joints: np.ndarray, frames: list[np.ndarray]) -> None:
    """Knees lie on blue trousers, the lower spine on the red and white shirt, in nearly every frame."""
    places = pixels(truth, joints).round().astype(int)
    knees, belly, thighs = [], [], []
    for frame, spots in zip(frames, places, strict=True):
        soft = cv2.blur(frame, (5, 5)).astype(int)
        knee = soft[spots[4, 1], spots[4, 0]], soft[spots[5, 1], spots[5, 0]]
        knees.append(all(colour[2] > colour[0] + 12 for colour in knee))
        x, y = spots[6]
        patch = frame[y - 7 : y + 8, x - 2 : x + 3].reshape(-1, 3).astype(int)
        belly.append((patch[:, 0] > patch[:, 2] + 60).any())
        thigh = soft[tuple(((spots[1] + spots[4]) // 2)[::-1])]
        thighs.append(thigh[2] > thigh[0] + 12)
    assert np.mean(knees) > 0.95
    assert np.mean(belly) > 0.95
    assert np.mean(thighs) > 0.8  # a swinging hand is in front now and then


def test_the_background_is_not_trousers(frames: list[np.ndarray], truth: Motion, joints: np.ndarray) -> None:
    """The check above can fail: the same points a metre beside the walker are not blue."""
    beside = pixels(truth, joints + np.array([0.0, 0.0, 0.9]))[:, [4, 5]].round().astype(int)
    blue = [
        frame[y, x, 2] > int(frame[y, x, 0]) + 12 for frame, spots in zip(frames, beside, strict=True) for x, y in spots
    ]
    assert np.mean(blue) < 0.3


def test_keypoints_agree_with_joints(truth: Motion, joints: np.ndarray) -> None:
    person = truth.people["1"]
    projected = pixels(truth, joints)
    for name in ("left_hip", "right_knee", "left_ankle", "right_shoulder", "left_wrist"):
        ours, theirs = projected[:, JOINT_NAMES.index(name)], person.keypoints[:, LANDMARK_NAMES.index(name), :2]
        np.testing.assert_allclose(ours, theirs, atol=0.2)
    assert person.keypoints[..., 2].min() == 1  # all of the walker is in the picture all the time


def test_the_skin_of_planted_feet_stays_put_and_above_the_floor(truth: Motion, body: Body) -> None:
    """With the open body itself: soles in contact stay put, and nothing is under z = 0.

    The point under the ball is rolled off the floor at the end of each step, by up to 3 mm a frame."""
    person = truth.people["1"]
    betas = torch.tensor(person.betas)
    np.testing.assert_allclose(body.rest_joints(betas).numpy(), person.joints, atol=2e-3)
    rotations, transl = torch.tensor(rotation_matrices(person.poses)).float(), torch.tensor(person.transl)
    soles = body.forward(rotations, transl, betas).contacts.numpy()
    held = (person.contacts[1:] > 0.5) & (person.contacts[:-1] > 0.5)
    moved = np.linalg.norm(np.diff(soles, axis=0), axis=-1)
    assert moved[held].mean() < 0.4e-3
    assert moved[held].max() < 3.5e-3
    every = slice(None, None, 5)
    lowest = body.vertices(rotations[every], transl[every], betas)[..., 2].amin(dim=1)
    assert lowest.min() > -2e-3
    assert lowest.max() < 8e-3

"""Lift and world on a motion that is known: what was projected comes back, upright, on the ground, left on the left."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES, mirror_order
from ghmr_engine.geometry import intrinsics, project, world_to_camera
from ghmr_engine.lift import lift_people
from ghmr_engine.motion_file import read_motion
from ghmr_engine.options import Options
from ghmr_engine.progress import silent
from ghmr_engine.types import CameraMotion, People, Track, VideoInfo
from ghmr_engine.world import place_in_world

FPS, FRAMES, WIDTH, HEIGHT, FOCAL = 30, 75, 1280, 720, 1400.0
J = {name: place for place, name in enumerate(JOINT_NAMES)}


@pytest.fixture(scope="module")
def walk(repo):
    """The demo clip's true walk, moved to 5 m in front of a camera that stands still: rotations, transl, betas."""
    person = read_motion(repo / "assets" / "demo.truth.npz").people["1"]
    transl = torch.as_tensor(person.transl[:FRAMES])
    transl = transl - torch.tensor([*((transl[0] + transl[-1])[:2] / 2).tolist(), 0]) + torch.tensor([0, 5.0, 0])
    return roma.rotvec_to_rotmat(torch.as_tensor(person.poses[:FRAMES])), transl, torch.as_tensor(person.betas)


@pytest.fixture(scope="module")
def camera():
    """(R, t, K) of one frame: at (0, 0, 1.4), looking along +y and 8 degrees down."""
    down = np.radians(8.0)
    R = np.array([[1, 0, 0], [0, -np.sin(down), -np.cos(down)], [0, np.cos(down), -np.sin(down)]])
    return R, -R @ np.array([0, 0, 1.4]), intrinsics(FOCAL, WIDTH, HEIGHT)


def _track(body, rotations, transl, betas, camera, mirror=False, pan=None):
    R, t, K = (torch.as_tensor(np.tile(part, (FRAMES, *[1] * part.ndim)), dtype=torch.float32) for part in camera)
    if pan is not None:
        turn = torch.as_tensor(pan, dtype=torch.float32)
        R, t = turn @ R, (turn @ t[..., None])[..., 0]
    in_camera = world_to_camera(body.forward(rotations, transl, betas).landmarks, R, t)
    pixels = project(in_camera, K).numpy()
    centre = in_camera[:, [LANDMARK_NAMES.index("left_hip"), LANDMARK_NAMES.index("right_hip")]].mean(1, keepdim=True)
    world = (in_camera - centre).numpy()
    if mirror:
        order = list(mirror_order(LANDMARK_NAMES))
        pixels, world = pixels[:, order], world[:, order]
        pixels[..., 0] = WIDTH - 1 - pixels[..., 0]
        world[..., 0] *= -1
    boxes = np.concatenate([pixels.min(1), pixels.max(1)], 1)
    # What BlazePose would say of the crop: turned as if the camera looked at the person.
    ray = np.concatenate([((boxes[:, :2] + boxes[:, 2:]) / 2 - K[0, :2, 2].numpy()) / FOCAL, np.ones((FRAMES, 1))], 1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    axis = np.cross([0, 0, 1.0], ray)
    axis *= np.arccos(ray[:, 2:]) / np.linalg.norm(axis, axis=1, keepdims=True)
    world = world @ roma.rotvec_to_rotmat(torch.as_tensor(axis)).numpy()
    keypoints = np.concatenate([pixels, np.ones((FRAMES, 33, 1))], -1)
    return Track(1, np.arange(FRAMES), boxes, keypoints, world, np.ones(FRAMES, bool))


def _recover(body, track, K, options=None, pan=None):
    R = np.tile(np.eye(3), (FRAMES, 1, 1)) if pan is None else pan
    camera = CameraMotion(
        R,
        np.zeros((FRAMES, 3)),
        np.tile(K, (FRAMES, 1, 1)),
        np.ones(FRAMES),
        pan is not None,
        "metre",
        np.zeros((0, 3)),
        np.zeros((0, 4)),
        "user",
        "test",
    )
    info = VideoInfo(Path("x.mp4"), "x.mp4", 1, "", WIDTH, HEIGHT, Fraction(FPS), FRAMES, 0, 0, True, False, None)
    people = People((track,), np.zeros((FRAMES, 9, 2), np.uint8), (9, 16))
    lifted = lift_people(people, camera, body, info, options or Options(), None, silent)
    return lifted, place_in_world(lifted, camera, body, info, options or Options(), silent)


@pytest.fixture(scope="module")
def recovered(body, walk, camera):
    return _recover(body, _track(body, *walk, camera), camera[2])


def _joints(body, person):
    tensors = (torch.as_tensor(value) for value in (person.rotations, person.transl, person.betas))
    return body.forward(*tensors)


def _aligned_error(found, true):
    """Mean joint distance (m) after the best turn and shift of each frame."""
    a, b = found - found.mean(1, keepdims=True), true - true.mean(1, keepdims=True)
    u, _, vt = np.linalg.svd(np.swapaxes(a, 1, 2) @ b)
    sign = np.sign(np.linalg.det(u @ vt))
    u[:, :, -1] *= sign[:, None]
    return np.linalg.norm(a @ (u @ vt) - b, axis=-1).mean()


def test_the_pose_comes_back(body, walk, recovered):
    true = body.forward(*walk).joints.numpy()
    found = _joints(body, recovered[1].people[0]).joints.numpy()
    assert _aligned_error(found, true) < 0.03


def test_the_picture_is_met(recovered):
    assert np.nanmean(recovered[1].people[0].reprojection) < 6.0


def test_up_is_up_and_the_feet_are_on_the_ground(body, recovered):
    posed = _joints(body, recovered[1].people[0])
    spine = posed.joints[:, J["neck"]] - posed.joints[:, J["pelvis"]]
    assert (spine[:, 2] / spine.norm(dim=-1)).min() > 0.97
    lowest = posed.contacts[..., 2].amin(1)
    assert lowest.abs().max() < 0.04


def test_the_walk_goes_forward_at_its_speed_and_left_is_left(body, walk, recovered):
    joints = _joints(body, recovered[1].people[0]).joints
    true = body.forward(*walk).joints
    moved, should = ((motion[-1, 0] - motion[0, 0]).numpy() for motion in (joints, true))
    assert should[0] > 1.5  # it walks to the camera's right
    assert moved[0] == pytest.approx(should[0], rel=0.08)
    assert moved[1] == pytest.approx(should[1], abs=0.3)
    # Facing +x with z up, left is +y.
    assert (joints[:, J["left_hip"], 1] > joints[:, J["right_hip"], 1]).all()


def test_resting_feet_do_not_slide(body, recovered):
    person = recovered[1].people[0]
    feet = _joints(body, person).contacts.numpy()
    rests = (person.contacts[1:] > 0.5) & (person.contacts[:-1] > 0.5)
    assert rests.sum() > 40
    assert np.linalg.norm(np.diff(feet, axis=0), axis=-1)[rests].mean() < 0.004


def test_a_mirrored_clip_gives_the_mirrored_motion(body, walk, camera, recovered):
    _, scene = _recover(body, _track(body, *walk, camera, mirror=True), camera[2])
    plain = _joints(body, recovered[1].people[0]).joints.numpy()
    mirrored = _joints(body, scene.people[0]).joints.numpy()[:, list(mirror_order(JOINT_NAMES))] * [-1, 1, 1]
    assert np.linalg.norm(plain - mirrored, axis=-1).mean() < 0.03


def test_a_given_height_is_kept(body, walk, camera):
    lifted, _ = _recover(body, _track(body, *walk, camera), camera[2], Options(height=1.55))
    rest = body.rest_vertices(torch.as_tensor(lifted[0].betas))[:, 1]
    assert float(rest.max() - rest.min()) == pytest.approx(1.55, abs=0.02)


def test_windows_give_the_motion_that_one_piece_gives(body, walk, camera, recovered, monkeypatch):
    """33 frames, overlaps of 8: the last window but one ends where another holds the rest."""
    for module in ("ghmr_engine.lift.fit", "ghmr_engine.world.solve"):
        monkeypatch.setattr(sys.modules[module], "WINDOW", 33)
        monkeypatch.setattr(sys.modules[module], "OVERLAP", 8)
    _, scene = _recover(body, _track(body, *walk, camera), camera[2])
    whole = _joints(body, recovered[1].people[0]).joints.numpy()
    pieces = _joints(body, scene.people[0]).joints.numpy()
    assert np.linalg.norm(whole - pieces, axis=-1).mean() < 0.03
    assert np.linalg.norm(np.diff(pieces, axis=0), axis=-1).max() < 0.25  # no jump at a seam


@pytest.mark.parametrize("frames", [[0], [0, 1], [0, 1, 5, 6, 7]])
def test_somebody_who_is_there_for_a_moment_only(body, walk, camera, frames):
    track = _track(body, *walk, camera)
    short = Track(1, np.array(frames), *(getattr(track, name)[: len(frames)] for name in (
        "boxes", "keypoints", "world_landmarks", "seen")))  # fmt: skip
    _, scene = _recover(body, short, camera[2])
    assert scene.people[0].transl.shape == (len(frames), 3)
    assert np.isfinite(scene.people[0].rotations).all() and np.isfinite(scene.people[0].transl).all()


def test_a_panning_camera_in_windows_leaves_no_seam(body, walk, camera, monkeypatch):
    """The camera follows the walker; its path is free, so nothing but the windows' ends ties it."""
    for module in ("ghmr_engine.lift.fit", "ghmr_engine.world.solve"):
        monkeypatch.setattr(sys.modules[module], "WINDOW", 33)
        monkeypatch.setattr(sys.modules[module], "OVERLAP", 8)
    turn = torch.zeros(FRAMES, 3)
    turn[:, 1] = -torch.linspace(0, 0.25, FRAMES)
    pan = roma.rotvec_to_rotmat(turn).double().numpy()
    _, scene = _recover(body, _track(body, *walk, camera, pan=pan), camera[2], pan=pan)
    joints = _joints(body, scene.people[0]).joints.numpy()
    assert np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() < 0.25
    eye = -np.einsum("tji,tj->ti", scene.R, scene.t)
    assert np.linalg.norm(np.diff(eye, axis=0), axis=1).max() < 0.02  # it stands; 0.3 m once, at a window's end
    moved, should = ((motion[-1, 0] - motion[0, 0]) for motion in (joints, body.forward(*walk).joints.numpy()))
    assert moved[0] == pytest.approx(should[0], rel=0.2)

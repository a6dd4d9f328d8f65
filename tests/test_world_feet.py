"""Feet that rest: the linear first guess, and the exact legs."""

import numpy as np
import pytest
import roma
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.energy.hold import hold_feet
from ghmr_engine.energy.parameters import change_frame, cross_fade, smooth_basis
from ghmr_engine.energy.solver import neighbours
from ghmr_engine.world.plant import planting_shift

N, FPS = 40, 30.0
J = {name: place for place, name in enumerate(JOINT_NAMES)}
FRAMES = np.arange(N)
SIGHT = np.tile([0.0, 1.0, 0.0], (N, 1))


def _feet(drift):
    """Four still foot points, and a body that drifts (N, 3)."""
    points = np.array([[0, 0.1, 0], [0.2, 0.1, 0], [0, -0.1, 0], [0.2, -0.1, 0]])
    return points[None] + drift[:, None]


def test_a_drift_under_resting_feet_is_taken_out():
    drift = np.cumsum(np.tile([0.004, 0.006, 0.0], (N, 1)), 0)
    shift = planting_shift(_feet(drift), np.ones((N, 4)), *neighbours(FRAMES), sight=SIGHT, free=True)
    left = np.diff(drift + shift, axis=0)
    assert np.abs(left[:, :2]).max() < 0.001


def test_nobody_is_shifted_whose_feet_move():
    drift = np.cumsum(np.tile([0.03, 0, 0], (N, 1)), 0)
    shift = planting_shift(_feet(drift), np.zeros((N, 4)), *neighbours(FRAMES), sight=SIGHT, free=False)
    assert np.abs(shift).max() < 1e-9


def test_a_gap_in_time_ties_nothing():
    frames = np.concatenate([np.arange(N // 2), np.arange(N // 2) + 500])
    place = np.repeat([[0, 0, 0], [0.5, 0, 0]], N // 2, axis=0).astype(float)
    shift = planting_shift(_feet(place), np.ones((N, 4)), *neighbours(frames), sight=SIGHT, free=True)
    assert np.abs(shift).max() < 1e-6


@pytest.fixture(scope="module")
def standing(body):
    """Somebody who stands on z = 0 with legs that tremble: rotations, transl, betas."""
    generator = torch.Generator().manual_seed(1)
    pose = torch.zeros(N, 24, 3)
    legs = [J[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "knee", "ankle")]
    pose[:, legs] = 0.02 * torch.randn(N, len(legs), 3, generator=generator)
    for side in ("left", "right"):
        pose[:, J[f"{side}_hip"], 0] -= 0.2
        pose[:, J[f"{side}_knee"], 0] += 0.4
        pose[:, J[f"{side}_ankle"], 0] -= 0.2
    rotations = roma.rotvec_to_rotmat(pose)
    rotations[:, 0] = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    transl = torch.zeros(N, 3)
    transl[:, 2] = -body.forward(rotations, transl, torch.zeros(10)).contacts[..., 2].mean()
    return rotations, transl, torch.zeros(10)


def _slide(body, rotations, transl, betas):
    feet = body.forward(rotations, transl, betas).contacts
    return feet, (feet[1:] - feet[:-1]).norm(dim=-1)


def test_resting_feet_stand_still_and_on_the_ground(body, standing):
    rotations, transl, betas = standing
    _, before = _slide(body, *standing)
    held = hold_feet(rotations, transl, betas, np.ones((N, 4)), FRAMES, body, FPS)
    feet, after = _slide(body, held, transl, betas)
    assert before.mean() > 0.005
    assert after.max() < 0.0005
    assert feet[..., 2].abs().max() < 0.02
    others = [
        place for place, name in enumerate(JOINT_NAMES) if name.rpartition("_")[2] not in ("hip", "knee", "ankle")
    ]
    assert torch.equal(held[:, others], rotations[:, others])


def test_a_leg_that_cannot_reach_stays_whole(body, standing):
    rotations, transl, betas = standing
    lifted = transl.clone()
    lifted[N // 2 :, 2] += 0.5  # jerked up, though the feet are said to rest
    held = hold_feet(rotations, lifted, betas, np.ones((N, 4)), FRAMES, body, FPS)
    joints = body.forward(held, lifted, betas).joints
    assert torch.isfinite(held).all()
    for side in ("left", "right"):
        shin = (joints[:, J[f"{side}_ankle"]] - joints[:, J[f"{side}_knee"]]).norm(dim=-1)
        assert (shin - shin[0]).abs().max() < 1e-4


def test_straight_legs_do_not_break(body):
    rotations = torch.eye(3).repeat(N, 24, 1, 1)
    held = hold_feet(rotations, torch.zeros(N, 3), torch.zeros(10), np.ones((N, 4)), FRAMES, body, FPS)
    assert torch.isfinite(held).all()


def test_a_change_of_frame_can_be_undone(body, standing):
    rotations, transl, betas = standing
    R, t = roma.random_rotmat(N), torch.randn(N, 3)
    pelvis = body.rest_joints(betas)[0]
    there = change_frame(rotations, transl, pelvis, R, t)
    moved = body.forward(*there, betas).joints
    expected = body.forward(rotations, transl, betas).joints @ R.transpose(1, 2) + t[:, None]
    assert (moved - expected).abs().max() < 1e-5
    back = change_frame(*there, pelvis, R.transpose(1, 2), -(R.transpose(1, 2) @ t[..., None])[..., 0])
    assert (back[1] - transl).abs().max() < 1e-5 and (back[0] - rotations).abs().max() < 1e-5


def test_a_fade_begins_with_the_one_and_ends_with_the_other(standing):
    rotations, transl, _ = standing
    other = rotations @ roma.rotvec_to_rotmat(torch.tensor([0.3, 0.0, 0.0])), transl + 1
    for share in (0.0, 1.0):
        faded = cross_fade((rotations, transl), other, torch.full((N,), share))
        expected = (rotations, transl) if share == 0 else other
        assert all((a - b).abs().max() < 1e-5 for a, b in zip(faded, expected, strict=True))


def test_the_solvers_coordinates_make_the_energy_equally_steep():
    _, triples = neighbours(FRAMES)
    basis = smooth_basis(N, torch.as_tensor(triples, dtype=torch.float64), 100.0, 1e5)
    second = np.diff(np.eye(N), 2, axis=0)
    hessian = 100 * np.eye(N) + 1e5 * second.T @ second
    assert np.allclose(basis.numpy().T @ hessian @ basis.numpy(), np.eye(N), atol=1e-6)

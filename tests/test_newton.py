"""Gauss-Newton: its Jacobian and Hessian against automatic differentiation, its band against a dense solve, and where
it ends against L-BFGS."""

from __future__ import annotations

import numpy as np
import pytest
import roma
import torch

from ghmr_engine.energy import terms
from ghmr_engine.energy.evidence import SIGMA_ACCELERATION
from ghmr_engine.energy.jacobian import FREE, left_jacobian, point_jacobian, shares
from ghmr_engine.energy.marks import BLAZEPOSE_OFFSETS, marks
from ghmr_engine.energy.newton import Curvature, MotionVector, descend, hessian, jacobians, solve_band
from ghmr_engine.energy.parameters import MotionVariables, rotations_of
from ghmr_engine.energy.person import Deviations, PersonEnergy
from ghmr_engine.energy.placed import Placed
from ghmr_engine.energy.solver import minimise
from ghmr_engine.geometry import project
from ghmr_engine.motion_file import read_motion
from ghmr_engine.progress import silent

FPS = 30.0
WORLD = Deviations(turn=0.05, pose=0.1)
K = torch.tensor([[900.0, 0, 400], [0, 900, 300], [0, 0, 1]])
TO_CAMERA = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""z is up, the camera looks along +y."""


@pytest.fixture(scope="module")
def walk(repo):
    """Rotations, transl, betas, contacts of 60 frames of the demo's true walk, 5 m away."""
    person = read_motion(repo / "assets" / "demo.truth.npz").people["1"]
    transl = torch.as_tensor(person.transl[:60]) + torch.tensor([0, 5.0, 0])
    rotations = roma.rotvec_to_rotmat(torch.as_tensor(person.poses[:60]))
    return rotations, transl, torch.as_tensor(person.betas), torch.as_tensor(person.contacts[:60])


def _problem(body, walk):
    """A walk seen with errors, and the energy of getting it right: problem, start (rotations, transl, betas), eye."""
    rotations, transl, betas, contacts = walk
    count = len(transl)
    chance = torch.Generator().manual_seed(3)
    R, eye = TO_CAMERA.expand(count, 3, 3), torch.tensor([0.0, 0, 1.2]).expand(count, 3)
    seen = marks(body.forward(rotations, transl, betas), torch.as_tensor(BLAZEPOSE_OFFSETS).to(betas))
    pixels = project((seen - eye[:, None]) @ R.transpose(1, 2), K.expand(count, 3, 3))
    pixels = pixels + 2 * torch.randn(pixels.shape, generator=chance)
    pose = roma.rotmat_to_rotvec(rotations[:, 1:22]) + 0.1 * torch.randn(count, 21, 3, generator=chance)
    start = rotations_of(rotations[:, 0], pose), transl + 0.05 * torch.randn(count, 3, generator=chance), betas
    keypoints = torch.cat([pixels, torch.ones(count, 33, 1)], -1)
    person = Placed(1, np.arange(count), *start, keypoints, torch.as_tensor(BLAZEPOSE_OFFSETS).to(betas), contacts)
    return PersonEnergy(person, R, K.expand(count, 3, 3), eye, body, FPS, WORLD), start, eye


def test_points_follow_the_joints_as_automatic_differentiation_says(body):
    torch.manual_seed(0)
    pose, turn, transl, betas = torch.randn(1, 21, 3) * 0.4, torch.randn(1, 3) * 0.3, torch.randn(1, 3), torch.randn(10)
    root = roma.random_rotmat(1)

    def points(numbers):
        turned = roma.rotvec_to_rotmat(numbers[:, :3]) @ root
        posed = body.forward(rotations_of(turned, numbers[:, 3:66].unflatten(1, (21, 3))), numbers[:, 66:], betas)
        return posed, torch.cat([posed.landmarks, posed.joints, posed.contacts], 1)

    numbers = torch.cat([turn, pose.flatten(1), transl], 1)
    posed, at = points(numbers)
    expected = torch.autograd.functional.jacobian(lambda x: points(x)[1], numbers)[0, :, :, 0]
    found = point_jacobian(posed, at, torch.cat(shares(body)), turn, pose, body)[0]
    off = (found - expected).abs().amax((1, 2))
    assert off[:57].max() < 1e-5
    assert off[57:].max() < 0.01  # skin between ankle and toes, m a radian


def test_the_left_jacobian_of_no_turn_is_the_identity():
    assert torch.allclose(left_jacobian(torch.zeros(2, 3)), torch.eye(3).expand(2, 3, 3), atol=1e-6)


def test_the_hessian_where_nothing_is_wrong_is_the_energy_s_own(body):
    """Somebody who stands still, seen where they are: residuals are zero, so Gauss-Newton leaves nothing out."""
    torch.manual_seed(1)
    count, betas = 4, torch.zeros(10)
    rotations = rotations_of(roma.rotvec_to_rotmat(torch.tensor([[0.1, 0.4, 0.2]])), 0.3 * torch.randn(1, 21, 3))
    rotations, transl = rotations.expand(count, 24, 3, 3), torch.tensor([[0.1, 4.0, 1]]).expand(count, 3)
    R, t, cameras = TO_CAMERA.expand(count, 3, 3), torch.zeros(count, 3), K.expand(count, 3, 3)
    motion = MotionVector(rotations, transl, betas)
    # Not at zero: the second derivative of a rotation is not defined there for automatic differentiation.
    motion.numbers = at = 0.05 * torch.randn(1, FREE).expand(count, FREE)
    still = body.forward(motion.rotations(), motion.transl(), betas)
    pixels = project(still.landmarks @ TO_CAMERA.T, cameras)
    about = still.joints - still.joints[:, :1]
    weight, sigma_px, spread = torch.rand(count, 33), torch.full((count,), 3.0), torch.full((count, 24), 0.05)
    along = torch.nn.functional.normalize(torch.randn(count - 1, 3), dim=-1)
    steps = torch.linalg.cross(along, torch.randn(count - 1, 3))  # across: in their own direction nobody moves
    pairs, triples, sigma = torch.ones(count - 1), torch.ones(count - 2), torch.as_tensor(SIGMA_ACCELERATION)

    def energy(numbers):
        motion.numbers = numbers
        posed = body.forward(motion.rotations(), motion.transl(), betas)
        return (
            terms.reprojection(project(posed.landmarks @ TO_CAMERA.T, cameras), pixels, weight, sigma_px)
            + terms.places(posed.joints - posed.joints[:, :1], about, spread)
            + terms.acceleration(posed.joints, triples, FPS, sigma)
            + terms.contact_velocity(posed.contacts, torch.ones(count, 4), pairs, 0.01)
            + terms.pace(motion.transl(), steps, along, pairs, 0.01)
            + motion.turned().square().sum()
        )

    expected = torch.autograd.functional.hessian(energy, at.clone()).flatten(2).flatten(0, 1)
    motion.numbers = at
    numbers = torch.zeros(count, FREE)
    numbers[:, :66] = 2
    curvature = Curvature(
        landmarks=terms.reprojection_curvature(still.landmarks, R, t, cameras, pixels, weight, sigma_px),
        feet=torch.zeros(count, 4),
        about=terms.places_curvature(about, about, spread),
        steps=terms.contact_velocity_curvature(torch.ones(count, 4), pairs, 0.01),
        ways=terms.pace_curvature(along, pairs, 0.01),
        bends=terms.acceleration_curvature(still.joints, triples, FPS, sigma),
        numbers=numbers,
    )
    own, next_one, after = hessian(jacobians(still, motion, body, shares(body)), curvature)
    found = torch.zeros(count, FREE, count, FREE)
    for frame in range(count):
        found[frame, :, frame] = own[frame]
    for blocks, apart in ((next_one, 1), (after, 2)):
        for frame, block in enumerate(blocks):
            found[frame + apart, :, frame] = block
            found[frame, :, frame + apart] = block.T
    found = found.flatten(2).flatten(0, 1)
    assert (found - expected).abs().max() < 0.02 * expected.abs().max()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_band_is_solved_as_a_dense_matrix_is(count):
    chance = np.random.default_rng(count)
    dense = np.zeros((count, FREE, count, FREE))
    blocks = [chance.normal(size=(max(count - apart, 0), FREE, FREE)) for apart in range(3)]
    for apart, parts in enumerate(blocks):
        for frame, block in enumerate(parts):
            if apart == 0:
                block += block.T + 60 * np.eye(FREE)
            dense[frame + apart, :, frame] = block
            dense[frame, :, frame + apart] = block.T
    dense = dense.reshape(count * FREE, -1)
    slope = chance.normal(size=(count, FREE))
    found = solve_band(tuple(torch.as_tensor(part) for part in blocks), torch.as_tensor(slope), 0.0)
    assert np.allclose(dense @ found.numpy().ravel(), slope.ravel(), atol=1e-4)


def test_it_ends_at_least_as_low_as_l_bfgs_does(body, walk):
    problem, start, eye = _problem(body, walk)
    motion = MotionVector(*start)
    first = float(problem.energy(motion, eye)[0])
    low = descend(motion, lambda: problem.energy(motion, eye),
                  lambda posed: problem.curvature(posed, motion, eye), body, 15, silent)  # fmt: skip
    other = MotionVariables(*start, problem.triples, FPS, sight=1)
    there = minimise(lambda: problem.energy(other, eye)[0], other.free, 250, silent)
    assert low < 0.2 * first
    assert low <= 1.002 * there
    assert float(problem.energy(motion, eye)[0]) == pytest.approx(low, rel=1e-3)


def test_a_step_that_does_not_help_is_not_taken(body, walk):
    """Curvature of the wrong sign: no step can be found, and the start is kept."""
    problem, start, eye = _problem(body, walk)
    motion = MotionVector(*start)
    first = float(problem.energy(motion, eye)[0])

    def wrong(posed):
        right = problem.curvature(posed, motion, eye)
        values = {name: getattr(right, name) for name in right.__dataclass_fields__}
        return Curvature(**{name: None if value is None else -value for name, value in values.items()})

    assert descend(motion, lambda: problem.energy(motion, eye), wrong, body, 5, silent) == pytest.approx(first)
    assert not motion.numbers.any()

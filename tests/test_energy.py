"""Energy terms: zero on a perfect case, positive on a broken one, with right gradients; the solver finds a minimum."""

import itertools

import numpy as np
import pytest
import torch

from ghmr_engine.body.pose_space import BODY_JOINTS, HIGH, LOW, USUAL
from ghmr_engine.energy import terms
from ghmr_engine.energy.solver import blend_ramp, minimise, neighbours, windows
from ghmr_engine.progress import silent

torch.manual_seed(0)
ONES = torch.ones(6, 5)
POINTS = torch.randn(6, 5, 3)
ENDS = torch.tensor([[0, 1], [2, 3]])
LIMBS = torch.nn.functional.normalize(POINTS[:, [1, 3]] - POINTS[:, [0, 2]], dim=-1)
STEADY = torch.arange(6.0)[:, None, None] * torch.tensor([0.1, 0.0, 0.02]) + POINTS[:1]
FEET = torch.rand(6, 4, 3)
ON_GROUND = torch.cat([FEET[:1, :, :2].expand(6, 4, 2), torch.zeros(6, 4, 1)], -1)
CONTACT = torch.ones(6, 4)
PAIRS, TRIPLES, SIGMA = torch.ones(5), torch.ones(4), torch.full((5,), 2.0)
ALONG = torch.nn.functional.normalize(torch.randn(5, 3), dim=-1)
POSE = torch.as_tensor(USUAL).expand(6, 21, 3).contiguous()

CASES = {
    "reprojection": (
        lambda x: terms.reprojection(x[..., :2], POINTS[..., :2].to(x), ONES.to(x), torch.full((6,), 0.5).to(x)),
        POINTS,
    ),
    "directions": (
        lambda x: terms.directions(x, ENDS, LIMBS.to(x), torch.ones(6, 2).to(x), 0.2),
        POINTS,
    ),
    "pose_prior": (terms.pose_prior, POSE),
    "acceleration": (lambda x: terms.acceleration(x, TRIPLES.to(x), 30.0, SIGMA.to(x)), STEADY),
    "velocity": (lambda x: terms.velocity(x, PAIRS.to(x), 30.0, 1.0), POINTS[:1].expand(6, 5, 3)),
    "pace": (
        lambda x: terms.pace(x, torch.ones(5, 3).to(x), ALONG.to(x), PAIRS.to(x), 0.1),
        torch.arange(6.0)[:, None] * torch.ones(3),
    ),
    "contact_velocity": (lambda x: terms.contact_velocity(x, CONTACT.to(x), PAIRS.to(x), 0.01), ON_GROUND),
    "contact_height": (lambda x: terms.contact_height(x, CONTACT.to(x), 0.02), ON_GROUND),
    "penetration": (lambda x: terms.penetration(x, 0.02), FEET + 0.1),
    "shape_prior": (terms.shape_prior, torch.zeros(1, 10)),
    "joint_limits": (terms.joint_limits, POSE),
}
BROKEN = {"penetration": lambda x: x - 1.0, "joint_limits": lambda x: x + 3.0}


@pytest.mark.parametrize("name", CASES)
def test_term_is_zero_when_perfect_and_positive_when_broken(name):
    term, perfect = CASES[name]
    assert float(term(perfect)) == pytest.approx(0, abs=1e-4)
    broken = BROKEN.get(name, lambda x: x + 0.3 * torch.randn(x.shape))(perfect)
    assert float(term(broken)) > 0.05


@pytest.mark.parametrize("name", CASES)
def test_term_has_the_gradient_that_differences_give(name):
    term, perfect = CASES[name]
    x = (perfect.double() + 0.05 * torch.randn(perfect.shape, dtype=torch.float64)).requires_grad_(True)
    assert torch.autograd.gradcheck(term, x, atol=1e-4, rtol=1e-3)


def test_wrong_landmark_costs_no_more_than_the_robust_bound():
    far = POINTS[..., :2].clone()
    far[0, 0] += 1e4
    cost = terms.reprojection(far, POINTS[..., :2], ONES, torch.ones(6))
    assert 63.9 < float(cost) <= 64.0


def test_a_gap_in_time_is_not_motion():
    pairs, triples = neighbours(np.array([0, 1, 2, 9, 10, 11]))
    assert pairs.tolist() == [1, 1, 0, 1, 1]
    assert triples.tolist() == [1, 0, 0, 1]
    jump = STEADY.clone()
    jump[3:] += 5.0
    assert float(terms.acceleration(jump, torch.as_tensor(triples), 30.0, SIGMA)) == pytest.approx(0, abs=1e-4)


def test_knees_and_elbows_bend_one_way_only_and_sides_mirror():
    knee, elbow = BODY_JOINTS.index("left_knee"), BODY_JOINTS.index("left_elbow")
    assert LOW[knee, 0] == 0 and HIGH[knee, 0] > 2
    assert HIGH[elbow, 1] == 0 and LOW[elbow, 1] < -2
    for place, name in enumerate(BODY_JOINTS):
        if name.startswith("left_"):
            other = BODY_JOINTS.index(name.replace("left", "right"))
            assert LOW[place, 0] == LOW[other, 0]
            assert LOW[place, 1:].tolist() == pytest.approx((-HIGH[other, 1:]).tolist())


def test_solver_finds_the_minimum_of_a_stiff_bowl():
    x = torch.tensor([3.0, -4.0])
    scale = torch.tensor([1.0, 300.0])
    value = minimise(lambda: (scale * (x - torch.tensor([1.0, 2.0])).square()).sum(), [x], 50, silent)
    assert value < 1e-6
    assert x.tolist() == pytest.approx([1.0, 2.0], abs=1e-3)


@pytest.mark.parametrize(("count", "size", "overlap"), [(10, 400, 24), (400, 400, 24), (1000, 400, 24), (410, 400, 24)])
def test_windows_cover_everything_with_overlap(count, size, overlap):
    spans = list(windows(count, size, overlap))
    assert spans[0].start == 0 and spans[-1].stop == count
    for before, after in itertools.pairwise(spans):
        assert before.stop - after.start == overlap
    assert all(span.stop - span.start <= size + overlap for span in spans)
    ramp = blend_ramp(overlap)
    assert (np.diff(ramp) > 0).all() and ramp[0] > 0 and ramp[-1] < 1

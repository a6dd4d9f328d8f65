"""The open priors: shipped weights tell good motion from bad, at any rate; their losses; a stopped training goes on."""

from __future__ import annotations

import numpy as np
import pytest
import roma
import torch
from captures import figure, walker
from safetensors import safe_open
from safetensors.torch import save_file
from test_train import amass, small_corpus
from typer.testing import CliRunner

from ghmr_engine.cli import app
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.suite import REGRESSION
from ghmr_engine.models import MOTION_PRIOR, POSE_PRIOR
from ghmr_engine.motion_file import read_motion
from ghmr_engine.own_weights import save_weights
from ghmr_engine.refine.humor import explained, inferred
from ghmr_engine.refine.humor.network import Gaussian, HumorNetwork, Next
from ghmr_engine.refine.humor.state import BODY_JOINTS, local_frame, moving, pivot_of
from ghmr_engine.refine.open_priors import load_motion_prior, load_pose_prior
from ghmr_engine.refine.prior_terms import pose_latents, steps, transitions
from ghmr_engine.train import loop, measure_priors
from ghmr_engine.train.corpus import Corpus, captures_in
from ghmr_engine.train.prior_batches import draw_motions, draw_poses, mirrored, resting, states_of
from ghmr_engine.train.prior_losses import _kinematic_parts, kl, motion_losses
from ghmr_engine.train.priors import PriorPlan, split, train_motion_prior, train_pose_prior

SMALL = PriorPlan(steps=4, rows=4, frames=4, width=32)
KEPT = ("walk_static", "basketball_walk")
"""Rendered clips of recordings that no training reads (held_out.json); their truth is the recording itself."""


@pytest.fixture(scope="module")
def motion_prior() -> HumorNetwork:
    return load_motion_prior("cpu")


@pytest.fixture(scope="module")
def corpus(body, tmp_path_factory) -> Corpus:
    return small_corpus(body, tmp_path_factory.mktemp("mocap"))


@pytest.fixture(scope="module", params=KEPT)
def recorded(request, body) -> measure_priors.Motion:
    """Windows of a second of a recording that was kept from training."""
    person = read_motion(REGRESSION / f"{request.param}.truth.npz").people["1"]
    rotations = roma.rotvec_to_rotmat(torch.as_tensor(person.poses, dtype=torch.float32))
    # Its own shape's pelvis; measure_priors puts the mean body there, whose legs are a few centimetres off.
    pelvis = torch.as_tensor(person.transl + person.joints[0], dtype=torch.float32)
    rows = torch.arange(0, 90, 30)[:, None] + torch.arange(31)
    return rotations[rows], pelvis[rows]


def parts(motion: measure_priors.Motion, body, row: int = 0) -> tuple[torch.Tensor, ...]:
    return tuple(part[row] for part in measure_priors.parts_of(motion, body))


@pytest.mark.parametrize("path, most", [(MOTION_PRIOR, 5e6), (POSE_PRIOR, 2e6)])
def test_the_shipped_weights_are_small_and_say_where_they_are_from(path, most):
    assert path.stat().st_size < most
    with safe_open(path, "pt") as file:
        told = file.metadata()
        assert {str(file.get_tensor(name).dtype) for name in file.keys()} <= {"torch.float16", "torch.int64"}  # noqa: SIM118
    assert told["licence"] == "CC0-1.0" and "mocap.cs.cmu.edu" in told["credit"] and "minutes" in told["data"]


@pytest.mark.parametrize("damage", ["missing", "cut", "another's", "too wide"])
@pytest.mark.parametrize("load, make", [(load_motion_prior, HumorNetwork), (load_pose_prior, PriorPlan)])
def test_weights_that_are_none_are_one_line(load, make, tmp_path, damage):
    path = tmp_path / "prior.safetensors"
    if damage == "cut":
        path.write_bytes((MOTION_PRIOR if make is HumorNetwork else POSE_PRIOR).read_bytes()[:-100])
    elif damage == "another's":
        save_file({"x": torch.zeros(2)}, path)
    elif damage == "too wide":
        save_weights(HumorNetwork(32), {"width": 64}, path, {})
    with pytest.raises(RecoverError, match=r"does not hold the (motion|pose) prior's weights") as refused:
        load("cpu", path)
    assert refused.value.code == "bad_weights"


@pytest.mark.parametrize(
    "corrupt, told_by, times",
    [(measure_priors.jittered, "energy", None), (measure_priors.jittered, "residual", 20.0),
     (measure_priors.jittered, "sliding", 3.0), (measure_priors.sliding, "sliding", 1.5)],
)  # fmt: skip
def test_the_motion_prior_tells_recordings_from_what_is_wrong_with_them(
    motion_prior, recorded, body, corrupt, told_by, times
):
    """Every second of two recordings that were kept apart, each against the same second made worse."""
    good = measure_priors.scores(motion_prior, recorded, body)[told_by]
    bad = measure_priors.scores(motion_prior, corrupt(recorded, torch.Generator().manual_seed(0)), body)[told_by]
    assert (bad > (good + 40 if times is None else good * times)).all(), (good, bad)


def test_the_motion_prior_foresees_better_than_staying(motion_prior, recorded, body):
    apart = measure_priors.one_step(motion_prior, recorded, body)
    assert apart["prior's mean"] < 0.5 * apart["stays"], apart


def test_steps_are_the_prior_at_the_encoder_s_mean(motion_prior, recorded, body):
    transl, root, pose, joints = parts(recorded, body)
    motion = moving(transl[None], root[None], pose[None], joints[None])
    latents = inferred(motion_prior, motion).mean
    prior = explained(motion_prior, motion, latents).prior
    energy = -torch.distributions.Normal(prior.mean, prior.var.sqrt()).log_prob(latents).sum(-1)[0]
    said = transitions(motion_prior, transl, root, pose, joints)
    assert said.shape == (30,)
    assert torch.allclose(said, energy, rtol=1e-3, atol=1e-2)


def test_every_input_has_a_finite_gradient(motion_prior, recorded, body):
    moved = [part.clone().requires_grad_() for part in parts(recorded, body)]
    said = steps(motion_prior, *moved)
    (said.energy.sum() + said.residual.sum() + said.sliding.sum()).backward()
    for part in moved:
        assert torch.isfinite(part.grad).all() and float(part.grad.abs().max()) > 0


def test_going_down_the_gradient_makes_a_jittered_motion_likelier(motion_prior, recorded, body):
    transl, root, pose, joints = parts(measure_priors.jittered(recorded, torch.Generator().manual_seed(1)), body)
    shift = torch.zeros_like(transl, requires_grad=True)

    def energy() -> torch.Tensor:
        return transitions(motion_prior, transl + shift, root, pose, joints + shift[:, None]).sum()

    first = energy()
    first.backward()
    with torch.no_grad():
        shift -= 1e-3 * shift.grad / shift.grad.abs().max()
        assert float(energy()) < float(first)


@pytest.mark.parametrize("fps, count", [(60.0, 59), (24.0, 28), (25.0, 28), (120.0, 117), (20.0, 28)])
def test_another_rate_says_the_same(motion_prior, recorded, body, fps, count):
    """The recording as a camera of another rate would have it, between its frames along the line."""
    transl, root, pose, joints = parts(recorded, body)
    at = torch.arange(int(30 * fps / 30) + 1) * 30 / fps
    at = at[at <= 30]
    before, share = at.long().clamp(max=29), (at - at.long().clamp(max=29))

    def between(values: torch.Tensor) -> torch.Tensor:
        return torch.lerp(values[before], values[before + 1], share.reshape(-1, *(1,) * (values.ndim - 1)))

    turned = [roma.special_procrustes(between(each)) for each in (root, pose)]
    said = transitions(motion_prior, between(transl), *turned, between(joints), fps)
    wanted = transitions(motion_prior, transl, root, pose, joints)
    assert abs(len(said) - count) <= 2
    assert float(said.mean()) == pytest.approx(float(wanted.mean()), rel=0.35)


def test_a_motion_at_60_is_its_two_halves_at_30(motion_prior, body):
    chance = torch.Generator().manual_seed(0)
    transl = torch.randn(9, 3, generator=chance) * 0.01
    root, pose = torch.eye(3).expand(9, 3, 3), torch.eye(3).expand(9, BODY_JOINTS, 3, 3)
    joints = body.rest_joints(torch.zeros(10))[:22] + transl[:, None]
    said = transitions(motion_prior, transl, root, pose, joints, 60.0)
    halves = [transitions(motion_prior, *(x[k::2] for x in (transl, root, pose, joints))) for k in (0, 1)]
    assert torch.allclose(said, torch.cat(halves), rtol=1e-4)


def test_a_motion_of_one_step_is_refused(motion_prior, recorded, body):
    with pytest.raises(ValueError, match="2 frames at 30"):
        transitions(motion_prior, *(part[:2] for part in parts(recorded, body)), 30)


def test_the_pose_prior_knows_real_poses(recorded):
    network = load_pose_prior("cpu")
    pose = recorded[0][0, :, 1:22]
    decoded = network.rotations(network.encode(roma.rotmat_to_rotvec(pose)).mean)
    assert float(roma.rotmat_geodesic_distance(decoded, pose).mean()) < np.deg2rad(8)
    wrong = roma.random_rotmat((31, BODY_JOINTS))
    assert float(pose_latents(network, pose).max()) < float(pose_latents(network, wrong).min())
    rest = torch.eye(3).repeat(2, BODY_JOINTS, 1, 1).requires_grad_()
    pose_latents(network, rest).sum().backward()
    assert torch.isfinite(rest.grad).all()


def test_kl_is_pytorch_s_and_nothing_between_equals():
    one, other = (Gaussian(torch.randn(3, 48), torch.rand(3, 48) + 0.1) for _ in range(2))
    normals = [torch.distributions.Normal(each.mean, each.var.sqrt()) for each in (one, other)]
    assert torch.allclose(kl(one, other), torch.distributions.kl_divergence(*normals).sum(-1), rtol=1e-4)
    assert torch.allclose(kl(one, one), torch.zeros(3), atol=1e-4)


def test_the_true_next_state_has_the_joints_of_its_rotations(corpus, body):
    """In the past's frame too: the body is turned about its pelvis there, whatever its shape and heading."""
    motions = draw_motions(corpus, body, 3, 5, torch.Generator().manual_seed(0))
    states = motions.states
    past = states.each(lambda value: value[:, :-1])
    frames = local_frame(past, pivot_of(states)[:, :1].expand_as(past.transl))
    now = frames.into(states.each(lambda value: value[:, 1:]))
    told = _kinematic_parts(Next(now, motions.contacts[:, 1:]), now, motions.rest, body)
    assert max(map(float, told.values())) < 1e-9
    off = now.each(lambda value: value)
    off.joints[..., 4, 0] += 0.1
    assert float(_kinematic_parts(Next(off, motions.contacts[:, 1:]), now, motions.rest, body)["consistency"]) > 1e-5


def test_a_mirrored_motion_has_mirrored_joints(corpus, body):
    rotations, pelvis = corpus.rotations[None, :9], corpus.pelvis[None, :9]
    contacts, betas = corpus.contacts[None, :9], torch.zeros(1, 10)
    plain = states_of(rotations, pelvis, contacts, betas, body).states.joints
    flipped = states_of(*mirrored(rotations, pelvis, contacts), betas, body).states.joints
    left, right = [1, 4, 7, 10, 16, 18, 20], [2, 5, 8, 11, 17, 19, 21]
    assert float((flipped[:, :, right] - plain[:, :, left] * torch.tensor([-1.0, 1, 1])).norm(dim=-1).max()) < 0.02


def test_knees_and_hands_on_the_ground_rest_and_feet_as_they_are_labelled(body):
    states = draw_motions_like_kneeling(body)
    feet = torch.tensor([1.0, 0, 0, 1]).expand(1, 3, 4)
    labels = resting(states, feet)[0, 1]  # pelvis, knees, ankles, feet, wrists; left first
    assert labels.tolist() == [0, 1, 1, 1, 0, 0, 1, 1, 0]


def draw_motions_like_kneeling(body):
    joints = torch.full((1, 3, 22, 3), 0.7)
    joints[..., [4, 5, 20, 21], 2] = 0.05
    joints[0, :, 21, 0] = torch.arange(3) * 0.02  # 0.6 m/s: the right hand wipes the floor
    still = torch.eye(3).expand(1, 3, 3, 3)
    return moving(torch.zeros(1, 3, 3), still, torch.eye(3).expand(1, 3, 21, 3, 3), joints)


def test_poses_have_no_root_and_are_rotations(corpus):
    pose = draw_poses(corpus, 5, torch.Generator().manual_seed(0))
    assert pose.shape == (5, BODY_JOINTS, 3, 3)
    assert torch.allclose(pose @ pose.mT, torch.eye(3), atol=1e-4)


def test_own_frames_come_into_training_and_change_it(corpus, body):
    torch.manual_seed(0)
    network = HumorNetwork(32)
    motions = draw_motions(corpus, body, 4, 5, torch.Generator().manual_seed(0))
    said = []
    for share in (0.0, 1.0):
        torch.manual_seed(1)
        said.append(motion_losses(network, motions, body, 1e-4, share)[0].item())
    assert said[0] != pytest.approx(said[1], rel=1e-3)


@pytest.mark.parametrize("train", [train_motion_prior, train_pose_prior])
def test_a_stopped_training_goes_on_to_the_same_weights_and_lowers_its_loss(corpus, body, tmp_path, train, monkeypatch):
    class Stop(Exception):
        pass

    def stop(_words: str, done: float) -> None:
        if done == 0.5:
            raise Stop

    monkeypatch.setattr(loop, "_SAVE_EVERY", 2)
    monkeypatch.setattr(loop, "_TEST_EVERY", 2)
    monkeypatch.setattr(loop, "_AVERAGED", 0.5)
    monkeypatch.setattr(loop, "_WARM", 1)
    plan = PriorPlan(**{**vars(SMALL), "steps": 12, "rate": 3e-3})

    def run(folder: str, report) -> torch.nn.Module:
        return train(corpus, corpus, plan, body, tmp_path / folder, "cpu", report)

    whole = run("whole", lambda _words, _done: None)
    with pytest.raises(Stop):
        run("parts", stop)
    rest = run("parts", lambda _words, _done: None)
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, rest.state_dict()[name], atol=1e-5), name
    rows = np.genfromtxt(tmp_path / "parts" / "log.csv", delimiter=",", names=True)
    assert rows["step"].tolist() == [2, 4, 6, 8, 10, 12]
    assert rows["test_loss"][-1] < 0.9 * rows["test_loss"][0]


def test_what_chooses_the_weights_is_not_trained_on(corpus):
    many = Corpus(corpus.rotations, corpus.pelvis, corpus.contacts, corpus.starts.repeat(40), corpus.ends.repeat(40),
                  tuple(f"{k:02}_01" for k in range(40 * len(corpus.names))))  # fmt: skip
    trained_on, tested_on = split(many)
    assert set(trained_on.names).isdisjoint(tested_on.names) and tested_on.names
    assert set(trained_on.names) | set(tested_on.names) == set(many.names)
    assert len(trained_on.starts) == len(trained_on.names)


def test_what_is_kept_for_evaluation_can_be_read_alone(body, tmp_path):
    amass(tmp_path, "walk", walker(body, 60))
    amass(tmp_path, "02_09", figure(body, frames=60))
    assert [capture.name for capture in captures_in(tmp_path, kept=True)] == ["02_09"]


def test_auc_is_the_share_of_pairs_in_order():
    good, bad = np.array([1.0, 2, 3]), np.array([2.5, 4.0])
    assert measure_priors.auc(good, bad) == pytest.approx(np.mean(bad[:, None] > good))


@pytest.mark.slow
def test_one_command_trains_both_priors(body, tmp_path):
    amass(tmp_path, "walk", walker(body, 90))
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["train-priors", str(tmp_path), "--out", str(out), "--steps", "2", "--device", "cpu"])
    assert ran.exit_code == 0, ran.output
    assert (out / "motion_curves.png").is_file() and (out / "pose_curves.png").is_file()
    motion = load_motion_prior("cpu", out / "motion_prior.safetensors")
    assert not motion.training
    assert not load_pose_prior("cpu", out / "pose_prior.safetensors").training

"""The joint optimisation: its arrow against automatic differentiation, what it finds of what all share, people who lie
in each other, the gate, and long clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from ghmr_engine import refine as stage
from ghmr_engine.body.smpl import SHAPES
from ghmr_engine.energy.jacobian import FREE
from ghmr_engine.energy.marks import BLAZEPOSE_OFFSETS, marks
from ghmr_engine.energy.newton import MotionVector
from ghmr_engine.geometry import project
from ghmr_engine.motion_file import read_motion
from ghmr_engine.options import Options
from ghmr_engine.progress import silent
from ghmr_engine.refine import joint
from ghmr_engine.refine.bodies import balls_of, overlap, overlap_curvature
from ghmr_engine.refine.clip import clip_of
from ghmr_engine.refine.gate import judge
from ghmr_engine.refine.level import camera_in, level_of
from ghmr_engine.refine.open_priors import load_motion_prior, load_pose_prior
from ghmr_engine.refine.priors import Priors
from ghmr_engine.refine.shared import Shared
from ghmr_engine.refine.weights import SHARED
from ghmr_engine.types import LiftedPerson, VideoInfo, WorldPerson, WorldScene

FPS = 30.0
K = np.array([[900.0, 0, 400], [0, 900, 300], [0, 0, 1]])
TO_CAMERA = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""z is up, the camera looks along +y."""
INFO = VideoInfo(Path("a.mp4"), "a.mp4", 1, "", 800, 600, Fraction(30), 60, 0, 0, True, False, None)


@dataclass(frozen=True)
class Truth:
    """Somebody's true motion."""

    rotations: torch.Tensor
    transl: torch.Tensor
    betas: torch.Tensor
    contacts: torch.Tensor

    def moved(self, *by: float) -> Truth:
        return replace(self, transl=self.transl + torch.tensor(by))


@pytest.fixture(scope="module")
def walk(repo):
    """60 frames of the demo's true walk, 5 m away."""
    person = read_motion(repo / "assets" / "demo.truth.npz").people["1"]
    place = torch.as_tensor(person.transl[:60]) + torch.tensor([0, 5.0, 0])
    rotations = roma.rotvec_to_rotmat(torch.as_tensor(person.poses[:60]))
    return Truth(rotations, place, torch.as_tensor(person.betas), torch.as_tensor(person.contacts[:60]))


def filmed(body, people, path=0.0, noise_px=0.0, pose_rad=0.0, place_m=0.0, seed=3):
    """A scene and lifted people whose landmarks are where the truth projects, seen from (0, 0, 1.2) or from a path of
    so many metres to the right; the scene's people begin off by pose_rad and place_m."""
    chance = torch.Generator().manual_seed(seed)
    count = len(people[0].transl)
    eye = np.stack([np.linspace(0, path, count), np.zeros(count), np.full(count, 1.2)], 1)
    R = np.tile(TO_CAMERA, (count, 1, 1))
    t = -np.einsum("tij,tj->ti", R, eye)
    cameras = torch.as_tensor(np.tile(K, (count, 1, 1))).float()
    offsets = torch.as_tensor(BLAZEPOSE_OFFSETS).float()
    world, lifted = [], []
    for number, true in enumerate(people, 1):
        posed = body.forward(true.rotations, true.transl, true.betas)
        seen = (marks(posed, offsets) - torch.as_tensor(eye).float()[:, None]) @ torch.as_tensor(TO_CAMERA).float().T
        pixels = project(seen, cameras)
        pixels = pixels + noise_px * torch.randn(pixels.shape, generator=chance)
        keypoints = torch.cat([pixels, torch.ones(count, 33, 1)], -1).numpy()
        bent = roma.rotvec_to_rotmat(pose_rad * torch.randn(count, 24, 3, generator=chance))
        start = replace(
            true, rotations=true.rotations @ bent,
            transl=true.transl + place_m * torch.linspace(0, 6, count).sin()[:, None] * torch.tensor([0.3, 1.0, 0.3]),
        )  # fmt: skip
        said = true.rotations.clone()
        said[:, 0] = torch.as_tensor(TO_CAMERA).float() @ said[:, 0]
        world.append(
            WorldPerson(
                number, np.arange(count), start.rotations.numpy(), start.transl.numpy(), start.betas.numpy(),
                start.contacts.numpy(), np.ones((count, 24)), keypoints, np.zeros(count), np.ones(count, bool),
            )
        )  # fmt: skip
        lifted.append(
            LiftedPerson(
                number, np.arange(count), start.rotations.numpy(), start.transl.numpy(), start.betas.numpy(), keypoints,
                np.ones((count, 24)), np.ones(count, bool), offsets=BLAZEPOSE_OFFSETS, expected=said.numpy(),
                spread=np.full((count, 24), 0.05),
            )
        )  # fmt: skip
    scene = WorldScene(
        tuple(world), R, t, np.tile(K, (count, 1, 1)), np.ones(count), scale_deviation=0.05 if path else None
    )
    return scene, tuple(lifted)


def refined(body, scene, lifted, **options):
    return stage.refine(scene, lifted, body, INFO, Options(**options), silent)


def test_the_arrow_is_the_energy_s_own_curvature_where_nothing_is_wrong(body, walk):
    """Residuals are zero, so that Gauss-Newton leaves nothing out: every mixed second derivative of three frames."""
    still = Truth(*(part[:1].repeat(3, *[1] * (part.dim() - 1)) for part in (walk.rotations, walk.transl)), walk.betas,
                  torch.ones(3, 4))  # fmt: skip
    feet = body.forward(still.rotations, still.transl, still.betas).contacts
    rests = (feet[..., 2] < feet[..., 2].min() + 1e-4).float()
    still = replace(still.moved(0.0, 0.0, 0.0005 - float(feet[..., 2].min())), contacts=rests)
    scene, lifted = filmed(body, [still], path=0.4)
    problem, _ = clip_of(scene, lifted, body, FPS, set()).problem(slice(0, 3), Shared.none([still]), free=True)
    start = [torch.zeros(3, FREE), torch.zeros(4 + SHAPES)]
    packed = torch.cat([part.flatten() for part in start])

    def energy(numbers):
        return problem.energy([numbers[: 3 * FREE].reshape(3, FREE), numbers[3 * FREE :]])[0]

    expected = torch.autograd.functional.hessian(energy, packed)[: 3 * FREE, 3 * FREE :]
    _, posed = problem.energy(start)
    (_, mixed, columns), corner = problem.parts(posed)[0][0], problem.parts(posed)[1]
    assert columns.tolist() == list(range(4 + SHAPES))
    off = (mixed.flatten(0, 1) - expected).abs().amax(0)
    assert (off < 0.02 * expected.abs().amax(0) + 10).all()
    assert torch.all(corner.diagonal() > 0)


def test_a_walk_seen_with_errors_comes_nearer_to_the_truth(body, walk):
    scene, lifted = filmed(body, [walk], noise_px=2, pose_rad=0.03, place_m=0.15)
    after = refined(body, scene, lifted)
    assert after.refinement.fault is None
    assert after.refinement.energy[1] < 0.5 * after.refinement.energy[0]
    off = [np.linalg.norm(s.people[0].transl - walk.transl.numpy(), axis=1).mean() for s in (scene, after)]
    assert off[1] < 0.4 * off[0]


def test_the_ground_under_two_people_is_found_and_made_level(body, walk):
    """Both stand 3 cm under the ground that the scene has."""
    people = [walk.moved(0, 0, -0.03), walk.moved(1.2, 0.5, -0.03)]
    scene, lifted = filmed(body, people)
    clip = clip_of(scene, lifted, body, FPS, set())
    _, shared = clip.solve([slice(0, 60)], 15, silent)
    assert -0.032 < float(shared.ground()[0]) < -0.007  # the prior holds it a little
    after = refined(body, scene, lifted)
    rests = walk.contacts.numpy() > 0.5
    for person in after.people:
        feet = body.forward(*(torch.as_tensor(x).float() for x in (person.rotations, person.transl, person.betas)))
        assert abs(float(feet.contacts[torch.as_tensor(rests)][:, 2].median())) < 0.004


def test_the_camera_s_scale_goes_toward_what_resting_feet_say(body, walk, monkeypatch):
    monkeypatch.setattr(joint, "SHARED", replace(SHARED, scale=0.03, counted_again=1))
    scene, lifted = filmed(body, [walk], path=2.0)
    wrong = 1.03  # the path is too long
    eye = -np.einsum("tji,tj->ti", scene.R, scene.t)
    eye = eye[0] + wrong * (eye - eye[0])
    scene = replace(scene, t=-np.einsum("tij,tj->ti", scene.R, eye))
    clip = clip_of(scene, lifted, body, FPS, set())
    _, shared = clip.solve([slice(0, 60)], 15, silent)
    assert 1 / 1.05 < float(shared.scale()) < 0.995
    _, held = clip_of(replace(scene, scale_deviation=None), lifted, body, FPS, set()).solve([slice(0, 60)], 15, silent)
    assert float(held.scale()) == 1  # a path in metres stays as it is


def test_a_size_that_the_world_stage_gave_is_not_taken_back(body, walk):
    """World sizes people to stand on one ground; the lift's pose is then posed on the body of that size."""
    tall = replace(walk, betas=walk.betas + torch.tensor([1.0] + [0.0] * 9))
    lowest = [float(body.forward(w.rotations, w.transl, w.betas).contacts[..., 2].min()) for w in (walk, tall)]
    tall = tall.moved(0.0, 0.0, lowest[0] - lowest[1])
    scene, lifted = filmed(body, [tall], noise_px=1)
    small = (replace(lifted[0], betas=walk.betas.numpy()),)
    after = refined(body, scene, small)
    assert np.abs(after.people[0].betas - tall.betas.numpy()).max() < 0.06
    assert np.linalg.norm(after.people[0].transl - tall.transl.numpy(), axis=1).mean() < 0.03


def test_a_height_that_the_user_gave_stays(body, walk):
    scene, lifted = filmed(body, [walk], noise_px=2)
    assert np.array_equal(refined(body, scene, lifted, height=1.8).people[0].betas, scene.people[0].betas)
    assert not np.array_equal(refined(body, scene, lifted).people[0].betas, scene.people[0].betas)


def test_balls_are_as_thick_as_the_body(body):
    balls = balls_of(body, torch.zeros(10))
    assert 0.08 < float(balls.radius[:9].max()) < 0.2  # the trunk
    assert float(balls.radius.min()) > 0.015
    larger = balls_of(body, torch.tensor([3.0] + [0.0] * 9))
    assert float(larger.radius.sum()) > float(balls.radius.sum())


def test_bodies_that_do_not_touch_cost_nothing_and_others_are_pushed_apart():
    chance = torch.Generator().manual_seed(0)
    a, b = (torch.randn(2, 5, 3, generator=chance, dtype=torch.double) for _ in range(2))
    radius = torch.full((5,), 0.4, dtype=torch.double)
    assert float(overlap(a, b + 9, radius, radius, 0.02)) == 0
    assert float(overlap(a, a + 0.1, radius, radius, 0.02)) > 0
    assert torch.autograd.gradcheck(lambda x, y: overlap(x, y, radius, radius, 0.5), [a.requires_grad_(), b])
    # The curvature is never less than the energy's own along any way.
    both = overlap_curvature(a.detach(), b, radius, radius, 0.5)[0]
    true = torch.autograd.functional.hessian(lambda x: overlap(x, b, radius, radius, 0.5), a.detach())
    for frame in range(2):
        for ball in range(5):
            least = torch.linalg.eigvalsh(both[frame, ball] - true[frame, ball, :, frame, ball]).min()
            assert float(least) > -1e-6


def test_people_who_lie_in_each_other_are_parted(body, walk, monkeypatch):
    """One begins 30 cm behind the other, and the picture hardly tells (weak landmarks)."""
    scene, lifted = filmed(body, [walk, walk.moved(0.0, 0.3, 0.0)])
    faint = [replace(p, keypoints=p.keypoints * np.array([1, 1, 0.12])) for p in scene.people]
    scene = replace(scene, people=tuple(faint))
    after = refined(body, scene, lifted)
    monkeypatch.setattr(joint, "SHARED", replace(SHARED, overlap=1e3))
    without = refined(body, scene, lifted)

    def depth(scene):
        balls = [balls_of(body, torch.as_tensor(person.betas).float()) for person in scene.people]
        joints = [
            body.forward(*(torch.as_tensor(x).float() for x in (p.rotations, p.transl, p.betas))).joints
            for p in scene.people
        ]
        apart = torch.cdist(*(each.centres(points) for each, points in zip(balls, joints, strict=True)))
        total = (balls[0].radius[:, None] + balls[1].radius - apart).clamp(min=0)
        return float(total.amax((1, 2)).mean())

    assert after.refinement.fault is without.refinement.fault is None
    assert depth(without) > 0.04
    assert depth(after) < 0.4 * depth(without)


def test_the_levelled_world_looks_the_same_to_the_camera(body, walk):
    scene, lifted = filmed(body, [walk])
    clip = clip_of(scene, lifted, body, FPS, set())
    ground = np.array([0.1, 0.03, -0.02])
    level = level_of(ground)
    flat = np.array([[1.0, 2, 0.1 + 0.03 - 0.04], [-3, 1, 0.1 - 0.09 - 0.02]])
    assert np.allclose((flat @ level.R.T + level.t)[:, 2], 0, atol=1e-9)
    R, t = camera_in(level, 1.0, scene.R, scene.t)
    (moved,) = level.of(clip.people, body)

    def seen(person, R, t):
        points = body.forward(person.rotations, person.transl, person.betas).joints.double()
        return points @ torch.as_tensor(R).transpose(1, 2) + torch.as_tensor(t)[:, None]

    assert torch.allclose(seen(moved, R, t), seen(clip.people[0], scene.R, scene.t), atol=1e-5)
    (back,) = level.back().of([moved], body)
    assert torch.allclose(back.transl, clip.people[0].transl, atol=1e-5)


def test_what_got_worse_is_not_kept_and_the_file_says_why(body, walk):
    scene, lifted = filmed(body, [walk])
    (person,) = clip_of(scene, lifted, body, FPS, set()).people
    assert judge([person], [person], (10.0, 9.0), body).fault is None
    assert "energy" in judge([person], [person], (10.0, 11.0), body).fault
    assert "energy" in judge([person], [person], (10.0, float("nan")), body).fault
    slid = replace(person, transl=person.transl + 0.002 * torch.arange(60.0)[:, None])
    assert "slid" in judge([person], [slid], (10.0, 9.0), body).fault
    other = replace(person, person=2)
    steadier = replace(
        other, transl=other.transl.mean(0).expand(60, 3)
    )  # one's gain does not make up for another's loss
    assert "person 1" in judge([person, other], [slid, steadier], (10.0, 9.0), body).fault
    sunk = replace(person, transl=person.transl - torch.tensor([0, 0, 0.01]))
    assert "sank" in judge([person], [sunk], (10.0, 9.0), body).fault
    assert "lost" in judge([person], [], (10.0, 9.0), body).fault
    assert "lost" in judge([person], [person.cut(slice(0, 50))], (10.0, 9.0), body).fault
    nowhere = replace(person, transl=person.transl * float("nan"))
    assert "no number" in judge([person], [nowhere], (10.0, 9.0), body).fault


def test_a_scene_that_refining_makes_worse_stays_as_it_was(body, walk, monkeypatch):
    scene, lifted = filmed(body, [walk], noise_px=2)

    def slides(person, body, fps):
        return replace(person, transl=person.transl + 0.002 * torch.arange(60.0)[:, None])

    monkeypatch.setattr(stage, "held", slides)
    after = refined(body, scene, lifted)
    assert after.refinement.fault is not None
    assert after.people is scene.people and after.t is scene.t


def test_with_priors_the_motion_is_likelier_and_they_count_alike_at_any_rate(body, walk):
    priors = Priors(load_motion_prior("cpu"), load_pose_prior("cpu"))
    scene, lifted = filmed(body, [walk], noise_px=4, pose_rad=0.05)
    with_priors = stage.refine(scene, lifted, body, INFO, Options(quality="best"), silent, priors)
    without = refined(body, scene, lifted)
    assert with_priors.refinement.fault is None

    def nats(scene, count, fps):
        (person,) = clip_of(scene, lifted, body, FPS, set()).people
        motion = MotionVector(person.rotations[:count], person.transl[:count], person.betas)
        posed = body.forward(motion.rotations(), motion.transl(), motion.betas)
        return float(priors.energy(motion, posed, [slice(0, count)], fps))

    assert nats(with_priors, 60, 30.0) < nats(without, 60, 30.0) - 20
    assert 0.5 < nats(scene, 60, 60.0) / nats(scene, 60, 30.0) < 2
    assert nats(scene, 2, 30.0) == pytest.approx(nats(scene, 2, 60.0))  # too short for a step: poses alone


def test_a_long_clip_in_windows_is_the_clip_at_once(body, walk, monkeypatch):
    """Windows with a shared ground that is found first; somebody who is there for a part of the clip only."""
    late = Truth(*(part[20:] for part in (walk.rotations, walk.transl)), walk.betas, walk.contacts[20:])
    scene, lifted = filmed(body, [walk, walk.moved(1.5, 0.5, 0)], noise_px=1, place_m=0.05)
    rows = ("frames", "rotations", "transl", "contacts", "confidence", "keypoints", "reprojection", "seen")
    cut = replace(scene.people[1], **{name: getattr(scene.people[1], name)[20:] for name in rows})
    rows = ("frames", "rotations", "transl", "keypoints", "confidence", "seen", "expected", "spread")
    cut_lift = replace(lifted[1], **{name: getattr(lifted[1], name)[20:] for name in rows})
    scene, lifted = replace(scene, people=(scene.people[0], cut)), (lifted[0], cut_lift)
    whole = refined(body, scene, lifted)
    monkeypatch.setattr(stage, "WINDOW", 24)
    monkeypatch.setattr(stage, "OVERLAP", 8)
    parts = refined(body, scene, lifted)
    assert parts.refinement.fault is None
    for true, one, other in zip((walk, late.moved(1.5, 0.5, 0)), whole.people, parts.people, strict=True):
        assert np.array_equal(one.frames, other.frames)
        apart = np.linalg.norm(one.transl - other.transl, axis=1)
        assert apart.mean() < 0.02
        assert np.linalg.norm(other.transl - true.transl.numpy(), axis=1).mean() < 0.05

"""Solving again by hand-made contacts and pins: on a walk with perfect feet, in which something is broken or wished."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch
from motions import joints_world, walking_motion

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.edits import Edits, Pin
from ghmr_engine.energy.jacobian import FREE, shares
from ghmr_engine.energy.marks import BLAZEPOSE_OFFSETS, marks
from ghmr_engine.energy.newton import hessian, jacobians
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.motion_file import Person
from ghmr_engine.progress import silent
from ghmr_engine.resolve import placed, resolve
from ghmr_engine.resolve.body import body_of
from ghmr_engine.resolve.feet import Stands
from ghmr_engine.resolve.freedom import Freedom
from ghmr_engine.resolve.pins import SIGMA_PX, Pinned, View
from ghmr_engine.resolve.problem import Evidence, Problem

J = {name: place for place, name in enumerate(JOINT_NAMES)}
LEFT, RIGHT = [0, 1], [2, 3]
LEFT_PLANT = (30, 44)
"""Left heel or toe is planted in these frames of the walk, and again from 60 on."""


def posed(motion, name="1"):
    """Everything of a person's body over all frames, as the engine poses it."""
    person = motion.people[name]
    body, _ = body_of(person, motion, None)
    rotations = roma.rotvec_to_rotmat(torch.as_tensor(np.asarray(person.poses, np.float32)))
    return body.forward(rotations, torch.as_tensor(np.asarray(person.transl, np.float32)), torch.zeros(10))


def feet(motion, name="1"):
    """(N, 4, 3) m."""
    return posed(motion, name).contacts.numpy()


def pixels(motion, points, frames):
    """(N, ..., 2) px of world points (N, ..., 3)."""
    R, t, K = motion.R[frames], motion.t[frames], motion.K[frames]
    cam = np.einsum("nij,n...j->n...i", R, points) + t.reshape(len(t), *(1,) * (points.ndim - 2), 3)
    flat = np.einsum("nij,n...j->n...i", K, cam)
    return flat[..., :2] / flat[..., 2:]


def changed(motion, name="1", **arrays):
    """The motion with other arrays of one person."""
    return replace(motion, people={**motion.people, name: replace(motion.people[name], **arrays)})


def contacts(motion, first, last, columns, value, name="1"):
    """The motion with some contacts written by hand."""
    person = motion.people[name]
    mine = person.contacts.copy()
    mine[np.ix_((person.frames >= first) & (person.frames <= last), columns)] = value
    return changed(motion, name, contacts=mine)


def bent(motion, joint, axis, angles):
    """The motion with one joint bent more, by angles (N,)."""
    poses = motion.people["1"].poses.copy()
    poses[:, J[joint], axis] += angles
    return changed(motion, poses=poses)


def slide(motion, first, last):
    """(n, 4) mm a frame that foot points move within frames."""
    return 1000 * np.linalg.norm(np.diff(feet(motion)[first : last + 1], axis=0), axis=-1)


def assert_same_outside(before: Person, after: Person, first, last):
    outside = (before.frames < first) | (before.frames > last)
    for key in ("poses", "transl", "reprojection", "contacts", "keypoints"):
        a, b = (np.asarray(getattr(person, key)) for person in (before, after))
        assert np.array_equal(a[outside], b[outside], equal_nan=True), key


def assert_joined(before, after, first, last):
    """At both ends of a range the change begins slowly: no joint is pushed harder than the walk itself pushes."""
    change = np.pad(joints_world(after) - joints_world(before), ((3, 3), (0, 0), (0, 0)))
    push = np.linalg.norm(np.diff(change, n=2, axis=0), axis=-1)
    own = np.linalg.norm(np.diff(joints_world(before), n=2, axis=0), axis=-1).max()
    for end in (first, last):
        if 0 < end < len(before.frames) - 1:
            assert push[end : end + 4].max() < own


@pytest.fixture(scope="module")
def walk():
    """90 frames; landmarks are where the detector would see the truth."""
    motion = walking_motion(frames=90)
    seen = marks(posed(motion), torch.as_tensor(BLAZEPOSE_OFFSETS).float()).double().numpy()
    _, has = body_of(motion.people["1"], motion, None)
    visible = np.tile(has.astype(float)[None, :, None], (90, 1, 1))
    px = pixels(motion, seen, np.arange(90))
    return changed(motion, keypoints=np.concatenate([px, visible], -1), transl=motion.people["1"].transl)


def test_nothing_changes_where_nothing_was_edited(walk):
    after = resolve(walk, Edits(("1",), 0, 89), silent)
    for key in ("poses", "transl", "contacts"):
        assert np.array_equal(getattr(after.people["1"], key), getattr(walk.people["1"], key)), key
    assert after.R is walk.R and after.meta["edits"][-1]["warnings"] == []


def test_a_plant_whose_foot_slides_is_nailed_and_the_rest_stays(walk):
    """The hip's swing is off, so that the foot slides 5 cm over 20 frames that a user marks as planted."""
    drift = np.interp(np.arange(90), [22, 27, 47, 52], [0, -0.035, 0.035, 0])
    broken = contacts(bent(walk, "left_hip", 0, drift), 30, 44, LEFT, 1.0)
    was = feet(broken)
    assert np.linalg.norm(was[44, 0] - was[30, 0]) > 0.04 and slide(broken, 30, 44).max() > 2
    after = resolve(broken, Edits(("1",), 15, 59), silent)
    now = feet(after)
    assert slide(after, 30, 44)[:, LEFT].max() < 0.5
    assert np.abs(now[30:45, LEFT, 2]).max() < 0.001
    assert np.linalg.norm(now[37, LEFT] - was[30:45, LEFT].mean(0), axis=-1).max() < 0.02  # in the middle of the slide
    others = [J[name] for name in ("left_wrist", "right_wrist", "head", "right_ankle")]
    moved = np.linalg.norm(joints_world(after.people["1"]) - joints_world(broken.people["1"]), axis=-1)
    assert moved[:, others].max() < 0.03
    assert_same_outside(broken.people["1"], after.people["1"], 15, 59)
    assert_joined(broken.people["1"], after.people["1"], 15, 59)
    knees = after.people["1"].poses[:, [J["left_knee"], J["right_knee"]], 0]
    assert knees.min() > 0.05
    assert (
        np.abs(np.diff(knees, axis=0)).max()
        < 1.3 * np.abs(np.diff(broken.people["1"].poses[:, [4, 5], 0], axis=0)).max()
    )
    assert after.meta["quality"]["1"]["sliding_mm"] < 0.1 and after.meta["quality"]["1"]["seen"] == 1.0


def test_a_foot_that_was_let_go_goes_back_to_where_it_is_seen(walk):
    """A false plant in the middle of the right foot's swing, first solved, then lifted."""
    false = contacts(walk, 33, 41, RIGHT, 1.0)
    nailed = resolve(false, Edits(("1",), 20, 55), silent)
    assert slide(nailed, 33, 41)[:, RIGHT].max() < 1
    assert np.abs(feet(nailed)[33:42, RIGHT, 2]).max() < 0.01  # it swung, 10 cm up: nothing to stand on there
    off = np.linalg.norm(feet(nailed) - feet(walk), axis=-1)[33:42, RIGHT]
    assert off.max() > 0.1
    lifted = resolve(contacts(nailed, 33, 41, RIGHT, 0.0), Edits(("1",), 20, 55), silent)
    back = np.linalg.norm(feet(lifted) - feet(walk), axis=-1)[33:42, RIGHT]
    assert back.max() < 0.3 * off.max()
    marked = [LANDMARK_NAMES.index(f"right_{part}") for part in ("ankle", "heel", "foot_index")]
    seen = marks(posed(lifted), torch.as_tensor(BLAZEPOSE_OFFSETS).float()).double().numpy()[:, marked]
    away = np.linalg.norm(pixels(walk, seen, np.arange(90)) - walk.people["1"].keypoints[:, marked, :2], axis=-1)
    assert away[33:42].mean() < 4
    assert lifted.meta["quality"]["1"]["reprojection_px"] < nailed.meta["quality"]["1"]["reprojection_px"]
    assert len(lifted.meta["edits"]) == 2


@pytest.mark.parametrize(
    ("joint", "by"),
    [("left_wrist", (25, -20)), ("right_elbow", (-15, -6)), ("right_knee", (8, 0)), ("pelvis", (15, 5)),
     ("head", (12, 4)), ("left_hand", (15, -10)), ("spine2", (6, 0)), ("right_shoulder", (10, -6))],
)  # fmt: skip
def test_a_pinned_joint_is_met_and_the_feet_stay(walk, joint, by):
    frame = 36
    at = pixels(walk, joints_world(walk.people["1"]), np.arange(90))[frame, J[joint]] + by
    after = resolve(walk, Edits(("1",), 24, 48, (Pin("1", frame, joint, *at),)), silent)
    found = pixels(walk, joints_world(after.people["1"]), np.arange(90))[frame, J[joint]]
    assert np.linalg.norm(found - at) < 1
    assert after.meta["edits"][-1]["warnings"] == []
    rests = walk.people["1"].contacts > 0.5
    both = rests[1:] & rests[:-1]
    assert (1000 * np.linalg.norm(np.diff(feet(after), axis=0), axis=-1))[both].max() < 0.5
    moved = np.linalg.norm(joints_world(after.people["1"]) - joints_world(walk.people["1"]), axis=-1)
    assert moved[frame, J[joint]] > 0.02
    if joint in ("left_wrist", "right_elbow", "left_hand"):
        assert moved[:, [J["pelvis"], J["left_knee"], J["right_ankle"]]].max() < 0.005
        assert moved[:, J["head"]].max() < 0.1 * moved[frame, J[joint]]
    if joint == "pelvis":
        assert moved[frame, J["head"]] > 0.3 * moved[frame, J["pelvis"]]
    assert_same_outside(walk.people["1"], after.people["1"], 24, 48)
    assert_joined(walk.people["1"], after.people["1"], 24, 48)


def test_a_pin_out_of_reach_stretches_the_limb_and_is_said(walk):
    at = pixels(walk, joints_world(walk.people["1"]), np.arange(90))[36, J["left_wrist"]] + [0, -400]
    after = resolve(walk, Edits(("1",), 24, 48, (Pin("1", 36, "left_wrist", *at),)), silent)
    moved = np.linalg.norm(joints_world(after.people["1"]) - joints_world(walk.people["1"]), axis=-1)
    assert moved[:, J["pelvis"]].max() < 0.02 and moved[36, J["left_wrist"]] > 0.3
    (warning,) = after.meta["edits"][-1]["warnings"]
    assert "left wrist in frame 36" in warning


def test_a_pin_on_a_planted_foot_takes_the_whole_plant_along(walk):
    at = pixels(walk, joints_world(walk.people["1"]), np.arange(90))[38, J["left_ankle"]] + [6, 3]
    after = resolve(walk, Edits(("1",), 18, 58, (Pin("1", 38, "left_ankle", *at),)), silent)
    found = pixels(walk, joints_world(after.people["1"]), np.arange(90))[38, J["left_ankle"]]
    assert np.linalg.norm(found - at) < 2
    assert np.linalg.norm(feet(after)[38, 0] - feet(walk)[38, 0]) > 0.02
    rests = walk.people["1"].contacts > 0.5
    both = rests[1:] & rests[:-1]
    assert (1000 * np.linalg.norm(np.diff(feet(after), axis=0), axis=-1))[both].max() < 0.7
    # Where the plant goes on outside the range, it stays, and the user is told.
    held = resolve(walk, Edits(("1",), 34, 42, (Pin("1", 38, "left_ankle", *at),)), silent)
    assert np.linalg.norm(feet(held)[38, 0] - feet(walk)[38, 0]) < 0.002
    assert "foot is planted" in held.meta["edits"][-1]["warnings"][0]


@pytest.mark.parametrize(("first", "last", "frame"), [(0, 12, 0), (0, 12, 5), (77, 89, 89)])
def test_a_range_at_the_clip_s_end_has_one_end_that_is_free(walk, first, last, frame):
    at = pixels(walk, joints_world(walk.people["1"]), np.arange(90))[frame, J["right_wrist"]] + [10, -10]
    after = resolve(walk, Edits(("1",), first, last, (Pin("1", frame, "right_wrist", *at),)), silent)
    found = pixels(walk, joints_world(after.people["1"]), np.arange(90))[frame, J["right_wrist"]]
    assert np.linalg.norm(found - at) < 1
    assert_same_outside(walk.people["1"], after.people["1"], first, last)
    assert_joined(walk.people["1"], after.people["1"], first, last)


def test_a_single_frame_can_be_pinned(walk):
    at = pixels(walk, joints_world(walk.people["1"]), np.arange(90))[40, J["right_wrist"]] + [3, 0]
    after = resolve(walk, Edits(("1",), 40, 40, (Pin("1", 40, "right_wrist", *at),)), silent)
    assert np.isfinite(after.people["1"].poses).all()
    assert_same_outside(walk.people["1"], after.people["1"], 40, 40)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_somebody_who_is_there_for_a_moment_only(walk, count):
    rows = ("frames", "poses", "transl", "contacts", "confidence", "keypoints", "reprojection")
    brief = changed(walk, **{key: getattr(walk.people["1"], key)[40 : 40 + count] for key in rows})
    frames = brief.people["1"].frames
    at = pixels(brief, joints_world(brief.people["1"]), frames)[0, J["right_wrist"]] + [5, -5]
    after = resolve(brief, Edits(("1",), 0, 89, (Pin("1", 40, "right_wrist", *at),)), silent)
    found = pixels(brief, joints_world(after.people["1"]), frames)[0, J["right_wrist"]]
    assert np.linalg.norm(found - at) < 1


def test_one_of_two_people_with_a_gap_in_their_frames():
    motion = walking_motion(frames=60, people=2, absent=(20, 34))
    person = motion.people["2"]
    px = pixels(motion, joints_world(person), person.frames)[:, J["left_wrist"]] + [8, -8]
    pins = [Pin("2", frame, "left_wrist", *px[list(person.frames).index(frame)]) for frame in (17, 37)]
    after = resolve(motion, Edits(("2",), 10, 45, tuple(pins)), silent)
    assert after.people["1"] is motion.people["1"]
    assert after.meta["quality"]["1"] == motion.meta["quality"]["1"]
    found = pixels(motion, joints_world(after.people["2"]), person.frames)[:, J["left_wrist"]]
    for pin in pins:
        assert np.linalg.norm(found[list(person.frames).index(pin.frame)] - [pin.x, pin.y]) < 1
    assert_same_outside(person, after.people["2"], 10, 45)
    plants = person.contacts > 0.5
    both = plants[1:] & plants[:-1] & (np.diff(person.frames) == 1)[:, None]
    assert (1000 * np.linalg.norm(np.diff(feet(after, "2"), axis=0), axis=-1))[both].max() < 0.5


def test_a_foot_on_a_roof_stays_up_there_and_one_a_little_off_the_ground_comes_down(walk):
    for height, expected in ((0.5, 0.5), (0.03, 0.0), (-0.04, 0.0)):
        raised = changed(walk, transl=walk.people["1"].transl + np.array([0, 0, height]))
        drift = np.interp(np.arange(90), [22, 27, 47, 52], [0, -0.02, 0.02, 0])
        after = resolve(contacts(bent(raised, "left_hip", 0, drift), 30, 44, LEFT, 1.0), Edits(("1",), 10, 64), silent)
        stood = feet(after)[30:45, LEFT]
        assert np.abs(stood[..., 2] - expected).max() < 0.01, height
        assert slide(after, 30, 44)[:, LEFT].max() < 1


def test_a_plant_that_is_too_long_is_held_as_long_as_it_goes_and_said(walk):
    """Both feet nailed for a second of walking: nobody can do that."""
    after = resolve(contacts(walk, 30, 75, [0, 1, 2, 3], 1.0), Edits(("1",), 15, 89), silent)
    assert np.isfinite(after.people["1"].poses).all()
    assert after.people["1"].poses[:, [J["left_knee"], J["right_knee"]], 0].min() > -0.1
    sliding = slide(after, 30, 75).max()
    assert sliding < 1 or any("slides" in text for text in after.meta["edits"][-1]["warnings"])


def test_a_file_s_own_body_has_the_points_of_this_machine_s_or_smpl_s(body, walk):
    betas = torch.full((10,), 0.5)
    like = replace(walk, faces=body.faces.numpy())
    person = replace(
        walk.people["1"], vertices=body.rest_vertices(betas).numpy(), weights=body.weights.numpy(),
        joints=body.rest_joints(betas).numpy(),
    )  # fmt: skip
    same, has = body_of(person, like, body)
    turned = torch.linalg.qr(torch.randn(2, 24, 3, 3, generator=torch.Generator().manual_seed(1)))[0]
    turned = turned * torch.linalg.det(turned)[..., None, None]
    for found, expected in zip(
        same.forward(turned, torch.zeros(2, 3), torch.ones(10)), body.forward(turned, torch.zeros(2, 3), betas),
        strict=True,
    ):  # fmt: skip
        assert (found - expected).abs().max() < 1e-5
    assert has.all()
    elsewhere, has = body_of(person, like, None)  # that body is not on this machine: feet are found, faces are not
    assert not has[LANDMARK_NAMES.index("nose")] and has[LANDMARK_NAMES.index("left_heel")]
    apart = elsewhere.forward(turned, torch.zeros(2, 3), betas).contacts - same.forward(
        turned, torch.zeros(2, 3), betas).contacts  # fmt: skip
    assert apart.norm(dim=-1).max() < 0.07  # toes turned anyhow
    smpl = replace(person, vertices=person.vertices[:6890], weights=person.weights[:6890])
    _, has = body_of(smpl, like, None)
    assert has.all()
    with pytest.raises(RecoverError):
        resolve(changed(walk, vertices=np.zeros((0, 3))), Edits(("1",), 0, 9), silent)


def test_the_solver_s_hessian_is_the_energy_s_own_where_nothing_is_wrong(walk):
    """Nails and pins beside what the stages weigh, three frames, all residuals zero."""
    frames, own = np.arange(39, 42), walk.people["1"]
    body, _ = body_of(own, walk, None)
    # Turns by nothing have no second derivatives; feet on the ground and joints at their limits are half beyond them.
    source = replace(own, poses=own.poses + 0.02, transl=own.transl + np.array([0, 0, 0.05]))
    person = placed(source, np.zeros((33, 3)), np.ones(33, bool), slice(39, 42))
    at = body.forward(person.rotations, person.transl, person.betas)
    seen = pixels(walk, marks(at, person.offsets).double().numpy(), frames)
    person = replace(
        person, keypoints=torch.as_tensor(np.pad(seen, ((0, 0), (0, 0), (0, 1)), constant_values=1)).float()
    )
    view = View(walk.R[frames], walk.t[frames], walk.K[frames])
    sigma = np.full((3, 24), np.inf)
    sigma[1, J["left_wrist"]] = sigma[2, J["pelvis"]] = SIGMA_PX
    evidence = Evidence(
        view,
        Stands(at.contacts.double().numpy(), np.array([[True, False, False, False]] * 3), np.zeros((3, 2), int)),
        Pinned(pixels(walk, at.joints.double().numpy(), frames), sigma),
        Freedom(np.full((3, FREE), 0.1), np.ones((3, 33)), np.zeros((3, 24))),
    )
    problem = Problem(person, evidence, body, 30.0)

    def energy(numbers):
        problem.motion.numbers = numbers.reshape(3, FREE)
        return problem.energy()[0]

    start = torch.zeros(3 * FREE)
    assert float(energy(start)) < 0.1
    expected = torch.autograd.functional.hessian(energy, start).reshape(3, FREE, 3, FREE)
    problem.motion.numbers = torch.zeros(3, FREE)
    found, _, _ = hessian(jacobians(at, problem.motion, body, shares(body)), problem.curvature(at))
    for frame in range(3):
        stiff = expected[frame, :, frame].diagonal()[3:]  # of pose and place
        assert torch.allclose(found[frame].diagonal()[3:], stiff, rtol=0.02, atol=1.0)


def test_what_does_not_fit_is_refused_in_one_line(walk):
    pin = Pin("1", 30, "left_wrist", 1.0, 1.0)
    for edits, code in (
        (Edits(("7",), 0, 9), "unknown_person"),
        (Edits(("1",), 0, 90), "bad_range"),
        (Edits(("1",), 0, 9, (pin,)), "bad_range"),
        (Edits(("1",), 0, 89, (replace(pin, joint="tail"),)), "unknown_joint"),
        (Edits(("1",), 0, 89, (replace(pin, person="2"),)), "unknown_person"),
        (Edits(("1",), 0, 89, (replace(pin, x=float("nan")),)), "bad_edit"),
    ):
        with pytest.raises(RecoverError) as caught:
            resolve(walk, edits, silent)
        assert caught.value.code == code and "\n" not in str(caught.value)
    gone = walking_motion(frames=60, absent=(20, 34))
    for edits in (Edits(("1",), 22, 30), Edits(("1",), 10, 40, (replace(pin, frame=25),))):
        with pytest.raises(RecoverError) as caught:
            resolve(gone, edits, silent)
        assert caught.value.code == "not_there"


def test_it_can_be_stopped(walk):
    def stop(_done):
        raise Cancelled

    with pytest.raises(Cancelled):
        resolve(contacts(walk, 33, 41, RIGHT, 1.0), Edits(("1",), 20, 55), stop)

"""Motion capture onto the body: bones point where the actor's did, feet stand, and real clips look like people."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from captures import SIDES, J, about, angle_deg, extract, figure, rest_joints, stepper, walker
from scipy.spatial.transform import Rotation

from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.mocap import forward, read_capture
from ghmr_engine.evaluate.retarget import Z_UP, foot_points, mesh, posed, retarget

MEAN = np.zeros(10)
LIMBS = [(f"{side}_{a}", f"{side}_{b}") for side in SIDES
         for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))]  # fmt: skip


def onto(body, capture, fps=30, start=0.0, end=None):
    end = (len(capture.root) - 1) / float(capture.fps) if end is None else end
    return retarget(capture, body, MEAN, Fraction(fps), start, end)


def joints_of(motion, body):
    return posed(motion, body).joints.numpy().astype(float)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def flight(frames=40, speed=4.0):
    """(T, 3) a root too quick for any foot to stand, so that nothing is held."""
    time = np.arange(frames) / 30
    return np.column_stack([speed * time, 2 + 0.2 * np.sin(5 * time), 0 * time])


OTHER_REST = {"rename": "joint_{}".format, "legs": 2.0, "hanging": True}


@pytest.mark.parametrize("form", [{}, OTHER_REST], ids=["same", "other"])
def test_every_limb_points_where_the_actor_s_does(body, form):
    rng = np.random.default_rng(0)
    names = ["pelvis", "spine2", *(name for limb in LIMBS for name in limb if "wrist" not in name)]
    steady = {name: Rotation.from_rotvec(rng.normal(0, 0.5, 3)).as_matrix() for name in names}
    capture = figure(body, steady, flight(), 40, **form)
    motion = onto(body, capture)
    ours, theirs = joints_of(motion, body), forward(capture)[1] @ Z_UP.T
    assert len(ours) == 40
    for start, end in LIMBS:
        a = unit(ours[:, J[end]] - ours[:, J[start]])
        b = unit(theirs[:, J[end]] - theirs[:, J[start]])
        assert np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1))).max() < 0.5, (start, end)


def test_the_rest_pose_faces_ahead_with_left_on_its_left(body):
    # Capture +z becomes world -y, left stays +x.
    joints = joints_of(onto(body, figure(body)), body)[30]
    assert joints[J["left_hip"], 0] > 0.05 > -0.05 > joints[J["right_hip"], 0]
    assert joints[J["left_foot"], 1] < joints[J["left_ankle"], 1] - 0.1
    assert joints[J["head"], 2] > joints[J["pelvis"], 2] + 0.5


@pytest.mark.parametrize("legs", [1.0, 2.0])
def test_places_scale_with_the_legs(body, legs):
    capture = figure(body, root=flight(), frames=40, legs=legs, rename="joint_{}".format)
    joints = joints_of(onto(body, capture), body)
    hips = joints[:, [J["left_hip"], J["right_hip"]]].mean(1)
    expected = flight() @ Z_UP.T / legs
    np.testing.assert_allclose(hips - hips[0], expected - expected[0], atol=1e-3)


def test_spine_joints_that_are_missing_share_the_turn(body):
    turns = {"spine3": about("z", 60), "neck": about("x", 20)}
    motion = onto(body, figure(body, turns, without=("spine1", "spine2", "head"), rename="joint_{}".format))
    for name in ("spine1", "spine2", "spine3"):
        np.testing.assert_allclose(motion.rotations[5, J[name]], about("z", 20)[0], atol=1e-6)
    np.testing.assert_allclose(motion.rotations[5, J["neck"]], about("x", 20)[0], atol=1e-6)
    np.testing.assert_allclose(motion.rotations[5, J["head"]], np.eye(3), atol=1e-6)


def test_one_missing_spine_joint_takes_half(body):
    turns = {"spine1": about("y", 10), "spine3": about("z", 40)}
    motion = onto(body, figure(body, turns, without=("spine2",)))
    for name, turn in (("spine1", about("y", 10)), ("spine2", about("z", 20)), ("spine3", about("z", 20))):
        np.testing.assert_allclose(motion.rotations[5, J[name]], turn[0], atol=1e-6)


@pytest.mark.parametrize(("tilt", "height"), [(0, 1.0), (12, 1.0), (-12, 7.0)])
def test_who_stands_still_stands_on_the_ground(body, tilt, height):
    """Soles that the capture tilts are levelled, and ground that it has elsewhere is brought to 0."""
    turns = {f"{side}_ankle": about("x", tilt) for side in SIDES}
    motion = onto(body, figure(body, turns, np.array([[0, height, 0]]), rename="joint_{}".format))
    feet = foot_points(motion, body)
    assert np.abs(feet[..., 2]).max() < 0.004
    assert np.linalg.norm(np.diff(feet, axis=0), axis=-1).max() < 1e-4
    assert motion.contacts[1:-1].all()


def test_a_foot_stands_in_the_first_frame_and_in_the_last(body):
    assert onto(body, figure(body)).contacts[[0, -1]].all()


def test_a_foot_that_steps_is_not_in_contact_in_the_air(body):
    motion = onto(body, stepper(body))
    feet = foot_points(motion, body)
    high = feet[:, :2, 2].min(1) > 0.04
    assert 10 < high.sum() < 30 and feet[:, :2, 2].max() > 0.18
    assert not motion.contacts[high, :2].any()
    assert motion.contacts[1:-1, 2:].all()
    assert motion.contacts[3:20, :2].all() and motion.contacts[58:-3, :2].all()
    slides = np.linalg.norm(np.diff(feet, axis=0), axis=-1)
    both = motion.contacts[1:] & motion.contacts[:-1]
    assert slides[both].max() < 0.004 and np.abs(feet[motion.contacts, 2]).max() < 0.01


def test_a_root_that_turns_over_within_a_frame_is_an_error(body):
    heading = np.where(np.arange(60) < 30, 0, 180.0)
    capture = figure(body, {"pelvis": about("y", heading)})
    with pytest.raises(RecoverError, match="made turns over") as caught:
        onto(body, capture)
    assert caught.value.code == "broken_capture" and "0.97 s" in caught.value.message
    assert len(onto(body, capture, start=1.0).transl) == 30
    with pytest.raises(RecoverError):
        onto(body, replace(capture, fps=Fraction(120)))


def test_a_quick_pirouette_is_no_error(body):
    onto(body, figure(body, {"pelvis": about("y", np.arange(60) * 30.0)}))  # 15.7 rad/s


def waving(body, frames=121):
    """At 120 frames a second; the left arm turns by another way each frame."""
    rng = np.random.default_rng(3)
    wild = Rotation.from_rotvec(np.cumsum(rng.normal(0, 0.05, (frames, 3)), 0)).as_matrix()
    root = np.column_stack([np.cumsum(rng.normal(0.03, 0.005, frames)), np.full(frames, 1.0), np.zeros(frames)])
    return figure(body, {"left_shoulder": wild}, root, frames, Fraction(120))


def test_a_quarter_of_the_rate_takes_every_fourth_frame(body):
    capture = waving(body)
    motion = onto(body, capture, 30)
    assert len(motion.transl) == 31
    arm = J["left_shoulder"]
    np.testing.assert_allclose(motion.rotations[:, arm], capture.rotations[::4, arm], atol=1e-9)
    np.testing.assert_allclose(np.diff(motion.transl[:, 0]), np.diff(capture.root[::4, 0]), atol=1e-6)


def test_another_rate_lies_between_two_frames(body):
    # Frame k of 50 a second is at 2.4 k of 120.
    capture = waving(body)
    motion = onto(body, capture, 50, start=0.25)
    assert len(motion.transl) == 38
    at = 30 + 2.4 * np.arange(38)
    before = np.minimum(at.astype(int), 119)
    source, arm = capture.rotations[:, J["left_shoulder"]], motion.rotations[:, J["left_shoulder"]]
    whole = angle_deg(np.swapaxes(source[before], -1, -2) @ source[before + 1])
    first = angle_deg(np.swapaxes(source[before], -1, -2) @ arm)
    second = angle_deg(np.swapaxes(arm, -1, -2) @ source[before + 1])
    np.testing.assert_allclose(first, (at - before) * whole, atol=1e-4)
    np.testing.assert_allclose(second, (1 - at + before) * whole, atol=1e-4)
    straight = np.interp(at, np.arange(121), capture.root[:, 0])
    np.testing.assert_allclose(motion.transl[:, 0] - motion.transl[0, 0], straight - straight[0], atol=1e-6)


def test_whoever_would_lie_under_the_floor_is_raised(body):
    """Stands for 2 s, lies down on the back within one, the pelvis 5 cm over the ground: a back is thicker."""
    down = np.clip(np.arange(120) / 30 - 2, 0, 1)
    standing = rest_joints(body)[0, 1] + 0.9186  # the soles lie there in the rest pose
    root = np.column_stack([0 * down, standing + down * (0.05 - standing), 0 * down])
    capture = figure(body, {"pelvis": about("x", -90 * down)}, root, 120)
    motion = onto(body, capture)
    lowest = mesh(motion, body)[..., 2].min(1)
    assert lowest[95:].min() > -0.03 and lowest[95:].max() < 0.05
    pelvis = joints_of(motion, body)[:, 0, 2]
    assert pelvis[-1] > 0.07 and abs(pelvis[10] - standing) < 0.01


def test_the_shape_is_the_one_that_was_asked_for(body):
    betas = np.linspace(-1, 1, 10)
    motion = retarget(walker(body), body, betas, Fraction(30), 0, 1)
    np.testing.assert_array_equal(motion.betas, betas)
    assert motion.rotations.shape == (31, 24, 3, 3) and motion.contacts.shape == (31, 4)


# Real clips

REAL = {
    "asf": ("cmu/asfamc/02/02_02.amc", "cmu/asfamc/02/02.asf"),
    "expmap": ("cmu/expmap/train/walking/walking_1.txt",),
    "humanoid": ("cmu/humanoid/cmu01-09/02/02_02.txt",),
}


@pytest.fixture(scope="module")
def real(body, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mocap")
    extract(folder, {name for names in REAL.values() for name in names})
    return {form: onto(body, read_capture(folder / names[0]), end=4.0) for form, names in REAL.items()}


@pytest.mark.parametrize("form", REAL)
def test_real_feet_stand_still_on_the_floor(real, body, form):
    motion = real[form]
    feet = foot_points(motion, body)
    both = motion.contacts[1:] & motion.contacts[:-1]
    slides = 1000 * np.linalg.norm(np.diff(feet, axis=0), axis=-1)
    assert slides[both].mean() < 1.5
    assert 0.2 < motion.contacts.mean() < 0.9
    assert feet[..., 2].min() > -0.03


@pytest.mark.parametrize("form", REAL)
def test_real_walkers_do_not_float(real, body, form):
    """Who walks has a foot on the ground at every moment."""
    assert foot_points(real[form], body)[..., 2].min(1).max() < 0.035
    assert real[form].contacts.any(1).mean() > 0.65


@pytest.mark.parametrize("form", REAL)
def test_real_people_stay_human(real, body, form):
    motion = real[form]
    for side in SIDES:
        bend = np.degrees(Rotation.from_matrix(motion.rotations[:, J[f"{side}_knee"]]).as_rotvec())
        assert bend[:, 0].min() > -3 and bend[:, 0].max() > 30, side
    joints = joints_of(motion, body)
    assert 1.3 < np.median(joints[:, J["head"], 2]) < 1.9
    left = np.cross([0, 0, 1.0], motion.rotations[:, 0] @ [0, 0, 1.0])
    aside = [((joints[:, J[f"{side}_wrist"]] - joints[:, 0]) * left).sum(1).mean() for side in SIDES]
    assert aside[0] > 0.1 > -0.1 > aside[1]
    walked = joints[-1, 0] - joints[0, 0]
    assert unit(walked) @ (motion.rotations[:, 0] @ [0, 0, 1.0]).mean(0) > 0.9

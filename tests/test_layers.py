"""What is laid over a motion in the add-on, outside Blender: known answers, and what smoothing must not do."""

from __future__ import annotations

import importlib
import sys
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from extension_tree import assemble_extension
from motions import FACING_X, WALK_SPEED, joints_world, walking_motion

FPS = Fraction(30)
ALL = (1.0,) * 6
WRIST, ANKLES_AND_BALLS = 20, [7, 10, 8, 11]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The package's modules as the built extension has them, without its __init__, which needs bpy."""
    folder = tmp_path_factory.mktemp("tree")
    package = assemble_extension(folder)
    package.joinpath("__init__.py").write_text("")
    package.rename(folder / "layers_under_test")
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"layers_under_test.{name}")
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def show(parts):
    layers = parts("layers")
    return lambda person, **chosen: layers.layered(person, FPS, layers.Layers(**chosen))


def noisy(frames: int = 120, size: float = 0.02, people: int = 1):
    """A walk whose every joint and whose place trembles, planted feet too."""
    rng = np.random.default_rng(5)
    person = walking_motion(frames, people=people).people["1"]
    return replace(
        person,
        poses=person.poses + rng.normal(0, size, person.poses.shape),
        transl=person.transl + rng.normal(0, size / 4, person.transl.shape),
    )


def sliding(person, joints=None) -> float:
    """mm a frame that ankles and balls of planted feet move."""
    at = (joints_world(person) if joints is None else joints)[:, ANKLES_AND_BALLS]
    rests = person.contacts >= 0.5
    return float(1000 * np.linalg.norm(np.diff(at, axis=0), axis=-1)[rests[1:] & rests[:-1]].mean())


def jitter(joints: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1).mean())


def same(a, b) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


def test_layers_that_are_off_give_back_the_very_numbers(show):
    person = noisy()
    assert show(person) is person
    assert same(show(person, smoothing=(0.0,) * 6, first=0, last=119, loop=0), person)


def test_smoothing_takes_jitter_away_and_no_foot_slides_more(show):
    person = noisy()
    before, after = joints_world(person), joints_world(show(person, smoothing=ALL))
    trunk = [0, 3, 6, 9, 12, 15]
    assert jitter(after[:, trunk]) < 0.2 * jitter(before[:, trunk])
    assert jitter(after[:, 16:24]) < 0.3 * jitter(before[:, 16:24])
    assert sliding(person, after) < sliding(person, before) + 1e-3
    half = joints_world(show(person, smoothing=(0.5,) * 6))
    assert jitter(after[:, trunk]) < jitter(half[:, trunk]) < jitter(before[:, trunk])


def test_planted_feet_stay_exactly_and_do_not_sink(show):
    person = walking_motion(120).people["1"]
    for amounts in (ALL, (1.0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 1.0, 1.0), (1.0, 0, 0, 0, 1.0, 0)):
        shown = show(person, smoothing=amounts)
        assert sliding(person, joints_world(shown)) < 1e-6
        assert (
            joints_world(shown)[:, ANKLES_AND_BALLS, 2].min()
            > joints_world(person)[:, ANKLES_AND_BALLS, 2].min() - 1e-3
        )


def test_each_part_is_smoothed_alone(show, parts):
    person, part_names = noisy(), list(parts("layers.smoothing").PARTS)
    raw = joints_world(person)
    arm = [0.0] * 6
    arm[part_names.index("left_arm")] = 1.0
    shown = show(person, smoothing=tuple(arm))
    moved = np.abs(joints_world(shown) - raw).max((0, 2)) > 1e-9
    assert set(np.flatnonzero(moved)) == {16, 18, 20, 22}
    changed = np.flatnonzero((shown.poses != person.poses).any((0, 2)))
    assert set(changed) <= {13, 16, 18, 20, 22}
    root = show(person, smoothing=(1.0, 0, 0, 0, 0, 0))
    # Joints above make up for the hips' trembling; a steady head stays steady.
    assert jitter(joints_world(root)[:, [15]]) < 1.1 * jitter(raw[:, [15]])


def test_what_is_quick_keeps_its_size_and_its_moment(show):
    """A blow: the left arm swings by 1.6 rad and back within 0.4 s."""
    person = walking_motion(90).people["1"]
    poses = np.zeros_like(person.poses)
    poses[:, 0] = person.poses[0, 0]
    seconds = (np.arange(90) - 45) / 30
    poses[:, 16, 2] = 1.6 * np.exp(-0.5 * (seconds / 0.1) ** 2)
    slow = poses.copy()
    rng = np.random.default_rng(2)
    poses[:, 16:24] += rng.normal(0, 0.02, (90, 8, 3))
    person = replace(person, poses=poses, transl=np.zeros((90, 3)), contacts=np.zeros((90, 4)))
    clean = joints_world(replace(person, poses=slow))[:, WRIST]
    after = joints_world(show(person, smoothing=ALL))[:, WRIST]
    reach = np.ptp(clean, axis=0).max()
    kept = np.ptp(after, axis=0).max() / reach
    assert 0.9 < kept < 1.05, kept
    assert abs(int(np.argmax(after[:, 2])) - int(np.argmax(clean[:, 2]))) <= 1  # no lag
    calm = slice(0, 25)
    assert jitter(after[calm]) < 0.35 * jitter(joints_world(person)[calm, WRIST])
    plain = _plain_gaussian(joints_world(person)[:, WRIST], 0.15 * 30)
    assert np.ptp(plain, axis=0).max() / reach < 0.75  # what a filter without regard to speed leaves of it


def _plain_gaussian(values, deviation):
    reach = int(3 * deviation)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, weights / weights.sum(), "valid") for column in padded.T], 1)


def test_a_turn_through_every_heading_and_long_absences_are_no_jumps(show):
    person = walking_motion(150).people["1"]
    spin = np.arange(150) * 2 * np.pi / 50
    # A turn about the upright after FACING_X, as axis-angle by way of quaternions of their own.
    poses = np.zeros_like(person.poses)
    poses[:, 0] = [_axis_angle(_about_z(angle) @ FACING_X) for angle in spin]
    there = np.r_[0:50, 100:150]
    transl = person.transl.copy()
    transl[100:] += 40.0
    keep = {name: getattr(person, name)[there] for name in ("contacts", "confidence", "keypoints", "reprojection")}
    person = replace(person, frames=there, poses=poses[there], transl=transl[there], **keep)
    shown = show(person, smoothing=(1.0, 0, 0, 0, 0, 0))
    # At a constant speed nothing is odd: smoothing leaves a steady turn and a steady way as they are.
    np.testing.assert_allclose(joints_world(shown)[:, [0, 15]], joints_world(person)[:, [0, 15]], atol=2e-3)


def _about_z(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def _axis_angle(turn):
    values, vectors = np.linalg.eig(turn)
    axis = np.real(vectors[:, np.argmin(np.abs(values - 1))])
    odd = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    return axis * np.arctan2(odd @ axis / 2, (np.trace(turn) - 1) / 2)


def test_the_root_is_raised_tilted_and_turned_as_one_piece(show, parts):
    root = parts("layers.root")
    person = walking_motion(60).people["1"]
    about = root.travel(person)
    np.testing.assert_allclose(about, [0, 0, 1, 0], atol=1e-6)
    raw = joints_world(person)

    up = joints_world(show(person, root=root.RootFix(height=0.25, about=about)))
    np.testing.assert_allclose(up - raw, np.broadcast_to([0, 0, 0.25], raw.shape), atol=1e-9)
    tilted = joints_world(show(person, root=root.RootFix(slope=10, about=about)))
    way = tilted[-1, 0] - tilted[0, 0]
    assert np.degrees(np.arctan2(way[2], way[0])) == pytest.approx(10, abs=1e-6)
    assert np.linalg.norm(way) == pytest.approx(np.linalg.norm(raw[-1, 0] - raw[0, 0]))
    turned = joints_world(show(person, root=root.RootFix(heading=90, about=about)))
    np.testing.assert_allclose(turned[..., :2], np.stack([-raw[..., 1], raw[..., 0]], -1), atol=1e-9)
    for moved in (up, tilted, turned):
        assert sliding(person, moved) < 1e-6


def test_the_slope_of_planted_feet_is_measured(show, parts):
    root, chain = parts("layers.root"), parts("layers.chain")
    person = walking_motion(90).people["1"]
    about = root.travel(person)
    for slope in (4.0, -7.5):
        shown = show(person, root=root.RootFix(slope=slope, about=about))
        soles = chain.soles(shown, *chain.joint_frames(shown))
        assert root.path_slope(shown, about, soles) == pytest.approx(slope, abs=0.05)
    standing = replace(person, transl=np.repeat(person.transl[:1], 90, 0), poses=np.repeat(person.poses[:1], 90, 0))
    assert root.path_slope(standing, about, chain.soles(standing, *chain.joint_frames(standing))) is None


def test_in_place_keeps_steps_and_sway_and_not_the_way(show):
    person = walking_motion(150).people["1"]
    sway = 0.03 * np.sin(2 * np.pi * np.arange(150) / 30)
    person = replace(person, transl=person.transl + np.stack([0 * sway, sway, 0 * sway], 1))
    shown = show(person, in_place=True)
    assert np.ptp(shown.transl[:, 0]) < 1e-6 and np.ptp(person.transl[:, 0]) > 0.99 * WALK_SPEED * 149 / 30
    np.testing.assert_allclose(shown.transl[0], person.transl[0], atol=1e-9)
    assert np.ptp(shown.transl[30:-30, 1]) > 0.9 * np.ptp(sway)
    np.testing.assert_array_equal(shown.transl[:, 2], person.transl[:, 2])
    assert same(replace(shown, transl=person.transl), person)


def test_trim_keeps_its_frames_as_they_are(show):
    person = walking_motion(60).people["1"]
    shown = show(person, first=10, last=40)
    assert shown.frames.tolist() == list(range(10, 41))
    np.testing.assert_array_equal(shown.poses, person.poses[10:41])
    assert same(show(person, first=70, last=80), person)  # nothing would be left


def test_a_loop_closes_in_pose_and_speed(show):
    person = walking_motion(95).people["1"]  # ends in the middle of a step
    for in_place in (False, True):
        open_ended = show(person, in_place=in_place)
        shown = show(person, loop=20, in_place=in_place)
        over_ground = (shown.transl - shown.transl[:1] if not in_place else 0 * shown.transl) * [1, 1, 0]
        at = joints_world(shown) - over_ground[:, None]
        np.testing.assert_allclose(at[-1], at[0], atol=1e-9)
        np.testing.assert_allclose(at[-1] - at[-2], at[1] - at[0], atol=0.012)
        assert np.abs(joints_world(open_ended)[-1] - joints_world(open_ended)[0]).max() > 0.15  # it was open
        np.testing.assert_array_equal(shown.poses[:75], open_ended.poses[:75])
        steps = np.linalg.norm(np.diff(at, axis=0), axis=-1)
        assert steps.max() < 1.6 * steps[:75].max()


def test_three_hundred_frames_are_shown_in_a_moment(show):
    person = noisy(300)
    began = time.perf_counter()
    show(person, smoothing=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6), in_place=True, loop=10)
    assert time.perf_counter() - began < 0.5  # 0.06 s where nothing else runs

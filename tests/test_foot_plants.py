"""What holds a planted foot, in numbers: plants from contacts, still points, few keys. The add-on's parts that need
NumPy alone, as the built extension has them."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
from extension_tree import assemble_extension
from scipy.spatial.transform import Rotation

HEEL, TOE = np.array([0.1, 0.05, 0.0]), np.array([0.1, -0.13, 0.0])
AXES = np.stack([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]], 1)
"""Columns: to the left, to the front, down."""
ANKLE, TIP = np.array([0.1, 0, 0.09]), np.array([0.1, -0.2, 0.02])


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """plants and curve_fit, without the package's __init__, which needs bpy."""
    folder = tmp_path_factory.mktemp("tree")
    package = assemble_extension(folder)
    package.joinpath("__init__.py").write_text("")
    package.rename(folder / "plants_under_test")
    sys.path.insert(0, str(folder))
    yield [importlib.import_module(f"plants_under_test.scene.{name}") for name in ("plants", "curve_fit")]
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def step():
    """A step of 50 frames, slewed on the floor: down on the heel at 10, flat from 15 to 29, off the toe at 38."""
    frames = np.arange(50)
    down = np.clip(15 - frames, 0, 14) / 14
    off = np.clip(frames - 29, 0, 20) / 20
    heel = Rotation.from_rotvec(np.outer(-0.9 * down**2, AXES[:, 0])).as_matrix()
    toe = Rotation.from_rotvec(np.outer(1.6 * off**2, AXES[:, 0]) + np.outer(0.2 * off**2, AXES[:, 2])).as_matrix()
    flat = Rotation.from_rotvec([0, 0, 2.0]).as_matrix()
    way = np.zeros((50, 3))
    way[:10, 1] = 0.02 * (frames[:10] - 10) ** 2
    way[38:, 2] = 0.01 * (frames[38:] - 37) ** 2
    turns = flat @ heel @ toe
    at = np.where((frames < 20)[:, None], HEEL, TOE)
    shifts = np.array([5.0, 1, 0]) + at @ flat.T - np.einsum("nij,nj->ni", turns, at) + way
    contacts = np.stack([(frames >= 10) & (frames < 30), (frames >= 15) & (frames < 38)], 1)
    return turns, shifts, contacts


def go(hold, rows, point, points):
    """(N, 3): where what holds the foot takes a point of the resting foot."""
    rolls = [AXES @ Rotation.from_euler("xyz", track.at(rows)).as_matrix() @ AXES.T for track in (hold.heel, hold.toe)]
    moved = (point - points[1]) @ np.swapaxes(rolls[1], 1, 2) + points[1]
    moved = np.einsum("nij,nj->ni", rolls[0], moved.reshape(-1, 3) - points[0]) + points[0] + hold.place.at(rows)
    return moved @ hold.turn.T + hold.shift


def test_plants_are_unbroken_rests_of_heel_or_toe(parts):
    plants = parts[0]
    contacts = np.zeros((60, 2), dtype=bool)
    contacts[10:20, 0] = contacts[15:24, 1] = contacts[27:30, 1] = contacts[50:60, 0] = True
    shown = np.ones(60, dtype=bool)
    found = plants.find_plants(contacts, shown, 6)
    assert [(p.begin, p.first, p.last, p.end) for p in found] == [(4, 10, 23, 25), (25, 27, 29, 35), (44, 50, 59, 59)]
    shown[55:57] = False  # away for two frames: nothing is eased there
    found = plants.find_plants(contacts, shown, 6)
    assert [(p.begin, p.first, p.last, p.end) for p in found[2:]] == [(44, 50, 54, 54), (57, 57, 59, 59)]
    assert plants.find_plants(np.zeros((60, 2), dtype=bool), shown, 6) == []


def strays(points, step):
    """(2,) m: how far heel and toe move while planted."""
    turns, shifts, contacts = step
    paths = [turns[contacts[:, part]] @ points[part] + shifts[contacts[:, part]] for part in (0, 1)]
    return np.array([np.ptp(path, axis=0).max() for path in paths])


def test_still_points_are_found(parts, step):
    guess = np.array([[0.1, 0.062, 0.004], [0.1, -0.15, 0.01]])
    # A guess is kept where the motion does not tell.
    lying = np.zeros_like(step[2])
    np.testing.assert_allclose(parts[0].still_points(*step[:2], lying, guess), guess)
    found = parts[0].still_points(*step, guess)
    assert (strays(guess, step) > [1e-3, 4e-3]).all()
    assert (strays(found, step) < [1.3e-3, 2.2e-3]).all()
    assert np.linalg.norm(found[1] - TOE) < 0.4 * np.linalg.norm(guess[1] - TOE)


def test_a_step_is_held_by_few_keys(parts, step):
    turns, shifts, contacts = step
    points, plants = np.stack([HEEL, TOE]), parts[0]
    (plant,) = plants.find_plants(contacts, np.ones(50, dtype=bool), 6)
    hold = plants.hold(turns, shifts, contacts, plant, points, AXES, ends_before=False)
    for name, most in (("place", 6), ("heel", 5), ("toe", 5)):
        track = getattr(hold, name)
        assert len(track.frames) <= most, (name, track.frames)
        assert track.frames[0] == plant.begin
    between = np.arange(10, 37.01, 0.25)
    for point, first, last in ((HEEL, 10, 29), (TOE, 15, 37)):
        still = go(hold, between[(between >= first) & (between <= last)], point, points)
        assert np.ptp(still, axis=0).max() < 1e-9
    rows = np.arange(10, 38)
    for point in (ANKLE, TIP):
        expected = turns[rows] @ point + shifts[rows]
        assert np.linalg.norm(go(hold, rows, point, points) - expected, axis=1).max() < 3e-3
    # On the way there and away what holds less may err more.
    rows = np.array([7, 8, 9, 38, 39, 40])
    assert np.linalg.norm(go(hold, rows, ANKLE, points) - turns[rows] @ ANKLE - shifts[rows], axis=1).max() < 8e-3


def test_a_foot_that_slides_is_held_in_the_middle(parts, step):
    turns, shifts, contacts = step
    shifts = shifts + np.outer(np.linspace(-0.01, 0.01, 50), [1, 0, 0])
    (plant,) = parts[0].find_plants(contacts, np.ones(50, dtype=bool), 6)
    hold = parts[0].hold(turns, shifts, contacts, plant, np.stack([HEEL, TOE]), AXES, ends_before=False)
    flat = np.arange(15, 30)
    middle = (turns[flat] @ HEEL + shifts[flat]).mean(0)
    assert np.linalg.norm(hold.turn @ HEEL + hold.shift - middle) < 2e-3


def test_tracks_keep_what_has_to_be_zero(parts):
    rng = np.random.default_rng(0)
    frames = np.arange(40)
    zero = (frames > 12) & (frames < 25)
    values = np.where(zero[:, None], 0, np.stack([np.sin(frames / 4), np.cos(frames / 5)], 1))
    values[12] = values[25] = 0.02
    track = parts[1].fit_track(frames, values, zero, np.ones(40), 0.02)
    assert np.abs(track.at(np.arange(13, 24.01, 0.1))).max() == 0
    assert np.linalg.norm(track.at(frames) - values, axis=1).max() <= 0.02 and len(track.frames) < 20
    # Whatever the values are, with no room left every frame has its key.
    noise = rng.normal(size=(40, 2))
    track = parts[1].fit_track(frames, noise, np.zeros(40, dtype=bool), np.ones(40), 1e-3)
    np.testing.assert_allclose(track.at(frames), noise, atol=0.1)
    nothing = parts[1].fit_track(frames, 0 * noise, np.ones(40, dtype=bool), np.ones(40), 1e-3)
    assert nothing.frames.tolist() == [0] and not nothing.values.any()

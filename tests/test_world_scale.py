"""Metres from people, the floor from the background, up from upright lines: on scenes whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from ghmr_engine.camera.lines import planes_of
from ghmr_engine.world.gravity import UpHint, find_up
from ghmr_engine.world.scale import Feet, find_scale, ground_plane
from ghmr_engine.world.vanishing import vanishing_up

FPS, FRAMES = 30.0, 120
UP = np.array([0.05, -0.97, -0.2]) / np.linalg.norm([0.05, -0.97, -0.2])
RIGHT = np.cross(UP, [0.0, 0.0, 1.0]) / np.linalg.norm(np.cross(UP, [0.0, 0.0, 1.0]))
AHEAD = np.cross(RIGHT, UP)
HEIGHT = 1.5  # metres of the camera over the floor
ALPHA = 3.7  # metres a unit


def on_floor(across: np.ndarray, away: np.ndarray, height: float | np.ndarray = 0.0) -> np.ndarray:
    """(..., 3) m in the first camera's frame."""
    lift = np.asarray(height)[..., None] - HEIGHT
    return across[..., None] * RIGHT + away[..., None] * AHEAD + lift * UP


def room(seed: int = 0) -> np.ndarray:
    """(M, 3) m: a floor, a table, a wall, and a few points anywhere above the floor."""
    random = np.random.default_rng(seed)
    floor = on_floor(random.uniform(-3, 3, 80), random.uniform(2, 8, 80))
    table = on_floor(random.uniform(0, 2, 120), random.uniform(4, 5, 120), 0.8)
    wall = on_floor(random.uniform(-3, 3, 150), np.full(150, 8.0), random.uniform(0, 3, 150))
    other = on_floor(random.uniform(-3, 3, 40), random.uniform(2, 8, 40), random.uniform(0.1, 2, 40))
    return np.concatenate([floor, table, wall, other]) + random.normal(0, 0.005, (390, 3))


def walker(R: np.ndarray, eyes: np.ndarray, size: float = 1.0) -> Feet:
    """Steps of 0.7 m, each foot at rest for 0.5 s, seen from eyes (T, 3) m; all read `size` times too large."""
    time = np.arange(FRAMES) / FPS
    points = []
    for side, late in ((-0.1, 0.0), (0.1, 0.5)):
        phase = time + late
        step = np.floor(phase) + np.clip((phase % 1 - 0.5) / 0.5, 0, 1)
        lift = 0.1 * np.sin(np.pi * np.clip((phase % 1 - 0.5) / 0.5, 0, 1))
        for toe in (0.0, 0.2):
            points.append(on_floor(step * 1.4 - late + toe - 2, np.full(FRAMES, 4.0 + side), lift))
    world = np.stack(points, 1)
    cam = np.einsum("tij,tpj->tpi", R, world - eyes[:, None])
    return Feet(np.arange(FRAMES), size * cam)


def travelling() -> tuple[np.ndarray, np.ndarray]:
    """R (T, 3, 3) and eyes (T, 3) m."""
    time = np.arange(FRAMES) / FPS
    angle = 0.1 * np.sin(time)
    R = np.stack([np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]]) for a in angle])
    return R, 0.6 * time[:, None] * RIGHT + 0.1 * np.sin(2 * time)[:, None] * AHEAD


def test_the_floor_is_found_under_table_and_wall():
    _, eyes = travelling()
    leaning = UP + 0.15 * AHEAD
    plane = ground_plane(room() / ALPHA, eyes / ALPHA, leaning / np.linalg.norm(leaning))
    assert np.degrees(np.arccos(plane.normal @ UP)) < 0.3
    assert plane.height == pytest.approx(-HEIGHT / ALPHA, rel=0.01)


def test_there_is_no_floor_where_nothing_lies_below():
    points = room()
    above = points[points @ UP > 0.3 - HEIGHT]
    wall = above[above @ AHEAD > 7.5]
    assert ground_plane(wall, np.zeros((1, 3)), UP) is None
    assert ground_plane(np.zeros((0, 3)), np.zeros((1, 3)), UP) is None


@pytest.mark.parametrize("with_floor", [True, False])
def test_metres_come_from_feet_that_rest_and_from_the_floor(with_floor):
    R, eyes = travelling()
    plane = ground_plane(room() / ALPHA, eyes / ALPHA, UP) if with_floor else None
    t = -np.einsum("tij,tj->ti", R, eyes) / ALPHA
    scale = find_scale([walker(R, eyes)], R, t, plane, FPS, sized=True)
    assert scale.alpha == pytest.approx(ALPHA, rel=0.02)
    assert scale.deviation < (0.1 if with_floor else 0.2)


def test_people_guessed_too_large_make_all_of_it_too_large_and_the_deviation_says_so():
    R, eyes = travelling()
    plane = ground_plane(room() / ALPHA, eyes / ALPHA, UP)
    t = -np.einsum("tij,tj->ti", R, eyes) / ALPHA
    scale = find_scale([walker(R, eyes, 1.05)], R, t, plane, FPS, sized=False)
    assert scale.alpha == pytest.approx(1.05 * ALPHA, rel=0.02)
    assert 0.04 < scale.deviation < 0.1


def test_a_camera_that_hardly_moves_shows_no_metres_without_a_floor():
    R, eyes = travelling()
    t = -np.einsum("tij,tj->ti", R, 1e-3 * eyes) / ALPHA
    assert find_scale([walker(R, 1e-3 * eyes)], R, t, None, FPS, sized=True).deviation > 0.2


def lines(count: int, direction: np.ndarray, seed: int) -> np.ndarray:
    """(S, 4) px of segments along a direction, all over the picture, 0.3 px off."""
    random = np.random.default_rng(seed)
    start = random.uniform((-2, -1.2, 3), (2, 0.8, 6), (count, 3))
    ends = [start, start + direction]
    return np.concatenate([500 * end[:, :2] / end[:, 2:] + random.normal(0, 0.3, (count, 2)) for end in ends], 1)


def test_up_comes_from_upright_lines_though_floor_boards_look_upright_too():
    both = np.concatenate([lines(60, UP, 1), lines(60, 1.5 * AHEAD, 2)])
    planes = planes_of(both, np.repeat(np.eye(3)[None], len(both), 0), 500.0, (640, 480))
    guess = UP + 0.12 * RIGHT
    found = vanishing_up(planes, guess / np.linalg.norm(guess))
    assert np.degrees(np.arccos(found.direction @ UP)) < 0.5
    assert np.degrees(found.deviation).max() < 1


def test_a_guessed_lens_leaves_the_pitch_open_and_not_the_roll():
    """In a real clip, filmed from above, upright lines said 34 degrees and the people 26: one walked 15 cm over the
    ground. The lens was a guess, and the lines' pitch is no surer than that."""
    pitch = np.radians(30)
    down = np.array([0, -np.cos(pitch), -np.sin(pitch)])
    planes = planes_of(lines(60, down, 1), np.repeat(np.eye(3)[None], 60, 0), 500.0, (640, 480))
    known, guessed = vanishing_up(planes, down), vanishing_up(planes, down, lens=0.15)
    assert np.allclose(known.direction, guessed.direction)
    assert np.degrees(known.deviation).max() < 1
    assert np.degrees(guessed.deviation[0]) == pytest.approx(np.degrees(0.15 * np.sin(pitch) * np.cos(pitch)), abs=0.2)
    assert np.allclose(guessed.deviation[1:], known.deviation[1:])


def test_lines_in_all_directions_tell_nothing():
    random = np.random.default_rng(3)
    ways = random.normal(0, 1, (200, 3))
    scattered = np.concatenate([lines(1, way / np.linalg.norm(way), k) for k, way in enumerate(ways)])
    planes = planes_of(scattered, np.repeat(np.eye(3)[None], 200, 0), 500.0, (640, 480))
    assert vanishing_up(planes, UP) is None
    assert vanishing_up(planes[:5], UP) is None


def test_upright_lines_outvote_a_guess_that_is_far_off():
    """A rolled camera before somebody who never stood upright: the guess was off by 13 degrees, other lines near it."""
    guess = np.cos(np.radians(13)) * UP + np.sin(np.radians(13)) * RIGHT
    both = np.concatenate([lines(70, UP, 1), lines(36, guess, 2)])
    planes = planes_of(both, np.repeat(np.eye(3)[None], len(both), 0), 500.0, (640, 480))
    assert np.degrees(np.arccos(vanishing_up(planes, guess).direction @ UP)) < 0.5


def test_a_slope_does_not_tilt_the_world():
    """A street that rises by 8 degrees, filmed by a camera that leans with it: people and walls stand upright all the
    same, and outvote the ground that the background shows."""
    lean = np.radians(8)
    up = np.cos(lean) * UP + np.sin(lean) * RIGHT  # in the camera, which takes the street for level
    random = np.random.default_rng(4)
    axes = up + random.normal(0, 0.05, (150, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    street, walls = UpHint(UP, np.radians(1.0)), UpHint(up, np.radians(0.4))
    found, _ = find_up(axes, [np.zeros((0, 3))], FPS, (walls, street))
    assert np.degrees(np.arccos(found @ up)) < 1.0
    without_walls, _ = find_up(axes, [np.zeros((0, 3))], FPS, (street,))
    assert np.degrees(np.arccos(without_walls @ up)) < np.degrees(np.arccos(UP @ up))

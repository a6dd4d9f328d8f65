"""The focal length from straight lines, of rooms whose camera is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ghmr_engine.camera.lens_lines import focal_of_lines, focal_of_picture

FOCAL, SIZE = 520.0, np.array([640, 360])


def room(turned_deg: float, tilted_deg: float = 8.0, seed: int = 0, stray: int = 40) -> np.ndarray:
    """(S, 4) px from the centre: edges of a room along its three directions, 0.2 px off, and stray ones, as a camera
    turned and tilted against it sees them."""
    random = np.random.default_rng(seed)
    R = Rotation.from_euler("xy", [tilted_deg, turned_deg], degrees=True).as_matrix()
    starts = random.uniform((-4, -1.5, 3), (4, 1.5, 8), (400, 3))
    ends = starts + np.eye(3)[np.arange(400) % 3] * random.uniform(0.3, 1.5, (400, 1))
    cam = np.stack([starts, ends], 1) @ R.T
    px = FOCAL * cam[..., :2] / cam[..., 2:]
    inside = ((np.abs(px) < SIZE / 2) & (cam[..., 2:] > 0.5)).all((1, 2))
    lines = px[inside] + random.normal(0, 0.2, (inside.sum(), 2, 2))
    lines = lines[np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1) > 18][:110]
    middle, angle = random.uniform(-SIZE / 2, SIZE / 2, (stray, 2)), random.uniform(0, np.pi, stray)
    way = 20 * np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.concatenate([lines.reshape(-1, 4), np.concatenate([middle - way, middle + way], 1)])


@pytest.mark.parametrize("turned_deg", [20.0, 35.0, -50.0])
@pytest.mark.parametrize("guess", [0.8, 1.25])
def test_a_room_seen_across_shows_the_focal_length(turned_deg, guess):
    found = focal_of_picture(room(turned_deg), FOCAL * guess, 0.2)
    assert found.focal_px == pytest.approx(FOCAL, rel=0.03)
    assert found.log_deviation < 0.05


def test_a_wall_seen_straight_on_shows_none():
    """All its lines stay parallel in the picture, whatever the lens."""
    lines = room(0.0, 0.0, stray=0)
    along = np.abs(lines[:, 2:] - lines[:, :2]).min(1) < 3
    assert along.sum() > 30
    assert focal_of_picture(lines[along], FOCAL * 1.1, 0.2) is None


@pytest.mark.parametrize("seed", range(4))
def test_lines_in_all_directions_show_none(seed):
    assert focal_of_picture(room(30.0, seed=seed, stray=150)[-150:], FOCAL, 0.2) is None


def test_few_lines_show_none():
    assert focal_of_picture(room(30.0)[:20], FOCAL, 0.2) is None
    assert focal_of_lines([], FOCAL, 0.2) is None
    assert focal_of_lines([np.zeros((0, 4))] * 3, FOCAL, 0.2) is None


def test_the_middle_of_several_pictures_counts_and_is_never_surer_than_walls_are_square():
    pictures = [room(angle, seed=place) for place, angle in enumerate((20.0, 25.0, 30.0))]
    found = focal_of_lines(pictures, FOCAL * 0.85, 0.2)
    assert found.focal_px == pytest.approx(FOCAL, rel=0.02)
    assert 0.03 <= found.log_deviation < 0.06


def test_pictures_that_contradict_each_other_show_none():
    other = room(30.0) * 1.5  # the same room through a longer lens
    assert focal_of_lines([room(25.0), other], FOCAL * 1.2, 0.2) is None


def test_the_same_lines_give_the_same_number():
    assert focal_of_picture(room(30.0), FOCAL, 0.2) == focal_of_picture(room(30.0), FOCAL, 0.2)

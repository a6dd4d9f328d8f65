"""A long clip's camera, solved in pieces: as exact as in one, and in memory that does not grow with the square."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from test_odometry import FOCAL, path_error, rotations, turn_errors

from ghmr_engine.camera import long_path
from ghmr_engine.camera.background import Background
from ghmr_engine.camera.long_path import find_whole_path
from ghmr_engine.camera.odometry import find_path

FRAMES = 150
TIME = np.linspace(0, 2.5, FRAMES)
PAN = rotations(12 * np.sin(1.5 * TIME), 3 * np.sin(5 * TIME))
WALK = np.stack([1.5 * TIME, 0.05 * np.sin(20 * TIME), 0.3 * TIME], 1)
SIZE = (640, 360)


def seen_by(R, eyes, wrong=0.05, seed=0) -> Background:
    """A long wall of points in front of the way, chosen in every 15th frame where they come into view."""
    random = np.random.default_rng(seed)
    points = random.uniform((-8, -3, 3), (12, 2, 9), (700, 3))
    cam = np.einsum("tij,tnj->tni", R, points[None] - eyes[:, None])
    px = FOCAL * cam[..., :2] / cam[..., 2:]
    inside = (cam[..., 2] > 0.3) & (np.abs(px) < np.array(SIZE) / 2).all(-1)
    home = np.full(len(points), -1)
    for frame in range(0, len(R), 15):
        home[(home < 0) & inside[frame]] = frame
    chosen = home >= 0
    home, px, inside = home[chosen], px[:, chosen], inside[:, chosen]
    frame, point = np.nonzero(inside & (np.arange(len(R))[:, None] > home))
    seen_px = px[frame, point] + random.normal(0, 0.2, (len(frame), 2))
    bad = random.random(len(frame)) < wrong
    seen_px[bad] = random.uniform(-180, 180, (bad.sum(), 2))
    guess = R @ rotations(random.normal(0, 0.5, len(R)), random.normal(0, 0.5, len(R)))
    return Background(
        R=guess @ guess[0].T, confidence=np.ones(len(R)), stray_px=np.ones(len(R)), frame=frame, point=point,
        px=seen_px, home=home, home_px=px[home, np.arange(len(home))], line_frame=np.zeros(0, int),
        line_px=np.zeros((0, 4)), size=SIZE,
    )  # fmt: skip


@pytest.fixture
def pieces(monkeypatch):
    monkeypatch.setattr(long_path, "LONGEST", 60)
    monkeypatch.setattr(long_path, "OVERLAP", 20)


def test_a_walk_in_pieces_is_as_exact_as_in_one(pieces):
    background = seen_by(PAN, WALK)
    path = find_whole_path(background, FOCAL * 1.1, 0.2)
    assert path.carried and path.known and len(path.R) == FRAMES
    assert turn_errors(path.R, PAN).max() < 0.6
    assert path_error(path, PAN, WALK) < 0.02
    assert path.focal_px == pytest.approx(FOCAL, rel=0.02)
    assert np.allclose(path.R[0], np.eye(3)) and np.allclose(path.t[0], 0)
    assert np.allclose(path.R @ np.swapaxes(path.R, 1, 2), np.eye(3)) and (np.linalg.det(path.R) > 0).all()
    steps = np.linalg.norm(np.diff(-np.einsum("tji,tj->ti", path.R, path.t), axis=0), axis=1)
    truth = np.linalg.norm(np.diff(WALK, axis=0), axis=1)
    ratio = steps / truth
    assert ratio.max() / np.median(ratio) < 1.5  # no jump where pieces meet


def test_a_tripod_in_pieces_stays_where_it_is(pieces):
    path = find_whole_path(seen_by(PAN, np.zeros((FRAMES, 3))), FOCAL, None)
    assert not path.carried and turn_errors(path.R, PAN).max() < 0.3


def test_one_who_stands_for_a_while_keeps_the_scale(pieces):
    """Where two pieces meet nothing moves: the depths tell how long the second one's metre is."""
    way = WALK.copy()
    way[38:66] = WALK[38]
    way[66:] = WALK[38] + WALK[66:] - WALK[66]
    path = find_whole_path(seen_by(PAN, way), FOCAL, None)
    assert path.carried
    eyes = -np.einsum("tji,tj->ti", path.R, path.t)
    ratio = [np.linalg.norm(eyes[b] - eyes[a]) / np.linalg.norm(way[b] - way[a]) for a, b in ((0, 35), (75, 149))]
    assert 0.8 < ratio[0] / ratio[1] < 1.25


def test_a_short_clip_is_solved_at_once(monkeypatch):
    background = seen_by(PAN[:40], WALK[:40])
    calls = []
    monkeypatch.setattr(long_path, "find_path", lambda *given: calls.append(given) or find_path(*given))
    find_whole_path(background, FOCAL, None)
    assert len(calls) == 1 and calls[0][0] is background


def test_the_pieces_hold_everything_once_and_overlap():
    for count in (1501, 4500, 15_000):
        spans = list(long_path._spans(count))
        assert spans[0].start == 0 and spans[-1].stop == count
        assert all(span.stop - span.start == long_path.LONGEST for span in spans)
        assert all(a.stop - b.start >= long_path.OVERLAP - 1 for a, b in pairwise(spans))
    background = seen_by(PAN, WALK)
    piece = long_path._piece(background, slice(60, 120))
    assert piece.frame.min() >= 0 and piece.frame.max() < 60 and len(piece.R) == 60
    assert (piece.frame != piece.home[piece.point]).all() and (piece.home >= 0).all()
    inside = (background.frame >= 60) & (background.frame < 120)
    homes = np.count_nonzero(
        (background.home < 60) & np.isin(np.arange(len(background.home)), background.point[inside])
    )
    assert len(piece.frame) == inside.sum() - homes

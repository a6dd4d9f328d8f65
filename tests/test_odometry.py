"""Bundle adjustment, the choice between turning and travelling, and every frame's pose, on points of known truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ghmr_engine import lie
from ghmr_engine.camera import bundle, structure
from ghmr_engine.camera.background import Background
from ghmr_engine.camera.bundle import BEND_PX
from ghmr_engine.camera.odometry import find_path
from ghmr_engine.camera.structure import choose_views, turning

FRAMES, FOCAL, SIZE = 60, 520.0, (640, 360)
HOMES = (0, 15, 30, 45)


def rotations(yaw_deg: np.ndarray, pitch_deg: np.ndarray) -> np.ndarray:
    """(T, 3, 3) world to camera."""
    a, b = np.radians(yaw_deg), np.radians(pitch_deg)
    zero, one = np.zeros_like(a), np.ones_like(a)
    yaw = np.stack([np.cos(a), zero, -np.sin(a), zero, one, zero, np.sin(a), zero, np.cos(a)], -1).reshape(-1, 3, 3)
    pitch = np.stack([one, zero, zero, zero, np.cos(b), np.sin(b), zero, -np.sin(b), np.cos(b)], -1).reshape(-1, 3, 3)
    return pitch @ yaw


def seen_by(R: np.ndarray, eyes: np.ndarray, wrong: float = 0.0, noise_px: float = 0.2, seed: int = 0) -> Background:
    """What the tracker would hand on: a room of 500 points, chosen in four frames, with noise and gross errors."""
    random = np.random.default_rng(seed)
    points = random.uniform((-7, -3, 3), (7, 2, 9), (500, 3))
    cam = np.einsum("tij,tnj->tni", R, points[None] - eyes[:, None])
    px = FOCAL * cam[..., :2] / cam[..., 2:]
    inside = (cam[..., 2] > 0.3) & (np.abs(px) < np.array(SIZE) / 2).all(-1)
    home = np.full(len(points), -1)
    for frame in HOMES:
        home[(home < 0) & inside[frame]] = frame
    chosen = home >= 0
    home, px, inside = home[chosen], px[:, chosen], inside[:, chosen]
    frame, point = np.nonzero(inside & (np.arange(len(R))[:, None] != home))
    seen_px = px[frame, point] + random.normal(0, noise_px, (len(frame), 2))
    bad = random.random(len(frame)) < wrong
    seen_px[bad] = random.uniform(-180, 180, (bad.sum(), 2))
    guess = R @ rotations(random.normal(0, 0.5, len(R)), random.normal(0, 0.5, len(R)))
    return Background(
        R=guess @ guess[0].T, confidence=np.ones(len(R)), stray_px=np.ones(len(R)), frame=frame, point=point,
        px=seen_px,
        home=home, home_px=px[home, np.arange(len(home))], line_frame=np.zeros(0, int), line_px=np.zeros((0, 4)),
        size=SIZE,
    )  # fmt: skip


TIME = np.linspace(0, 1, FRAMES)
PAN = rotations(25 * TIME, 3 * np.sin(5 * TIME))
WALK = np.stack([2.0 * TIME, 0.05 * np.sin(20 * TIME), 0.7 * TIME], 1)
STAY = np.zeros((FRAMES, 3))


def turn_errors(R: np.ndarray, truth: np.ndarray) -> np.ndarray:
    cosine = (np.einsum("tij,tij->t", R, truth @ truth[0].T) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def path_error(path, R: np.ndarray, eyes: np.ndarray) -> float:
    """Share of the path's length, after the scale that fits best."""
    found = -np.einsum("tji,tj->ti", path.R, path.t)
    truth = (eyes - eyes[0]) @ R[0].T
    scale = (found * truth).sum() / (found**2).sum()
    return np.sqrt(((scale * found - truth) ** 2).sum(1).mean()) / np.linalg.norm(np.diff(truth, axis=0), axis=1).sum()


@pytest.mark.parametrize("wrong", [0.0, 0.2])
def test_a_walking_camera_is_recovered_with_its_focal_length(wrong):
    path = find_path(seen_by(PAN, WALK, wrong), FOCAL * 1.15, 0.2)
    assert path.carried
    assert turn_errors(path.R, PAN).max() < 0.2
    assert path_error(path, PAN, WALK) < 0.01
    assert path.focal_px == pytest.approx(FOCAL, rel=0.02)
    assert path.confidence.min() > 0.5
    assert np.allclose(path.R[0], np.eye(3))
    assert np.allclose(path.t[0], 0)
    assert len(path.points) > 100


def test_a_panning_tripod_does_not_travel_and_shows_its_focal_length():
    path = find_path(seen_by(PAN, STAY, 0.1), FOCAL * 0.8, 0.2)
    assert path.known
    assert not path.carried
    assert turn_errors(path.R, PAN).max() < 0.1
    assert path.focal_px == pytest.approx(FOCAL, rel=0.01)


def test_a_known_focal_length_stays():
    assert find_path(seen_by(PAN, WALK), FOCAL, None).focal_px == pytest.approx(FOCAL)
    assert find_path(seen_by(PAN, STAY), FOCAL, None).focal_px == pytest.approx(FOCAL)


def bent(px: np.ndarray, bend: float) -> np.ndarray:
    """Where a lens shows what a straight one shows at px: the division model's other direction."""
    r = np.linalg.norm(px, axis=-1, keepdims=True) / BEND_PX
    return px * 2 / (1 + np.sqrt(1 - 4 * bend * r**2))


@pytest.mark.parametrize("eyes", [STAY, WALK], ids=["turns", "walks"])
@pytest.mark.parametrize("bend", [-0.12, 0.05])
def test_a_lens_that_bends_lines_is_straightened(eyes, bend):
    seen = seen_by(PAN, eyes, 0.05)
    through = Background(**{**seen.__dict__, "px": bent(seen.px, bend), "home_px": bent(seen.home_px, bend)})
    path = find_path(through, FOCAL * 1.1, 0.2)
    assert path.k1 == pytest.approx(bend * (FOCAL / BEND_PX) ** 2, rel=0.1)
    assert path.focal_px == pytest.approx(FOCAL, rel=0.02)
    assert turn_errors(path.R, PAN).max() < 0.4
    assert path.carried == eyes.any()


@pytest.mark.parametrize("eyes", [STAY, WALK], ids=["turns", "walks"])
def test_a_straight_lens_stays_straight(eyes):
    assert find_path(seen_by(PAN, eyes, 0.1), FOCAL * 0.9, 0.2).k1 == 0


def test_a_turn_too_small_to_show_the_lens_keeps_the_usual_one():
    tiny = rotations(0.05 * np.sin(9 * TIME), 0 * TIME)
    path = find_path(seen_by(tiny, STAY), FOCAL * 1.1, 0.2)
    assert path.focal_px == pytest.approx(FOCAL * 1.1)


def test_a_background_that_moves_by_itself_has_no_path():
    """A sea, a crowd: every point goes its own way."""
    sea = seen_by(PAN, WALK)
    drift = np.random.default_rng(1).normal(0, 2.0, (len(sea.home), 2))
    age = sea.frame - sea.home[sea.point]
    wandering = Background(**{**sea.__dict__, "px": sea.px + drift[sea.point] * age[:, None]})
    assert find_path(wandering, FOCAL, 0.2) is None


def test_nothing_followed_has_no_path():
    empty = seen_by(PAN, WALK)
    nothing = {"frame": np.zeros(0, int), "point": np.zeros(0, int), "px": np.zeros((0, 2))}
    assert find_path(Background(**{**empty.__dict__, **nothing}), FOCAL, 0.2) is None


def test_frames_that_see_nothing_are_bridged_and_marked():
    whole = seen_by(PAN, WALK)
    kept = (whole.frame < 36) | (whole.frame > 40)
    part = {name: getattr(whole, name)[kept] for name in ("frame", "point", "px")}
    path = find_path(Background(**{**whole.__dict__, **part}), FOCAL, None)
    assert path.confidence[36:41].max() == 0
    assert np.delete(path.confidence, range(36, 41)).min() > 0.5
    assert path_error(path, PAN, WALK) < 0.02


def test_the_adjustments_steps_are_those_of_the_numbers():
    """The normal equations' right side is the cost's slope, for poses, depths and the focal length."""
    views = choose_views(seen_by(PAN, WALK))
    start = turning(views, FOCAL * 1.1, 0.2)
    generator = torch.Generator().manual_seed(0)
    pose = lie.moved(start.pose, 0.02 * torch.randn(len(start.pose), 6, generator=generator, dtype=torch.float64))
    depth = 0.1 + 0.1 * torch.rand(len(start.depth), generator=generator, dtype=torch.float64)
    there = bundle.Bundle(pose, depth, start.anchor, start.ray_px, start.focal_px, torch.tensor(-0.07).double())
    free = bundle.Freedom(log_focal=0.2, expected_px=1.05 * FOCAL * 1.1, bend=True)
    _, _, _, right, depths_right = bundle._linearise(there, views.seen, free)

    def cost(step: torch.Tensor, depth_step: torch.Tensor) -> float:
        moved = bundle._stepped(there, step, depth_step, free)
        return bundle._cost(moved, views.seen, free)

    still, flat = torch.zeros_like(right), torch.zeros_like(depth)
    for place in (9, 20, 40, len(right) - 2, len(right) - 1):
        step = still.clone()
        step[place] = 1e-6
        slope = (cost(step, flat) - cost(-step, flat)) / 2e-6
        assert -slope == pytest.approx(float(right[place]), rel=1e-3, abs=1e-2)
    for place in (3, 50):
        step = flat.clone()
        step[place] = 1e-6
        slope = (cost(still, step) - cost(still, -step)) / 2e-6
        assert -slope == pytest.approx(float(depths_right[place]), rel=1e-3, abs=1e-2)


def quick(frames_seen: int, way: float = 6.0) -> tuple[Background, np.ndarray, np.ndarray]:
    """A camera carried quickly past a wall, turned against its way so that the middle stays: each point is seen for a
    few frames only, and the turn that was guessed is none at all. Also its R and its places."""
    homes = np.arange(0, FRAMES, 4)
    eyes = np.stack([way * (TIME - 0.5), 0.03 * np.sin(20 * TIME), 0 * TIME], 1)
    R = rotations(-np.degrees(np.arctan2(eyes[:, 0], 7.0)), 0 * TIME)
    random = np.random.default_rng(3)
    points = random.uniform((-9, -3, 4), (9, 2, 10), (1500, 3))
    cam = np.einsum("tij,tnj->tni", R, points[None] - eyes[:, None])
    px = FOCAL * cam[..., :2] / cam[..., 2:]
    inside = (cam[..., 2] > 0.3) & (np.abs(px) < np.array(SIZE) / 2).all(-1)
    home = random.choice(homes, len(points))
    kept = inside[home, np.arange(len(points))]
    home, px, inside = home[kept], px[:, kept], inside[:, kept]
    age = np.arange(FRAMES)[:, None] - home
    frame, point = np.nonzero(inside & (age > 0) & (age < frames_seen))
    seen_px = px[frame, point] + random.normal(0, 0.2, (len(frame), 2))
    still = np.repeat(np.eye(3)[None], FRAMES, 0)
    background = Background(
        R=still, confidence=np.ones(FRAMES), stray_px=np.ones(FRAMES), frame=frame, point=point, px=seen_px,
        home=home, home_px=px[home, np.arange(len(home))], line_frame=np.zeros(0, int), line_px=np.zeros((0, 4)),
        size=SIZE,
    )  # fmt: skip
    return background, R, eyes


def test_a_quick_camera_can_afford_its_path():
    """Priced by all sightings, the depths of points that live for seven frames cost more than they explained."""
    background, R, eyes = quick(7, 2.0)
    path = find_path(background, FOCAL * 1.05, 0.2)
    assert path.carried
    assert path.focal_px == pytest.approx(FOCAL, rel=0.05)
    assert path_error(path, R, eyes) < 0.03


def test_a_view_is_not_held_in_place_by_points_that_were_seen_once():
    """They have no depth yet. As if infinitely far away, they held views of a rendered walk where their neighbour was,
    and the focal length came out ten times too long."""
    background, R, eyes = quick(14)
    views = choose_views(background)
    first, between, second = np.searchsorted(views.frames, (20, 24, 32))
    R, t = R[views.frames], -np.einsum("tij,tj->ti", R[views.frames], eyes[views.frames])
    pose = lie.from_rotation_and_translation(torch.as_tensor(R), torch.as_tensor(t))
    placed = np.zeros(len(views.frames), bool)
    placed[[first, second]] = True
    both = structure._refined(
        views,
        structure._bundle(views, pose, torch.zeros(views.points).double(), placed, FOCAL, structure._STRAIGHT),
        placed, bundle.Freedom(), 1,
    )  # fmt: skip
    R_found, t_found = lie.rotation_and_translation(structure._place(views, both, placed, between)[None])
    eye = -(R_found[0].T @ t_found[0]).numpy()
    assert np.linalg.norm(eye - eyes[24]) < 0.1 * np.linalg.norm(eyes[24] - eyes[20])
    assert np.degrees(np.arccos((np.trace(R_found[0].numpy() @ R[between].T) - 1) / 2)) < 0.3


def test_a_hands_tremble_tells_of_no_lens():
    """Held in a hand, four pixels to and fro: a real clip's lens came out bent by 58 % and half as long."""
    sway = rotations(0.4 * np.sin(3 * TIME), 0.2 * np.sin(5 * TIME))
    eyes = 0.02 * np.stack([np.sin(3 * TIME), np.sin(5 * TIME), 0 * TIME], 1)
    path = find_path(seen_by(sway, eyes), FOCAL * 1.1, 0.2)
    assert not path.carried or path.focal_px == pytest.approx(FOCAL, rel=0.15)
    assert path.k1 == 0


def test_a_small_pan_on_a_tripod_shows_the_focal_length_and_in_a_hand_does_not():
    """Five degrees either way; the hand also sways by four centimetres."""
    pan = rotations(5 * TIME, 0.5 * np.sin(5 * TIME))
    on_tripod = find_path(seen_by(pan, STAY, noise_px=0.1), FOCAL * 1.15, 0.2)
    assert on_tripod.focal_px == pytest.approx(FOCAL, rel=0.03)
    eyes = 0.04 * np.stack([np.sin(3 * TIME), np.sin(5 * TIME), 0 * TIME], 1)
    in_a_hand = find_path(seen_by(pan, eyes, noise_px=0.1), FOCAL * 1.15, 0.2)
    assert in_a_hand.carried or in_a_hand.focal_px == pytest.approx(FOCAL * 1.15)

"""The lifting network: what it is told, what its answers mean, and how windows of long tracks are put together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from ghmr_engine.errors import RecoverError
from ghmr_engine.geometry import intrinsics
from ghmr_engine.lift.features import Sights, inputs_of, look_at, place_of, placed, turning
from ghmr_engine.lift.network import INPUTS, Lifted, LiftNetwork, Size
from ghmr_engine.lift.observations import crop_to_camera
from ghmr_engine.lift.predict import predict
from ghmr_engine.lift.weights import load_network, save_network
from ghmr_engine.types import CameraMotion, Track

SMALL = Size(width=32, layers=2, heads=2)


@pytest.fixture
def network() -> LiftNetwork:
    """A small one whose answers depend on everything that it is told."""
    torch.manual_seed(0)
    made = LiftNetwork(SMALL)
    for head in made.heads.values():
        torch.nn.init.normal_(head.weight, std=0.1)
    return made.eval()


def sights(frames: int = 40, seed: int = 0) -> Sights:
    """A person of random landmarks near the picture's middle, seen by a camera that turns."""
    chance = torch.Generator().manual_seed(seed)
    landmarks = torch.randn(1, 1, 33, 3, generator=chance) * 0.4 + 0.02 * torch.randn(
        1, frames, 33, 3, generator=chance
    )
    points = landmarks + torch.tensor([0.1, 0.0, 4.0])
    rays = points[..., :2] / points[..., 2:]
    R = roma.rotvec_to_rotmat(torch.linspace(0, 0.3, frames)[:, None] * torch.tensor([0.0, 1.0, 0.0]))[None]
    return Sights(rays, torch.rand(1, frames, 33, generator=chance), landmarks, R, torch.ones(1, frames, dtype=bool))


def track(frames: np.ndarray, fps: float) -> Track:
    """Landmarks that move smoothly, whatever the rate."""
    seconds = frames / fps
    base = np.random.default_rng(1).normal(0, 0.4, (33, 3))
    sway = np.sin(seconds[:, None, None] * 2 + np.arange(33)[:, None]) * [0.1, 0.05, 0.1]
    world = base + sway
    points = world + np.array([0.0, 0.0, 4.0])
    pixels = 500 * points[..., :2] / points[..., 2:] + [319.5, 239.5]
    keypoints = np.concatenate([pixels, np.full((len(frames), 33, 1), 0.9)], -1)
    boxes = np.concatenate([pixels.min(1), pixels.max(1)], 1)
    return Track(1, frames, boxes, keypoints, world, np.ones(len(frames), bool))


def camera(frames: int) -> CameraMotion:
    eye = np.repeat(np.eye(3)[None], frames, 0)
    return CameraMotion(
        R=eye, t=np.zeros((frames, 3)), K=np.repeat(intrinsics(500, 640, 480)[None], frames, 0),
        confidence=np.ones(frames), moving=False, unit="metre", points=np.zeros((0, 3)), upright=np.zeros((0, 4)),
        focal_source="user", motion_source="static (chosen)",
    )  # fmt: skip


def test_an_untrained_network_keeps_the_pose_that_is_laid_along_the_landmarks():
    inputs = inputs_of(sights())
    assert inputs.numbers.shape == (1, 40, INPUTS)
    lifted = LiftNetwork(SMALL)(inputs.numbers, inputs.start, inputs.there)
    off = roma.rotmat_geodesic_distance(lifted.rotations, inputs.start)
    assert float(off.detach().max()) < 0.1


def test_only_distances_in_time_matter(network):
    seen = sights(40)
    late = Sights(*(torch.cat([part[:, :1].expand(-1, 25, *part.shape[2:]), part], 1) for part in seen))
    late = late._replace(there=torch.arange(65)[None] >= 25)
    # The box is averaged over frames that exist, and the turning's last entry repeats: both see the same.
    early, later = (network(*inputs_of(each)[:3]) for each in (seen, late))
    assert torch.allclose(early.rotations, later.rotations[:, 25:], atol=1e-4)
    assert torch.allclose(early.contacts, later.contacts[:, 25:], atol=1e-4)
    assert torch.allclose(early.betas, later.betas, atol=1e-4)


def test_where_in_the_picture_somebody_is_changes_nothing_but_the_way_back():
    seen = sights()
    away = torch.tensor([0.25, -0.1])
    turn = look_at(away)
    rays = torch.cat([seen.rays, torch.ones_like(seen.rays[..., :1])], -1) @ turn.T
    moved = seen._replace(rays=rays[..., :2] / rays[..., 2:], R=turn @ seen.R)
    a, b = inputs_of(seen), inputs_of(moved)
    at = slice(0, 66)  # the landmarks in the picture; the box's middle is a mean over frames, so not to the last digit
    assert torch.allclose(a.numbers[..., at], b.numbers[..., at], atol=0.12)
    back = turn.T @ b.turn
    assert (
        float(roma.rotmat_geodesic_distance(a.turn, back).max()) < 0.04
    )  # a box is not quite the same box when turned


def test_look_at_is_the_turn_that_the_lift_uses_elsewhere():
    K = np.repeat(intrinsics(700, 1280, 720)[None], 3, 0)
    boxes = np.array([[100, 50, 300, 600], [600, 300, 700, 420], [1000, 10, 1279, 719.0]])
    rays = torch.as_tensor(((boxes[:, :2] + boxes[:, 2:]) / 2 - K[0, :2, 2]) / 700)
    assert torch.allclose(look_at(rays), torch.as_tensor(crop_to_camera(boxes, K)), atol=1e-9)


def test_a_place_survives_the_network_s_numbers():
    place, size = torch.tensor([[[0.3, -0.2, 5.0], [0.0, 0.1, 2.0]]]), torch.tensor([[0.3, 0.7]])
    zero = torch.zeros(1, 2, 3)
    lifted = Lifted(zero, zero, zero, zero, placed(place, size), zero, zero)
    assert torch.allclose(place_of(lifted, size), place, atol=1e-6)


def test_turning_is_in_radians_a_second():
    R = roma.rotvec_to_rotmat(torch.linspace(0, 0.3, 31)[:, None] * torch.tensor([0.0, 1.0, 0.0]))[None]
    assert torch.allclose(turning(R)[0, :, 4].abs(), torch.full((31,), 0.3), atol=0.01) or (
        float(turning(R).abs().max()) == pytest.approx(0.3, abs=0.01)
    )
    assert torch.equal(turning(R[:, :1]), torch.zeros(1, 1, 6))


def test_a_long_track_in_windows_is_nearly_what_each_window_says(network):
    frames = np.arange(300)
    said = predict([track(frames, 30)], camera(300), network, 30.0, lambda _done: None)[0]
    assert said.rotations.shape == (300, 24, 3, 3)
    steps = roma.rotmat_geodesic_distance(said.rotations[1:, :22], said.rotations[:-1, :22])
    assert float(steps.max()) < 1.1 * float(steps[:96].max())  # the motion repeats itself every 94 frames
    alone = predict([track(frames[:96], 30)], camera(300), network, 30.0, lambda _done: None)[0]
    off = roma.rotmat_geodesic_distance(alone.rotations[:50], said.rotations[:50])
    assert float(off.max()) < 1e-3  # before the second window begins


def test_the_same_motion_at_sixty_pictures_a_second_gives_the_same_motion(network):
    slow = predict([track(np.arange(60), 30)], camera(60), network, 30.0, lambda _done: None)[0]
    fast = predict([track(np.arange(119), 60)], camera(119), network, 60.0, lambda _done: None)[0]
    off = roma.rotmat_geodesic_distance(slow.rotations, fast.rotations[::2])
    assert float(off.max()) < 0.02
    assert torch.allclose(slow.contacts, fast.contacts[::2], atol=0.02)


def test_people_are_lifted_together_as_each_alone(network):
    one, two = track(np.arange(50), 30), track(np.arange(20, 70), 30)
    both = predict([one, two], camera(80), network, 30.0, lambda _done: None)
    alone = predict([two], camera(80), network, 30.0, lambda _done: None)[0]
    assert torch.allclose(both[1].rotations, alone.rotations, atol=1e-5)
    assert torch.allclose(both[1].pelvis, alone.pelvis, atol=1e-4)


def test_who_is_there_for_a_frame_or_comes_back_is_lifted(network):
    single = predict([track(np.array([7]), 30)], camera(10), network, 30.0, lambda _done: None)[0]
    assert single.rotations.isfinite().all() and len(single.contacts) == 1
    apart = replace(track(np.r_[0:20, 60:90], 30), person=2)
    said = predict([apart], camera(90), network, 30.0, lambda _done: None)[0]
    assert said.rotations.shape[0] == 50 and said.rotations.isfinite().all()


def test_weights_come_back_as_they_were_saved(network, tmp_path):
    path = tmp_path / "lift.safetensors"
    save_network(network, path, {"licence": "CC0-1.0"})
    again = load_network(path, "cpu")
    assert again.size == SMALL
    inputs = inputs_of(sights())
    before, after = (net(*inputs[:3]).rotations for net in (network, again))
    assert torch.allclose(before, after, atol=0.02)  # half precision
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "another's"])
def test_weights_that_are_none_are_one_line(network, tmp_path, damage):
    path = tmp_path / "lift.safetensors"
    save_network(network, path, {})
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "text":
        path.write_text("no weights")
    else:
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(RecoverError, match="does not hold"):
        load_network(path, "cpu")

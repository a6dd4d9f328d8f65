"""WHAM's network: the published program's numbers on drawn weights, batches, held feet, and what a bad file gets."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from ghmr_engine.errors import RecoverError
from ghmr_engine.lift.wham import load_wham
from ghmr_engine.lift.wham.network import Given, WhamNetwork
from ghmr_engine.lift.wham.rollout import full_camera, held, matrix_from_6d, roll_out

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "parity" / "wham_seed7.npz"


def drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A parameter by the rule of the reference values: from its name alone."""
    value = np.random.default_rng([7, zlib.crc32(name.encode())]).standard_normal(shape)
    value = (value / np.sqrt(shape[-1]) if len(shape) > 1 else value * 0.05).astype(np.float32)
    return torch.as_tensor(value + np.float32(0.5 * (name == "motion_decoder.regressor.declayer3.bias")))


def body(vertices: int = 40) -> dict[str, torch.Tensor]:
    """A body as it rides along in the checkpoint, of random numbers."""
    chance = torch.Generator().manual_seed(0)

    def mean(rows: int) -> torch.Tensor:
        return torch.rand(rows, vertices, generator=chance).softmax(-1)

    return {
        "v_template": torch.rand(vertices, 3, generator=chance), "shapedirs": torch.zeros(vertices, 3, 10),
        "posedirs": torch.zeros(207, 3 * vertices), "J_regressor": mean(24), "lbs_weights": mean(24).T.softmax(-1),
        "parents": torch.tensor([-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]),
        "J_regressor_wham": mean(31), "J_regressor_feet": mean(4), "faces_tensor": torch.zeros(1, 3),
    }  # fmt: skip


def state(parts: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    names = {name: tuple(value.shape) for name, value in WhamNetwork().state_dict().items()}
    return {name: drawn(name, shape) for name, shape in names.items()} | {f"smpl.{k}": v for k, v in parts.items()}


@pytest.fixture(scope="module")
def wham():
    return load_wham(state(body()), "cpu")


def given(people: int, frames: int = 6, features: bool = True) -> Given:
    chance = torch.Generator().manual_seed(1)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(people, *shape, generator=chance)

    return Given(
        some(frames, 37), some(frames, 17) > 1, some(88), some(24, 6), some(6), some(frames, 6),
        some(frames, 1024) if features else None,
    )  # fmt: skip


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference values are not here (../shared/parity)")
def test_it_computes_what_the_published_program_computes():
    """To 1e-4. The refined root's 6D has rows as short as 0.06 here, which makes sixteen times as much of its error
    when they are made a rotation; feet were recorded 460 m from the camera, where a float's last digit is 3e-5 m."""
    with np.load(REFERENCE) as file:
        want = {name: torch.as_tensor(file[name]) for name in file.files if not name.startswith("param")}
        names = set(file["param_names"].tolist())
    parts = {name: want[f"body_{name}"] for name in body() if f"body_{name}" in want}
    parts["lbs_weights"] = want["body_weights"]
    network, own = load_wham(state(parts), "cpu")
    assert set(network.state_dict()) == names
    first = (want[f"in_{name}"][:, 0] for name in ("init_kp", "init_smpl", "init_root"))
    with torch.inference_mode():
        said = network(Given(want["in_x"], want["in_mask"], *first, want["in_cam_angvel"], want["in_features"]))
        rolled = roll_out(network, own, said)
        camera = full_camera(said.camera, want["in_bbox"], want["in_cam_intrinsics"], want["in_res"][:, None])
    got = {
        "kp3d": said.joints, "pose": said.pose.flatten(2), "betas": said.betas, "cam": said.camera,
        "contact": said.contact, "poses_root_r6d": said.root, "vel_root": said.velocity,
        "poses_body": rolled.rotations[0, :, 1:], "feet": rolled.feet, "poses_root_r6d_refined": rolled.root_6d,
        "vel_root_refined": rolled.velocity, "trans_world": rolled.place, "trans_cam": camera[0],
    }  # fmt: skip
    errors = {name: float((value - want[f"out_{name}"]).abs().max()) for name, value in got.items()}
    assert max(errors.values()) < 1e-4, errors
    assert float((rolled.root - want["out_poses_root_world"]).abs().max()) < 6e-4


def test_people_in_one_batch_get_what_each_gets_alone(wham):
    network, own = wham
    both = given(2)
    with torch.inference_mode():
        together = roll_out(network, own, network(both))
        alone = roll_out(network, own, network(Given(*(part[1:] for part in both))))
    assert torch.allclose(together.place[1:], alone.place, atol=1e-4)
    assert torch.allclose(together.rotations[1:], alone.rotations, atol=1e-4)


def test_a_person_without_features_is_lifted_from_keypoints_alone(wham):
    network, _ = wham
    with_features = given(2)
    half = with_features._replace(features=with_features.features * torch.tensor([0.0, 1.0])[:, None, None])
    with torch.inference_mode():
        said, without = network(half), network(with_features._replace(features=None))
    assert torch.allclose(said.pose[0], without.pose[0], atol=1e-5)
    assert not torch.allclose(said.pose[1], without.pose[1], atol=1e-3)


def test_feet_in_contact_take_their_own_motion_out_of_the_root_s():
    """By hand: the root goes 0.1 m a frame along x, one resting foot goes 0.06 m back under it: 0.04 m of sliding."""
    root = torch.eye(3).expand(1, 3, 3, 3)
    velocity = torch.tensor([0.1, 0, 0]).expand(1, 3, 3)
    feet = torch.zeros(1, 3, 4, 3)
    feet[0, :, 2, 0] = torch.tensor([0.0, -0.06, -0.12])
    contact = torch.tensor([0.0, 0.4, 0.9, 0.0]).expand(1, 3, 4)
    corrected = held(feet, contact, root, velocity)
    assert torch.allclose(corrected[0, 0], torch.tensor([0.1, 0, 0]))
    assert torch.allclose(corrected[0, 1:, 0], torch.tensor([0.06, 0.06]), atol=1e-4)
    assert torch.equal(held(feet, contact * 0, root, velocity), velocity)


def test_six_numbers_are_a_rotation_s_first_two_rows():
    turn = torch.linalg.qr(torch.randn(5, 3, 3, generator=torch.Generator().manual_seed(0)))[0]
    turn = turn * torch.linalg.det(turn).sign()[:, None, None]
    assert torch.allclose(matrix_from_6d(turn[:, :2].flatten(1)), turn, atol=1e-6)


def test_half_a_checkpoint_is_named():
    whole = state(body())
    del whole["integrator.layer2.bias"]
    with pytest.raises(RecoverError, match=r"lacks integrator\.layer2\.bias"):
        load_wham(whole, "cpu")
    whole = state({name: part for name, part in body().items() if name != "J_regressor_feet"})
    with pytest.raises(RecoverError, match=r"lacks smpl\.J_regressor_feet"):
        load_wham(whole, "cpu")

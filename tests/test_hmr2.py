"""HMR2.0: the published network's numbers, a narrow one's behaviour, and what a wrong checkpoint gets."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from ghmr_engine.errors import RecoverError
from ghmr_engine.lift.hmr2 import features, load_hmr2, normalised
from ghmr_engine.lift.hmr2.network import Hmr2, Size, rotations_of

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "parity" / "hmr2_seed7.npz"
NARROW = Size(width=32, depth=2, heads=4, token=24, layers=2, token_heads=2, head_width=8, hidden=16)


def quiet(done):
    del done


def drawn(name: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """A parameter by the rule of the reference values: from its name alone."""
    value = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(shape)
    if len(shape) > 1:
        value /= np.sqrt(np.prod(shape[1:]))
    else:
        value = value * 0.05 + name.endswith("weight")
    return torch.as_tensor(value.astype(np.float32))


def drawn_state(size: Size, seed: int = 7) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        network = Hmr2(size)
    state = {name: drawn(name, tuple(value.shape), seed) for name, value in network.named_parameters()}
    mean = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(24)[None]
    return {
        **state,
        "smpl_head.init_body_pose": mean,
        "smpl_head.init_betas": torch.zeros(1, 10),
        "smpl_head.init_cam": torch.tensor([[0.9, 0.0, 0.0]]),
    }


@pytest.fixture(scope="module")
def narrow():
    return load_hmr2(drawn_state(NARROW), "cpu", NARROW)


@pytest.fixture
def crops():
    return np.random.default_rng(0).integers(0, 256, (5, 256, 256, 3), np.uint8)


@pytest.mark.slow
@pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference values are not here (../shared/parity)")
def test_it_computes_what_the_published_network_computes():
    with np.load(REFERENCE) as file:
        want = {name: file[name] for name in file.files}
    names = zip(want["param_names"].tolist(), want["param_shapes"].tolist(), strict=True)
    shapes = {str(name): _shape(shape) for name, shape in names}
    state = {name: drawn(name, shape, int(want["seed"])) for name, shape in shapes.items()}
    for name, key in (("init_body_pose", "mean_pose"), ("init_betas", "mean_shape"), ("init_cam", "mean_cam")):
        state[f"smpl_head.{name}"] = torch.as_tensor(want[key], dtype=torch.float32)[None]
    network = load_hmr2(state, "cpu")
    del state
    with torch.inference_mode():
        said = network(torch.as_tensor(want["in_x"], dtype=torch.float32))
    got = {
        "out_token": said.token, "out_global_orient": said.rotations[:, :1], "out_body_pose": said.rotations[:, 1:],
        "out_betas": said.betas, "out_cam": said.camera,
    }  # fmt: skip
    errors = {name: float(np.abs(value.numpy() - want[name]).max()) for name, value in got.items()}
    assert max(errors.values()) < 1e-4, errors


def _shape(said: str | list[int]) -> tuple[int, ...]:
    if isinstance(said, str):
        return tuple(int(part) for part in said.strip("()").split(",") if part.strip())
    return tuple(said)


def test_the_published_size_has_the_published_names_and_shapes():
    with torch.device("meta"):
        parameters = dict(Hmr2().named_parameters())
    assert len(parameters) == 500
    assert sum(value.numel() for value in parameters.values()) > 660_000_000
    shapes = {name: tuple(value.shape) for name, value in parameters.items()}
    assert shapes["backbone.blocks.31.attn.qkv.weight"] == (3840, 1280)
    assert shapes["smpl_head.transformer.transformer.layers.5.1.fn.to_kv.weight"] == (1024, 1280)
    assert shapes["smpl_head.transformer.transformer.layers.0.2.fn.net.3.weight"] == (1024, 1024)


def test_batches_do_not_change_the_answers(narrow, crops):
    together, apart = features(crops, narrow, quiet), features(crops, narrow, quiet, at_once=2)
    assert together.token.shape == (5, 24) and together.rotations.shape == (5, 24, 3, 3)
    for a, b in zip(together, apart, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_the_outer_columns_are_not_looked_at(narrow, crops):
    other = crops.copy()
    other[:, :, :32] = 0
    other[:, :, -32:] = 255
    torch.testing.assert_close(features(crops, narrow, quiet).token, features(other, narrow, quiet).token)
    other[:, :, 32] = 0
    assert (features(crops, narrow, quiet).token - features(other, narrow, quiet).token).abs().max() > 1e-6


def test_progress_is_told_of_every_batch(narrow, crops):
    said = []
    features(crops, narrow, said.append, at_once=2)
    assert said == [0.4, 0.8, 1.0]


def test_the_mean_picture_is_nothing_to_the_network():
    crop = torch.tensor([[[[0.485, 0.456, 0.406]]]]) * 255
    assert normalised(crop).abs().max() < 1e-6


def test_six_numbers_are_the_first_two_columns_of_a_rotation():
    turn = torch.linalg.qr(torch.randn(24, 3, 3, generator=torch.Generator().manual_seed(1)))[0]
    turn = turn * torch.linalg.det(turn)[:, None, None]
    pose = turn[:, :, :2].transpose(1, 2).reshape(1, 144)
    torch.testing.assert_close(rotations_of(3 * pose)[0], turn, atol=1e-5, rtol=0)


def test_what_training_left_in_the_file_is_passed_over():
    extra = {"discriminator.alpha": torch.zeros(3), "smpl.faces": torch.zeros(2, 3)}
    load_hmr2(drawn_state(NARROW) | extra, "cpu", NARROW)


def test_a_missing_part_is_named():
    state = drawn_state(NARROW)
    del state["smpl_head.decpose.bias"], state["backbone.last_norm.bias"]
    with pytest.raises(RecoverError, match=r"lacks backbone.last_norm.bias and 1 more"):
        load_hmr2(state, "cpu", NARROW)


def test_a_part_too_many_is_named():
    with pytest.raises(RecoverError, match=r"unexpected backbone.blocks.2.norm1.weight"):
        load_hmr2(drawn_state(NARROW) | {"backbone.blocks.2.norm1.weight": torch.zeros(32)}, "cpu", NARROW)


def test_a_part_of_another_shape_is_named():
    with pytest.raises(RecoverError, match=r"decshape.bias of 11, not 10"):
        load_hmr2(drawn_state(NARROW) | {"smpl_head.decshape.bias": torch.zeros(11)}, "cpu", NARROW)

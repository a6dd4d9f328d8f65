"""VPoser: the published names and sizes, rotations, batches, strict loading. No published numbers were at hand."""

from __future__ import annotations

import numpy as np
import pytest
import roma
import torch

from ghmr_engine.checkpoints import read_state, recognise
from ghmr_engine.errors import RecoverError
from ghmr_engine.refine.vposer import VPoser, load_vposer

PUBLISHED = {
    "encoder_net.1.weight": (63,),
    "encoder_net.1.bias": (63,),
    "encoder_net.1.running_mean": (63,),
    "encoder_net.1.running_var": (63,),
    "encoder_net.1.num_batches_tracked": (),
    "encoder_net.2.weight": (512, 63),
    "encoder_net.2.bias": (512,),
    "encoder_net.4.weight": (512,),
    "encoder_net.4.bias": (512,),
    "encoder_net.4.running_mean": (512,),
    "encoder_net.4.running_var": (512,),
    "encoder_net.4.num_batches_tracked": (),
    "encoder_net.6.weight": (512, 512),
    "encoder_net.6.bias": (512,),
    "encoder_net.7.weight": (512, 512),
    "encoder_net.7.bias": (512,),
    "encoder_net.8.mu.weight": (32, 512),
    "encoder_net.8.mu.bias": (32,),
    "encoder_net.8.logvar.weight": (32, 512),
    "encoder_net.8.logvar.bias": (32,),
    "decoder_net.0.weight": (512, 32),
    "decoder_net.0.bias": (512,),
    "decoder_net.3.weight": (512, 512),
    "decoder_net.3.bias": (512,),
    "decoder_net.5.weight": (126, 512),
    "decoder_net.5.bias": (126,),
}
"""As human_body_prior's program of version 2.0 makes them: 512 wide, 32 latents."""


def drawn() -> dict[str, torch.Tensor]:
    """A checkpoint's numbers by chance; variances are positive."""
    chance = torch.Generator().manual_seed(3)
    state = {name: torch.randn(shape, generator=chance) for name, shape in PUBLISHED.items()}
    for name, shape in PUBLISHED.items():
        if len(shape) == 2:
            state[name] /= np.sqrt(shape[1])
        if name.endswith("running_var"):
            state[name] = 0.5 + state[name].abs()
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
    return state


@pytest.fixture(scope="module")
def network() -> VPoser:
    return load_vposer(drawn())


def test_the_network_has_the_checkpoint_s_names_and_shapes():
    assert {name: tuple(value.shape) for name, value in VPoser().state_dict().items()} == PUBLISHED


@pytest.mark.parametrize("size", [0.0, 1.0, 10.0])
def test_any_latents_are_rotations(network, size):
    latents = size * torch.randn(50, 32, generator=torch.Generator().manual_seed(9))
    rotations = network.rotations(latents)
    assert rotations.shape == (len(latents), 21, 3, 3)
    assert torch.allclose(rotations @ rotations.mT, torch.eye(3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(rotations), torch.ones(()), atol=1e-5)
    assert torch.allclose(roma.rotvec_to_rotmat(network.decode(latents)), rotations, atol=1e-4)


def test_the_decoder_s_numbers_are_pairs_a_row(network):
    """Six numbers of a joint are three rows of two: the first column is every other number, made a unit vector."""
    numbers = drawn()
    latents = torch.randn(4, 32, generator=torch.Generator().manual_seed(1))
    hidden = latents
    for place in ("0", "3"):
        weight, bias = (numbers[f"decoder_net.{place}.{name}"] for name in ("weight", "bias"))
        hidden = hidden @ weight.T + bias
        hidden = torch.where(hidden > 0, hidden, 0.01 * hidden)
    said = (hidden @ numbers["decoder_net.5.weight"].T + numbers["decoder_net.5.bias"]).reshape(4, 21, 6)
    first = said[..., 0::2] / said[..., 0::2].norm(dim=-1, keepdim=True)
    rotations = network.rotations(latents)
    assert torch.allclose(rotations[..., 0], first, atol=1e-5)
    in_plane = torch.linalg.cross(rotations[..., 0], said[..., 1::2])
    assert torch.allclose(rotations[..., 2], in_plane / in_plane.norm(dim=-1, keepdim=True), atol=1e-4)


def test_the_encoder_is_what_its_layers_say_one_by_one(network):
    numbers = drawn()

    def linear(x, place):
        return numbers[f"encoder_net.{place}.weight"] @ x + numbers[f"encoder_net.{place}.bias"]

    def normed(x, place):
        mean, var, weight, bias = (
            numbers[f"encoder_net.{place}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias

    pose = 0.5 * torch.randn(3, 5, 21, 3, generator=torch.Generator().manual_seed(2))
    said = network.encode(pose)
    assert said.mean.shape == said.std.shape == (3, 5, 32)
    for person, frame in ((0, 0), (2, 4)):
        hidden = linear(normed(pose[person, frame].flatten(), 1), 2)
        hidden = linear(linear(normed(torch.where(hidden > 0, hidden, 0.01 * hidden), 4), 6), 7)
        assert torch.allclose(said.mean[person, frame], linear(hidden, "8.mu"), atol=1e-4)
        std = torch.log1p(torch.exp(linear(hidden, "8.logvar")))
        assert torch.allclose(said.std[person, frame], std, atol=1e-4)


def test_a_batch_is_a_plain_loop(network):
    latents = torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(6))
    pose = network.decode(latents)
    assert pose.shape == (2, 3, 21, 3)
    together = network.encode(pose)
    for person in range(2):
        for frame in range(3):
            one = network.decode(latents[person, frame][None])
            assert torch.allclose(pose[person, frame], one[0], atol=1e-4)
            alone = network.encode(pose[person, frame][None])
            assert torch.allclose(together.mean[person, frame], alone.mean[0], atol=1e-4)
            assert torch.allclose(together.std[person, frame], alone.std[0], atol=1e-4)


def test_gradients_reach_the_latents(network):
    latents = torch.zeros(1, 32, requires_grad=True)
    network.rotations(latents).sum().backward()
    assert torch.isfinite(latents.grad).all() and latents.grad.abs().max() > 0


def test_a_checkpoint_s_file_is_read_strictly(tmp_path, network):
    path, state = tmp_path / "V02_05_epoch=13_val_loss=0.03.ckpt", drawn()
    inside = {f"vp_model.{name}": value for name, value in state.items()} | {"bm_train.v_template": torch.zeros(5, 3)}
    torch.save({"epoch": 13, "state_dict": inside}, path)
    assert recognise(path) == "vposer"
    read = load_vposer(read_state(path))
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in read.state_dict().items())
    without = {name: value for name, value in state.items() if name != "encoder_net.8.mu.bias"}
    with pytest.raises(RecoverError, match=r"lacks encoder_net\.8\.mu\.bias\. ") as refused:
        load_vposer(without)
    assert "\n" not in refused.value.message
    with pytest.raises(RecoverError, match=r"decoder_net\.5\.weight of 126 x 256, not 126 x 512"):
        load_vposer({**state, "decoder_net.5.weight": torch.zeros(126, 256)})
    with pytest.raises(RecoverError, match="unexpected extra"):
        load_vposer({**state, "extra": torch.zeros(1)})

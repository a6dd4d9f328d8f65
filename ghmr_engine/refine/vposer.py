"""VPoser v2.0 (Pavlakos and others, CVPR 2019), from the user's own checkpoint: 32 numbers that stand for a pose.

Likely poses have likely numbers: N(0, 1) each. Names are those of the published file (human_body_prior, V02_05).
"""

from __future__ import annotations

from typing import NamedTuple

import roma
import torch
from torch import nn

from ghmr_engine.checkpoints import State, load_strictly

LATENT, BODY_JOINTS = 32, 21
WIDTH = 512
"""Of the published network's hidden layers."""
_DROPPED = 0.1
"""Share of hidden numbers that training leaves out, as published."""
_BESIDE = ("bm_train.",)
"""The body that it was trained with, left in the published file."""


class PoseLatents(NamedTuple):
    """What a pose may be in VPoser's numbers; they are independent of each other."""

    mean: torch.Tensor
    """(..., 32)."""
    std: torch.Tensor
    """(..., 32)."""


class VPoser(nn.Module):
    """Encoder and decoder. width: of the hidden layers; published: 512.

    In training, numbers are dropped and batch norms look at the batch; load_vposer sets these to what training left.
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        # The published numbers count parts without parameters too: flattening, activations and dropout.
        self.encoder_net = nn.ModuleDict({
            "1": nn.BatchNorm1d(3 * BODY_JOINTS),
            "2": nn.Linear(3 * BODY_JOINTS, width),
            "4": nn.BatchNorm1d(width),
            "6": nn.Linear(width, width),
            "7": nn.Linear(width, width),
            "8": nn.ModuleDict({"mu": nn.Linear(width, LATENT), "logvar": nn.Linear(width, LATENT)}),
        })  # fmt: skip
        self.decoder_net = nn.ModuleDict({
            "0": nn.Linear(LATENT, width),
            "3": nn.Linear(width, width),
            "5": nn.Linear(width, 6 * BODY_JOINTS),
        })  # fmt: skip

    def encode(self, pose: torch.Tensor) -> PoseLatents:
        """pose (..., 21, 3) rotation vectors, SMPL's without root and hands; one dimension in front or more.

        `logvar` is the published name, but a softplus makes its numbers the standard deviation.
        """
        net, front = self.encoder_net, pose.shape[:-2]
        hidden = net["2"](net["1"](pose.reshape(-1, 3 * BODY_JOINTS)))
        hidden = self._dropped(net["4"](nn.functional.leaky_relu(hidden)))
        hidden = net["7"](net["6"](hidden))
        said = net["8"]["mu"](hidden), nn.functional.softplus(net["8"]["logvar"](hidden))
        return PoseLatents(*(part.unflatten(0, front) for part in said))

    def rotations(self, latents: torch.Tensor) -> torch.Tensor:
        """(..., 21, 3, 3) of latents (..., 32), from two columns a joint by Gram and Schmidt (Zhou and others 2019)."""
        net = self.decoder_net
        hidden = self._dropped(nn.functional.leaky_relu(net["0"](latents)))
        columns = net["5"](nn.functional.leaky_relu(net["3"](hidden)))
        return roma.special_gramschmidt(columns.unflatten(-1, (BODY_JOINTS, 3, 2)), epsilon=1e-12)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """(..., 21, 3) rotation vectors of latents (..., 32)."""
        return roma.rotmat_to_rotvec(self.rotations(latents))

    def _dropped(self, hidden: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(hidden, _DROPPED, self.training)


def load_vposer(state: State) -> VPoser:
    """The network with a checkpoint's numbers (checkpoints.read_state), on the CPU, ready to be used.

    Raises RecoverError where any number is missing, left over or of another shape.
    """
    network = VPoser()
    load_strictly(network, state, "VPoser", beside=_BESIDE)
    return network.eval().requires_grad_(False)

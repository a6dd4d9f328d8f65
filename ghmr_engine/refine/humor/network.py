"""HuMoR's network (Rempe and others, ICCV 2021) under its checkpoint's own names: what comes 1/30 s after a state.

Every state here is in the local frame of the past one (state.local_frame). The decoder says changes: what is added, and
rotations that are put in front of the past ones.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import roma
import torch
from torch import nn

from ghmr_engine.refine.humor.state import BODY_JOINTS, JOINTS, STATE, MotionState

LATENT = 48
CONTACT_JOINTS = (0, 4, 5, 7, 8, 10, 11, 20, 21)
"""SMPL's joints whose resting is told: pelvis, and left and right knee, ankle, foot and wrist."""
_CHANGES = (3, 3, 3, 3, 3 * BODY_JOINTS, 3 * JOINTS, 3 * JOINTS, len(CONTACT_JOINTS))
"""What the decoder says: changes in a state's order, rotations as rotation vectors, and then contacts."""
WIDTH = 1024
"""Of the published network's hidden layers."""
_GROUPS = 16


class Gaussian(NamedTuple):
    """A distribution of latents; its numbers are independent of each other."""

    mean: torch.Tensor
    """(..., 48)."""
    var: torch.Tensor
    """(..., 48)."""

    def negative_log_likelihood(self, latents: torch.Tensor) -> torch.Tensor:
        """(...): - log N(z; mu, sigma), summed over the 48 numbers. latents (..., 48)."""
        apart = (latents - self.mean).square() / self.var
        return (apart + self.var.log() + math.log(2 * math.pi)).sum(-1) / 2


class Next(NamedTuple):
    """The frame after a state."""

    state: MotionState
    contacts: torch.Tensor
    """(..., 9) log odds (a sigmoid makes probabilities) that a joint of CONTACT_JOINTS rests."""


class Mlp(nn.Module):
    """Linear layers, with group norm and ReLU between. Each but the first also reads the input's last `repeated`."""

    def __init__(self, sizes: tuple[int, ...], repeated: int = 0) -> None:
        super().__init__()
        self.repeated = repeated
        # The published numbers count the ReLUs, which have no parameters.
        layers: dict[str, nn.Module] = {"0": nn.Linear(sizes[0], sizes[1])}
        for place, (inner, outer) in enumerate(pairwise(sizes[1:])):
            layers[f"{3 * place + 1}"] = nn.GroupNorm(_GROUPS, inner)
            layers[f"{3 * place + 3}"] = nn.Linear(inner + repeated, outer)
        self.net = nn.ModuleDict(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., sizes[0]) -> (..., sizes[-1]), with one dimension in front or more."""
        first, *between = self.net.values()
        rows = x.flatten(0, -2)
        again, rows = rows[:, rows.shape[1] - self.repeated :], first(rows)
        for norm, linear in zip(between[::2], between[1::2], strict=True):
            rows = linear(torch.cat([norm(rows).relu(), again], -1))
        return rows.unflatten(0, x.shape[:-1])


class HumorNetwork(nn.Module):
    """The conditional variational autoencoder of the paper's section 3: prior, encoder and decoder.

    width: of the hidden layers, a multiple of 32; published: 1024.
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        hidden = (width,) * 4
        self.encoder = Mlp((2 * STATE, *hidden, 2 * LATENT))
        self.decoder = Mlp((STATE + LATENT, width, width, width // 2, sum(_CHANGES)), repeated=LATENT)
        self.prior_net = Mlp((STATE, *hidden, 2 * LATENT))

    def prior(self, past: MotionState) -> Gaussian:
        """Which latents are likely after a state."""
        return _gaussian(self.prior_net(past.packed()))

    def posterior(self, past: MotionState, now: MotionState) -> Gaussian:
        """Which latents lead from one state to the next, both in the past one's frame."""
        return _gaussian(self.encoder(torch.cat([past.packed(), now.packed()], -1)))

    def decode(self, latents: torch.Tensor, past: MotionState) -> Next:
        """The state that a latent (..., 48) leads to, still in the past one's frame."""
        said = self.decoder(torch.cat([past.packed(), latents], -1)).split(_CHANGES, -1)
        transl, velocity, root, turning, pose, joints, joint_velocities, contacts = said
        state = MotionState(
            transl=past.transl + transl, velocity=past.velocity + velocity,
            root=roma.rotvec_to_rotmat(root) @ past.root, turning=past.turning + turning,
            pose=roma.rotvec_to_rotmat(pose.unflatten(-1, (BODY_JOINTS, 3))) @ past.pose,
            joints=past.joints + joints.unflatten(-1, (JOINTS, 3)),
            joint_velocities=past.joint_velocities + joint_velocities.unflatten(-1, (JOINTS, 3)),
        )  # fmt: skip
        return Next(state, contacts)


def _gaussian(numbers: torch.Tensor) -> Gaussian:
    mean, log_var = numbers.chunk(2, -1)
    return Gaussian(mean, log_var.exp())

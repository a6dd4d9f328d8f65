"""Energies of the priors: how unlikely a motion's steps and a body's poses are."""

from __future__ import annotations

from typing import NamedTuple

import roma
import torch

from ghmr_engine.refine.humor import explained, inferred, likelihood
from ghmr_engine.refine.humor.network import CONTACT_JOINTS, HumorNetwork
from ghmr_engine.refine.humor.state import FPS, moving
from ghmr_engine.refine.vposer import VPoser

SHORTEST_S = 2 / FPS
"""A motion spans at least two of the network's steps: one has no velocity that is not itself the step."""


class Steps(NamedTuple):
    """What a motion prior says of each of a motion's M steps, whatever motion's rate; a step lasts 1/30 s."""

    energy: torch.Tensor
    """(M,): - log N(z; mu, sigma) of the step's latent, in nats: 48 latents as they should be come to about 40."""
    residual: torch.Tensor
    """(M,) m^2: mean over the 22 joints of the squared distance to where the latent leads."""
    sliding: torch.Tensor
    """(M,) m^2/s^2: sum over network.CONTACT_JOINTS of p |v|^2, p the decoder's probability that the joint rests, v its
    velocity over the step (HuMoR's contact velocity, Rempe and others 2021, section 4.2, on the motion itself)."""


def transitions(
    network: HumorNetwork, transl: torch.Tensor, root: torch.Tensor, pose: torch.Tensor, joints: torch.Tensor,
    fps: float = FPS,
) -> torch.Tensor:  # fmt: skip
    """(M,): how unlikely each step of one person's motion is, in nats; the motion's N frames lie 1/fps s apart.

    The energy of HuMoR's prior (Rempe and others 2021, eq. 9), - log N(z_t; mu(x_t), sigma(x_t)), at the mean of the
    posterior, z_t = E[q(z | x_t, x_t+1)], which takes the place of their free latents: nothing but the motion is left
    to be solved for. See `steps`, which also says how far the latents lead from the motion.
    """
    return likelihoods(network, transl, root, pose, joints, fps)[0]


def likelihoods(
    network: HumorNetwork, transl: torch.Tensor, root: torch.Tensor, pose: torch.Tensor, joints: torch.Tensor,
    fps: float = FPS,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """transitions' (M,), and (M, 48) the standardised latents (z - mu) / sigma, whose squares it is made of, beside
    log sigma."""
    energies, off = [], []
    for part in _at_rate(transl, root, pose, joints, fps):
        posterior, prior = likelihood(network, moving(*(each[None] for each in part)))
        energies.append(prior.negative_log_likelihood(posterior.mean)[0])
        off.append(((posterior.mean - prior.mean) / prior.var.sqrt())[0])
    return torch.cat(energies), torch.cat(off)


def steps(
    network: HumorNetwork, transl: torch.Tensor, root: torch.Tensor, pose: torch.Tensor, joints: torch.Tensor,
    fps: float = FPS,
) -> Steps:  # fmt: skip
    """All that the amortised prior says; differentiable in all four.

    transl (N, 3) m, SMPL's; root (N, 3, 3) body to world; pose (N, 21, 3, 3), SMPL's without root and hands; joints
    (N, 22, 3) m, SMPL's without the hands; the world has z up and the ground at z = 0.

    The network knows steps of 1/30 s, and a fall at another rate would be another fall: a motion is looked at every
    1/30 s, between its frames along the chord where it has none there. One of k = round(fps / 30) times as many frames
    is looked at k times, beginning 1/(30 k) s later each time, so that every frame counts; the parts lie one after
    another. At 30 frames a second M = N - 1, at 60 M = N - 2; the mean over M means the same at any rate.

    Raises ValueError where the motion lasts less than SHORTEST_S from its first frame to its last.
    """
    said = [_steps(network, *each) for each in _at_rate(transl, root, pose, joints, fps)]
    return Steps(*map(torch.cat, zip(*said, strict=True)))


def pose_latents(network: VPoser, pose: torch.Tensor) -> torch.Tensor:
    """(N,): |z|^2 of poses (N, 21, 3, 3), SMPL's without root and hands, z = E[q(z | pose)].

    VPoser's prior is N(0, 1) on each of 32 latents (Pavlakos and others 2019, section 3.3), and - log N(z) is half of
    this plus a constant.
    """
    return network.encode(roma.rotmat_to_rotvec(pose)).mean.square().sum(-1)


def _steps(
    network: HumorNetwork, transl: torch.Tensor, root: torch.Tensor, pose: torch.Tensor, joints: torch.Tensor
) -> Steps:
    motion = moving(transl[None], root[None], pose[None], joints[None])
    said = explained(network, motion, inferred(network, motion).mean)
    apart = said.states.joints - motion.joints[:, 1:]
    velocity = motion.joints[..., list(CONTACT_JOINTS), :].diff(dim=1) * FPS
    sliding = (said.contacts.sigmoid() * velocity.square().sum(-1)).sum(-1)
    return Steps(said.energy[0], apart.square().sum(-1).mean(-1)[0], sliding[0])


def _at_rate(
    transl: torch.Tensor, root: torch.Tensor, pose: torch.Tensor, joints: torch.Tensor, fps: float
) -> list[tuple[torch.Tensor, ...]]:
    """The motion at FPS, once for each of the k times that it is looked at."""
    count, stride = len(transl), fps / FPS
    if (count - 1) / fps < SHORTEST_S - 1e-6:
        raise ValueError(f"a motion of {count} frames at {fps} a second is shorter than {SHORTEST_S:.3f} s")
    phases, parts = max(round(stride), 1), []
    for phase in range(phases):
        at = phase * stride / phases + stride * torch.arange(int(count / stride) + 1, dtype=torch.float64)
        at = at.round(decimals=4)  # a frame's own place is that frame, whatever the rounding of fps / 30
        at = at[at <= count - 1]
        if len(at) < 2:
            continue
        before = at.long().clamp(max=count - 2)
        share = (at - before).to(transl)
        parts.append((
            _between(transl, before, share), _turned(root, before, share),
            _turned(pose, before, share), _between(joints, before, share),
        ))  # fmt: skip
    return parts


def _between(values: torch.Tensor, before: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    return torch.lerp(values[before], values[before + 1], share.reshape(-1, *(1,) * (values.ndim - 1)))


def _turned(rotations: torch.Tensor, before: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Rotations between two: along the chord, and made rotations again by Gram and Schmidt."""
    return roma.special_gramschmidt(_between(rotations, before, share)[..., :2])

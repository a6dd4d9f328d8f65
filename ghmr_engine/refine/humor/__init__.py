"""HuMoR (Rempe and others, ICCV 2021), from the user's own checkpoint: how likely a motion is, and what comes next.

`roll_out` goes frame by frame, each from what was said of the one before; `explained` looks at all frames of a motion
at once, each from the motion's own frame before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ghmr_engine.checkpoints import State, load_strictly
from ghmr_engine.refine.humor.network import Gaussian, HumorNetwork
from ghmr_engine.refine.humor.state import LocalFrame, MotionState, local_frame, pivot_of


@dataclass(frozen=True)
class RollOut:
    """What follows a first state: N people over K frames, in the world."""

    states: MotionState
    """(N, K, ...)."""
    contacts: torch.Tensor
    """(N, K, 9) log odds that a joint of network.CONTACT_JOINTS rests."""
    prior: Gaussian
    """(N, K, 48) of the latents that led to each frame."""


@dataclass(frozen=True)
class Explained:
    """A motion of N people over T frames, step by step: frame t of these T - 1 speaks of the motion's frame t + 1."""

    prior: Gaussian
    """(N, T - 1, 48) of the latents, from the motion's frame t."""
    energy: torch.Tensor
    """(N, T - 1): - log N(z; mu, sigma) of each step's latent."""
    states: MotionState
    """(N, T - 1, ...) in the world: where the latents lead from the motion's frames; the motion itself if all fits."""
    contacts: torch.Tensor
    """(N, T - 1, 9) log odds, as RollOut's."""


def load_humor(state: State) -> HumorNetwork:
    """The network with a checkpoint's numbers (checkpoints.read_state), on the CPU, ready to be used.

    Raises RecoverError where any number is missing, left over or of another shape.
    """
    network = HumorNetwork()
    load_strictly(network, state, "HuMoR")
    return network.eval().requires_grad_(False)


def roll_out(network: HumorNetwork, first: MotionState, latents: torch.Tensor) -> RollOut:
    """The frames after first (N, ...), one for each of latents (N, K, 48). The joints are the network's own."""
    state, pivot, steps = first, pivot_of(first), []
    for latent in latents.unbind(1):
        frame = local_frame(state, pivot)
        past = frame.into(state)
        said = network.decode(latent, past)
        state = frame.out_of(said.state)
        steps.append((state.packed(), said.contacts, *network.prior(past)))
    states, contacts, mean, var = (torch.stack(part, 1) for part in zip(*steps, strict=True))
    return RollOut(MotionState.unpacked(states), contacts, Gaussian(mean, var))


def inferred(network: HumorNetwork, motion: MotionState) -> Gaussian:
    """(N, T - 1, 48): which latents lead from each frame of a motion (N, T, ...) to its next one."""
    return likelihood(network, motion)[0]


def likelihood(network: HumorNetwork, motion: MotionState) -> tuple[Gaussian, Gaussian]:
    """(N, T - 1, 48) each: `inferred`, and what the prior expects of the latents, at every step of (N, T, ...)."""
    frames, past = _pasts(motion)
    return network.posterior(past, frames.into(motion.each(lambda value: value[:, 1:]))), network.prior(past)


def explained(network: HumorNetwork, motion: MotionState, latents: torch.Tensor) -> Explained:
    """How likely latents (N, T - 1, 48) are, and where they lead, at every step of a motion (N, T, ...) at once.

    What roll_out does frame by frame; the two are the same where the motion is where its own latents lead.
    """
    frames, past = _pasts(motion)
    said, prior = network.decode(latents, past), network.prior(past)
    return Explained(prior, prior.negative_log_likelihood(latents), frames.out_of(said.state), said.contacts)


def _pasts(motion: MotionState) -> tuple[LocalFrame, MotionState]:
    """All frames of a motion but the last: the frame of each, and it in that frame."""
    past = motion.each(lambda value: value[:, :-1])
    pivot = pivot_of(motion)[:, :1].expand_as(past.transl)  # published: the first frame's, for the whole motion
    frames = local_frame(past, pivot)
    return frames, frames.into(past)

"""What training the priors lowers: HuMoR's loss (Rempe and others 2021) and VPoser's (Pavlakos and others 2019)."""

from __future__ import annotations

import roma
import torch
from torch.nn import functional

from ghmr_engine.body.smpl import Body
from ghmr_engine.refine.humor.network import CONTACT_JOINTS, Gaussian, HumorNetwork, Next
from ghmr_engine.refine.humor.state import LocalFrame, MotionState, local_frame, pivot_of
from ghmr_engine.refine.vposer import PoseLatents, VPoser
from ghmr_engine.train.loop import Losses
from ghmr_engine.train.prior_batches import Motions, posed_joints

KL_WEIGHT = 4e-4
"""HuMoR's, at its highest."""
_WEIGHTS = {
    "transl": 100.0, "joints": 100.0, "kinematics": 100.0, "consistency": 100.0, "root": 10.0, "pose": 10.0,
    "contacts": 0.2, "still": 0.01,
}  # fmt: skip
"""Velocities have 1, what should be still has HuMoR's. HuMoR has 0.01 for contacts, 1 for the rest, and far longer
training: at 1 a centimetre counts for nothing beside the tenth of a metre a second that goes with it, and after
1000 batches the next frame's joints were 14 mm off, where straight on leads to 2.4 mm; at 0.01, contacts
were hardly better than their shares."""
_ROLLED = 2
"""Passes in which the network's own frames take the place of true ones: so many frames long are its roll-outs."""
POSE_KL_WEIGHT = 5e-3
"""VPoser's."""
_TURNS, _JOINTS = 2.0, 4.0
"""VPoser's weights of rotations, and of places: joints here, where the published one has vertices."""


def motion_losses(
    network: HumorNetwork, motions: Motions, body: Body, kl_weight: float, own_share: float
) -> Losses:  # fmt: skip
    """HuMoR's loss, summed with its weights, and the parts.

    Reconstruction of the next state, mean squares of each of its seven parts; KL of the encoder's from the prior's
    latents; cross entropy of contacts, and speed of what rests; joints by the body's kinematics from the said rotations
    against the true and the said joints. own_share: of the past frames those that are the network's own (scheduled
    sampling; in all frames at once, as Mihaylova and Martins 2019 do, so without a gradient through the frames before).
    """
    states = motions.states
    past = states.each(lambda value: value[:, :-1])
    if own_share:
        with torch.no_grad():
            past = _own_pasts(network, states, own_share)
    _, past, now = _seen_from(past, states)
    posterior, prior = network.posterior(past, now), network.prior(past)
    said = network.decode(_drawn(posterior), past)
    parts = {
        **_apart(said.state, now), "kl": kl(posterior, prior).mean(),
        **_contact_parts(said, motions.contacts[:, 1:]), **_kinematic_parts(said, now, motions.rest, body),
    }  # fmt: skip
    weights = {**_WEIGHTS, "kl": kl_weight}
    return sum(weights.get(name, 1.0) * part for name, part in parts.items()), parts


def kl(one: Gaussian, other: Gaussian) -> torch.Tensor:
    """(...): how far the first is from the second, in nats, summed over the latents."""
    apart = (one.var + (one.mean - other.mean).square()) / other.var
    return (other.var.log() - one.var.log() + apart - 1).sum(-1) / 2


def pose_losses(network: VPoser, pose: torch.Tensor, body: Body) -> Losses:
    """VPoser's loss of poses (B, 21, 3, 3), summed with its weights, and the parts: rotations in radians, joints about
    the pelvis in metres, KL from N(0, 1)."""
    latents = network.encode(roma.rotmat_to_rotvec(pose))
    said = network.rotations(latents.mean + latents.std * torch.randn_like(latents.std))
    parts = {**pose_parts(said, pose, body), "kl": _kl_from_normal(latents).mean()}
    return _TURNS * parts["turns"] + _JOINTS * parts["joints"] + POSE_KL_WEIGHT * parts["kl"], parts


def pose_parts(said: torch.Tensor, pose: torch.Tensor, body: Body) -> dict[str, torch.Tensor]:
    """turns: mean angle in rad between poses (B, 21, 3, 3); joints: mean distance in m about the pelvis."""
    rest = body.joints_template[None]
    got, wanted = (_about_pelvis(each, rest, body) for each in (said, pose))
    # The arc cosine is steep where poses are equal; this is the same angle to second order, and smooth.
    chord = (said - pose).square().sum((-1, -2)).add(1e-8).sqrt() / 2**0.5
    return {"turns": chord.mean(), "joints": (got - wanted).square().sum(-1).add(1e-8).sqrt().mean()}


def _about_pelvis(pose: torch.Tensor, rest: torch.Tensor, body: Body) -> torch.Tensor:
    still = torch.eye(3).to(pose).expand(len(pose), 1, 3, 3)
    rotations = torch.cat([still, pose, still, still], 1)[:, None]
    rest = rest.expand(len(pose), -1, -1)
    return posed_joints(body, rotations, torch.zeros(len(pose), 1, 3).to(pose), rest)[:, 0]


def _seen_from(past: MotionState, states: MotionState) -> tuple[LocalFrame, MotionState, MotionState]:
    """The frame of each past (B, F - 1, ...), it and the next of the states (B, F, ...) in that frame."""
    frames = local_frame(past, pivot_of(states)[:, :1].expand_as(past.transl))
    return frames, frames.into(past), frames.into(states.each(lambda value: value[:, 1:]))


def _own_pasts(network: HumorNetwork, states: MotionState, own_share: float) -> MotionState:
    """All frames but the last, a share of them as the network says that they come out of what was before."""
    true = states.packed()[:, :-1]
    mixed = true
    for _ in range(_ROLLED):
        frames, past, now = _seen_from(MotionState.unpacked(mixed), states)
        said = frames.out_of(network.decode(_drawn(network.posterior(past, now)), past).state).packed()
        own = torch.cat([true[:, :1], said[:, :-1]], 1)
        mixed = torch.where(torch.rand(true.shape[:2], device=true.device)[..., None] < own_share, own, true)
    return MotionState.unpacked(mixed)


def _drawn(latents: Gaussian) -> torch.Tensor:
    return latents.mean + latents.var.sqrt() * torch.randn_like(latents.mean)


def _apart(said: MotionState, now: MotionState) -> dict[str, torch.Tensor]:
    return {name: (getattr(said, name) - getattr(now, name)).square().mean() for name in MotionState.__annotations__}


def _contact_parts(said: Next, contacts: torch.Tensor) -> dict[str, torch.Tensor]:
    speed = said.state.joint_velocities[..., list(CONTACT_JOINTS), :].square().sum(-1)
    return {
        "contacts": functional.binary_cross_entropy_with_logits(said.contacts, contacts),
        "still": (said.contacts.sigmoid() * speed).mean(),
    }


def _kinematic_parts(said: Next, now: MotionState, rest: torch.Tensor, body: Body) -> dict[str, torch.Tensor]:
    """Joints of the said rotations, from the true ones and from those that the network says beside them."""
    state = said.state
    hands = torch.eye(3).to(state.root).expand(*state.root.shape[:2], 2, 3, 3)
    joints = posed_joints(body, torch.cat([state.root[:, :, None], state.pose, hands], 2), state.transl, rest)
    return {
        "kinematics": (joints - now.joints).square().mean(),
        "consistency": (joints - state.joints).square().mean(),
    }


def _kl_from_normal(latents: PoseLatents) -> torch.Tensor:
    return (latents.mean.square() + latents.std.square() - 1 - 2 * latents.std.log()).sum(-1) / 2

"""What the priors are trained on, whole batches at once: parts of recordings as HuMoR sees them, and single poses."""

from __future__ import annotations

from typing import NamedTuple

import roma
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, mirror_order
from ghmr_engine.body.smpl import Body
from ghmr_engine.refine.humor.network import CONTACT_JOINTS
from ghmr_engine.refine.humor.state import BODY_JOINTS, JOINTS, MotionState, moving
from ghmr_engine.train.corpus import Corpus
from ghmr_engine.train.windows import motions, relative_height, shapes

_FASTEST = 1.1
"""Times faster or slower that a motion is played: more than that, and falling bodies would fall wrongly."""
_BENT, _BENT_RIGID = 0.04, 0.1
"""Radians (deviation about each axis) by which joints are bent for good. Captures know knees as hinges, and no toes or
collars at all: a prior that never saw them move would take every other body model's pose for impossible."""
_RIGID = ("foot", "collar")
_RESTS_MPS = 0.15
"""A joint slower than this rests if it is low, as HuMoR labels it (half a centimetre a frame)."""
_LOW_M = {"pelvis": 0.15, "knee": 0.12, "wrist": 0.08}
"""How near the ground a joint lies that rests on it: flesh and hands are between."""
_HEEL_OF, _TOE_OF = {"left_ankle": 0, "right_ankle": 2}, {"left_foot": 1, "right_foot": 3}
_MIRROR = list(mirror_order(JOINT_NAMES))
_X = torch.tensor([-1.0, 1.0, 1.0])
_FEET_MIRRORED = [2, 3, 0, 1]


class Motions(NamedTuple):
    """B parts of recordings over F frames."""

    states: MotionState
    """(B, F, ...) in the world."""
    contacts: torch.Tensor
    """(B, F, 9) 0 or 1: joints of network.CONTACT_JOINTS that rest."""
    rest: torch.Tensor
    """(B, 24, 3) m: joints of each body's rest pose."""

    def to(self, device: str) -> Motions:
        """The same on another device."""
        return Motions(self.states.each(lambda x: x.to(device)), self.contacts.to(device), self.rest.to(device))


def draw_motions(corpus: Corpus, body: Body, count: int, frames: int, chance: torch.Generator) -> Motions:
    """Parts of recordings at 30 frames a second: any heading, half of them mirrored, any body shape."""
    rotations, pelvis, contacts, _ = motions(corpus, count, frames + 2, _FASTEST, chance)
    rotations = rotations @ _bends(count, chance)[:, None]
    flip = torch.rand(count, generator=chance) < 0.5
    rotations, pelvis, contacts = (
        torch.where(flip.reshape(-1, *(1,) * (a.ndim - 1)), b, a)
        for a, b in zip((rotations, pelvis, contacts), mirrored(rotations, pelvis, contacts), strict=True)
    )
    betas = shapes(count, chance)
    return states_of(rotations, pelvis * relative_height(body, betas)[:, None, None], contacts, betas, body)


def states_of(
    rotations: torch.Tensor, pelvis: torch.Tensor, contacts: torch.Tensor, betas: torch.Tensor, body: Body
) -> Motions:
    """Motions at 30 frames a second as HuMoR sees them, but for both end frames, whose velocities are one-sided.

    rotations (B, F + 2, 24, 3, 3), pelvis (B, F + 2, 3) m, contacts (B, F + 2, 4), betas (B, 10).
    """
    rest = body.rest_joints(betas)
    transl = pelvis - rest[:, None, 0]
    joints = posed_joints(body, rotations, transl, rest)
    states = moving(transl, rotations[:, :, 0], rotations[:, :, 1 : BODY_JOINTS + 1], joints)
    inside = states.each(lambda values: values[:, 1:-1])
    return Motions(inside, resting(inside, contacts[:, 1:-1]), rest)


def draw_poses(corpus: Corpus, count: int, chance: torch.Generator) -> torch.Tensor:
    """(count, 21, 3, 3) poses of single frames, without root and hands; half of them mirrored."""
    rotations, pelvis, contacts, _ = motions(corpus, count, 1, _FASTEST, chance)
    rotations = rotations @ _bends(count, chance)[:, None]
    flip = (torch.rand(count, generator=chance) < 0.5).reshape(-1, 1, 1, 1, 1)
    rotations = torch.where(flip, mirrored(rotations, pelvis, contacts)[0], rotations)
    return rotations[:, 0, 1 : BODY_JOINTS + 1]


def mirrored(
    rotations: torch.Tensor, pelvis: torch.Tensor, contacts: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rotations (..., 24, 3, 3), pelvis (..., 3), contacts (..., 4) as the world's mirror x = 0 shows them."""
    return rotations[..., _MIRROR, :, :] * (_X[:, None] * _X), pelvis * _X, contacts[..., _FEET_MIRRORED]


def posed_joints(body: Body, rotations: torch.Tensor, transl: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """(B, F, 22, 3) m: forward kinematics. rotations (B, F, 24, 3, 3), transl (B, F, 3) m, rest (B, 24, 3) m."""
    count, frames = rotations.shape[:2]
    each = rest[:, None].expand(-1, frames, -1, -1).flatten(0, 1)
    places = body.chain(rotations.flatten(0, 1), each)[1].unflatten(0, (count, frames))
    return places[:, :, :JOINTS] + transl[:, :, None]


def resting(states: MotionState, feet: torch.Tensor) -> torch.Tensor:
    """(B, F, 9) 0 or 1: ankles and feet as heels and toes of `feet` (B, F, 4), all else where it is slow and low."""
    labels = []
    for joint in CONTACT_JOINTS:
        name = JOINT_NAMES[joint]
        place = {**_HEEL_OF, **_TOE_OF}.get(name)
        if place is not None:
            labels.append(feet[..., place])
            continue
        slow = states.joint_velocities[..., joint, :].norm(dim=-1) < _RESTS_MPS
        labels.append((slow & (states.joints[..., joint, 2] < _LOW_M[name.split("_")[-1]])).float())
    return torch.stack(labels, -1)


def _bends(count: int, chance: torch.Generator) -> torch.Tensor:
    """(count, 24, 3, 3) small turns of all joints but the root."""
    size = torch.tensor([_BENT_RIGID if name.endswith(_RIGID) else _BENT for name in JOINT_NAMES])
    size[0] = 0
    return roma.rotvec_to_rotmat(torch.randn(count, 24, 3, generator=chance) * size[:, None])

"""What training lowers: how far a lifted window is from the truth, in parts, each in a unit of its own, weighed."""

from __future__ import annotations

import torch

from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.lift.features import Inputs, place_of, placed
from ghmr_engine.lift.network import FPS, Lifted
from ghmr_engine.train.windows import Truth

WEIGHTS = {
    "rotation": 1.0, "joints": 6.0, "spread": 0.05, "steady": 0.4, "picture": 2.0, "place": 2.0, "betas": 0.02,
    "up": 1.0, "velocity": 0.4, "contacts": 0.4, "rest": 1.0,
}  # fmt: skip
"""A tenth of a radian, a few centimetres, or a fifth of a contact's doubt cost about the same."""
_LIMBS = torch.ones(24)
_LIMBS[[4, 5, 7, 8, 10, 11, 18, 19, 20, 21]] = 1.5


def losses(lifted: Lifted, inputs: Inputs, true: Truth, body: Body) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The weighted sum, and each part before it is weighted."""
    root = inputs.turn.transpose(-1, -2) @ true.rotations[:, :, 0]
    rotations = torch.cat([root[:, :, None], true.rotations[:, :, 1:22]], 2)
    with torch.no_grad():
        wanted = pose(rotations, true.betas, body)
        pelvis = (inputs.turn.transpose(-1, -2) @ true.pelvis[..., None])[..., 0]
        place = placed(pelvis, inputs.size)
    got = pose(lifted.rotations, lifted.betas, body)
    there = inputs.there.float()

    def mean(values: torch.Tensor) -> torch.Tensor:
        """Over frames that exist; values (B, F, ...)."""
        each = values.flatten(2).mean(-1) if values.ndim > 2 else values
        return (each * there).sum() / there.sum().clamp(min=1)

    apart = (got.joints - wanted.joints).norm(dim=-1)
    both = there[:, 1:] * there[:, :-1]
    moved = (got.joints.diff(dim=1) - wanted.joints.diff(dim=1)).norm(dim=-1).mean(-1) * FPS
    up = (inputs.turn.transpose(-1, -2) @ true.up[..., None])[..., 0]
    # Where the soles' points truly rest they rest in the lifted motion too, seen from the pelvis as it truly moved.
    rests = true.contacts[:, 1:] * true.contacts[:, :-1] * both[..., None]
    slid = (got.contacts.diff(dim=1) - wanted.contacts.diff(dim=1)).norm(dim=-1) * FPS
    parts = {
        "rotation": mean((lifted.rotations - rotations).square().sum((-1, -2)).add(1e-6).sqrt()),
        "joints": mean(apart * _LIMBS) + 0.5 * mean((got.contacts - wanted.contacts).norm(dim=-1)),
        "spread": mean(apart.detach() / lifted.spread.exp() + lifted.spread),
        "steady": (moved * both).sum() / both.sum().clamp(min=1),
        "picture": mean(_in_picture(got, lifted, inputs, wanted, pelvis)),
        "place": mean((lifted.place - place).abs() * place.new_tensor([2.0, 2.0, 1.0])),
        "betas": (lifted.betas - true.betas).square().mean(),
        "up": mean((lifted.up - up).norm(dim=-1)),
        "velocity": mean((lifted.velocity - true.velocity).norm(dim=-1)),
        "contacts": mean(
            torch.nn.functional.binary_cross_entropy_with_logits(lifted.contacts, true.contacts, reduction="none")
        ),
        "rest": (slid * rests).sum() / rests.sum().clamp(min=1),
    }
    return sum(WEIGHTS[name] * part for name, part in parts.items()), parts


def pose(rotations: torch.Tensor, betas: torch.Tensor, body: Body) -> Posed:
    """The body about its pelvis: rotations (B, F, 22, 3, 3), betas (B, 10) -> points (B, F, ..., 3) m."""
    count, frames = rotations.shape[:2]
    hands = torch.eye(3).to(rotations).expand(count, frames, 2, 3, 3)
    each = betas[:, None].expand(-1, frames, -1).flatten(0, 1)
    whole = torch.cat([rotations, hands], 2).flatten(0, 1)
    posed = body.forward(whole, -body.rest_joints(each)[:, 0], each)
    return Posed(*(points.unflatten(0, (count, frames)) for points in posed))


def _in_picture(got: Posed, lifted: Lifted, inputs: Inputs, wanted: Posed, pelvis: torch.Tensor) -> torch.Tensor:
    """(B, F) distance of joints in the picture, in shares of the person's size."""
    found = got.joints + place_of(lifted, inputs.size)[:, :, None]
    true = wanted.joints + pelvis[:, :, None]
    flat, flat_true = (points[..., :2] / points[..., 2:].clamp(min=0.3) for points in (found, true))
    return ((flat - flat_true) / inputs.size[..., None, None]).norm(dim=-1).clamp(max=1.0).mean(-1)

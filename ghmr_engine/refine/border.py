"""How a person's points follow what all frames share, and how that borders the band of their own numbers."""

from __future__ import annotations

from typing import NamedTuple

import torch

from ghmr_engine.body.smpl import SHAPES, Body, Posed
from ghmr_engine.energy.newton import Curvature, Jacobians

COLUMNS = 4 + SHAPES
"""The camera's scale, the ground's height and tilts, and the person's shape: what one person's frames touch."""


class Follows(NamedTuple):
    """How points move with the COLUMNS. N frames."""

    landmarks: torch.Tensor
    """(N, 33, 3, 14): in the picture a camera that moves away is a point that moves the other way."""
    about: torch.Tensor
    """(N, 24, 3, 14) joints about the pelvis."""
    heights: torch.Tensor
    """(N, 4, 14) foot points over the ground."""


class Growth(NamedTuple):
    """How points grow with each shape number, at the pose at which it was taken: they are linear in it."""

    landmarks: torch.Tensor
    """(N, 33, 3, 10)."""
    about: torch.Tensor
    """(N, 24, 3, 10)."""
    heights: torch.Tensor
    """(N, 4, 10)."""


def growth(rotations: torch.Tensor, betas: torch.Tensor, body: Body) -> Growth:
    """Of a motion (N, 24, 3, 3) of a body of betas (10,), place left out."""
    shapes = torch.cat([betas[None], betas + torch.eye(SHAPES).to(betas)])
    count, zero = len(rotations), torch.zeros(3).to(betas)
    posed = body.forward(
        rotations.repeat(SHAPES + 1, 1, 1, 1), zero.expand(count * (SHAPES + 1), 3), shapes.repeat_interleave(count, 0)
    )

    def grown(points: torch.Tensor) -> torch.Tensor:
        plain, *larger = points.unflatten(0, (SHAPES + 1, count))
        return torch.stack(larger, -1) - plain[..., None]

    return Growth(
        grown(posed.landmarks), grown(posed.joints - posed.joints[:, :1]), grown(posed.contacts[..., 2])
    )  # fmt: skip


def follows(posed: Posed, grown: Growth, path: torch.Tensor) -> Follows:
    """path (N, 3) m: from where the camera's path begins to where it is, at its present scale."""
    count = len(path)
    landmarks = posed.landmarks.new_zeros(count, 33, 3, COLUMNS)
    landmarks[..., 0] = -path[:, None]
    landmarks[..., 4:] = grown.landmarks
    about = posed.joints.new_zeros(count, 24, 3, COLUMNS)
    about[..., 4:] = grown.about
    heights = torch.cat([-torch.ones_like(posed.contacts[..., :1]), -posed.contacts[..., :2], grown.heights], -1)
    return Follows(landmarks, about, torch.nn.functional.pad(heights, (1, 0)))


def border(at: Jacobians, curvature: Curvature, moves: Follows) -> tuple[torch.Tensor, torch.Tensor]:
    """Gauss-Newton's mixed block (N, 69, 14) of a person's numbers and what is shared, and the shared part (14, 14).

    Of the picture, the expected joints and the foot points' heights: smoothness and resting look at differences in
    time, in which what is shared cancels.
    """
    pulled = (curvature.landmarks @ moves.landmarks).flatten(1, 2)
    mixed = at.landmarks.flatten(1, 2).transpose(1, 2) @ pulled
    own = torch.einsum("nka,nkb->ab", moves.landmarks.flatten(1, 2), pulled)
    if curvature.feet is not None:
        raised = curvature.feet[..., None] * moves.heights
        mixed = mixed + at.feet[:, :, 2].transpose(1, 2) @ raised
        own = own + torch.einsum("nka,nkb->ab", moves.heights, raised)
    if curvature.about is not None:
        about = (curvature.about[..., None, None] * moves.about).flatten(1, 2)
        turns = at.joints.flatten(1, 2).transpose(1, 2) @ about
        turns[:, 66:] = 0  # about the pelvis: the place has no part in it
        mixed = mixed + turns
        own = own + torch.einsum("nka,nkb->ab", moves.about.flatten(1, 2), about)
    return mixed, own

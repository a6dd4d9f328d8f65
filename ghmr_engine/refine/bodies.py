"""How two bodies may touch and may not: balls along the bones, which do not go into each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.body.smpl import Body

_BONES = (
    ("pelvis", "spine1"), ("spine1", "spine2"), ("spine2", "spine3"), ("spine3", "neck"), ("neck", "head"),
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"), ("shoulder", "elbow"), ("elbow", "wrist"),
        ("wrist", "hand"),
    )),
)  # fmt: skip
_ALONG = (0.2, 0.6, 1.0)
"""Where on a bone its balls sit."""
_FLESH = 0.8
"""Of the median distance from skin to bone: clothes and flesh give way, and who hugs comes close."""


@dataclass(frozen=True)
class Balls:
    """S balls along a body's bones."""

    ends: torch.Tensor
    """(S, 2) int: joints at both ends of its bone."""
    share: torch.Tensor
    """(S,) how far from the first to the second end."""
    radius: torch.Tensor
    """(S,) m."""

    def centres(self, joints: torch.Tensor) -> torch.Tensor:
        """(N, S, 3) m for joints (N, 24, 3)."""
        return torch.lerp(joints[:, self.ends[:, 0]], joints[:, self.ends[:, 1]], self.share[:, None])


def balls_of(body: Body, betas: torch.Tensor) -> Balls:
    """As thick as a body of betas (10,) is: the skin's median distance from each bone, over vertices that follow it."""
    rest, skin = body.rest_joints(betas), body.rest_vertices(betas)
    owner = body.weights.argmax(1)
    ends, share, radius = [], [], []
    for bone in _BONES:
        a, b = (JOINT_NAMES.index(name) for name in bone)
        mine, way = skin[owner == a] - rest[a], rest[b] - rest[a]
        along = (mine @ way / way.square().sum()).clamp(0, 1)
        thick = _FLESH * float((mine - along[:, None] * way).norm(dim=-1).median()) if len(mine) else 0.0
        ends += [(a, b)] * len(_ALONG)
        share += _ALONG
        radius += [thick] * len(_ALONG)
    like = body.v_template
    return Balls(
        torch.tensor(ends, device=like.device), torch.tensor(share).to(like), torch.tensor(radius).to(like)
    )  # fmt: skip


def overlap(
    a: torch.Tensor, b: torch.Tensor, radius_a: torch.Tensor, radius_b: torch.Tensor, sigma_m: float
) -> torch.Tensor:
    """Depths by which balls of one body (N, S, 3), radius (S,), lie in another's (N, Q, 3), (Q,), squared and
    standardised. Bodies as spheres are SMPLify's (Bogo and others 2016, section 3.2), there of one body with itself."""
    distance = (a[:, :, None] - b[:, None]).square().sum(-1).clamp(min=1e-12).sqrt()
    depth = (radius_a[:, None] + radius_b - distance).clamp(min=0)
    return (depth / sigma_m).square().sum()


def overlap_curvature(
    a: torch.Tensor, b: torch.Tensor, radius_a: torch.Tensor, radius_b: torch.Tensor, sigma_m: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, S, 3, 3) and (N, Q, 3, 3) of `overlap` by both bodies' balls.

    Each as if the other stood still: if both step out of each other at once, they are apart a little sooner.
    """
    apart = a[:, :, None] - b[:, None]
    distance = apart.norm(dim=-1).clamp(min=1e-6)
    inside = (distance < radius_a[:, None] + radius_b).to(a)
    way = apart / distance[..., None]
    both = 2 * inside[..., None, None] * way[..., :, None] * way[..., None, :] / sigma_m**2
    return both.sum(2), both.sum(1)


def by_joints(balls: Balls, curvature: torch.Tensor, joints: int = 24) -> torch.Tensor:
    """(N, 24, 3, 3) curvature by the joints of one by the balls (N, S, 3, 3): each end takes its share, which is never
    less than the whole (Jensen)."""
    total = curvature.new_zeros(len(curvature), joints, 3, 3)
    total.index_add_(1, balls.ends[:, 0], curvature * (1 - balls.share)[:, None, None])
    total.index_add_(1, balls.ends[:, 1], curvature * balls.share[:, None, None])
    return total

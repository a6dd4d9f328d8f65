"""How a body's points move when its joints turn: analytic Jacobians of all frames at once."""

from __future__ import annotations

import functools

import torch

from ghmr_engine.body.smpl import LANDMARK_PLACES, Body, Posed

FREE = 69
"""Numbers a frame: the root's turn (3), 21 joints' axis-angle (63), the place (3)."""
_JOINTS = 22


def point_jacobian(posed: Posed, points: torch.Tensor, share: torch.Tensor, turn: torch.Tensor,
                   pose: torch.Tensor, body: Body) -> torch.Tensor:  # fmt: skip
    """(N, P, 3, 69): how points (N, P, 3) of a posed body follow turn (N, 3), pose (N, 21, 3) and place.

    turn is a rotation vector that the root was turned by from the left, pose the joints' rotation vectors, share
    (P, 24) how much of a point each joint's turn carries along (shares()). A turn w of joint k moves a point p by
    w x (p - p_k), with w = T_parent J_l(pose_k) dpose_k and J_l the left Jacobian of SO(3) (Sola and others 2018,
    eq. 145). Exact for points that move with one joint, near to it for skin between two.
    """
    parents = body.parents[1:_JOINTS].tolist()
    root = left_jacobian(turn)[:, None]
    below = posed.turns[:, parents] @ left_jacobian(pose)
    axes = torch.cat([root, below], 1).transpose(-1, -2)  # (N, 22, 3 numbers, 3)
    arms = points[:, :, None] - posed.joints[:, None, :_JOINTS]
    arms = arms * share[None, :, :_JOINTS, None]
    turns = torch.linalg.cross(axes[:, None], arms[:, :, :, None].expand(-1, -1, -1, 3, -1))
    turns = turns.permute(0, 1, 4, 2, 3).flatten(3)
    place = torch.eye(3).to(turns).expand(*turns.shape[:2], 3, 3)
    return torch.cat([turns, place], -1)


def left_jacobian(vector: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) J_l: exp((v + d)^) = exp((J_l d)^) exp(v^) for small d; v (..., 3)."""
    angle = vector.norm(dim=-1).clamp(min=1e-4)[..., None, None]
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    first = (1 - angle.cos()) / angle.square()
    second = (angle - angle.sin()) / angle**3
    return torch.eye(3).to(vector) + first * skew + second * (skew @ skew)


def shares(body: Body) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """How much each of SMPL's 24 joints carries along: the 33 landmarks (33, 24), joints (24, 24) and foot points
    (4, 24)."""
    joints = _carries(tuple(body.parents.tolist())).to(body.weights).T
    skin = (body.point_weights[..., None] * body.weights[body.points]).sum(1)
    points = torch.cat([joints, skin @ joints])
    return points[LANDMARK_PLACES], joints, points[-4:]


@functools.cache
def _carries(parents: tuple[int, ...]) -> torch.Tensor:
    """(24, 24) 1 where the second joint lies below the first or is it."""
    carries = torch.eye(len(parents))
    for joint in range(1, len(parents)):
        carries[:, joint] += carries[:, parents[joint]]
    return carries

"""From what WHAM's network says to motion: the body posed, velocities that contacts correct, the path in the world.

Shin and others, CVPR 2024, section 3.3 and 3.4. The network's world has y down; B people, F frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

from ghmr_engine.lift.wham.network import Said, WhamNetwork

_CONTACT, _FRAMES_A_SECOND = 0.5, 30.0
_HIPS = [11, 12]
"""Of the 31 joints: what a posed body is centred on."""
Y_UP = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
"""Half a turn about x."""


@dataclass(frozen=True)
class WhamBody:
    """SMPL as it rides along in WHAM's checkpoint. V vertices."""

    v_template: torch.Tensor
    """(V, 3) m."""
    shapedirs: torch.Tensor
    """(V, 3, 10)."""
    posedirs: torch.Tensor
    """(V, 3, 207)."""
    J_regressor: torch.Tensor
    """(24, V)."""
    weights: torch.Tensor
    """(V, 24)."""
    parents: torch.Tensor
    """(24,)."""
    points: torch.Tensor
    """(35, V): the 31 joints and 4 foot points as means of vertices."""

    def posed(self, rotations: torch.Tensor, betas: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rotations (N, 24, 3, 3), betas (N, 10) -> joints (N, 31, 3) and foot points (N, 4, 3) m, about the hips.

        SMPL's blend skinning (Loper and others 2015). Points are means of vertices, and skinning is linear in them: the
        mesh is made a chunk at a time.
        """
        parts = [self._points(r, b) for r, b in zip(rotations.split(32), betas.split(32), strict=True)]
        points = torch.cat(parts)
        points = points - points[:, _HIPS].mean(1, keepdim=True)
        return points[:, :31], points[:, 31:]

    def _points(self, rotations: torch.Tensor, betas: torch.Tensor) -> torch.Tensor:
        shaped = self.v_template + torch.einsum("ns,vds->nvd", betas, self.shapedirs)
        rest = torch.einsum("jv,nvd->njd", self.J_regressor, shaped)
        bent = (rotations[:, 1:] - torch.eye(3).to(rotations)).flatten(1)
        shaped = shaped + torch.einsum("np,vdp->nvd", bent, self.posedirs)
        turns, places = [rotations[:, 0]], [rest[:, 0]]
        for joint in range(1, 24):
            above = int(self.parents[joint])
            places.append(places[above] + (turns[above] @ (rest[:, joint] - rest[:, above])[..., None])[..., 0])
            turns.append(turns[above] @ rotations[:, joint])
        turn, place = torch.stack(turns, 1), torch.stack(places, 1)
        move = place - (turn @ rest[..., None])[..., 0]
        mixed = torch.einsum("vj,njab->nvab", self.weights, torch.cat([turn, move[..., None]], -1))
        vertices = (mixed[..., :3] @ shaped[..., None])[..., 0] + mixed[..., 3]
        return torch.einsum("kv,nvd->nkd", self.points, vertices)


class Rolled(NamedTuple):
    """The motion in the world, y up, and in the camera."""

    rotations: torch.Tensor
    """(B, F, 24, 3, 3); the root's is body to camera."""
    root: torch.Tensor
    """(B, F, 3, 3) body to world."""
    place: torch.Tensor
    """(B, F, 3) m in the world, from the first frame's on."""
    velocity: torch.Tensor
    """(B, F, 3) m a frame along the root's axes, corrected."""
    root_6d: torch.Tensor
    """(B, F + 1, 6) in the network's world, refined."""
    feet: torch.Tensor
    """(B, F, 4, 3) m in the network's world, before the refiner."""


def roll_out(network: WhamNetwork, body: WhamBody, said: Said) -> Rolled:
    """Pose the body, hold its feet, refine, and add up the path."""
    count, frames = said.velocity.shape[:2]
    rotations = matrix_from_6d(said.pose)
    posed = body.posed(rotations.flatten(0, 1), said.betas.flatten(0, 1))
    feet_cam = posed[1].unflatten(0, (count, frames))
    root = matrix_from_6d(said.root)
    about = _in_world(feet_cam, rotations[:, :, 0], root[:, 1:])
    velocity = held(about, said.contact, root[:, 1:], said.velocity)
    place = _path(root, said.velocity)
    feet = about + place[:, :, None]
    moved = torch.cat([torch.zeros_like(feet[:, :1]), feet.diff(dim=1)], 1) * _FRAMES_A_SECOND
    pushed = (moved * said.contact[..., None]).flatten(2)
    turn, speed = network.trajectory_refiner(said.context, pushed, said.root[:, 1:], velocity)
    root_6d = torch.cat([said.root[:, :1], said.root[:, 1:] + turn], 1)
    velocity = velocity + speed
    root = matrix_from_6d(root_6d)
    up = Y_UP.to(root)
    place = _path(root, velocity) @ up.T
    return Rolled(rotations, up @ root[:, 1:], place, velocity, root_6d, feet)


def held(feet: torch.Tensor, contact: torch.Tensor, root: torch.Tensor, velocity: torch.Tensor) -> torch.Tensor:
    """Velocity (B, F, 3) along the root's axes, less that of the feet in contact.

    feet (B, F, 4, 3) m about the hips, along the world's axes; contact (B, F, 4); root (B, F, 3, 3).
    """
    through = (root @ velocity[..., None])[..., 0]
    moved = feet.diff(dim=1) + through[:, 1:, None]
    moved = torch.cat([torch.zeros_like(moved[:, :1]), moved], 1) * (contact > _CONTACT)[..., None]
    slide = moved.sum(2) / ((moved != 0).sum(2) + 1e-4)
    return (root.transpose(-1, -2) @ (through - slide)[..., None])[..., 0]


def full_camera(camera: torch.Tensor, box: torch.Tensor, K: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """(..., 3) m in the camera from a weak camera (..., 3): scale, x, y of the crop.

    box (..., 3): centre x, y in px and its side / 200; K (..., 3, 3) px; size (..., 2) of the picture in px.
    """
    side = 200 * box[..., 2]
    focal = K[..., 0, 0]
    depth = 2 * focal / (side * camera[..., 0] + 1e-9)
    shift = 2 * (box[..., :2] - size / 2) / (side * camera[..., 0] + 1e-9)[..., None]
    return torch.cat([camera[..., 1:] + shift, depth[..., None]], -1)


def matrix_from_6d(rows: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) from the first two rows (..., 6), by Gram and Schmidt (Zhou and others 2019)."""
    a, b = rows.unflatten(-1, (2, 3)).unbind(-2)
    x = torch.nn.functional.normalize(a, dim=-1)
    y = torch.nn.functional.normalize(b - (x * b).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -2)


def _in_world(points: torch.Tensor, root_cam: torch.Tensor, root_world: torch.Tensor) -> torch.Tensor:
    """Points (B, F, K, 3) about the hips turned from the camera's axes to the world's."""
    turn = root_world @ root_cam.transpose(-1, -2)
    return points @ turn.transpose(-1, -2)


def _path(root: torch.Tensor, velocity: torch.Tensor) -> torch.Tensor:
    """(B, F, 3): velocities along the axes of the F first roots (B, F + 1, 3, 3), added up."""
    return (root[:, :-1] @ velocity[..., None])[..., 0].cumsum(1)

"""What HuMoR knows of people at a moment, and the frame that it looks from: the person's own, facing +y."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch

FPS = 30
"""The rate that HuMoR was trained at: its next frame is 1/30 s later."""
BODY_JOINTS, JOINTS = 21, 22
"""SMPL's without the hands, and with the pelvis."""
STATE = 3 * 3 + 9 + 9 * BODY_JOINTS + 2 * 3 * JOINTS
"""Numbers of a state."""
_SHAPES = ((3,), (3,), (3, 3), (3,), (BODY_JOINTS, 3, 3), (JOINTS, 3), (JOINTS, 3))
_UPRIGHT = 1e-6
"""Under this share of it that is horizontal, a direction has no heading."""


@dataclass(frozen=True)
class MotionState:
    """People at moments. The dimensions in front are (N,) people, (N, T) people and frames, or any others.

    The world has z up and the floor at z = 0; velocities are along its axes (Rempe and others 2021, section 3).
    """

    transl: torch.Tensor
    """(..., 3) m, SMPL's translation."""
    velocity: torch.Tensor
    """(..., 3) m/s, of the translation."""
    root: torch.Tensor
    """(..., 3, 3) body to world."""
    turning: torch.Tensor
    """(..., 3) rad/s, the root's."""
    pose: torch.Tensor
    """(..., 21, 3, 3) SMPL's, without root and hands."""
    joints: torch.Tensor
    """(..., 22, 3) m, SMPL's without the hands, pelvis first."""
    joint_velocities: torch.Tensor
    """(..., 22, 3) m/s."""

    def each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> MotionState:
        """The same change made to all seven, as a choice of frames is."""
        return MotionState(*(change(getattr(self, field.name)) for field in fields(self)))

    def packed(self) -> torch.Tensor:
        """(..., 339) in the order that the network reads."""
        front = self.transl.shape[:-1]
        return torch.cat([getattr(self, field.name).reshape(*front, -1) for field in fields(self)], -1)

    @classmethod
    def unpacked(cls, numbers: torch.Tensor) -> MotionState:
        """From (..., 339)."""
        parts = numbers.split([torch.Size(shape).numel() for shape in _SHAPES], -1)
        return cls(*(part.unflatten(-1, shape) for part, shape in zip(parts, _SHAPES, strict=True)))


@dataclass(frozen=True)
class LocalFrame:
    """Where a person stands and where they face: there, SMPL's translation is above the origin and right is +x."""

    turn: torch.Tensor
    """(..., 3, 3) world to local, about z."""
    place: torch.Tensor
    """(..., 3) m in the world, z = 0."""
    pivot: torch.Tensor
    """(..., 3) m, z = 0: from SMPL's translation to the pelvis, which is what SMPL turns a body about."""

    def into(self, state: MotionState) -> MotionState:
        """A state of the world as this frame has it."""
        joints = (state.joints - (self.place + self.pivot)[..., None, :]) @ self.turn.mT
        return MotionState(
            transl=_turned(self.turn, state.transl - self.place), velocity=_turned(self.turn, state.velocity),
            root=self.turn @ state.root, turning=_turned(self.turn, state.turning), pose=state.pose,
            joints=joints + self.pivot[..., None, :], joint_velocities=state.joint_velocities @ self.turn.mT,
        )  # fmt: skip

    def out_of(self, state: MotionState) -> MotionState:
        """A state of this frame as the world has it."""
        joints = (state.joints - self.pivot[..., None, :]) @ self.turn
        return MotionState(
            transl=_turned(self.turn.mT, state.transl) + self.place, velocity=_turned(self.turn.mT, state.velocity),
            root=self.turn.mT @ state.root, turning=_turned(self.turn.mT, state.turning), pose=state.pose,
            joints=joints + (self.place + self.pivot)[..., None, :],
            joint_velocities=state.joint_velocities @ self.turn,
        )  # fmt: skip


def pivot_of(state: MotionState) -> torch.Tensor:
    """(..., 3) m, LocalFrame's pivot: it is the body's, and so the same in all frames and for all headings."""
    return _on_ground(state.joints[..., 0, :] - state.transl)


def local_frame(state: MotionState, pivot: torch.Tensor) -> LocalFrame:
    """The frame of a person's own place and heading (Rempe and others 2021, section 3). pivot (..., 3) m, pivot_of's.

    The heading is where the root's right (-x) points; a root whose right is upright has the world's. The published
    program goes through an arc cosine, up to 0.0014 rad off where a person faces +y; here there is no angle, and the
    gradient is right everywhere.
    """
    right = -state.root[..., :2, 0]
    has_heading = right.square().sum(-1, keepdim=True) > _UPRIGHT**2
    ahead = torch.tensor([1.0, 0.0]).to(right).expand_as(right)
    right = torch.nn.functional.normalize(torch.where(has_heading, right, ahead), dim=-1)
    x, y = right.unbind(-1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    turn = torch.stack([x, y, zero, -y, x, zero, zero, zero, one], -1).unflatten(-1, (3, 3))
    return LocalFrame(turn, _on_ground(state.transl), pivot)


def moving(transl: torch.Tensor, root: torch.Tensor, pose: torch.Tensor, joints: torch.Tensor) -> MotionState:
    """States of motions at FPS, with velocities. transl (N, T, 3) m, root (N, T, 3, 3) body to world, pose
    (N, T, 21, 3, 3), joints (N, T, 22, 3) m; the world has z up; T is 2 at least.

    Velocities are central differences, and one-sided ones at both ends; the root's are those of dR/dt R^T.
    """
    spin = _rates(root) @ root.mT
    spin = (spin - spin.mT) / 2
    turning = torch.stack([spin[..., 2, 1], spin[..., 0, 2], spin[..., 1, 0]], -1)
    return MotionState(transl, _rates(transl), root, turning, pose, joints, _rates(joints))


def _rates(values: torch.Tensor) -> torch.Tensor:
    """(N, T, ...) a second."""
    (rates,) = torch.gradient(values, spacing=1 / FPS, dim=1)
    return rates


def _turned(turn: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    return (turn @ vectors[..., None])[..., 0]


def _on_ground(points: torch.Tensor) -> torch.Tensor:
    return points * torch.tensor([1.0, 1.0, 0.0]).to(points)

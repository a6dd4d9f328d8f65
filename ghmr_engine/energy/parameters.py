"""The variables of a motion: how a body's rotations and place depend on what an optimiser moves."""

from __future__ import annotations

from dataclasses import dataclass

import roma
import torch


@dataclass
class MotionVariables:
    """The free numbers of one person's motion over N frames. The frame they live in is the caller's world."""

    root: torch.Tensor
    """(N, 3, 3) start of the root's rotation; stays."""
    turn: torch.Tensor
    """(N, 3) rotation vector applied before it: R = exp(turn) root. Small, hence without singularities."""
    pose: torch.Tensor
    """(N, 21, 3) axis-angle of the body joints; the two hand joints follow the wrists."""
    transl: torch.Tensor
    """(N, 3) m."""
    betas: torch.Tensor
    """(10,)."""

    def rotations(self) -> torch.Tensor:
        """(N, 24, 3, 3) of all joints."""
        root = roma.rotvec_to_rotmat(self.turn) @ self.root
        hands = torch.eye(3).to(root).expand(len(root), 2, 3, 3)
        return torch.cat([root[:, None], roma.rotvec_to_rotmat(self.pose), hands], 1)


def variables_from(rotations: torch.Tensor, transl: torch.Tensor, betas: torch.Tensor) -> MotionVariables:
    """Variables that stand at a given motion: rotations (N, 24, 3, 3), transl (N, 3) m, betas (10,)."""
    return MotionVariables(
        root=rotations[:, 0].clone(),
        turn=torch.zeros_like(transl),
        pose=roma.rotmat_to_rotvec(rotations[:, 1:22]).contiguous(),
        transl=transl.clone(),
        betas=betas.clone(),
    )


def change_frame(
    rotations: torch.Tensor, transl: torch.Tensor, pelvis: torch.Tensor, R: torch.Tensor, t: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same motion seen from another frame, x' = R x + t.

    rotations (N, 24, 3, 3), transl (N, 3), pelvis (3,) the root's rest place (SMPL turns the body about it),
    R (N, 3, 3) or (3, 3), t (N, 3) or (3,). Returns rotations and transl there.
    """
    moved = rotations.clone()
    moved[:, 0] = R @ rotations[:, 0]
    place = ((transl + pelvis)[:, None] @ R.transpose(-1, -2))[:, 0] + t
    return moved, place - pelvis


def cross_fade(
    before: tuple[torch.Tensor, torch.Tensor], after: tuple[torch.Tensor, torch.Tensor], ramp: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Between two motions of the same frames: (rotations (N, 24, 3, 3), transl (N, 3)) each, ramp (N,) 0 to 1."""
    turn = roma.rotmat_to_rotvec(before[0].transpose(-1, -2) @ after[0])
    rotations = before[0] @ roma.rotvec_to_rotmat(ramp[:, None, None] * turn)
    return rotations, before[1] + ramp[:, None] * (after[1] - before[1])

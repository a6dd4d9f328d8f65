"""A pose straight from 3D landmarks: each bone is turned onto its limb, joint by joint, all frames at once."""

from __future__ import annotations

import roma
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES


def laid_along(landmarks: torch.Tensor) -> torch.Tensor:
    """(N, 24, 3, 3) from landmarks (N, 33, 3): the torso first, then arms and legs as two-bone chains."""

    def point(name: str) -> torch.Tensor:
        return landmarks[:, LANDMARK_NAMES.index(name)]

    hips = point("left_hip") - point("right_hip")
    shoulders = point("left_shoulder") - point("right_shoulder")
    up = (point("left_shoulder") + point("right_shoulder") - point("left_hip") - point("right_hip")) / 2
    pelvis, chest = _frame(hips, up), _frame(shoulders, up)
    rotations = torch.eye(3).to(landmarks).repeat(len(landmarks), 24, 1, 1)
    rotations[:, 0] = pelvis
    third = roma.rotvec_to_rotmat(roma.rotmat_to_rotvec(pelvis.transpose(1, 2) @ chest) / 3)
    for name in ("spine1", "spine2", "spine3"):
        rotations[:, JOINT_NAMES.index(name)] = third
    for side, sign in (("left", 1.0), ("right", -1.0)):
        leg = _leg(point(f"{side}_hip"), point(f"{side}_knee"), point(f"{side}_ankle"), pelvis)
        arm = _arm(point(f"{side}_shoulder"), point(f"{side}_elbow"), point(f"{side}_wrist"), chest, sign)
        for names, chain in ((("hip", "knee"), leg), (("shoulder", "elbow"), arm)):
            for name, rotation in zip(names, chain, strict=True):
                rotations[:, JOINT_NAMES.index(f"{side}_{name}")] = rotation
    return rotations


def _frame(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """(N, 3, 3) rotations whose y column is along y, and x column as near to x as that allows."""
    y = torch.nn.functional.normalize(y, dim=-1)
    x = torch.nn.functional.normalize(x - (x * y).sum(-1, keepdim=True) * y, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -1)


def _leg(
    hip: torch.Tensor, knee: torch.Tensor, ankle: torch.Tensor, pelvis: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hip and knee rotations, each against its parent. A knee bends about x; a straight leg takes the pelvis' x."""
    thigh = torch.nn.functional.normalize(knee - hip, dim=-1)
    shin = torch.nn.functional.normalize(ankle - knee, dim=-1)
    x = torch.linalg.cross(thigh, shin) + 0.3 * pelvis[..., 0]
    upper = _frame(x, -thigh)
    bend = torch.zeros_like(hip)
    bend[:, 0] = _angle(thigh, shin)
    return pelvis.transpose(1, 2) @ upper, roma.rotvec_to_rotmat(bend)


def _arm(
    shoulder: torch.Tensor, elbow: torch.Tensor, wrist: torch.Tensor, chest: torch.Tensor, sign: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shoulder and elbow rotations. An elbow bends about y; a straight arm takes the y that a plain swing gives it."""
    upper_arm = torch.nn.functional.normalize(elbow - shoulder, dim=-1)
    forearm = torch.nn.functional.normalize(wrist - elbow, dim=-1)
    swing_y = (chest @ _swing(sign, (chest.transpose(1, 2) @ upper_arm[..., None])[..., 0]))[..., 1]
    x = sign * upper_arm
    y = -sign * torch.linalg.cross(upper_arm, forearm) + 0.3 * swing_y
    y = torch.nn.functional.normalize(y - (y * x).sum(-1, keepdim=True) * x, dim=-1)
    upper = torch.stack([x, y, torch.linalg.cross(x, y)], -1)
    bend = torch.zeros_like(shoulder)
    bend[:, 1] = -sign * _angle(upper_arm, forearm)
    return chest.transpose(1, 2) @ upper, roma.rotvec_to_rotmat(bend)


def _swing(sign: float, target: torch.Tensor) -> torch.Tensor:
    """(N, 3, 3) shortest turns from the arm of the T-pose, (sign, 0, 0), to unit directions target (N, 3)."""
    rest = torch.zeros_like(target)
    rest[:, 0] = sign
    axis = torch.nn.functional.normalize(torch.linalg.cross(rest, target), dim=-1)
    return roma.rotvec_to_rotmat(axis * _angle(rest, target)[:, None])


def _angle(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(N,) radians between unit vectors."""
    return torch.atan2(torch.linalg.cross(a, b).norm(dim=-1), (a * b).sum(-1))

"""Feet held exactly where they rest: the last millimetres, by bending the legs and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import roma
import torch
from scipy.ndimage import label
from scipy.sparse import diags, eye
from scipy.sparse.linalg import spsolve

from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.placed import Placed
from ghmr_engine.energy.solver import neighbours

_LEGS = {
    side: tuple(JOINT_NAMES.index(f"{side}_{part}") for part in ("hip", "knee", "ankle")) for side in ("left", "right")
}
# A plant within this height of the ground is put onto it; one beyond the second stands on something.
_LEVEL, _RAISED = 0.04, 0.08
_EASE_S = 0.1
"""Seconds over which a leg eases into a plant and out of it."""


def hold_feet(
    rotations: torch.Tensor, transl: torch.Tensor, betas: torch.Tensor, contacts: np.ndarray, frames: np.ndarray,
    body: Body, fps: float,
) -> torch.Tensor:  # fmt: skip
    """Rotations (N, 24, 3, 3) with hips, knees and ankles turned so that resting feet stay in one place.

    contacts (N, 4) probabilities. Each plant (an unbroken rest of a foot) is anchored at its mean place, on the ground
    where it is near it. A leg that cannot reach stays straight.
    """
    rests = contacts > 0.5
    for place, side in enumerate(("left", "right")):
        leg, mine = _LEGS[side], rests[:, 2 * place : 2 * place + 2]
        sole = body.forward(rotations, transl, betas).contacts[:, 2 * place : 2 * place + 2].cpu().double()
        rotations = _steady_foot(rotations, betas, sole[:, 1] - sole[:, 0], mine.all(1), frames, fps, leg[2], body)
        feet = body.forward(rotations, transl, betas).contacts[:, 2 * place : 2 * place + 2].cpu().double().numpy()
        shift = _eased(*_anchored(feet, mine, frames), frames, fps)
        rotations = _reach(rotations, betas, torch.as_tensor(shift).to(transl), leg, body)
    return rotations


def held(person: Placed, body: Body, fps: float) -> Placed:
    """A person with the feet held where their contacts say that they rest."""
    rests = person.contacts.cpu().numpy()
    legs = hold_feet(person.rotations, person.transl, person.betas, rests, person.frames, body, fps)
    return replace(person, rotations=legs)


def plants_of(rests: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(N,) number of the unbroken rest that a row belongs to, 0 for none; a gap in time ends one."""
    pairs, _ = neighbours(frames)
    at = np.arange(len(rests)) + np.concatenate([[0], np.cumsum(pairs == 0)]).astype(int)
    line = np.zeros(at[-1] + 1, bool)
    line[at] = rests
    return label(line)[0][at]


def _anchored(points: np.ndarray, rests: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far a foot is from its anchors (N, 3), and where it has any (N,). points (N, 2, 3) heel and toe."""
    away, count = np.zeros((len(points), 3)), np.zeros((len(points), 1))
    for point in range(2):
        plants = plants_of(rests[:, point], frames)
        for plant in range(1, plants.max() + 1):
            rows = plants == plant
            anchor = points[rows, point].mean(0)
            anchor[2] *= np.clip((abs(anchor[2]) - _LEVEL) / (_RAISED - _LEVEL), 0, 1)
            away[rows] += anchor - points[rows, point]
            count[rows] += 1
    return away / np.maximum(count, 1), count[:, 0] > 0


def _steady_foot(
    rotations: torch.Tensor, betas: torch.Tensor, along: torch.Tensor, rests: np.ndarray, frames: np.ndarray,
    fps: float, ankle: int, body: Body,
) -> torch.Tensor:  # fmt: skip
    """Where heel and toe both rest (N,), the foot keeps its mean direction in the world, and lies level: `along` (N, 3)
    is the way from heel to toe."""
    turns, _ = body.chain(rotations, body.rest_joints(betas))
    foot = turns[:, ankle].double().cpu()
    away = np.zeros((len(foot), 3))
    plants = plants_of(rests, frames)
    for plant in range(1, plants.max() + 1):
        rows = plants == plant
        mean = roma.special_procrustes(foot[rows].mean(0))
        way = (mean @ (foot[rows].transpose(1, 2) @ along[rows][..., None])).mean(0).T
        mean = _shortest(way, way * torch.tensor([1.0, 1.0, 0.0]).to(way))[0] @ mean
        away[rows] = roma.rotmat_to_rotvec(mean @ foot[rows].transpose(1, 2)).numpy()
    turn = roma.rotvec_to_rotmat(torch.as_tensor(_eased(away, rests, frames, fps))).to(turns)
    above = turns[:, int(body.parents[ankle])]
    moved = rotations.clone()
    moved[:, ankle] = above.transpose(1, 2) @ turn @ turns[:, ankle]
    return moved


def _eased(away: np.ndarray, rests: np.ndarray, frames: np.ndarray, fps: float) -> np.ndarray:
    """(N, 3) shifts that are `away` where a foot rests, and fade smoothly in between (Whittaker's smoother)."""
    count = len(away)
    if count < 3 or not rests.any():
        return away * rests[:, None]
    _, triples = neighbours(frames)
    second = diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(count - 2, count))
    smooth = second.T @ diags(triples.astype(float)) @ second
    stiff = diags(1e6 * rests)
    matrix = stiff + (_EASE_S * fps) ** 4 * smooth + 0.05 * eye(count)
    return spsolve(matrix.tocsc(), stiff @ away).reshape(count, 3)


def _reach(
    rotations: torch.Tensor, betas: torch.Tensor, shift: torch.Tensor, leg: tuple[int, int, int], body: Body
) -> torch.Tensor:
    """Move an ankle by shift (N, 3): the knee's bend by the law of cosines, then the hip by the shortest turn. The foot
    keeps its direction in the world."""
    hip, knee, ankle = leg
    turns, joints = body.chain(rotations, body.rest_joints(betas))
    top, middle, end = joints[:, hip], joints[:, knee], joints[:, ankle]
    thigh, shin = middle - top, end - middle
    long, short = thigh.norm(dim=-1), shin.norm(dim=-1)
    target = end + shift - top
    reach = target.norm(dim=-1).clamp(min=0.3 * (long + short), max=None)
    reach = torch.minimum(reach, 0.9995 * (long + short))
    cosine = (reach.square() - long.square() - short.square()) / (2 * long * short)
    bend = torch.acos(cosine.clamp(-1, 1))
    now = torch.atan2(torch.linalg.cross(thigh, shin).norm(dim=-1), (thigh * shin).sum(-1))
    # A straight leg has no plane of its own: it bends about the knee's hinge.
    axis = torch.linalg.cross(thigh, shin) + 0.02 * long[:, None] * short[:, None] * turns[:, knee, :, 0]
    fold = roma.rotvec_to_rotmat(torch.nn.functional.normalize(axis, dim=-1) * (bend - now)[:, None])
    folded = thigh + (fold @ shin[..., None])[..., 0]
    swing = _shortest(folded, target)
    upper, lower = swing @ turns[:, hip], swing @ fold @ turns[:, knee]
    moved = rotations.clone()
    moved[:, hip] = turns[:, 0].transpose(1, 2) @ upper
    moved[:, knee] = upper.transpose(1, 2) @ lower
    moved[:, ankle] = lower.transpose(1, 2) @ turns[:, ankle]
    return moved


def _shortest(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(N, 3, 3) shortest turns from a to b, (N, 3)."""
    cross = torch.linalg.cross(a, b)
    sine = cross.norm(dim=-1, keepdim=True)
    angle = torch.atan2(sine, (a * b).sum(-1, keepdim=True))
    return roma.rotvec_to_rotmat(cross / sine.clamp(min=1e-9) * angle)

"""From what WHAM's network says to motion in the camera and in the world: feet that rest stay where they are."""

from __future__ import annotations

from dataclasses import dataclass

import roma
import torch

from ghmr_engine.lift.network import orthonormal
from ghmr_engine.lift.wham.body import WhamBody
from ghmr_engine.lift.wham.network import FPS, Decoded, TrajectoryRefiner

_RESTS = 0.5
"""A contact above this holds its foot point."""
HIPS = [11, 12]
"""Left and right among WHAM's 31 joints."""
MIRRORED_JOINTS = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22]
"""SMPL's joints with the sides swapped."""
MIRRORED_CONTACTS = [2, 3, 0, 1]


@dataclass(frozen=True)
class Moved:
    """Motion of b people over f frames. The camera is OpenCV's; the world has y up and is the network's own."""

    rotations: torch.Tensor
    """(b, f, 24, 3, 3) SMPL's; the root's is body to camera."""
    transl: torch.Tensor
    """(b, f, 3) m, SMPL's translation in the camera."""
    hips: torch.Tensor
    """(b, f, 3) m in the camera, half-way between the hips: the published translation."""
    betas: torch.Tensor
    """(b, f, 10)."""
    contacts: torch.Tensor
    """(b, f, 4) in the order of the foot regressor."""
    feet: torch.Tensor
    """(b, f, 4, 3) m in the world, y down, before refinement: what the refiner read."""
    roots: torch.Tensor
    """(b, f + 1, 6) refined, body to the world with y down."""
    velocity: torch.Tensor
    """(b, f, 3) refined, m a frame along the root's axes."""
    world_root: torch.Tensor
    """(b, f, 3, 3) body to world."""
    world_hips: torch.Tensor
    """(b, f, 3) m from where the first frame was entered."""


def from_rows(rows: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) rotations from their first two rows (..., 6), by Gram and Schmidt (Zhou and others 2019)."""
    return orthonormal(rows.unflatten(-1, (2, 3)).mT).mT


def to_rows(rotations: torch.Tensor) -> torch.Tensor:
    """(..., 6) first two rows of rotations (..., 3, 3)."""
    return rotations[..., :2, :].flatten(-2)


def refined(said: Decoded, refiner: TrajectoryRefiner, body: WhamBody, boxes: torch.Tensor, K: torch.Tensor) -> Moved:
    """The whole motion. boxes (b, f, 3) px: centre and side / 200; K (b, f, 3, 3) px."""
    rotations = from_rows(said.pose)
    joints, feet = _posed(body, rotations, said.betas)
    middle = joints[..., HIPS, :].mean(-2, keepdim=True)
    root = from_rows(said.roots[:, 1:])
    to_world = root @ rotations[:, :, 0].mT
    feet = (to_world[:, :, None] @ (feet - middle)[..., None])[..., 0]
    velocity = planted_velocity(root, said.velocity, feet, said.contact)
    feet = feet + rolled_out(said.roots, said.velocity)[:, :, None]
    roots, velocity = settled(said, refiner, velocity, feet)
    hips = hips_in_camera(said.weak, boxes, K)
    up = torch.tensor([1.0, -1.0, -1.0]).to(hips)  # half a turn about x: y down becomes y up
    return Moved(
        rotations=rotations, transl=hips - middle[..., 0, :], hips=hips, betas=said.betas, contacts=said.contact,
        feet=feet, roots=roots, velocity=velocity, world_root=up[:, None] * from_rows(roots[:, 1:]),
        world_hips=up * rolled_out(roots, velocity),
    )  # fmt: skip


def settled(
    said: Decoded, refiner: TrajectoryRefiner, velocity: torch.Tensor, feet: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Roots (b, f + 1, 6) and velocity (b, f, 3) with what the refiner adds to them.

    velocity (b, f, 3): planted_velocity's; feet (b, f, 4, 3) m in the world.
    """
    root = said.roots[:, 1:]
    more_root, more_velocity = refiner(said.context, sliding(feet, said.contact).flatten(2), root, velocity)
    return torch.cat([said.roots[:, :1], root + more_root], 1), velocity + more_velocity


def rolled_out(roots: torch.Tensor, velocity: torch.Tensor) -> torch.Tensor:
    """Places (b, f, 3) m: the sum of each step along the axes of the root before it. roots (b, f + 1, 6)."""
    return (from_rows(roots[:, :-1]) @ velocity[..., None])[..., 0].cumsum(1)


def planted_velocity(
    root: torch.Tensor, velocity: torch.Tensor, feet: torch.Tensor, contact: torch.Tensor
) -> torch.Tensor:
    """The root's velocity (b, f, 3) without what its resting foot points would slide (WHAM, section 3.3).

    root (b, f, 3, 3) body to world; feet (b, f, 4, 3) m about the hips, along the world's axes; contact (b, f, 4).
    As published, the mean counts numbers that are not zero, axis by axis, and steps are taken along the frame's own
    root here but along the frame's before it in rolled_out.
    """
    step = (root @ velocity[..., None])[..., 0]
    slid = _differences(feet) + step[:, :, None]
    slid[:, 0] = 0
    slid = slid * (contact > _RESTS)[..., None]
    mean = slid.sum(2) / ((slid != 0).sum(2) + 1e-4)
    return (root.mT @ (step - mean)[..., None])[..., 0]


def sliding(feet: torch.Tensor, contact: torch.Tensor) -> torch.Tensor:
    """(b, f, 4, 3) m/s of foot points (b, f, 4, 3) in the world, as far as each rests (b, f, 4)."""
    return _differences(feet) * FPS * contact[..., None]


def hips_in_camera(weak: torch.Tensor, boxes: torch.Tensor, K: torch.Tensor) -> torch.Tensor:
    """(b, f, 3) m: from the crop's weak camera (scale, x, y) to the picture's (SPEC, Kocabas and others 2021)."""
    scale, side = weak[..., 0], 200 * boxes[..., 2]
    away = 2 * K[..., 0, 0] / (side * scale)  # the crop's own 224 px cancel
    shift = 2 * (boxes[..., :2] - K[..., :2, 2]) / (scale * side)[..., None]
    return torch.cat([weak[..., 1:] + shift, away[..., None]], -1)


def mirrored_rotations(rotations: torch.Tensor) -> torch.Tensor:
    """(..., 24, 3, 3) as a mirror that swaps left and right (x) shows them."""
    sign = torch.tensor([-1.0, 1.0, 1.0]).to(rotations)
    return sign[:, None] * rotations[..., MIRRORED_JOINTS, :, :] * sign


def averaged(said: Decoded, mirrored: Decoded) -> Decoded:
    """The network's answer, with pose, shape and contacts the mean of it and of its answer to the mirrored person.

    Camera, trajectory and context stay the first's, as published.
    """
    pose = from_rows(said.pose) + mirrored_rotations(from_rows(mirrored.pose))
    return said._replace(
        pose=to_rows(roma.special_procrustes(pose)), betas=(said.betas + mirrored.betas) / 2,
        contact=(said.contact + mirrored.contact[..., MIRRORED_CONTACTS]) / 2,
    )  # fmt: skip


def _posed(body: WhamBody, rotations: torch.Tensor, betas: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    people = rotations.shape[:2]
    joints, feet = body.posed(rotations.flatten(0, 1), betas.flatten(0, 1))
    return joints.unflatten(0, people), feet.unflatten(0, people)


def _differences(values: torch.Tensor) -> torch.Tensor:
    """(b, f, ...) change since the frame before; 0 in the first."""
    return torch.diff(values, dim=1, prepend=values[:, :1])

"""One person in the world while the stage works, and how far their body is off the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.marks import marks
from ghmr_engine.geometry import project, world_to_camera


@dataclass(frozen=True)
class Placed:
    """One person in some fixed frame, as tensors. N frames."""

    person: int
    frames: np.ndarray
    """(N,) int."""
    rotations: torch.Tensor
    """(N, 24, 3, 3)."""
    transl: torch.Tensor
    """(N, 3) m."""
    betas: torch.Tensor
    """(10,)."""
    keypoints: torch.Tensor
    """(N, 33, 3) px, visibility."""
    offsets: torch.Tensor
    """(33, 3) m from the body's landmarks to where the detector sees them."""
    contacts: torch.Tensor | None
    """(N, 4) probabilities; None where nothing is known yet."""
    velocity: torch.Tensor | None = None
    """(N, 3) m/s of the pelvis, by a network; None where nothing is known."""

    def ties(self) -> torch.Tensor:
        """(N, 4) how firmly feet are held: above one half for certain, since half-hearted ties let them creep."""
        return ((self.contacts - 0.3) / 0.2).clamp(0, 1)


def reprojection_error(person: Placed, body: Body, R: np.ndarray, t: np.ndarray, K: np.ndarray) -> np.ndarray:
    """(N,) px: mean over the landmarks that are visible; nan where none is."""
    camera = (torch.as_tensor(array[person.frames]).to(person.transl) for array in (R, t, K))
    R_, t_, K_ = camera
    points = marks(body.forward(person.rotations, person.transl, person.betas), person.offsets)
    pixels = project(world_to_camera(points, R_, t_), K_)
    error = (pixels - person.keypoints[..., :2]).norm(dim=-1).cpu().numpy()
    visible = person.keypoints[..., 2].cpu().numpy() > 0.5
    count = visible.sum(1)
    return np.where(count > 0, (error * visible).sum(1) / np.maximum(count, 1), np.nan)

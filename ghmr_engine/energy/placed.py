"""One person in the world while a stage works: cut into windows, put together again, and held against the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.marks import marks
from ghmr_engine.energy.parameters import cross_fade
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

    def rows(self, span: slice) -> slice:
        """The rows whose frames lie in a window."""
        return slice(*np.searchsorted(self.frames, [span.start, span.stop]))

    def cut(self, rows: slice) -> Placed:
        """Those rows alone."""
        parts = ("frames", "rotations", "transl", "keypoints", "contacts", "velocity")
        known = {name: getattr(self, name) for name in parts}
        return replace(self, **{name: None if value is None else value[rows] for name, value in known.items()})

    def merged(self, rows: slice, motion: tuple[torch.Tensor, torch.Tensor], ramp: torch.Tensor, start: int) -> Placed:
        """With another motion of some rows faded in; ramp (F,) 0 to 1 over a window's frames, from `start` on."""
        share = ramp[torch.as_tensor(self.frames[rows] - start, device=ramp.device)]
        rotations, transl = cross_fade((self.rotations[rows], self.transl[rows]), motion, share)
        return replace(
            self,
            rotations=torch.cat([self.rotations[: rows.start], rotations, self.rotations[rows.stop :]]),
            transl=torch.cat([self.transl[: rows.start], transl, self.transl[rows.stop :]]),
        )


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

"""What all frames share, put into a scene: the camera's path scaled, and the ground that was found made z = 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.parameters import change_frame
from ghmr_engine.energy.placed import Placed


@dataclass(frozen=True)
class Level:
    """x' = R x + t."""

    R: np.ndarray
    """(3, 3)."""
    t: np.ndarray
    """(3,) m."""

    def of(self, people: Sequence[Placed], body: Body) -> list[Placed]:
        """People moved along."""
        moved = []
        for person in people:
            R, t = (torch.as_tensor(part).to(person.transl) for part in (self.R, self.t))
            pelvis = body.rest_joints(person.betas)[0]
            rotations, transl = change_frame(person.rotations, person.transl, pelvis, R, t)
            velocity = None if person.velocity is None else person.velocity @ R.T
            moved.append(replace(person, rotations=rotations, transl=transl, velocity=velocity))
        return moved

    def back(self) -> Level:
        """The way back."""
        return Level(self.R.T, -self.R.T @ self.t)


def level_of(ground: np.ndarray) -> Level:
    """The least turn and the shift after which the ground (3,), of height ground . (1, x, y), is z = 0."""
    up = np.array([-ground[1], -ground[2], 1.0])
    up /= np.linalg.norm(up)
    # Rodrigues' formula for the turn from `up` to z.
    x, y, z = up
    skew = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])
    return Level(np.eye(3) + skew + skew @ skew / (1 + z), np.array([0.0, 0.0, -ground[0] * z]))


def camera_in(level: Level, scale: float, R: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World to camera R (T, 3, 3), t (T, 3) with the path scaled about its first place, from the levelled world."""
    eye = -np.einsum("tji,tj->ti", R, t)
    eye = (eye[0] + scale * (eye - eye[0])) @ level.R.T + level.t
    turned = R @ level.R.T
    return turned, -np.einsum("tij,tj->ti", turned, eye)

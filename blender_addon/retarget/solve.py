"""A person's motion solved for a rig: every bone's place and turn at every frame. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .performance import Performance
from .rig_map import RigMap
from .rig_rest import RigRest
from .settings import RetargetSettings


@dataclass(frozen=True)
class Solved:
    """N frames of all B bones of a rig, in RigRest's order."""

    frames: np.ndarray
    """(N,) whole scene frames, as the performance has them."""
    matrices: np.ndarray
    """(N, B, 4, 4) bone to ARMATURE, in the armature's units, without scale: Blender's PoseBone.matrix. Bones of no
    role go along with their parents."""
    turned: np.ndarray
    """(B,) bool: bones of a role, whose rotation is keyed."""
    placed: np.ndarray
    """(B,) bool: whose location is keyed too: the root bone and the pelvis."""
    contacts: np.ndarray
    """(N, 4) bool: left heel, left toe, right heel, right toe are planted."""
    soles: np.ndarray
    """(N, 4, 3) m in the WORLD: the same points of the rig's own soles."""


def solve(performance: Performance, rest: RigRest, rig_map: RigMap, settings: RetargetSettings) -> Solved:
    """Put a motion onto a rig. Raises RecoverError where the map lacks what is needed (roles.NEEDED)."""
    raise NotImplementedError

"""A rig's controls while their values are found, one after the other, from the root outwards. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .posing import Posing
from .rigid import rigid

STILL_M = 1e-4
"""What a control would move by less than this, in lengths of the body's trunk, it is not moved."""


class Controls:
    """The rig, where its ORG bones are wanted, and the values found so far."""

    def __init__(self, posing: Posing, wanted: Mapping[str, np.ndarray], trunk: float) -> None:
        """wanted: (N, 4, 4) bone to armature. trunk: its length, in the armature's units."""
        self.posing = posing
        self.wanted = dict(wanted)
        self.least = STILL_M * trunk
        """The armature's units."""
        self.written: dict[str, np.ndarray] = {}

    def moved(self, bone: str) -> np.ndarray:
        """(N, 4, 4) from where a bone rests to where it is wanted."""
        return self.wanted[bone] @ np.linalg.inv(self.posing.at_rest(bone))

    def attached(self, bone: str, follower: str) -> np.ndarray:
        """(N, 4, 4) where a bone stands that keeps its place on another one as at rest."""
        return self.moved(bone) @ self.posing.at_rest(follower)

    def bring(self, name: str, pose: np.ndarray, turned: bool = True, placed: bool = True) -> None:
        """Values that bring a control there; nothing where the rig lacks it.

        turned, placed: whether it may turn and leave its place. Places that are as good as none are none.
        """
        if name not in self.posing:
            return
        basis = self.posing.basis_of(name, pose)
        places = basis[:, :3, 3] if placed else np.zeros((len(basis), 3))
        if np.abs(places).max(initial=0.0) < self.least:
            places = np.zeros_like(places)
        turns = basis[:, :3, :3] if turned else np.broadcast_to(np.eye(3), (len(basis), 3, 3))
        self.set(name, rigid(turns, places))

    def follow(self, bone: str, follower: str) -> None:
        """Bring a control to its place on a bone."""
        if follower in self.posing:
            self.bring(follower, self.attached(bone, follower))

    def set(self, name: str, basis: np.ndarray) -> None:
        """Give a control these values."""
        self.written[name] = basis
        self.posing.move(name, basis)

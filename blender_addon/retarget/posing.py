"""Where bones stand whose controls and constraints are known, all frames at once. NumPy only.

It follows what Blender does (BKE_armature: a bone's parent transform; BKE_constraint: each kind's evaluate function)
for bones that nobody scales: sizes are left out, but for the length of what a Stretch To draws out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .rig_rest import RigRest
from .rigid import blended, inverses, rigid, unscaled
from .turning import onto


@dataclass(frozen=True)
class Constraint:
    """One constraint of a bone, as it acts now: its drivers are asked, a muted one is not here."""

    kind: str
    """Blender's word: COPY_TRANSFORMS, ARMATURE, ..."""
    target: str
    """Bone, empty without one."""
    influence: float
    owner_local: bool = False
    target_local: bool = False
    head_tail: float = 0.0
    """Place on the target, 0 at its head and 1 at its tail."""
    rest_length: float = 0.0
    """Of Stretch To, in the armature's units."""
    targets: tuple[tuple[str, float], ...] = ()
    """Bones and weights of an Armature constraint."""
    pole: str = ""
    pole_angle: float = 0.0
    """radians"""


_FOLLOWED = {"COPY_TRANSFORMS", "COPY_ROTATION", "COPY_LOCATION", "ARMATURE", "STRETCH_TO", "DAMPED_TRACK"}


class Posing:
    """Bones of one rig over N frames: some stand where they were put, all others where the rig takes them."""

    def __init__(
        self,
        rest: RigRest,
        constraints: Mapping[str, tuple[Constraint, ...]],
        basis: Mapping[str, np.ndarray],
        frames: int,
    ) -> None:
        """basis: (4, 4) by bone, how the rig is posed now where it is not at rest."""
        self.rest, self.constraints, self.frames = rest, constraints, frames
        self.index = {name: row for row, name in enumerate(rest.names)}
        self._basis: dict[str, np.ndarray] = dict(basis)
        self._poses: dict[str, np.ndarray] = {}
        self._put: set[str] = set()
        self._asking: list[str] = []
        self._asked: dict[str, set[str]] = {}
        """Bone to those whose poses were made from its own."""

    def __contains__(self, name: str) -> bool:
        return name in self.index

    def at_rest(self, name: str) -> np.ndarray:
        """(4, 4) bone to armature."""
        return self.rest.matrices[self.index[name]]

    def parent(self, name: str) -> str | None:
        """The bone that it hangs on."""
        row = int(self.rest.parents[self.index[name]])
        return None if row < 0 else self.rest.names[row]

    def put(self, name: str, pose: np.ndarray) -> None:
        """Say where a bone stands: (N, 4, 4) bone to armature."""
        self._forget(name)
        self._poses[name] = pose
        self._put.add(name)

    def move(self, name: str, basis: np.ndarray) -> None:
        """Give a control its values, (N, 4, 4); what hung on its old ones is forgotten."""
        self._basis[name] = basis
        self._forget(name)

    def _forget(self, name: str) -> None:
        """A bone's pose, and all that were made from it."""
        if name not in self._put:
            self._poses.pop(name, None)
        for other in self._asked.pop(name, ()):
            self._forget(other)

    def pose(self, name: str) -> np.ndarray:
        """(N, 4, 4) bone to armature. A ring of constraints ends where it began, with what was before them."""
        if self._asking:
            self._asked.setdefault(name, set()).add(self._asking[-1])
        if name not in self._poses:
            self._asking.append(name)
            turn, place = self.space(name)
            pose = self._posed(turn, place, self._basis.get(name, np.eye(4)))
            self._poses[name] = pose
            for constraint in self.constraints.get(name, ()):
                pose = self._constrained(name, pose, constraint)
            if self.rest.connected[self.index[name]]:
                pose = rigid(pose[:, :3, :3], self._poses[name][:, :3, 3])
            self._poses[name] = pose
            self._asking.pop()
        return self._poses[name]

    def space(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3, 3) what a bone's own turn is multiplied to, and (N, 4, 4) what its own place is in."""
        row = self.index[name]
        parent, own, local = self.parent(name), self.at_rest(name), self.rest.local_place[row]
        if parent is None:
            place = own.copy()
            place[:3, :3] = own[:3, :3] if local else np.eye(3)
            return np.broadcast_to(own[:3, :3], (self.frames, 3, 3)), np.broadcast_to(place, (self.frames, 4, 4))
        above, offset = self.pose(parent), inverses(self.at_rest(parent)) @ own
        place = above @ offset
        turn = unscaled(above[:, :3, :3]) @ offset[:3, :3]
        if not self.rest.inherits[row]:
            turn = np.broadcast_to(own[:3, :3], turn.shape)
        if not local:
            place = rigid(unscaled(above[:, :3, :3]), place[:, :3, 3])
        return turn, place

    def basis_of(self, name: str, pose: np.ndarray) -> np.ndarray:
        """(N, 4, 4) the values that bring a control there, where nothing constrains it."""
        turn, place = self.space(name)
        own = np.swapaxes(turn, 1, 2) @ unscaled(pose[:, :3, :3])
        return rigid(own, (inverses(place) @ pose)[:, :3, 3])

    def _posed(self, turn: np.ndarray, place: np.ndarray, basis: np.ndarray) -> np.ndarray:
        own = np.broadcast_to(basis, (self.frames, 4, 4))
        return rigid(turn @ own[:, :3, :3], (place @ own)[:, :3, 3])

    def _constrained(self, name: str, pose: np.ndarray, constraint: Constraint) -> np.ndarray:
        named = bool(constraint.targets) or constraint.target in self.index
        if constraint.kind not in _FOLLOWED or not named or constraint.influence <= 0:
            return pose
        if constraint.kind == "ARMATURE":
            solved = self._carried(pose, constraint)
        elif constraint.kind.startswith("COPY"):
            solved = self._copied(name, pose, constraint)
        else:
            solved = self._aimed(pose, constraint)
        return solved if constraint.influence >= 1 else blended(pose, solved, constraint.influence)

    def _copied(self, name: str, pose: np.ndarray, constraint: Constraint) -> np.ndarray:
        if constraint.kind == "COPY_LOCATION":
            return rigid(pose[:, :3, :3], self._point(constraint))
        target = self.pose(constraint.target)
        if constraint.target_local:
            target = self._posed(*self.space(name), self.basis_of(constraint.target, target))
        places = target[:, :3, 3] if constraint.kind == "COPY_TRANSFORMS" else pose[:, :3, 3]
        return rigid(unscaled(target[:, :3, :3]), places)

    def _carried(self, pose: np.ndarray, constraint: Constraint) -> np.ndarray:
        weights = [(bone, weight) for bone, weight in constraint.targets if weight > 0 and bone in self.index]
        if not weights:
            return pose
        total, share = np.eye(4), 0.0
        for bone, weight in weights:
            share += weight
            moved = self.pose(bone) @ inverses(self.at_rest(bone))
            total = moved if share == weight else blended(total, moved, weight / share)
        return total @ pose

    def _aimed(self, pose: np.ndarray, constraint: Constraint) -> np.ndarray:
        way = self._point(constraint) - pose[:, :3, 3]
        turned = onto(pose[:, :3, 1], way) @ pose[:, :3, :3]
        if constraint.kind == "STRETCH_TO":
            length = np.linalg.norm(way, axis=1) / (constraint.rest_length or 1.0)
            turned[:, :, 1] *= length[:, None]
        return rigid(turned, pose[:, :3, 3])

    def _point(self, constraint: Constraint) -> np.ndarray:
        """(N, 3) of the target, between its head and its tail."""
        pose = self.pose(constraint.target)
        along = constraint.head_tail * self.rest.lengths[self.index[constraint.target]]
        return pose[:, :3, 3] + along * pose[:, :3, 1]

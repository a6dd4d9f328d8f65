"""A rig's bones as a tree in the world: what hangs on what, and who mirrors whom. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .rig_rest import RigRest

_OFF_MIDDLE = 0.012
_MIRROR_ERROR = 0.05
"""Of the rig's height: from where on a bone is beside the middle, and how far its mirror image may be off."""
_BLOCK = 256
"""Bones that are compared with all others at once."""


@dataclass(frozen=True)
class BoneTree:
    """The bones that may be somebody's limbs, in a world with z up; places are metres."""

    names: tuple[str, ...]
    parents: np.ndarray
    """(B,) int, -1 without one: the nearest ancestor that is used."""
    heads: np.ndarray
    """(B, 3)"""
    tails: np.ndarray
    """(B, 3)"""

    @cached_property
    def children(self) -> list[list[int]]:
        """Of every bone."""
        found: list[list[int]] = [[] for _ in self.names]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(bone)
        return found

    @cached_property
    def floor(self) -> float:
        """Lowest height of a joint."""
        return float(self.heads[:, 2].min())

    @cached_property
    def height(self) -> float:
        """From the floor to the highest joint."""
        return float(max(self.heads[:, 2].max() - self.floor, 1e-6))

    @cached_property
    def middle(self) -> tuple[int, float]:
        """Across which axis (0: x, 1: y) the rig mirrors itself best, and where its middle is on that."""
        best = max((0, 1), key=lambda axis: (int((self._mirrored(axis) >= 0).sum()), -axis))
        return best, self._centre(best)

    @cached_property
    def mirrored(self) -> np.ndarray:
        """(B,) int: the bone on the other side, -1 for those in the middle or without one."""
        return self._mirrored(self.middle[0])

    def _centre(self, axis: int) -> float:
        """Most joints of a rig lie in pairs, others in the middle: the median is the middle either way."""
        places = self.heads[:, axis]
        return float((np.median(places) + (places.min() + places.max()) / 2) / 2)

    def _mirrored(self, axis: int) -> np.ndarray:
        centre = self._centre(axis)
        points = np.concatenate([self.heads, self.tails, self.heads - self.heads[self.parents]], axis=1)
        image = points.copy()
        image[:, axis::3] *= -1
        image[:, [axis, 3 + axis]] += 2 * centre
        sizes, own = self._sizes(), np.arange(len(self.names))
        nearest, least = np.empty_like(own), np.empty(len(own))
        for rows in np.array_split(own, len(own) // _BLOCK + 1):
            error = np.linalg.norm(points[rows, None, :6] - image[None, :, :6], axis=2)
            error += 0.2 * np.linalg.norm(points[rows, None, 6:] - image[None, :, 6:], axis=2)
            error += 0.02 * self.height * np.minimum(abs(sizes[rows, None] - sizes[None]), 5)
            error[np.arange(len(rows)), rows] = np.inf
            nearest[rows], least[rows] = error.argmin(1), error.min(1)
        beside = abs(self.heads[:, axis] - centre) + abs(self.tails[:, axis] - centre) > _OFF_MIDDLE * self.height
        good = beside & (nearest[nearest] == own) & (least < 2 * _MIRROR_ERROR * self.height)
        return np.where(good, nearest, -1)

    def _sizes(self) -> np.ndarray:
        """(B,) how many bones hang on each, itself included."""
        sizes = np.ones(len(self.names), dtype=int)
        for bone in range(len(self.names) - 1, -1, -1):
            if self.parents[bone] >= 0:
                sizes[self.parents[bone]] += sizes[bone]
        return sizes

    def line(self, bone: int) -> list[int]:
        """A bone's ancestors from the root down to itself."""
        found = []
        while bone >= 0:
            found.append(int(bone))
            bone = self.parents[bone]
        return found[::-1]

    def shared(self, *bones: int) -> int:
        """The nearest bone that all of these lie under, or are; -1 without one."""
        lines = [self.line(bone) for bone in bones]
        last = -1
        for together in zip(*lines, strict=False):
            if len(set(together)) > 1:
                break
            last = together[0]
        return last

    def between(self, above: int, below: int) -> list[int]:
        """Bones from below `above` down to `below`; `above` may be -1."""
        line = self.line(below)
        return line[line.index(above) + 1 :] if above >= 0 else line

    def under(self, bone: int) -> list[int]:
        """The bone and all that hangs on it."""
        found = [bone]
        for one in found:
            found += self.children[one]
        return found

    def paths(self, bone: int) -> list[list[int]]:
        """From the bone to every end of what hangs on it."""
        ends = [below for below in self.under(bone) if not self.children[below]]
        lines = [self.line(end) for end in ends]
        return [line[line.index(bone) :] for line in lines]

    def way(self, path: list[int]) -> np.ndarray:
        """(bones + 1, 3) joints of a path: where each bone begins, and where the last ends."""
        return np.vstack([self.heads[path], self.tails[path[-1]]])


def tree_of(rest: RigRest, used: np.ndarray | None = None) -> BoneTree:
    """The tree of those bones that are used, (B,) bool; None: of all."""
    used = np.ones(len(rest.names), dtype=bool) if used is None else used
    places = rest.world @ rest.matrices
    heads = places[:, :3, 3]
    along = places[:, :3, 1]
    kept = np.flatnonzero(used)
    index = {bone: place for place, bone in enumerate(kept)}
    parents = np.array([_nearest(bone, rest.parents, index) for bone in kept], dtype=int)
    return BoneTree(
        tuple(rest.names[bone] for bone in kept),
        parents,
        heads[kept],
        (heads + along * rest.lengths[:, None])[kept],
    )


def _nearest(bone: int, parents: np.ndarray, index: dict[int, int]) -> int:
    above = parents[bone]
    while above >= 0 and above not in index:
        above = parents[above]
    return index.get(above, -1)

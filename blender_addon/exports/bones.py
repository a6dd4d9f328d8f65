"""Which bones go into a file, under which parents and names, and the root on the ground. NumPy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..scene.rotations import quaternions_from_matrices
from .motion_shown import Shown

ROOT = "root"
_NEAR_GROUND = 0.1
"""Of the skeleton's height: a bone on the ground."""
_SAME_PLACE = 1e-3
"""Of the skeleton's height: two heads in one place."""
_SAME_WAY = 0.999
"""Cosine between bones that run along each other."""
_STANDS_STILL_M, _TRAVELS_M = 1e-3, 0.05
_SURE = 0.3
"""Of a turn about z: below, a body upside down faces nowhere."""
_ROOT_LENGTH_M = 0.2


def kept(shown: Shown) -> tuple[Shown, dict[str, str]]:
    """Only the bones that move a mesh, and the root they all hang on where it lies on the ground.

    A bone hangs on the nearest one above it that stays. Where one above goes but lies along one that stays (Rigify's
    ORG bones along its DEF bones), it hangs on that. Returned too: for each bone that goes, the one that what hangs on
    it hangs on then.
    """
    stays = shown.deform.copy()
    if not stays.any():
        stays[:] = True
    root = ground_root(shown, stays)
    if root is not None:
        stays[root] = True
    parents = _new_parents(shown, stays)
    heirs = {shown.names[bone]: _stays_above(shown, stays, bone) for bone in np.flatnonzero(~stays).tolist()}
    order = _parents_first(parents, np.flatnonzero(stays))
    return chosen(shown, order, parents), {bone: shown.names[heir] for bone, heir in heirs.items() if heir >= 0}


def chosen(shown: Shown, order: list[int], parents: np.ndarray) -> Shown:
    """Some bones in an order in which parents come first. parents (B,): the new ones, by old places."""
    place = {old: new for new, old in enumerate(order)}
    return replace(
        shown,
        names=tuple(shown.names[old] for old in order),
        parents=np.array([place.get(int(parents[old]), -1) for old in order]),
        rest=shown.rest[order],
        lengths=shown.lengths[order],
        deform=shown.deform[order],
        poses=shown.poses[:, order],
    )


def ground_root(shown: Shown, stays: np.ndarray) -> int | None:
    """The bone on the ground on which all that stay hang; None where there is none. stays (B,) bool."""
    tops = {_top(shown.parents, index) for index in np.flatnonzero(stays)}
    if len(tops) != 1:
        return None
    top = tops.pop()
    heights = shown.rest[:, 2, 3]
    near = abs(heights[top]) < _NEAR_GROUND * max(np.ptp(heights[stays]), 1e-6)
    return top if near else None


def with_root(shown: Shown) -> Shown:
    """The same with a root on the ground that carries the way of the hips and where they face.

    One that is there is kept where it moves; one that stands still while the hips travel gets their way. What hangs
    on it stays where it was in the world.
    """
    own = ground_root(shown, np.ones(shown.count, dtype=bool))
    hips = hips_of(shown, own)
    travel = ground_way(shown, hips)
    if own is None:
        return _added_root(shown, travel)
    way = shown.poses[:, own, :3, 3]
    still = np.ptp(way, axis=0).max() < _STANDS_STILL_M
    if not still or np.ptp(travel[:, :2, 3], axis=0).max() < _TRAVELS_M:
        return shown
    poses = shown.poses.copy()
    poses[:, own] = travel @ shown.rest[own]
    return replace(shown, poses=poses)


def hips_of(shown: Shown, root: int | None) -> int:
    """The bone below the root, or without one, on which most bones hang."""
    candidates = np.flatnonzero(shown.parents == (-1 if root is None else root))
    if not len(candidates):
        return 0
    below = np.zeros(shown.count, dtype=int)
    for index in range(shown.count - 1, -1, -1):
        if shown.parents[index] >= 0:
            below[shown.parents[index]] += 1 + below[index]
    return int(candidates[below[candidates].argmax()])


def ground_way(shown: Shown, bone: int) -> np.ndarray:
    """(F, 4, 4) what moves the skeleton's own space along with a bone, on the ground: a turn about z and a way on the
    plane z = 0, such that the bone is right above where it is at rest."""
    turns = shown.poses[:, bone, :3, :3] / np.linalg.norm(shown.poses[:, bone, :3, :3], axis=1, keepdims=True)
    heading = headings(turns @ shown.rest[bone, :3, :3].T)
    out = np.tile(np.eye(4), (len(heading), 1, 1))
    cosine, sine = np.cos(heading), np.sin(heading)
    out[:, 0, 0], out[:, 0, 1], out[:, 1, 0], out[:, 1, 1] = cosine, -sine, sine, cosine
    at_rest = out[:, :2, :2] @ shown.rest[bone, :2, 3]
    out[:, :2, 3] = shown.poses[:, bone, :2, 3] - at_rest
    return out


def headings(turns: np.ndarray) -> np.ndarray:
    """(F, 3, 3) turns from rest -> (F,) radians about z, without leaps: the part of a turn that is about z (its twist).
    A body upside down has none; it keeps what it had before and gets after."""
    quaternions = quaternions_from_matrices(turns)
    sure = np.hypot(quaternions[:, 0], quaternions[:, 3]) > _SURE
    if not sure.any():
        return np.zeros(len(turns))
    angles = 2 * np.arctan2(quaternions[sure, 3], quaternions[sure, 0])
    return np.interp(np.arange(len(turns)), np.flatnonzero(sure), np.unwrap(angles))


def _added_root(shown: Shown, travel: np.ndarray) -> Shown:
    """travel (F, 4, 4)."""
    name = ROOT
    while name in shown.names:
        name += "_motion"
    return replace(
        shown,
        names=(name, *shown.names),
        parents=np.concatenate([[-1], np.where(shown.parents < 0, 0, shown.parents + 1)]),
        rest=np.concatenate([np.eye(4)[None], shown.rest]),
        lengths=np.concatenate([[_ROOT_LENGTH_M], shown.lengths]),
        deform=np.concatenate([[True], shown.deform]),
        poses=np.concatenate([travel[:, None], shown.poses], 1),
    )


def _new_parents(shown: Shown, stays: np.ndarray) -> np.ndarray:
    """(B,) the bone that stays on which each hangs."""
    parents = np.full(shown.count, -1)
    for index in np.flatnonzero(stays).tolist():
        parents[index] = _stays_above(shown, stays, int(shown.parents[index]), parents, index)
    return parents


def _stays_above(shown: Shown, stays: np.ndarray, bone: int, parents: np.ndarray | None = None, whose: int = -1) -> int:
    """`bone` where it stays, else the nearest above it that stays or lies along one that does; -1 without one.

    parents (B,): known so far; what hangs on `whose` by them cannot be above it.
    """
    while bone >= 0 and not stays[bone]:
        twin = _lies_along(shown, stays, bone)
        if twin is not None and (parents is None or not _hangs_on(parents, twin, whose)):
            return twin
        bone = int(shown.parents[bone])
    return bone


def _lies_along(shown: Shown, stays: np.ndarray, bone: int) -> int | None:
    """The bone that stays and begins where `bone` begins and runs as it runs."""
    heads, along = shown.rest[:, :3, 3], shown.rest[:, :3, 1]
    near = _SAME_PLACE * max(np.ptp(heads[:, 2]), 1e-6)
    fits = stays & (np.linalg.norm(heads - heads[bone], axis=1) < near) & (along @ along[bone] > _SAME_WAY)
    found = np.flatnonzero(fits)
    return int(found[np.abs(shown.lengths[found] - shown.lengths[bone]).argmin()]) if len(found) else None


def _hangs_on(parents: np.ndarray, bone: int, other: int) -> bool:
    while bone >= 0:
        if bone == other:
            return True
        bone = int(parents[bone])
    return False


def _top(parents: np.ndarray, bone: int) -> int:
    while parents[bone] >= 0:
        bone = int(parents[bone])
    return int(bone)


def _parents_first(parents: np.ndarray, bones: np.ndarray) -> list[int]:
    """Those bones, by how many hang above each."""

    def depth(bone: int) -> int:
        return 0 if parents[bone] < 0 else 1 + depth(int(parents[bone]))

    return sorted((int(bone) for bone in bones), key=depth)

"""Which bones are whose limbs, told by their places alone: legs reach the floor, arms go aside, the head is on top."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from .bone_tree import BoneTree
from .hand_shape import fingers_of

_HIP_BESIDE = 0.03
"""Of the height: a leg that begins nearer to the middle begins with a bone of the pelvis."""
_SHORTEST_LIMB = 0.15
"""Of the height."""
_LONGEST_PATH = 14
"""Bones of a limb that are looked at; hair and tails may have hundreds."""


@dataclass
class Body:
    """A body found among bones; numbers are bones of the tree."""

    roles: dict[str, list[int]] = field(default_factory=dict)
    forward: np.ndarray | None = None
    """(3,) where the feet point, level; None where they do not tell."""


@dataclass(frozen=True)
class _Limb:
    """Two bones and what they end in: thigh, shin and foot, or upper arm, forearm and hand."""

    cost: float
    upper: list[int]
    lower: list[int]
    end: list[int]
    """The hand or foot, and what follows on the path."""
    before: list[int]
    """What lies between the trunk and the upper bone."""

    def mirrored(self, tree: BoneTree) -> _Limb | None:
        """The same on the other side; None where a bone has no mirror image."""
        parts = [[int(tree.mirrored[bone]) for bone in part] for part in (self.upper, self.lower, self.end[:1])]
        if any(bone < 0 for part in parts for bone in part):
            return None
        others = [[int(tree.mirrored[bone]) for bone in part] for part in (self.end[1:], self.before)]
        return _Limb(
            self.cost,
            parts[0],
            parts[1],
            parts[2] + [bone for bone in others[0] if bone >= 0],
            [bone for bone in others[1] if bone >= 0],
        )


def body_of(tree: BoneTree) -> Body:
    """Roles by place. What is not found is left out: a rig that is nobody's gets none."""
    body = Body()
    if len(tree.names) < 6:
        return body
    tops = _tops(tree)
    legs = _best_pair(tree, tops, _leg_cost)
    if legs is None:
        return body
    used = {bone for limb in legs for bone in (*limb.before, *limb.upper)}
    arms = _best_pair(tree, [top for top in tops if top not in used], _arm_cost)
    body.forward = _forward(tree, legs)
    sides = _by_side(tree, legs, body.forward)
    for side, leg in zip(("left", "right"), sides, strict=True):
        body.roles |= {f"{side}_thigh": leg.upper, f"{side}_shin": leg.lower, f"{side}_foot": leg.end[:1]}
        if leg.end[1:]:
            body.roles[f"{side}_toe"] = leg.end[1:2]
    if arms is not None:
        sides = _by_side(tree, arms, body.forward)
        for side, arm in zip(("left", "right"), sides, strict=True):
            body.roles |= {f"{side}_upper_arm": arm.upper, f"{side}_forearm": arm.lower}
            body.roles[f"{side}_hand"] = arm.end[:1]
            if arm.before:
                body.roles[f"{side}_clavicle"] = arm.before
            for finger, bones in fingers_of(tree, arm.end[0]).items():
                body.roles[f"{side}_{finger}"] = bones
    _add_trunk(tree, body, legs, arms)
    return body


def _tops(tree: BoneTree) -> list[int]:
    """Bones on the side of the greater numbers that hang on one in the middle: where limbs may begin."""
    axis, centre = tree.middle
    tops = []
    for bone, other in enumerate(tree.mirrored):
        parent = tree.parents[bone]
        beside = tree.heads[bone, axis] + tree.tails[bone, axis] > 2 * centre
        if other >= 0 and beside and (parent < 0 or tree.mirrored[parent] < 0):
            tops.append(bone)
    return tops


def _best_pair(tree: BoneTree, tops: list[int], cost) -> tuple[_Limb, _Limb] | None:
    """The limb that fits best, and the one on the other side."""
    paths = {tuple(path[:_LONGEST_PATH]) for top in tops for path in tree.paths(top)}
    limbs = [limb for path in sorted(paths) for limb in _limbs(tree, list(path), cost)]
    for limb in sorted(limbs, key=lambda limb: limb.cost):
        other = limb.mirrored(tree)
        if other is not None:
            return limb, other
    return None


def _limbs(tree: BoneTree, path: list[int], cost) -> list[_Limb]:
    joints, found = tree.way(path), []
    if np.linalg.norm(np.diff(joints, axis=0), axis=1).sum() < _SHORTEST_LIMB * tree.height:
        return found
    for a, b, c in combinations(range(len(path)), 3):
        value = cost(tree, joints, path, (a, b, c))
        if value is not None:
            found.append(_Limb(value, path[a:b], path[b:c], path[c:], path[:a]))
    return found


def _leg_cost(tree: BoneTree, joints: np.ndarray, path: list[int], at: tuple[int, int, int]) -> float | None:
    """How far three joints are from hip, knee and ankle; None where they cannot be."""
    hip, knee, ankle = (joints[place] for place in at)
    up = (hip[2] - tree.floor) / tree.height
    thigh, shin = np.linalg.norm(knee - hip), np.linalg.norm(ankle - knee)
    if up < 0.15 or min(thigh, shin) < 0.03 * tree.height:
        return None
    down = 2 - (hip - knee)[2] / thigh - (knee - ankle)[2] / shin
    low = (ankle[2] - tree.floor) / (hip[2] - tree.floor)
    if down > 0.8 or low > 0.3:
        return None
    foot = np.linalg.norm((joints[-1] - ankle)[:2]) / (thigh + shin)
    aside = np.linalg.norm(joints[at[0]] - joints[0]) / (thigh + shin)
    axis, centre = tree.middle
    aside += max(1 - abs(hip[axis] - centre) / (_HIP_BESIDE * tree.height), 0)
    bones = len(path[at[2] :])
    return abs(np.log(thigh / shin)) + down + 3 * abs(low - 0.09) + abs(foot - 0.3) + aside + 0.05 * abs(bones - 2)


def _arm_cost(tree: BoneTree, joints: np.ndarray, path: list[int], at: tuple[int, int, int]) -> float | None:
    """How far three joints are from shoulder, elbow and wrist; None where they cannot be."""
    axis, centre = tree.middle
    shoulder, elbow, wrist = (joints[place] for place in at)
    upper, fore = np.linalg.norm(elbow - shoulder), np.linalg.norm(wrist - elbow)
    length = (upper + fore) / tree.height
    if (shoulder[2] - tree.floor) / tree.height < 0.35 or not 0.12 < length < 1.2 or min(upper, fore) <= 0:
        return None
    reach = (wrist[axis] - shoulder[axis]) / (upper + fore)
    straight = np.linalg.norm(wrist - shoulder) / (upper + fore)
    hand = np.linalg.norm(joints[-1] - wrist) / (upper + fore)
    if reach < 0.1 or straight < 0.6 or not 0.02 < hand < 1:
        return None
    beside = abs(shoulder[axis] - centre) / tree.height
    fingers = len(tree.children[path[at[2]]]) >= 3
    before = np.linalg.norm(shoulder - joints[0]) / (upper + fore)
    cost = abs(np.log(upper / fore)) + 2 * (1 - straight) + abs(hand - 0.33) + 0.5 * abs(length - 0.3)
    cost += max(before - 0.45, 0)
    return cost + 2 * max(0.06 - beside, 0) / 0.06 - 0.7 * fingers


def _forward(tree: BoneTree, legs: tuple[_Limb, _Limb]) -> np.ndarray | None:
    """Where the feet point; by their tails only where bones point along their limbs at all."""
    if len(legs[0].end) > 1:
        ways = [tree.heads[leg.end[1]] - tree.heads[leg.end[0]] for leg in legs]
    else:
        off = [np.linalg.norm(tree.tails[leg.upper[-1]] - tree.heads[leg.lower[0]]) for leg in legs]
        if max(off) > 0.05 * tree.height:
            return None
        ways = [tree.tails[leg.end[0]] - tree.heads[leg.end[0]] for leg in legs]
    ahead = np.sum(ways, axis=0)
    ahead[[tree.middle[0], 2]] = 0
    length = np.linalg.norm(ahead)
    return ahead / length if length > 0.02 * tree.height else None


def _by_side(tree: BoneTree, pair: tuple[_Limb, _Limb], forward: np.ndarray | None) -> tuple[_Limb, _Limb]:
    """The left one first: what is on the left of who looks ahead, ahead being -y where nothing tells."""
    ahead = np.array([0.0, -1.0, 0.0]) if forward is None else forward
    left = np.cross((0.0, 0.0, 1.0), ahead)[tree.middle[0]]
    return pair if left > 0 else pair[::-1]


def _add_trunk(tree: BoneTree, body: Body, legs: tuple[_Limb, _Limb], arms: tuple[_Limb, _Limb] | None) -> None:
    hips = tree.shared(*(leg.upper[0] for leg in legs))
    chest = tree.shared(*(arm.upper[0] for arm in arms)) if arms else hips
    whole = tree.shared(hips, chest) if hips >= 0 and chest >= 0 else -1
    if whole >= 0 and (tree.heads[whole, 2] - tree.floor) / tree.height > 0.2:
        hips = whole
    if hips < 0 or (tree.heads[hips, 2] - tree.floor) / tree.height < 0.2:
        return
    body.roles["pelvis"] = [hips]
    above = tree.line(hips)[:-1]
    if above:
        body.roles["root"] = above[:1]
    taken = {bone for pair in (legs, arms or ()) for limb in pair for bone in (*limb.before, *limb.upper)}
    top = _upward(tree, chest if chest in tree.under(hips) else hips, taken)
    spine = tree.between(hips, chest) if chest in tree.under(hips) else []
    if spine:
        body.roles["spine"] = spine
    if top:
        head = max(range(len(top)), key=lambda place: np.linalg.norm(tree.tails[top[place]] - tree.heads[top[place]]))
        head = max(head, min(1, len(top) - 1))
        body.roles["head"] = [top[head]]
        if head:
            body.roles["neck"] = top[:head]


def _upward(tree: BoneTree, chest: int, taken: set[int]) -> list[int]:
    """The way from the chest to the highest bone in the middle."""
    axis, centre = tree.middle
    best: list[int] = []
    for child in tree.children[chest]:
        if child in taken or tree.mirrored[child] >= 0:
            continue
        for path in tree.paths(child):
            inner = [bone for bone in path if abs(tree.heads[bone, axis] - centre) < 0.03 * tree.height]
            kept = path[: len(inner)] if path[: len(inner)] == inner else []
            if kept and tree.heads[kept[0], 2] > tree.floor + 0.5 * tree.height and _rises(tree, kept, best):
                best = kept
    return best


def _rises(tree: BoneTree, path: list[int], other: list[int]) -> bool:
    return not other or tree.heads[path, 2].max() > tree.heads[other, 2].max() + 1e-9

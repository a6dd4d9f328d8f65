"""Fingers as they lie in a hand that hangs: the person's are not known, and straight ones look dead. NumPy only."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .aligning import UP, hand_along, index_side
from .roles import FINGERS, SIDES
from .standing import Standing
from .turning import about, across, angle_between, unit

_CURLS = {
    "index": (18, 24, 12),
    "middle": (24, 28, 15),
    "ring": (28, 31, 17),
    "little": (30, 32, 18),
}
"""Degrees by which each joint of a hanging hand is bent, from the knuckle out."""
_THUMB = (8, 12, 14)


def relaxed(rig: Standing, share: float) -> dict[int, np.ndarray]:
    """Bone of a finger to (3, 3): its turn against its hand's, in the rig's rest pose. share: 0 to 1."""
    out: dict[int, np.ndarray] = {}
    for side in SIDES:
        along = hand_along(rig, side)
        if along is None:
            continue
        palm = _palm(rig, side, along)
        for finger in FINGERS:
            joints = rig.finger(side, finger)
            if joints:
                curls = _THUMB if finger == "thumb" else _CURLS[finger]
                toward = unit(along + 1.2 * palm) if finger == "thumb" else palm
                out |= _curled(rig, joints, toward, share * np.radians(curls), finger == "thumb")
    return out


def _palm(rig: Standing, side: str, along: np.ndarray) -> np.ndarray:
    """(3,) unit: where the palm faces."""
    index = index_side(rig, side)
    if index is None:  # a mitten: it faces down as the arm is raised, else to the body
        inward = np.array([-1.0 if side == "left" else 1.0, 0.0, 0.0])
        return unit(across(-UP * abs(along[0]) + inward * abs(along[1]), along))
    palm = np.cross(along, index)
    return palm if side == "left" else -palm


def _curled(
    rig: Standing, joints: tuple[int, ...], toward: np.ndarray, curls: np.ndarray, thumb: bool
) -> dict[int, np.ndarray]:
    """Each joint bent so far that it is as it should be, where it rests straighter."""
    ends = [*(rig.heads[bone] for bone in joints), _tip(rig, joints)]
    ways = [unit(b - a) for a, b in pairwise(ends)]
    out, turn, before = {}, np.eye(3), None
    for place, (bone, way) in enumerate(zip(joints, ways, strict=True)):
        axis = unit(np.cross(way, toward))
        curl = curls[place] if place < len(curls) else 0.0
        if before is not None and not thumb:  # as far as it rests bent it is bent already
            bend = angle_between(before, way)
            curl = max(curl - (bend if across(way, before) @ toward > 0 else -bend), 0.0)
        turn = turn @ about(axis, curl)
        out[bone], before = turn, way
    return out


def _tip(rig: Standing, joints: tuple[int, ...]) -> np.ndarray:
    """(3,) where the last bone ends: at what hangs on it, as far as it is drawn, or on as it came."""
    last = joints[-1]
    children = rig.children(last)
    if children:
        return rig.heads[children[0]]
    if len(joints) > 1:
        came = rig.heads[last] - rig.heads[joints[-2]]
        drawn = rig.tail(last) - rig.heads[last]
        return rig.heads[last] + (drawn if angle_between(drawn, came) < np.radians(60) else came)
    return rig.tail(last)

"""What lies between a rig's rest pose and the person's: a turn for each role, from the directions of its limbs.

Both are in the axes of SMPL's rest pose, a T-pose. A limb's frame is the way along it and what lies aside: for arms and
legs the way that elbow and knee bend, for hands the side of the index finger. Trunk and head are taken as upright.
"""

from __future__ import annotations

import numpy as np

from ..motion import JOINT_NAMES
from .roles import SIDES
from .standing import Standing
from .turning import across, angle_between, back, frame, onto, ramp, turned, unit

FORWARD, UP = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
_BENT = np.radians((3.0, 10.0))
"""From such an angle on a joint's bend at rest tells how it bends; below the first it does not."""
_PLAUSIBLE = np.cos(np.radians((75.0, 40.0)))
"""As a knee or elbow bends at most so far off from how it should."""


def joint(name: str) -> int:
    """Place of one of SMPL's joints."""
    return JOINT_NAMES.index(name)


def aligned(rig: Standing, rest: np.ndarray) -> dict[str, np.ndarray]:
    """(3, 3) for every role but the fingers: from the rig's rest pose to the person's.

    rest (24, 3) m: the person's joints at rest.
    """
    turns = {role: np.eye(3) for role in ("root", "pelvis", "spine", "neck", "head")}
    for side in SIDES:
        turns[f"{side}_clavicle"] = np.eye(3)
        turns |= _arm(rig, rest, side)
        turns |= _leg(rig, rest, side)
    return {role: turn for role, turn in turns.items() if rig.has(role)}


def _arm(rig: Standing, rest: np.ndarray, side: str) -> dict[str, np.ndarray]:
    mine = [rest[joint(f"{side}_{part}")] for part in ("shoulder", "elbow", "wrist", "hand")]
    upper, fore = _limb(rig, side, ("upper_arm", "forearm"), mine[:3], FORWARD)
    out = {f"{side}_upper_arm": upper[1] @ back(upper[0]), f"{side}_forearm": fore[1] @ back(fore[0])}
    along = hand_along(rig, side)
    if along is None:
        return out
    index = index_side(rig, side)
    own = frame(along, fore[0][:, 1] if index is None else index)
    # At rest the person's palms face down, the index finger forward: so far as the rig's palm is turned away from how
    # its elbow bends, half of that goes to the forearm.
    half = frame(fore[0][:, 0], fore[0][:, 1] + unit(across(own[:, 1], fore[0][:, 0])))
    out[f"{side}_forearm"] = fore[1] @ back(half)
    out[f"{side}_hand"] = frame(mine[3] - mine[2], FORWARD) @ back(own)
    return out


def _leg(rig: Standing, rest: np.ndarray, side: str) -> dict[str, np.ndarray]:
    mine = [rest[joint(f"{side}_{part}")] for part in ("hip", "knee", "ankle", "foot")]
    upper, lower = _limb(rig, side, ("thigh", "shin"), mine[:3], -FORWARD)
    foot = frame((mine[3] - mine[2]) * (1, 0, 1), UP) @ back(frame(rig.forward(side), UP))
    return {
        f"{side}_thigh": upper[1] @ back(upper[0]),
        f"{side}_shin": lower[1] @ back(lower[0]),
        f"{side}_foot": foot,
        f"{side}_toe": foot,
    }


def _limb(
    rig: Standing, side: str, parts: tuple[str, str], mine: list[np.ndarray], bends: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames of the rig's and the person's upper and lower part. mine: the person's three joints; bends: where the
    lower part goes as the joint between bends."""
    end = {"forearm": "hand", "shin": "foot"}[parts[1]]
    a, b = rig.head(f"{side}_{parts[0]}"), rig.head(f"{side}_{parts[1]}")
    c = rig.head(f"{side}_{end}") if rig.has(f"{side}_{end}") else rig.end(rig.bones[f"{side}_{parts[1]}"][-1])
    upper, lower = unit(b - a), unit(c - b)
    source = unit(mine[1] - mine[0])
    usual = turned(onto(source, upper), across(bends, source))
    bent = across(lower, upper)
    share = ramp(angle_between(upper, lower), *_BENT) * ramp(unit(bent) @ unit(usual), *_PLAUSIBLE)
    aside = (1 - share) * unit(usual) + share * unit(bent)
    axis = np.cross(upper, aside)
    axis_source = np.cross(source, bends)
    below = unit(mine[2] - mine[1])
    return [
        (frame(upper, aside), frame(source, bends)),
        (frame(lower, np.cross(axis, lower)), frame(below, np.cross(axis_source, below))),
    ]


def hand_along(rig: Standing, side: str) -> np.ndarray | None:
    """(3,) unit, from the wrist to the knuckles; None where the rig has no hand."""
    if not rig.has(f"{side}_hand"):
        return None
    wrist, knuckles = rig.head(f"{side}_hand"), rig.knuckles(side)
    if knuckles:
        middle = [knuckles[finger] for finger in ("middle", "index", "ring") if finger in knuckles]
        return unit((middle[0] if "middle" in knuckles else np.mean(list(knuckles.values()), axis=0)) - wrist)
    fore = wrist - rig.head(f"{side}_forearm")
    drawn = rig.end(rig.bones[f"{side}_hand"][-1]) - wrist
    return unit(drawn) if angle_between(drawn, fore) < np.radians(50) else unit(fore)


def index_side(rig: Standing, side: str) -> np.ndarray | None:
    """(3,) unit, from the little finger's knuckle to the index finger's; None where fewer than two fingers tell."""
    knuckles = list(rig.knuckles(side).values())
    if len(knuckles) < 2:
        return None
    return unit(across(knuckles[0] - knuckles[-1], hand_along(rig, side)))

"""Where the joints of the test rigs' people are: a human in numbers, in metres, facing -y with the left at +x."""

from dataclasses import dataclass

import numpy as np

FINGERS = ("thumb", "index", "middle", "ring", "little")

_T_POSE = {
    "pelvis": (0, 0.01, 0.96), "waist": (0, 0, 1.04), "chest": (0, 0.02, 1.22), "neck": (0, 0.03, 1.46),
    "head": (0, 0.0, 1.56), "crown": (0, 0.0, 1.75),
    "hip": (0.09, 0, 0.92), "knee": (0.095, -0.01, 0.50), "ankle": (0.10, 0.03, 0.085), "heel": (0.10, 0.08, 0),
    "ball": (0.11, -0.09, 0.02), "toe": (0.115, -0.16, 0.015),
    "clavicle": (0.02, -0.01, 1.43), "shoulder": (0.18, 0.02, 1.42), "elbow": (0.46, 0.03, 1.42),
    "wrist": (0.71, 0.02, 1.42), "knuckles": (0.80, 0.02, 1.42),
}  # fmt: skip
"""Points of a person of 1.75 m; those with a side are the left's."""

_FINGERS = {
    "thumb": ((0.735, -0.01, 1.41), (0.6, -0.7, -0.35), (0.045, 0.035, 0.03)),
    "index": ((0.80, -0.02, 1.42), (1, -0.05, -0.05), (0.045, 0.027, 0.022)),
    "middle": ((0.805, 0.005, 1.42), (1, 0, -0.05), (0.048, 0.03, 0.022)),
    "ring": ((0.80, 0.03, 1.418), (1, 0.04, -0.05), (0.043, 0.027, 0.022)),
    "little": ((0.785, 0.052, 1.412), (1, 0.1, -0.05), (0.035, 0.022, 0.019)),
}
"""Base, direction, and the lengths of its three bones."""


@dataclass(frozen=True)
class Proportions:
    """How a rig's person differs from the human above."""

    height: float = 1.75
    """Metres, of the whole."""
    legs: float = 1.0
    """Legs' length, times the human's, before the whole is brought to its height."""
    arms: float = 1.0
    """The same of the arms."""
    drop: float = 0.0
    """Degrees by which the arms hang below the T-pose."""
    bend: float = 0.0
    """Degrees by which the forearms are turned ahead."""
    apart: float = 0.0
    """Degrees by which each leg is spread."""


def human(proportions: Proportions) -> dict[str, np.ndarray]:
    """Points by name: those in the middle as `neck`, others as `left_knee`, a finger's four as `left_index_0` to 3."""
    left = {name: np.array(point, dtype=float) for name, point in _T_POSE.items()}
    for name, (base, direction, lengths) in _FINGERS.items():
        along = np.array(direction) / np.linalg.norm(direction)
        for place, length in enumerate(np.cumsum((0, *lengths))):
            left[f"{name}_{place}"] = np.array(base) + length * along
    _set_arms(left, proportions)
    _set_legs(left, proportions)
    scale = proportions.height / left["crown"][2]
    points = {}
    for name, point in left.items():
        if _T_POSE.get(name, (1,))[0] == 0:
            points[name] = scale * point
        else:
            points[f"left_{name}"] = scale * point
            points[f"right_{name}"] = scale * point * (-1, 1, 1)
    return points


def _set_arms(left: dict[str, np.ndarray], proportions: Proportions) -> None:
    shoulder, elbow = left["shoulder"].copy(), left["elbow"].copy()
    hand = [name for name in left if name.rsplit("_")[0] in FINGERS] + ["wrist", "knuckles"]
    for name in hand:
        left[name] = elbow + _turn(2, -proportions.bend) @ (left[name] - elbow)
    for name in (*hand, "elbow"):
        left[name] = shoulder + proportions.arms * _turn(1, proportions.drop) @ (left[name] - shoulder)


def _set_legs(left: dict[str, np.ndarray], proportions: Proportions) -> None:
    """Longer legs lift all that is above them; feet keep their size and stay flat."""
    hip, ankle = left["hip"].copy(), left["ankle"].copy()
    outward = _turn(1, -proportions.apart)
    for name in ("knee", "ankle"):
        left[name] = hip + proportions.legs * outward @ (left[name] - hip)
    moved = left["ankle"] - ankle
    for name in ("heel", "ball", "toe"):
        left[name] = left[name] + moved
    for point in left.values():
        point[2] -= moved[2]


def _turn(axis: int, degrees: float) -> np.ndarray:
    """(3, 3) rotation about x, y or z."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[a, a] = turn[b, b] = np.cos(np.radians(degrees))
    turn[b, a] = np.sin(np.radians(degrees))
    turn[a, b] = -turn[b, a]
    return turn

"""A foot of the rig planted where the person's is: each plant of heel or toe at one place for as long as it lasts.

While one of both stands the foot turns about it as the person's does; while both stand it lies flat between the two.
Turns and shifts that this takes come and go in the air.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..scene.rotations import axis_angle_from_matrices, matrices_from_axis_angle
from .smoothing import eased, runs
from .turning import onto, turned

_TURN_S = 0.12
"""In so many seconds a foot that was laid flat comes back to how the person's turns."""
EASE_S = 0.2
"""In so many seconds a foot that was planted comes back to the person's way, and before it is."""
_ON_GROUND_M = 0.06
"""Plants nearer to the ground than this are on it; others are where the person's are: on a step, on a roof."""
_HEEL_BEHIND = 0.3
"""How far the heel ends behind the point below the ankle, in lengths from there to the ball."""
_NEAR_FRAMES = 2
_TRIES = 60


@dataclass(frozen=True)
class Foot:
    """One foot over N frames."""

    turn: np.ndarray
    """(N, 3, 3) from the rig's rest pose to the world."""
    ankle: np.ndarray
    """(N, 3) m: where the ankle has to be while the foot stands, and about where otherwise."""
    stands: np.ndarray
    """(N,) bool."""


@dataclass(frozen=True)
class Sole:
    """(3,) m: from the ankle at rest to where heel and toe stand, below ankle and ball."""

    heel: np.ndarray
    toe: np.ndarray

    def rise(self, way: np.ndarray) -> np.ndarray:
        """(N,) m: how far the point below the ankle rises as the foot rolls on the end of its heel, behind that point.

        way (N, 3): from heel to toe.
        """
        return _HEEL_BEHIND * np.maximum(way[:, 2], 0)


def planted(middle: np.ndarray, turn: np.ndarray, contacts: np.ndarray, sole: Sole, ground: float, fps: float) -> Foot:
    """A foot with its plants held.

    middle (N, 3) m: the middle of the sole's two points as the person would have it; turn (N, 3, 3) the foot's, from
    the rig's rest pose; contacts (N, 2) bool: heel and toe.
    """
    length = sole.toe - sole.heel
    way = turned(turn, length)
    points = np.stack([middle - 0.5 * way, middle + 0.5 * way], 1)
    spots = _spots(points, contacts, float(np.linalg.norm(length)), ground)
    both = contacts.all(1)
    level = _turns_onto(way, spots[:, 1] - spots[:, 0], both, max(round(_TURN_S * fps), 1))
    turn = level @ turn
    turn = _not_through(turn, length, contacts) @ turn
    way = turned(turn, length)
    points = np.stack([middle - 0.5 * way, middle + 0.5 * way], 1)
    spots[:, 0, 2] += np.where(contacts[:, 0] & ~contacts[:, 1], sole.rise(way), 0)
    stands = contacts.any(1)
    first = np.where(contacts[:, 0], 0, 1)
    rows = np.arange(len(turn))
    shift = np.where(stands[:, None], spots[rows, first] - points[rows, first], 0.0)
    shift = eased(shift, stands, max(round(EASE_S * fps), 1))
    return Foot(turn, points[:, 0] + shift - turned(turn, sole.heel), stands)


def _spots(points: np.ndarray, contacts: np.ndarray, length: float, ground: float) -> np.ndarray:
    """(N, 2, 3) where heel and toe stand; any place where they do not. points (N, 2, 3) as the person has them."""
    plants = [(part, a, b) for part in (0, 1) for a, b in runs(contacts[:, part])]
    at = np.array([points[a:b, part].mean(0) for part, a, b in plants]).reshape(-1, 3)
    at[:, 2] = np.where(np.abs(at[:, 2] - ground) < _ON_GROUND_M, ground, at[:, 2])
    pairs = _pairs(plants, points, at, length)
    for _ in range(_TRIES):
        for i, j, size in pairs:
            way = at[j] - at[i]
            now = np.linalg.norm(way)
            if now > 1e-9:
                step = 0.5 * (now - size) / now * way
                at[i] += step
                at[j] -= step
    for i, j, size in pairs:  # what is left of it, in order, so that all lengths are exact
        way = at[j] - at[i]
        at[j] = at[i] + way * size / max(np.linalg.norm(way), 1e-9)
    out = points.copy()
    for (part, a, b), place in zip(plants, at, strict=True):
        out[a:b, part] = place
    return out


def _pairs(
    plants: list[tuple[int, int, int]], points: np.ndarray, at: np.ndarray, length: float
) -> list[tuple[int, int, float]]:
    """Which plants of heel and toe are how far from each other, in order of time. Those that overlap are a foot's
    length apart; where one follows the other, as far as they are in the person's own motion."""
    found = []
    for i, (part, a, b) in enumerate(plants):
        if part:
            continue
        for j, (other, c, d) in enumerate(plants):
            if not other or c > b + _NEAR_FRAMES or a > d + _NEAR_FRAMES:
                continue
            if max(a, c) < min(b, d):
                # On slopes and steps their heights stay; on flat ground this is the foot's length.
                found.append((min(a, c), max(a, c), i, j, length))
            else:
                heel, toe = (b - 1, c) if b <= c else (a, d - 1)
                apart = points[toe, 1] - points[heel, 0]
                apart[2] = at[j][2] - at[i][2]
                found.append((min(a, c), max(a, c), i, j, float(np.linalg.norm(apart))))
    found.sort(key=lambda pair: (pair[1], pair[0]))
    return [(i, j, size) if plants[i][1] <= plants[j][1] else (j, i, size) for _, _, i, j, size in found]


def _turns_onto(way: np.ndarray, wanted: np.ndarray, known: np.ndarray, reach: int) -> np.ndarray:
    """(N, 3, 3) the turns of heel-to-toe onto what is wanted where it is known, easing to none elsewhere."""
    return matrices_from_axis_angle(eased(axis_angle_from_matrices(onto(way, wanted)), known, reach))


def _not_through(turn: np.ndarray, length: np.ndarray, contacts: np.ndarray) -> np.ndarray:
    """(N, 3, 3) turns that keep heel or toe from sinking while the other one stands."""
    way = turned(turn, length)
    size = np.linalg.norm(way, axis=-1)
    level = way.copy()
    alone = contacts[:, 0] ^ contacts[:, 1]
    low = np.where(contacts[:, 0], way[:, 2] < 0, way[:, 2] > 0) & alone
    level[low, 2] = 0.0
    level *= (size / np.maximum(np.linalg.norm(level, axis=-1), 1e-9))[:, None]
    return onto(way, level)

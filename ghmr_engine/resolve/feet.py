"""Where feet are to stand over their plants, and which of them were let go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.energy.hold import plants_of

RAISED_M = 0.06
"""A plant at least so high over (or under) z = 0 stands on something, and stays at its height;"""
_SWUNG_M = 0.25
"""one that moved as feet that swing do was in the air, and comes down from as high as they get."""
_SWINGS = 0.5
"""m/s."""
LEANING_M = 0.08
"""How far a hip comes along with a foot that is to stand farther away than its leg is long."""
PLANTED = 0.5
_STILL = 0.03
"""m/s: a foot point that moves less was held; where it is no longer planted, it was let go."""

_LEGS = [tuple(JOINT_NAMES.index(f"{side}_{part}") for part in ("hip", "knee", "ankle")) for side in ("left", "right")]


@dataclass(frozen=True)
class Stands:
    """Where foot points are nailed. N frames."""

    places: np.ndarray
    """(N, 4, 3) m; any number where nothing is nailed."""
    nailed: np.ndarray
    """(N, 4) bool."""
    movable: np.ndarray
    """(N, 2) number of the left and right foot's plant, 0 where it has none or its place is given from outside."""

    def shifted(self, side: int, plant: int, by: np.ndarray) -> Stands:
        """With a foot's plant elsewhere, by (2,) m along the ground."""
        places = self.places.copy()
        rows = np.flatnonzero(self.movable[:, side] == plant)
        places[rows[:, None], [2 * side, 2 * side + 1], :2] += by
        return Stands(places, self.nailed, self.movable)

    def within_reach(self, joints: np.ndarray, feet: np.ndarray) -> Stands:
        """Nailed only where a leg gets there, the hip moved by LEANING_M at the most. joints (N, 24, 3) m and feet
        (N, 4, 3) m as they are. Beyond that nails would break the leg."""
        nailed = self.nailed.copy()
        for side, (hip, knee, ankle) in enumerate(_LEGS):
            mine = slice(2 * side, 2 * side + 2)
            count = nailed[:, mine].sum(1)
            shift = ((self.places - feet)[:, mine] * nailed[:, mine, None]).sum(1) / np.maximum(count, 1)[:, None]
            length = sum(np.linalg.norm(joints[0, a] - joints[0, b], axis=-1) for a, b in ((hip, knee), (knee, ankle)))
            far = np.linalg.norm(joints[:, ankle] + shift - joints[:, hip], axis=-1) > length + LEANING_M
            nailed[far, mine] = False
        return Stands(self.places, nailed, self.movable)


def stands_of(
    feet: np.ndarray, contacts: np.ndarray, frames: np.ndarray, free: np.ndarray, fps: float
) -> Stands:  # fmt: skip
    """Where each planted foot is to stand.

    feet (N, 4, 3) m as they are, contacts (N, 4), frames (N,), free (N,) bool: frames that may change. A plant that
    goes on where nothing may change keeps its place there; any other stands level in the middle of where it is now, on
    the ground unless it stood on something RAISED_M off it.
    """
    places, nailed = np.zeros(feet.shape), contacts >= PLANTED
    movable = np.zeros((len(feet), 2), int)
    for side in range(2):
        both = slice(2 * side, 2 * side + 2)
        plants = plants_of(nailed[:, both].any(1), frames)
        for plant in range(1, plants.max(initial=0) + 1):
            rows = np.flatnonzero(plants == plant)
            inside = np.flatnonzero(free[rows])
            if not len(inside):
                continue
            points, rests = feet[rows][:, both], nailed[rows][:, both]
            before, after = np.arange(inside[0]), np.arange(inside[-1] + 1, len(rows))
            given = [_spot(points, rests, part, None) for part in (before, after) if len(part)]
            if not given:
                movable[rows, side] = plant
                given = [_spot(points, rests, np.arange(len(rows)), fps)]
            share = np.clip((np.arange(len(rows)) - inside[0] + 1) / (len(inside) + 1), 0, 1)[:, None, None]
            share = share**2 * (3 - 2 * share)  # joins two places of one plant, which are one unless a user joined two
            places[rows, both] = (1 - share) * given[0] + share * given[-1]
    return Stands(places, nailed & free[:, None], movable)


def let_go(feet: np.ndarray, contacts: np.ndarray, frames: np.ndarray, fps: float) -> np.ndarray:
    """(N, 2) bool: a heel or toe of the left, the right foot is as still as only a held one is, and its contact exactly
    0, which is what hands write: networks hesitate where a foot rests."""
    follows = np.diff(frames) == 1
    still = (np.linalg.norm(np.diff(feet, axis=0), axis=-1) * fps < _STILL) & follows[:, None]
    held = np.zeros(contacts.shape, bool)
    held[1:] |= still
    held[:-1] |= still
    return (held & (contacts == 0)).reshape(-1, 2, 2).any(2)


def _spot(points: np.ndarray, rests: np.ndarray, source: np.ndarray, fps: float | None) -> np.ndarray:
    """(2, 3) m where heel and toe stand. points (n, 2, 3), rests (n, 2) of a whole plant; source: the rows that tell
    the place. What does not rest there is put as far from the other as it is in the rest of the plant. fps: to put it
    level on what it stands on; None leaves its height."""
    mine = rests[source]
    said = np.array([_middle(points[source][mine[:, end], end]) for end in range(2)])
    count = mine.sum(0)
    both = rests.all(1)
    shape = source[mine.all(1)] if mine.all(1).any() else np.flatnonzero(both if both.any() else rests.any(1))
    way = _middle(points[shape, 1] - points[shape, 0])
    length = np.median(np.linalg.norm(points[shape, 1] - points[shape, 0], axis=-1))
    way = way if fps is None else way * [1, 1, 0]
    half = way / max(np.linalg.norm(way), 1e-9) * length / 2
    if count.all() and fps is None:
        return said
    said = np.where((count > 0)[:, None], said, 0)  # what never rests there says nothing
    centre = (count[:, None] * (said + np.array([half, -half]))).sum(0) / count.sum()
    if fps is not None:
        height = (count * said[:, 2]).sum() / count.sum()
        centre[2] = height * (abs(height) >= (_SWUNG_M if _swings(points, rests, fps) else RAISED_M))
    return np.array([centre - half, centre + half])


def _swings(points: np.ndarray, rests: np.ndarray, fps: float) -> bool:
    """Whether what is to rest (n, 2, 3), (n, 2) moves most of the time."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=-1)[rests[1:] & rests[:-1]]
    return bool(len(steps)) and float(np.median(steps)) * fps > _SWINGS


def _middle(points: np.ndarray) -> np.ndarray:
    """(3,) median, number by number; nan of none."""
    return np.median(points, 0) if len(points) else np.full(3, np.nan)

"""A foot's plants, and what holds each: one pose of the foot, and how it rolls about heel and toe. NumPy only.

A foot's way is given as rigid motions from rest, in the armature's space: a point p of the resting foot is at
turns[k] @ p + shifts[k] in frame k. Rows are whole scene frames, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .curve_fit import Track, fit_track

EASE_S = 0.2
"""Seconds over which a foot is let go after a plant and caught before one."""
HEEL, TOE = 0, 1
_LEVER_M = 0.15
"""A turn about heel or toe moves the ankle by this much a radian."""
_TOLERANCE_M = 1.5e-3
"""What the rolls may be off between two keys."""
_POINT_M, _SLIDE_M = 0.02, 0.005
"""How well the guess knows where heel and toe are, and how far a planted point is known to slide."""


@dataclass(frozen=True)
class Plant:
    """An unbroken rest of one foot; rows."""

    begin: int
    """Where the foot begins to be drawn to the plant: not held here yet, unless the plant begins here."""
    first: int
    last: int
    """Held all the way from first to last."""
    end: int
    """Where it is free again, unless this is last: then it is free in the next row."""


@dataclass(frozen=True)
class Hold:
    """What holds the foot through one plant."""

    plant: Plant
    turn: np.ndarray
    """(3, 3) and shift (3,): the foot's motion from rest while it lies flat, the same for the whole plant."""
    shift: np.ndarray
    place: Track
    """(3,) m, in the resting foot's space: off the plant's place on the way there and away; 0 while planted."""
    heel: Track
    """(3,) radians, XYZ Euler: turned about the heel..."""
    toe: Track
    """... and then about the toe, in the axes given."""


def find_plants(contacts: np.ndarray, shown: np.ndarray, ease: int) -> list[Plant]:
    """contacts (N, 2) bool of heel and toe, shown (N,) bool: rows in which somebody is there; ease: rows."""
    spans = _runs(shown)
    rests = [(first, last, span) for span in spans for first, last in _runs(contacts.any(1) & _only(span, len(shown)))]
    plants = []
    for number, (first, last, span) in enumerate(rests):
        before, after = span
        if number and rests[number - 1][2] == span:
            before = (rests[number - 1][1] + first) // 2
        if number + 1 < len(rests) and rests[number + 1][2] == span:
            after = (last + rests[number + 1][0]) // 2
        plants.append(Plant(max(first - ease, before), first, last, min(last + ease, after)))
    return plants


def _only(span: tuple[int, int], count: int) -> np.ndarray:
    rows = np.arange(count)
    return (rows >= span[0]) & (rows <= span[1])


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and last row of each unbroken stretch of True in (N,)."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return [(int(a), int(b) - 1) for a, b in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True)]


def still_points(turns: np.ndarray, shifts: np.ndarray, contacts: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """(2, 3) m: the points of the resting foot that stay where they are while heel or toe is planted.

    guess (2, 3): where they about are. Least squares over all plants for the point and for each plant's place.
    """
    points = guess.astype(np.float64).copy()
    for part in (HEEL, TOE):
        normal, right = np.eye(3) / _POINT_M**2, np.zeros(3)
        for first, last in _runs(contacts[:, part]):
            rows = slice(first, last + 1)
            turn, off = turns[rows], turns[rows] @ guess[part] + shifts[rows]
            turn, off = turn - turn.mean(0), off - off.mean(0)  # the plant's own place is their mean
            normal += np.einsum("nij,nik->jk", turn, turn) / _SLIDE_M**2
            right -= np.einsum("nij,ni->j", turn, off) / _SLIDE_M**2
        points[part] += np.linalg.solve(normal, right)
    return points


def hold(
    turns: np.ndarray, shifts: np.ndarray, contacts: np.ndarray, plant: Plant, points: np.ndarray, axes: np.ndarray,
    *, ends_before: bool,
) -> Hold:  # fmt: skip
    """What holds one plant. points (2, 3) m: heel and toe of the resting foot; axes (3, 3): columns are the axes, in
    the resting foot's space, about which the rolls turn. ends_before: another plant begins in this one's last row."""
    rows = np.arange(plant.begin, plant.end + (0 if ends_before else 1))
    turn, shift = _flat(turns, shifts, contacts, plant, points)
    turned = turn.T @ turns[rows]
    moved = (shifts[rows] - shift) @ turn
    pivot = _pivots(contacts, plant, rows)
    angles = _eulers(axes.T @ turned @ axes)
    at = points[np.maximum(pivot, 0)]
    planted = (rows >= plant.first) & (rows <= plant.last)
    place = np.einsum("nij,nj->ni", turned, at) + moved - at
    counts = np.where(planted, 1.0, 0.02 + _held(rows, plant))
    heel, toe = (np.where((pivot == part)[:, None], angles, 0) for part in (HEEL, TOE))
    tracks = [
        fit_track(rows, values, zero, counts * lever, _TOLERANCE_M)
        for values, zero, lever in (
            (np.where(planted[:, None], 0, place), planted, 1.0),
            (heel, pivot != HEEL, _LEVER_M),
            (toe, pivot != TOE, _LEVER_M),
        )
    ]
    return Hold(plant, turn, shift, *tracks)


def _flat(
    turns: np.ndarray, shifts: np.ndarray, contacts: np.ndarray, plant: Plant, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The foot's motion from rest while it lies flat: its mean turn then, at the mean place of what is planted."""
    rows = np.arange(plant.first, plant.last + 1)
    flat = contacts[rows].all(1)
    u, _, v = np.linalg.svd(turns[rows[flat] if flat.any() else rows].mean(0))
    turn = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    places = []
    for part in (HEEL, TOE):
        mine = rows[contacts[rows, part]]
        places.append(turns[mine] @ points[part] + shifts[mine] - turn @ points[part])
    return turn, np.concatenate(places).mean(0)


def _pivots(contacts: np.ndarray, plant: Plant, rows: np.ndarray) -> np.ndarray:
    """(N,) what the foot turns about in each of the rows; -1 where it lies flat."""
    only = np.where(contacts[:, HEEL], HEEL, TOE)
    pivot = np.where(contacts[rows].all(1), -1, only[rows])
    # Who comes down or leaves with a flat foot comes heel first and leaves toe last.
    pivot[rows < plant.first] = HEEL if contacts[plant.first, HEEL] else TOE
    pivot[rows > plant.last] = TOE if contacts[plant.last, TOE] else HEEL
    return pivot


def _held(rows: np.ndarray, plant: Plant) -> np.ndarray:
    """(N,) 0 to 1: how firmly the foot is held, near enough for weighing errors."""
    into = np.clip((rows - plant.begin) / max(plant.first - plant.begin, 1), 0, 1) if plant.begin < plant.first else 1.0
    out = np.clip((plant.end - rows) / max(plant.end - plant.last, 1), 0, 1) if plant.end > plant.last else 1.0
    share = np.minimum(into, out)
    return share * share * (3 - 2 * share)


def _eulers(matrices: np.ndarray) -> np.ndarray:
    """(N, 3, 3) -> (N, 3) radians in Blender's XYZ order (x is turned about first), without leaps over time."""
    m = matrices
    y = -np.arcsin(np.clip(m[:, 2, 0], -1, 1))
    angles = np.stack([np.arctan2(m[:, 2, 1], m[:, 2, 2]), y, np.arctan2(m[:, 1, 0], m[:, 0, 0])], 1)
    return np.unwrap(angles, axis=0)

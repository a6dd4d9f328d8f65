"""Legs that reach their feet: hips moved so that knees stay as the person's, and two bones bent to the rest.

How far a hip is from its ankle is the knee's angle, and near a straight leg a millimetre is many degrees. Thighs and
shins of other lengths put the hips elsewhere over feet that stand. So the hips move, in one smooth least-squares
problem over all frames, and the legs are bent by what is left. NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .smoothing import eased, over, runs
from .turning import about, across, angle_between, onto, ramp, turned, unit

_STRAIGHT = 0.9995
"""A planted leg is not stretched farther than this part of its length, unless the person's is: the knee would pop."""
_LOOSE_M = 0.015
"""So far a foot in the air may be from the height that it should have, before the knee is bent for it."""
_GIVE = 0.7
"""Of the way that is left to a straight leg so much at most is taken in the air."""
_STIFF_S = 0.05
"""Times shorter than this are too short for the hips to follow a knee."""
_HOLD = 1e-3
_WAY, _LOW = 0.05, 0.1
"""How much it counts that a planted leg goes the person's way, and that a low foot is as low, beside 1 for its knee."""
_TURNS, _STEPS = 3, 200
_SINK_S = 0.12
_EASE_S = 0.15
_BENT = np.radians((3.0, 12.0))


@dataclass(frozen=True)
class Leg:
    """One leg over N frames."""

    hip: np.ndarray
    """(N, 3) m."""
    thigh: np.ndarray
    """(N, 3) m: from hip to knee as the person's thigh goes, of the rig's length; shin alike."""
    shin: np.ndarray
    axis: np.ndarray
    """(N, 3) unit: what the person's knee bends about."""
    ankle: np.ndarray
    """(N, 3) m: where the ankle has to be while the foot stands."""
    stands: np.ndarray
    """(N,) bool."""
    low: np.ndarray
    """(N,) 0 to 1: how near to the ground the person's foot is."""

    @property
    def size(self) -> float:
        """m: of the straight leg."""
        return float(np.linalg.norm(self.thigh[0]) + np.linalg.norm(self.shin[0]))

    @property
    def wanted(self) -> np.ndarray:
        """(N,) m from hip to ankle, as the person's knee is bent."""
        return np.linalg.norm(self.thigh + self.shin, axis=-1)


def hips_shift(legs: list[Leg], fps: float) -> np.ndarray:
    """(N, 3) m by which the hips have to move."""
    shift = np.zeros_like(legs[0].hip)
    weights = [_weights(leg, fps) for leg in legs]
    fixed = [line for leg, weight in zip(legs, weights, strict=True) for line in _ways(leg, weight)]
    stiff = (_STIFF_S * fps) ** 4
    for _ in range(_TURNS):
        lines = list(fixed)
        for leg, weight in zip(legs, weights, strict=True):
            way = leg.hip + shift - leg.ankle
            distance = np.linalg.norm(way, axis=-1)
            direction = way / np.maximum(distance, 1e-9)[:, None]
            # The whole shift is asked for, not what is to be added to it, so that it is the whole that is smooth.
            lines.append((direction, weight, leg.wanted - distance + (direction * shift).sum(-1)))
        shift = _least(lines, stiff, shift)
    return shift + _reaching(legs, shift, fps)


def _ways(leg: Leg, weight: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Lines of the problem: the hip where thigh and shin, as the person has them, end at the ankle."""
    missing = leg.ankle - leg.hip - leg.thigh - leg.shin
    weights = (_WAY * weight, _WAY * weight, _WAY * weight + _LOW * leg.low)
    return [
        (np.broadcast_to(axis, missing.shape), share, missing[:, place])
        for place, (axis, share) in enumerate(zip(np.eye(3), weights, strict=True))
    ]


def _weights(leg: Leg, fps: float) -> np.ndarray:
    """(N,) 1 while the foot stands, to 0 within a moment before and after."""
    near = np.full(len(leg.stands), np.inf)
    rows = np.arange(len(near))
    for a, b in runs(leg.stands):
        near = np.minimum(near, np.maximum(np.maximum(a - rows, rows - b + 1), 0))
    return 1 - ramp(near / max(_EASE_S * fps, 1), 0, 1)


def _least(lines: list[tuple[np.ndarray, np.ndarray, np.ndarray]], stiff: float, start: np.ndarray) -> np.ndarray:
    """(N, 3) the x with the least sum of weight (direction . x - value)^2, stiff |x''|^2 and a little |x|^2: conjugate
    gradients, for no solver of bands comes with NumPy."""
    right = sum(direction * (weight * value)[:, None] for direction, weight, value in lines)

    def times(x: np.ndarray) -> np.ndarray:
        out = _HOLD * x
        for direction, weight, _ in lines:
            out = out + direction * (weight * (direction * x).sum(-1))[:, None]
        if len(x) > 2:
            bend = np.diff(x, 2, axis=0)
            out[:-2] += stiff * bend
            out[1:-1] -= 2 * stiff * bend
            out[2:] += stiff * bend
        return out

    x = start.copy()
    left = right - times(x)
    way = left.copy()
    size = (left * left).sum()
    enough = 1e-12 * max(float((right * right).sum()), 1e-12)
    for _ in range(_STEPS):
        if size <= enough:
            break
        moved = times(way)
        step = size / (way * moved).sum()
        x += step * way
        left -= step * moved
        before, size = size, (left * left).sum()
        way = left + way * (size / before)
    return x


def _reaching(legs: list[Leg], shift: np.ndarray, fps: float) -> np.ndarray:
    """(N, 3) m: what is still missing so that no planted leg is too short; down first, and smoothly."""
    more = np.zeros_like(shift)
    sink = np.max([_sinking(leg, leg.hip + shift) for leg in legs], axis=0)
    more[:, 2] = -over(sink, max(round(_SINK_S * fps), 1))
    for _ in range(6):  # who does not stand over the feet comes nearer to them
        for leg in legs:
            way = leg.ankle - leg.hip - shift - more
            distance = np.linalg.norm(way, axis=-1)
            missing = np.where(leg.stands, np.maximum(distance - _reach(leg), 0), 0)
            more += way * (missing / np.maximum(distance, 1e-9))[:, None]
    return more


def _reach(leg: Leg) -> np.ndarray:
    return np.maximum(_STRAIGHT * leg.size, np.minimum(leg.wanted, (1 - 1e-6) * leg.size))


def _sinking(leg: Leg, hip: np.ndarray) -> np.ndarray:
    """(N,) m: how far straight down a hip (N, 3) has to go to reach, 0 where it reaches or that is no way."""
    way = leg.ankle - hip
    height = _reach(leg) ** 2 - (way[:, :2] ** 2).sum(-1)
    need = -way[:, 2] - np.sqrt(np.maximum(height, 0))
    return np.where(leg.stands & (height > 0), np.maximum(need, 0), 0)


def ankle_way(leg: Leg, reach: int) -> np.ndarray:
    """(N, 3) m: the ankle where it has to be while the foot stands, else as the person's leg goes, eased in between;
    near the ground about as high above it as the person's."""
    free = leg.hip + leg.thigh + leg.shin
    off = (leg.ankle - free)[:, 2]
    free[:, 2] += leg.low * np.sign(off) * np.maximum(np.abs(off) - _LOOSE_M, 0)
    return free + eased(leg.ankle - free, leg.stands, reach)


def bent(leg: Leg, ankle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns (N, 3, 3) of thigh and shin, on top of the person's, that bring the ankle there."""
    goal = ankle - leg.hip
    a, b = np.linalg.norm(leg.thigh, axis=-1), np.linalg.norm(leg.shin, axis=-1)
    distance = np.clip(_within(leg, np.linalg.norm(goal, axis=-1)), np.abs(a - b) + 1e-4, (1 - 1e-6) * (a + b))
    whole = onto(leg.thigh + leg.shin, goal)
    thigh, shin, axis = turned(whole, leg.thigh), turned(whole, leg.shin), turned(whole, _knee_axis(leg))
    axis = unit(across(axis, unit(goal)))
    # A positive turn about the axis bends the knee: the thigh lies before the straight line, the shin behind it.
    before = np.arccos(np.clip((a**2 + distance**2 - b**2) / (2 * a * distance), -1, 1))
    behind = np.arccos(np.clip((b**2 + distance**2 - a**2) / (2 * b * distance), -1, 1))
    upper, lower = turned(about(axis, -before), unit(goal)), turned(about(axis, behind), unit(goal))
    return onto(thigh, upper) @ whole, onto(shin, lower) @ whole


def _within(leg: Leg, distance: np.ndarray) -> np.ndarray:
    """(N,) m from hip to ankle. In the air nothing has to be reached: the farther a leg would be stretched beyond the
    person's, the more it gives way, and the knee is never thrown straight."""
    room = np.maximum(_GIVE * (_STRAIGHT * leg.size - leg.wanted), 1e-6)
    more = np.maximum(distance - leg.wanted, 0)
    soft = np.minimum(distance, leg.wanted) + room * (1 - np.exp(-more / room))
    return np.where(leg.stands, distance, soft)


def _knee_axis(leg: Leg) -> np.ndarray:
    """(N, 3) unit: as thigh and shin lie to each other, and as the person's knee is built where they are straight."""
    built = across(leg.axis, unit(leg.thigh + leg.shin))
    seen = np.cross(leg.thigh, leg.shin)
    share = ramp(angle_between(leg.thigh, leg.shin), *_BENT) * ((seen * built).sum(-1) > 0)
    return unit((1 - share)[:, None] * unit(built) + share[:, None] * unit(seen))

"""Where and when each foot stands, rolls and swings: the feet of a procedural walk, planted exactly.

A foot in stance turns about its heel until it lies flat, lies still, then turns about the ball while the toes stay
flat: so the skin that bears the weight does not slide. Phases and angles are those of textbook gait (Perry, Gait
Analysis: stance 62 % of the cycle, heel rise near 34 %, toe-off near 62 %).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

STANCE = 0.62
FLAT_FROM, HEEL_RISE_BEFORE_TOE_OFF = 0.09, 0.27  # shares of the cycle
STRIKE_PITCH, TOE_OFF_PITCH, SWING_PITCH = np.radians([-19.0, 47.0, 58.0])


@dataclass(frozen=True)
class Footprint:
    """One stance of one foot."""

    strike_s: float
    toe_off_s: float
    """Infinity for the last one, which stays flat."""
    place: np.ndarray
    """(2,) m: the ankle's ground point when flat."""
    heading: float
    """Radians, from +x to +y."""
    stride: float
    """Length of the swing that led here as a share of a full one: short ones roll less."""


@dataclass(frozen=True)
class FootShape:
    """A foot laid flat, in the body's axes (x left, y up, z forward), origin in the ankle joint.

    The floor is at y = -ankle_height.
    """

    ball: np.ndarray
    heel: np.ndarray
    """(3,) where the heel bears."""
    ankle_height: float
    rigid: np.ndarray
    """(n, 3) the foot's skin: what must not go below the floor."""
    level: float
    """Radians by which the rest body's foot is turned about x to lie flat."""


@dataclass(frozen=True)
class FootMotion:
    """One foot over the clip."""

    ankle: np.ndarray
    """(T, 3) m."""
    rotation: np.ndarray
    """(T, 3, 3) foot to world."""
    toe_bend: np.ndarray
    """(T,) radians by which the toes turn up against the foot."""
    contact: np.ndarray
    """(T, 2) bool: heel, toe."""


def about_x(angle: np.ndarray) -> np.ndarray:
    """(...,) -> (..., 3, 3): positive lowers the toes, leans forward, bends a knee."""
    return _about(angle, 1, 2)


def about_y(angle: np.ndarray) -> np.ndarray:
    """(...,) -> (..., 3, 3): positive turns to the left."""
    return _about(angle, 2, 0)


def about_z(angle: np.ndarray) -> np.ndarray:
    """(...,) -> (..., 3, 3): positive raises the left side."""
    return _about(angle, 0, 1)


def _about(angle: np.ndarray, first: int, second: int) -> np.ndarray:
    angle = np.asarray(angle, dtype=float)
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., range(3), range(3)] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -np.sin(angle)
    return matrix


def body_axes(heading: np.ndarray) -> np.ndarray:
    """(...,) -> (..., 3, 3) that turns the body's axes (x left, y up, z forward) into a z-up world."""
    heading = np.asarray(heading, dtype=float)
    c, s, zero, one = np.cos(heading), np.sin(heading), np.zeros_like(heading), np.ones_like(heading)
    return np.stack([np.stack(row, -1) for row in ((-s, zero, c), (c, zero, s), (zero, one, zero))], -2)


def move_foot(times: np.ndarray, prints: list[Footprint], shape: FootShape, cycle_s: float) -> FootMotion:
    """One foot's motion at `times` (T,) s through its footprints, in order; they must cover all times."""
    pitch = _pitch_curve(prints, cycle_s)
    bend = _bend_curve(prints, cycle_s)
    ball, heading = np.zeros((len(times), 3)), np.zeros(len(times))
    contact = np.zeros((len(times), 2), bool)
    lift = _lift_table(shape)
    for k, step in enumerate(prints):
        here = (times >= step.strike_s) & (times < step.toe_off_s)
        ball[here], heading[here] = _stance_ball(times[here], step, shape, pitch, lift), step.heading
        contact[here] = _contact(times[here], step, pitch)
        if k + 1 < len(prints):
            following = prints[k + 1]
            there = (times >= step.toe_off_s) & (times < following.strike_s)
            ball[there], heading[there] = _swing(times[there], step, following, shape, pitch, lift)
    rotation = body_axes(heading) @ about_x(pitch(times))
    ankle = ball - np.einsum("tab,b->ta", rotation, shape.ball)
    return FootMotion(ankle, rotation @ about_x(np.array(shape.level)), bend(times), contact)


def lay_flat(skin: np.ndarray, ball: np.ndarray, heel: np.ndarray) -> FootShape:
    """The shape of a rest foot, all relative to its ankle joint: skin (n, 3), ball joint and heel point (3,) m."""
    low, high = np.radians(-15.0), np.radians(15.0)
    front = skin[:, 2] > 0.7 * ball[2]
    for _ in range(40):
        level = (low + high) / 2
        height = (skin @ about_x(np.array(level)).T)[:, 1]
        # Toes down until toes and heel touch the same floor.
        low, high = (level, high) if height[front].min() > height[~front].min() else (low, level)
    turn = about_x(np.array(level))
    flat = skin @ turn.T
    return FootShape(turn @ ball, turn @ heel, float(-flat[:, 1].min()), flat, level)


def _pitch_curve(prints: list[Footprint], cycle_s: float) -> PchipInterpolator:
    keys: list[tuple[float, float]] = []
    for k, step in enumerate(prints):
        keys += [(step.strike_s, STRIKE_PITCH * step.stride), (step.strike_s + FLAT_FROM * cycle_s, 0.0)]
        if not np.isfinite(step.toe_off_s):
            keys.append((step.strike_s + 60.0, 0.0))
            break
        share = prints[k + 1].stride if k + 1 < len(prints) else 1.0
        swing = (1 - STANCE) * cycle_s
        off = step.toe_off_s
        keys += [(off - HEEL_RISE_BEFORE_TOE_OFF * cycle_s, 0.0), (off - 0.12 * cycle_s, 0.36 * TOE_OFF_PITCH * share)]
        keys += [(off, TOE_OFF_PITCH * share), (off + 0.2 * swing, SWING_PITCH * share)]
        keys += [(off + 0.6 * swing, 0.16 * SWING_PITCH * share), (off + 0.86 * swing, STRIKE_PITCH * 0.9 * share)]
    return PchipInterpolator(*np.array(keys).T)


def _bend_curve(prints: list[Footprint], cycle_s: float) -> PchipInterpolator:
    """In late stance the bend equals the pitch, so that the toes lie flat; in the swing they straighten."""
    pitch = _pitch_curve(prints, cycle_s)
    keys = [(prints[0].strike_s, 0.0)]
    for step in prints[: -1 if not np.isfinite(prints[-1].toe_off_s) else None]:
        rise = np.linspace(step.toe_off_s - HEEL_RISE_BEFORE_TOE_OFF * cycle_s, step.toe_off_s, 60)
        keys += [(t, float(max(pitch(t), 0))) for t in rise]
        swing = (1 - STANCE) * cycle_s
        last = keys[-1][1]
        keys += [(step.toe_off_s + 0.35 * swing, 0.3 * last), (step.toe_off_s + 0.8 * swing, 0.0)]
    keys.append((keys[-1][0] + 60.0, 0.0))
    return PchipInterpolator(*np.array(keys).T)


def _lift_table(shape: FootShape) -> PchipInterpolator:
    """How far a foot that turns about its heel point must be raised so that nothing of it is under the floor."""
    angles = np.linspace(np.radians(-35), 0, 36)
    # Measured against the flat foot, whose own lowest skin may lie a hair off the floor.
    points = shape.rigid - shape.heel
    lowest = np.array([(points @ about_x(angle).T)[:, 1].min() for angle in angles])
    return PchipInterpolator(angles, np.maximum(lowest[-1] - lowest, 0))


def _stance_ball(
    times: np.ndarray, step: Footprint, shape: FootShape, pitch: PchipInterpolator, lift: PchipInterpolator
) -> np.ndarray:
    """(n, 3): the ball joint of a standing foot."""
    axes = body_axes(np.array(step.heading))
    ankle = np.array([*step.place, shape.ankle_height])
    angle = np.minimum(pitch(times), 0)
    arm = shape.ball - shape.heel
    rolled = np.einsum("tab,b->ta", about_x(angle), arm) + shape.heel
    raised = rolled + lift(angle)[:, None] * [0, 1, 0]
    return ankle + raised @ axes.T


def _swing(
    times: np.ndarray, step: Footprint, following: Footprint, shape: FootShape, pitch: PchipInterpolator,
    lift: PchipInterpolator,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(n, 3) ball joint and (n,) heading between two stances: a quintic that meets their places and velocities."""
    length = following.strike_s - step.toe_off_s
    u = ((times - step.toe_off_s) / length)[:, None]
    small = 1e-3
    ends = np.array([following.strike_s, following.strike_s + small])
    start = _stance_ball(np.array([step.toe_off_s]), step, shape, pitch, lift)[0]
    goal, after = _stance_ball(ends, following, shape, pitch, lift)
    velocity = (after - goal) / small * length
    late = u - 0.35 * u**2 * (1 - u)  # the swinging foot overtakes late and stops short
    ease = 10 * late**3 - 15 * late**4 + 6 * late**5
    arrive = -4 * u**3 + 7 * u**4 - 3 * u**5
    ball = start + (goal - start) * ease + velocity * arrive
    ball[:, 2] += 0.035 * following.stride * 16 * (u * (1 - u))[:, 0] ** 2
    turn = 3 * u[:, 0] ** 2 - 2 * u[:, 0] ** 3
    return ball, step.heading + (following.heading - step.heading) * turn


def _contact(times: np.ndarray, step: Footprint, pitch: PchipInterpolator) -> np.ndarray:
    """(n, 2) heel and toe: a part counts from when it bears without moving until it leaves."""
    angle = pitch(times)
    late = times > step.strike_s + 0.25 * (min(step.toe_off_s, step.strike_s + 1.0) - step.strike_s)
    settled = times > step.strike_s + 0.034
    # While the heel still rolls on its round end, skin beside the pivot moves by a millimetre a frame.
    heel = settled & (angle > np.radians(-6.0)) & (angle < np.radians(0.5))
    toe = (late | (angle > np.radians(-0.5))) & (times < step.toe_off_s - 0.02)
    return np.stack([heel, toe], -1)

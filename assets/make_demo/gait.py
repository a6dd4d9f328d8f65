"""A procedural walk in SMPL's pose space: curve, steps, pelvis, legs by inverse kinematics, arms, a stop and a wave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from footwork import STANCE, FootMotion, Footprint, FootShape, about_x, about_y, about_z, body_axes, move_foot
from scipy.ndimage import gaussian_filter1d

CYCLE_S = 1.09
SPEED = 1.08  # m/s
AHEAD = 0.27
"""Share of the cycle after which the pelvis passes over a foot that strikes now."""
HALF_WIDTH = 0.058  # m between a foot's line and the path
TOE_OUT = np.radians(6.0)
STOP_FROM_S, STOP_S = 3.0, 4.1
WAVE_FROM_S = 4.0
LEFT_STRIKE_S = -0.83
HEADING_START, HEADING_TURN = np.radians(8.0), np.radians(-74.0)


@dataclass(frozen=True)
class Walk:
    """A walk over T frames: SMPL's rotations, the root's in the world, and the pelvis joint's place."""

    rotations: np.ndarray
    """(T, 24, 3, 3)."""
    pelvis: np.ndarray
    """(T, 3) m."""
    contacts: np.ndarray
    """(T, 4) bool: left heel, left toe, right heel, right toe."""


@dataclass(frozen=True)
class Curve:
    """The path on the ground by time."""

    times: np.ndarray
    place: np.ndarray
    """(n, 2) m."""
    heading: np.ndarray
    """(n,) radians."""
    pace: np.ndarray
    """(n,) speed as a share of full walking."""

    def at(self, t: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Place (..., 2) and heading (...) at time t."""
        place = np.stack([np.interp(t, self.times, self.place[:, k]) for k in range(2)], -1)
        return place, np.interp(t, self.times, self.heading)


def smooth(x: np.ndarray, first: float, last: float) -> np.ndarray:
    """0 before `first`, 1 after `last`, without corners between."""
    u = np.clip((x - first) / (last - first), 0, 1)
    return u**3 * (10 - 15 * u + 6 * u**2)


def walk(times: np.ndarray, joints: np.ndarray, shapes: tuple[FootShape, FootShape], gaze_at: np.ndarray) -> Walk:
    """The walk at `times` (T,) s for rest joints (24, 3); the eyes turn to `gaze_at` (T, 3) m during the wave."""
    curve = _curve()
    feet = [move_foot(times, prints, shape, CYCLE_S) for prints, shape in zip(_prints(curve), shapes, strict=True)]
    place, heading = curve.at(times)
    pace = np.interp(times, curve.times, curve.pace)
    phase = 2 * np.pi * (times - LEFT_STRIKE_S) / CYCLE_S
    stand = smooth(times, STOP_FROM_S + 0.5, STOP_S + 0.2)
    yaw = -np.radians(5.5) * np.cos(phase) * pace
    drop = np.radians(3.6) * np.cos(phase - 2 * np.pi * 0.2) * pace
    axes = body_axes(heading)
    root = axes @ about_y(yaw) @ about_z(drop) @ about_x(np.full_like(yaw, np.radians(2.0)))
    sway = 0.021 * np.cos(phase - 2 * np.pi * 0.31) * pace + 0.012 * stand * np.sin(2.1 * times)
    surge = 0.010 * np.sin(2 * phase + 0.5) * pace
    pelvis = np.zeros((len(times), 3))
    pelvis[:, :2] = place + sway[:, None] * axes[:, :2, 0] + surge[:, None] * axes[:, :2, 2]
    pelvis[:, 2] = _pelvis_height(pelvis, root, feet, joints, times)
    local = np.tile(np.eye(3), (len(times), 24, 1, 1))
    local[:, 0] = root
    for foot, chain in zip(feet, ((1, 4, 7, 10), (2, 5, 8, 11)), strict=True):
        _leg(local, chain, pelvis, foot, joints)
    _trunk(local, times, phase, pace, yaw, drop)
    _gaze(local, times, root, pelvis + np.array([0, 0, 0.62]), gaze_at)
    _arms(local, times, phase, pace)
    return Walk(local, pelvis, np.concatenate([feet[0].contact, feet[1].contact], axis=1))


def _curve() -> Curve:
    times = np.arange(-2.5, 12.0, 0.001)
    pace = 1 - smooth(times, STOP_FROM_S, STOP_S)
    way = np.cumsum(pace) * SPEED * 0.001
    way -= np.interp(0, times, way)
    heading = HEADING_START + HEADING_TURN * smooth(way, 0.5, way[-1] + 0.4)
    place = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], -1) * (pace * SPEED * 0.001)[:, None], axis=0)
    place -= [np.interp(0, times, place[:, k]) for k in range(2)]
    return Curve(times, place, heading, pace)


def _prints(curve: Curve) -> tuple[list[Footprint], list[Footprint]]:
    """Footprints of the left and the right foot: where the pelvis will pass over it, set aside."""
    sides: tuple[list[Footprint], list[Footprint]] = ([], [])
    for side, sign in ((0, 1), (1, -1)):
        strike = LEFT_STRIKE_S + 0.5 * CYCLE_S * side - CYCLE_S
        planned: list[tuple[float, np.ndarray, float]] = []
        while strike < 10:
            place, heading = curve.at(strike + AHEAD * CYCLE_S)
            left = np.array([-np.sin(heading), np.cos(heading)])
            there = place + sign * HALF_WIDTH * left
            if planned and np.linalg.norm(there - planned[-1][1]) < 0.02:
                break
            planned.append((strike, there, float(heading) + sign * TOE_OUT))
            strike += CYCLE_S
        full = SPEED * CYCLE_S
        for k, (when, there, heading) in enumerate(planned):
            off = when + STANCE * CYCLE_S if k + 1 < len(planned) else np.inf
            length = float(np.linalg.norm(there - planned[k - 1][1])) if k else full
            sides[side].append(Footprint(when, off, there, heading, float(np.clip(length / full, 0.25, 1))))
    return sides


def _pelvis_height(
    pelvis: np.ndarray, root: np.ndarray, feet: list[FootMotion], joints: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """(T,) m: as high as both legs allow, without corners: highest in mid-stance, lowest with both feet down."""
    limit = np.full(len(times), np.inf)
    for foot, (hip, knee, ankle) in zip(feet, ((1, 4, 7), (2, 5, 8)), strict=True):
        length = np.linalg.norm(joints[knee] - joints[hip]) + np.linalg.norm(joints[ankle] - joints[knee])
        offset = np.einsum("tab,b->ta", root, joints[hip] - joints[0])
        gap = foot.ankle[:, :2] - (pelvis + offset)[:, :2]
        up = np.sqrt(np.maximum((0.998 * length) ** 2 - (gap**2).sum(axis=1), 0.01))
        limit = np.minimum(limit, foot.ankle[:, 2] + up - offset[:, 2])
    rate = 1 / (times[1] - times[0])
    low = gaussian_filter1d(np.minimum(limit, np.percentile(limit, 97)), 0.08 * rate, mode="nearest")
    for _ in range(40):
        over = np.maximum(low - limit, 0)
        if over.max() < 1e-4:
            break
        low -= gaussian_filter1d(over, 0.08 * rate, mode="nearest") * 1.6
    return low - 0.002 - max(float((low - limit).max()), 0)


def _leg(local: np.ndarray, chain: tuple[int, ...], pelvis: np.ndarray, foot: FootMotion, joints: np.ndarray) -> None:
    """Hip, knee, ankle and toe rotations that put the ankle joint on its place, written into `local`."""
    hip, knee, ankle, toe = chain
    root = local[:, 0]
    reach = foot.ankle - pelvis - np.einsum("tab,b->ta", root, joints[hip] - joints[0])
    thigh, shank = joints[knee] - joints[hip], joints[ankle] - joints[knee]
    # |thigh + Rx(k) shank| = |reach|: a + b cos k + c sin k = d; of the two solutions the one that bends as knees do.
    a = thigh[0] * shank[0]
    b = thigh[1] * shank[1] + thigh[2] * shank[2]
    c = thigh[2] * shank[1] - thigh[1] * shank[2]
    d = ((reach**2).sum(axis=1) - thigh @ thigh - shank @ shank) / 2
    angle = np.arctan2(c, b) + np.arccos(np.clip((d - a) / np.hypot(b, c), -1, 1))
    bend = about_x(angle)
    straight = thigh + np.einsum("tab,b->ta", bend, shank)
    # The knee's axis lies between the pelvis' and the foot's left.
    left = root[:, :, 0] + foot.rotation[:, :, 0]
    rest_left = np.tile([1.0, 0.0, 0.0], (len(reach), 1))
    turn = _frame(reach, left) @ np.swapaxes(_frame(straight, rest_left), -1, -2)
    local[:, hip] = np.swapaxes(root, -1, -2) @ turn
    local[:, knee] = bend
    local[:, ankle] = np.swapaxes(turn @ bend, -1, -2) @ foot.rotation
    local[:, toe] = about_x(-foot.toe_bend)


def _frame(along: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """(T, 3, 3) orthonormal columns: along, aside made square to it, and their cross product."""
    first = along / np.linalg.norm(along, axis=1, keepdims=True)
    second = aside - (aside * first).sum(axis=1, keepdims=True) * first
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    return np.stack([first, second, np.cross(first, second)], -1)


def _trunk(
    local: np.ndarray, times: np.ndarray, phase: np.ndarray, pace: np.ndarray, yaw: np.ndarray, drop: np.ndarray
) -> None:
    """The shoulders turn against the pelvis, the spine takes back its drop, and the head keeps straight."""
    shoulders = np.radians(4.5) * np.cos(phase - 0.25) * pace
    twist, level = shoulders - yaw, -0.85 * drop
    lean = np.radians(2.5) * pace + np.radians(0.6) * np.sin(1.6 * times)
    for joint in (3, 6, 9):
        local[:, joint] = about_y(twist / 3) @ about_z(level / 3) @ about_x(lean / 3)
    nod = np.radians(1.2) * np.sin(2 * phase + 0.9) * pace - lean
    local[:, 12] = about_y(-shoulders / 2) @ about_x(nod / 2)
    local[:, 15] = about_y(-shoulders / 2) @ about_x(nod / 2 + np.radians(2.0))


def _gaze(local: np.ndarray, times: np.ndarray, root: np.ndarray, eyes: np.ndarray, gaze_at: np.ndarray) -> None:
    """Turn the head to what is looked at: a glance on the way, and during the wave."""
    aim = np.einsum("tba,tb->ta", root, gaze_at - eyes)
    side = np.clip(np.arctan2(aim[:, 0], aim[:, 2]), -1.15, 1.15)
    rise = np.clip(np.arctan2(aim[:, 1], np.hypot(aim[:, 0], aim[:, 2])), -0.4, 0.4)
    glance = 0.35 * smooth(times, 1.2, 1.8) * (1 - smooth(times, 2.2, 2.9))
    share = glance + 0.85 * smooth(times, STOP_FROM_S + 0.3, STOP_S)
    local[:, 12] = about_y(0.4 * share * side) @ local[:, 12]
    local[:, 15] = about_y(0.6 * share * side) @ about_x(-0.8 * share * rise) @ local[:, 15]


def _arms(local: np.ndarray, times: np.ndarray, phase: np.ndarray, pace: np.ndarray) -> None:
    """Arms swing against the legs; the right one waves at the end."""
    wave = smooth(times, WAVE_FROM_S - 0.35, WAVE_FROM_S + 0.25)
    shake = np.sin(2 * np.pi * 1.9 * (times - WAVE_FROM_S)) * smooth(times, WAVE_FROM_S, WAVE_FROM_S + 0.4)
    for sign, collar, shoulder, elbow, wrist in ((1, 13, 16, 18, 20), (-1, 14, 17, 19, 21)):
        raised = wave if sign < 0 else 0 * wave
        swing = -sign * np.cos(phase - 0.15)
        lift = np.radians(3 + 19 * swing * pace) * (1 - raised) + np.radians(14) * raised
        down = np.radians(77.0) * (1 - raised) + np.radians(28.0) * raised
        twist = np.radians(16.0) * (1 - raised) - np.radians(76.0) * raised
        bend = np.radians(20 + 11 * np.cos(phase - 0.15 - (0 if sign < 0 else np.pi) - 0.35) * pace) * (1 - raised)
        bend = bend + np.radians(84 + 21 * shake) * raised
        local[:, collar] = about_z(-sign * np.radians(5.0) * (1 - 2.2 * raised))
        local[:, shoulder] = about_x(-lift) @ about_z(-sign * (down - np.radians(5))) @ about_x(twist)
        local[:, elbow] = about_y(-sign * bend)
        local[:, wrist] = about_z(-sign * np.radians(5.0) + 0 * times) @ about_y(np.radians(12) * shake * raised)

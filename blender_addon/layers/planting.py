"""Legs bent so that feet are where another version of the same motion has them while they are planted. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..motion import CONTACT_LEVEL, Person
from ..scene.rotations import (
    axis_angle_from_matrices,
    axis_angle_from_quaternions,
    matrices_from_quaternions,
    quaternions_from_axis_angle,
    quaternions_from_matrices,
    slerp,
)
from .chain import joint_frames, soles

_RAMP_S = 0.15
"""How long before and after a plant a foot takes to come and go."""
_STRAIGHT = 0.995
"""A leg is not stretched farther than this part of its length, unless it was before: the knee would pop."""
_LEGS = ((1, 4, 7, 10), (2, 5, 8, 11))
"""Hip, knee, ankle, ball; left and right."""
_TRIES = 6
_SINK_S = 0.12
"""How long before and after it is needed the hips sink."""


@dataclass(frozen=True)
class _Leg:
    """One leg's joints, and where its foot has to be."""

    joints: tuple[int, int, int, int]
    share: np.ndarray
    """(N,) 0 to 1: how far the foot is at the wanted place; 1 while it is planted."""
    ankle: np.ndarray
    """(N, 3) m."""
    reach: np.ndarray
    """(N,) m: the longest way from hip to ankle."""


def with_feet_of(wanted: Person, person: Person, rate: float, loose: tuple[float, float], hips_moved: bool) -> Person:
    """`person` with each planted foot at the place and turn that it has in `wanted`, the same frames before a change.

    The hips sink where a leg would be too short. loose: for the left and the right leg, 0 where only the hips were
    changed: its foot then stays on its way in the air too. rate: frames a second.
    """
    turns, places = joint_frames(person)
    turns_wanted, places_wanted = joint_frames(wanted)
    low, low_wanted = soles(person, turns, places)[..., 2], soles(wanted, turns_wanted, places_wanted)[..., 2]
    legs = []
    for side, joints in enumerate(_LEGS):
        if not (loose[side] or hips_moved):
            continue
        share = np.ones(len(person.frames))
        if loose[side]:
            share = _planted_share(person.frames, wanted.contacts[:, 2 * side : 2 * side + 2], rate)
        mine = slice(2 * side, 2 * side + 2)
        lifted = places.copy()
        lifted[:, joints[2], 2] += _below(low[:, mine], low_wanted[:, mine])
        legs.append(_leg(joints, share, lifted, places_wanted))
    if not legs:
        return person
    shift = _hips_shift(legs, places, person.frames, rate)
    poses, transl = person.poses.copy(), person.transl + shift
    for leg in legs:
        _bend(poses, leg, turns, places + shift[:, None], (wanted.poses, turns_wanted))
    return replace(person, poses=poses, transl=transl)


def _planted_share(frames: np.ndarray, contacts: np.ndarray, rate: float) -> np.ndarray:
    """(N,) 1 while heel or toe is planted, falling to 0 over the ramp before and after."""
    planted = frames[(contacts >= CONTACT_LEVEL).any(1)]
    if not len(planted):
        return np.zeros(len(frames))
    after = np.clip(np.searchsorted(planted, frames), 0, len(planted) - 1)
    away = np.minimum(np.abs(planted[after] - frames), np.abs(planted[np.maximum(after - 1, 0)] - frames)) / rate
    return 0.5 + 0.5 * np.cos(np.pi * np.minimum(away / _RAMP_S, 1))


def _leg(joints: tuple[int, int, int, int], share: np.ndarray, places: np.ndarray, wanted: np.ndarray) -> _Leg:
    hip, knee, ankle, _ = joints
    goal = places[:, ankle] + share[:, None] * (wanted[:, ankle] - places[:, ankle])
    length = np.linalg.norm(places[:, knee] - places[:, hip], axis=-1)
    length = length + np.linalg.norm(places[:, ankle] - places[:, knee], axis=-1)
    before = np.maximum(*(np.linalg.norm(at[:, ankle] - at[:, hip], axis=-1) for at in (places, wanted)))
    return _Leg(joints, share, goal, np.maximum(_STRAIGHT * length, before))


def _below(low: np.ndarray, low_wanted: np.ndarray) -> np.ndarray:
    """(N,) m: how much deeper under the ground a foot is than it was. low (N, 2): heights of its sole's points."""
    return np.maximum(np.minimum(low_wanted.min(1), 0) - low.min(1), 0)


def _hips_shift(legs: list[_Leg], places: np.ndarray, frames: np.ndarray, rate: float) -> np.ndarray:
    """(N, 3) m by which the body has to move so that every ankle can be reached."""
    shift = np.zeros((len(places), 3))
    sink = np.max([_sinking(leg, places[:, leg.joints[0]]) for leg in legs], axis=0)
    shift[:, 2] = -_over(sink, frames, max(round(_SINK_S * rate), 1))
    for _ in range(_TRIES):  # who does not stand over the feet comes nearer to them
        for leg in legs:
            way = leg.ankle - places[:, leg.joints[0]] - shift
            distance = np.linalg.norm(way, axis=-1)
            missing = np.maximum(distance - leg.reach, 0)
            shift += way * (missing / distance)[:, None]
    return shift


def _sinking(leg: _Leg, hip: np.ndarray) -> np.ndarray:
    """(N,) m: how far straight down a hip (N, 3) has to go to reach, 0 where it reaches or that is no way."""
    way = leg.ankle - hip
    height = leg.reach**2 - (way[:, :2] ** 2).sum(-1)
    need = -way[:, 2] - np.sqrt(np.maximum(height, 0))
    return np.where(height > 0, np.maximum(need, 0), 0)


def _over(values: np.ndarray, frames: np.ndarray, reach: int) -> np.ndarray:
    """(N,) a smooth curve that is nowhere under `values`: the mean around each frame of the highest ones around it."""
    every = np.zeros(frames[-1] - frames[0] + 1 + 4 * reach)
    every[frames - frames[0] + 2 * reach] = values
    highest = np.lib.stride_tricks.sliding_window_view(every, 2 * reach + 1).max(1)
    weights = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(highest, weights / weights.sum(), "valid")[frames - frames[0]]


def _bend(
    poses: np.ndarray, leg: _Leg, turns: np.ndarray, places: np.ndarray, wanted: tuple[np.ndarray, np.ndarray]
) -> None:
    """Set the leg's joints in `poses` (N, 24, 3). wanted: poses, and turns in the world."""
    hip, knee, ankle, ball = leg.joints
    thigh, shin = places[:, knee] - places[:, hip], places[:, ankle] - places[:, knee]
    goal = leg.ankle - places[:, hip]
    onto = _onto(thigh + shin, goal)
    axis = _turned(onto, _knee_axis(thigh, shin, turns[:, hip]))
    thigh_turn, shin_turn = _two_bones(_turned(onto, thigh), _turned(onto, shin), goal, axis)
    thigh_turn = thigh_turn @ onto @ turns[:, hip]
    shin_turn = shin_turn @ onto @ turns[:, knee]
    foot = _mixed(turns[:, ankle], wanted[1][:, ankle], leg.share)
    above = turns[:, 0]
    for joint, turn in ((hip, thigh_turn), (knee, shin_turn), (ankle, foot)):
        poses[:, joint] = axis_angle_from_matrices(np.swapaxes(above, -1, -2) @ turn)
        above = turn
    own, other = (quaternions_from_axis_angle(p[:, ball]) for p in (poses, np.asarray(wanted[0], dtype=np.float64)))
    poses[:, ball] = axis_angle_from_quaternions(slerp(own, other, leg.share))


def _mixed(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(n, 3, 3) from a to b."""
    return matrices_from_quaternions(slerp(quaternions_from_matrices(a), quaternions_from_matrices(b), share))


def _knee_axis(thigh: np.ndarray, shin: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """(n, 3) unit: what the knee bends about; for a straight leg the thigh's x, about which SMPL's knees bend."""
    bent = np.cross(thigh, shin)
    size = np.linalg.norm(bent, axis=-1, keepdims=True)
    along = _unit(thigh + shin)
    rest = turn[:, :, 0] - along * (turn[:, :, 0] * along).sum(-1, keepdims=True)
    bones = np.linalg.norm(thigh, axis=-1, keepdims=True) * np.linalg.norm(shin, axis=-1, keepdims=True)
    straight = size < 0.02 * bones
    return _unit(np.where(straight, rest, bent))


def _two_bones(
    thigh: np.ndarray, shin: np.ndarray, goal: np.ndarray, axis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Turns (n, 3, 3) about `axis` (n, 3) for thigh and shin (n, 3), which lie in one plane with goal, to end there."""
    a, b = np.linalg.norm(thigh, axis=-1), np.linalg.norm(shin, axis=-1)
    distance = np.clip(np.linalg.norm(goal, axis=-1), np.abs(a - b) + 1e-6, a + b)
    # A positive turn about the axis bends the knee: the thigh lies before the straight line, the shin behind it.
    before = np.arccos(np.clip((a**2 + distance**2 - b**2) / (2 * a * distance), -1, 1))
    behind = np.arccos(np.clip((b**2 + distance**2 - a**2) / (2 * b * distance), -1, 1))
    return (
        _about(axis, -before - _angle(goal, thigh, axis)),
        _about(axis, behind - _angle(goal, shin, axis)),
    )


def _angle(start: np.ndarray, end: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(n,) from one vector to another, counted about the axis."""
    return np.arctan2((np.cross(start, end) * axis).sum(-1), (start * end).sum(-1))


def _about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return matrices_from_quaternions(quaternions_from_axis_angle(axis * angle[:, None]))


def _onto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, 3, 3): the smallest turn of a's direction to b's."""
    cross, dot = np.cross(a, b), (a * b).sum(-1)
    sine = np.linalg.norm(cross, axis=-1)
    angle = np.arctan2(sine, dot)
    axis = np.divide(cross, sine[:, None], out=np.zeros_like(cross), where=sine[:, None] > 1e-12)
    return _about(axis, angle)


def _turned(turns: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.einsum("nij,nj->ni", turns, vectors)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

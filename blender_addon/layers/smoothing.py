"""Smoothing without lag, by parts of the body: less where something quick happens, and never on a planted foot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ..motion import JOINT_NAMES, PARENTS, Person
from ..scene.rotations import (
    axis_angle_from_quaternions,
    inverse,
    multiply,
    quaternions_from_matrices,
    without_flips,
)
from .chain import joint_frames
from .planting import with_feet_of
from .series import mean_turns, mean_vectors, stretches

PARTS = {
    "root": ("pelvis",),
    "spine": ("spine1", "spine2", "spine3", "neck", "head"),
    "left_arm": ("left_collar", "left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    "right_arm": ("right_collar", "right_shoulder", "right_elbow", "right_wrist", "right_hand"),
    "left_leg": ("left_hip", "left_knee", "left_ankle", "left_foot"),
    "right_leg": ("right_hip", "right_knee", "right_ankle", "right_foot"),
}
"""The place of the body in the world belongs to the root."""

_LONGEST_S = 0.15
"""The Gaussian's standard deviation at an amount of 1 where nothing quick happens."""
_LEVELS = (0.0, 0.25, 0.5, 1.0)
"""Shares of the deviation between whose results each moment's is mixed; 0 is the raw value."""
_QUICK_TURN, _QUICK_WAY = 3.0, 0.6
"""rad/s and m/s: at this much more than the speed of the moments around, the deviation is halved."""
_JITTER_S, _AROUND_S = 0.05, 0.3
"""Speeds are taken after smoothing by the first, so that jitter is none, and set against their mean over the second."""


def smoothed(person: Person, fps: Fraction, amounts: Sequence[float]) -> Person:
    """The person with each of PARTS smoothed by an amount from 0 (raw) to 1, planted feet where they were."""
    if not any(amounts) or not len(person.frames):
        return person
    rate = float(fps)
    transl = np.array(person.transl, dtype=np.float64)
    # In the world: joints make up for each other's jitter, so that one that is smoothed must not take others with it.
    turns = without_flips(quaternions_from_matrices(joint_frames(person)[0]))
    for mine, every in stretches(person.frames, fps):
        back = person.frames[mine] - every.at[0]
        filled = every.turns(turns[mine])
        for amount in sorted({a for a in amounts if a > 0}):
            joints = _joints_of(amounts, amount)
            turns[np.ix_(mine, joints)] = _smoothed_turns(filled[:, joints], rate, amount * _LONGEST_S)[back]
        if amounts[0] > 0:
            ways = _smoothed_ways(every.values(transl[mine]), rate, amounts[0] * _LONGEST_S)
            transl[mine] = ways[back]
    changed = replace(person, poses=_poses(person, turns, amounts), transl=transl)
    by_part = dict(zip(PARTS, amounts, strict=True))
    return with_feet_of(person, changed, rate, (by_part["left_leg"], by_part["right_leg"]), by_part["root"] > 0)


def _poses(person: Person, turns: np.ndarray, amounts: Sequence[float]) -> np.ndarray:
    """(N, 24, 3): what turns (N, 24, 4) in the world are from joint to joint; as they were where neither joint of the
    two was smoothed."""
    parents = np.array(PARENTS)
    own = axis_angle_from_quaternions(multiply(inverse(turns[:, parents]), turns))
    own[:, 0] = axis_angle_from_quaternions(turns[:, 0])
    touched = np.zeros(len(parents), dtype=bool)
    touched[[joint for a in amounts if a > 0 for joint in _joints_of(amounts, a)]] = True
    touched |= touched[parents]
    return np.where(touched[:, None], own, np.asarray(person.poses, dtype=np.float64))


def _joints_of(amounts: Sequence[float], amount: float) -> list[int]:
    parts = [joints for joints, own in zip(PARTS.values(), amounts, strict=True) if own == amount]
    return [JOINT_NAMES.index(name) for joints in parts for name in joints]


def _smoothed_turns(turns: np.ndarray, rate: float, seconds: float) -> np.ndarray:
    """(M, J, 4) -> (M, J, 4) unit."""
    calm = mean_turns(turns, _JITTER_S * rate)
    steps = axis_angle_from_quaternions(multiply(inverse(calm[:-1]), calm[1:])) * rate
    share = _share(steps, rate, seconds, _QUICK_TURN)
    mixed = _mixed(turns, share, lambda level: mean_turns(turns, level * seconds * rate))
    return mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)


def _smoothed_ways(ways: np.ndarray, rate: float, seconds: float) -> np.ndarray:
    """(M, 3) -> (M, 3) m."""
    steps = np.diff(mean_vectors(ways, _JITTER_S * rate), axis=0) * rate
    share = _share(steps, rate, seconds, _QUICK_WAY)
    return _mixed(ways, share, lambda level: mean_vectors(ways, level * seconds * rate))


def _share(steps: np.ndarray, rate: float, seconds: float, quick: float) -> np.ndarray:
    """(M, ...) 0 to 1: how much of the deviation holds at a moment. steps (M - 1, ..., 3): speeds in between."""
    if not len(steps):
        return np.ones((1, *steps.shape[1:-1]))
    odd = np.linalg.norm(steps - mean_vectors(steps, _AROUND_S * rate), axis=-1)
    odd = np.concatenate([odd[:1], np.maximum(odd[1:], odd[:-1]), odd[-1:]])
    odd = np.maximum(mean_vectors(odd, seconds / 2 * rate), 0)
    return 1 / (1 + (odd / quick) ** 2)


def _mixed(raw: np.ndarray, share: np.ndarray, at_level: Callable[[float], np.ndarray]) -> np.ndarray:
    """Between the two levels next to each moment's share, as far as it lies between them."""
    total = np.zeros_like(raw)
    for place, level in enumerate(_LEVELS):
        hat = np.zeros(len(_LEVELS))
        hat[place] = 1.0
        weight = np.interp(share, _LEVELS, hat)[..., None]
        total += weight * (at_level(level) if level else raw)
    return total

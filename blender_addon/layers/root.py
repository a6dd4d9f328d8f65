"""The whole person moved: up or down, a path that climbs made level, turned; or walking on the spot. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ..motion import Person
from ..scene.rotations import axis_angle_from_matrices, matrices_from_axis_angle
from ..scene.skeleton import pelvis_world
from .series import mean_vectors, stretches

_UP = np.array([0.0, 0.0, 1.0])
_LEAST_WAY_M = 0.3
"""Who goes less far than this is going nowhere: the direction is then where the body looks."""
_LEAST_SLOPE_WAY_M = 1.0
"""Feet that are nearer to each other along the way tell nothing of its slope."""
_SWAY_S = 0.5
"""What a Gaussian mean of this deviation follows is travel, the rest is sway."""


@dataclass(frozen=True)
class RootFix:
    """Angles in degrees, metres."""

    height: float = 0.0
    slope: float = 0.0
    """By how much more the path climbs in its direction; the body tilts with it."""
    heading: float = 0.0
    """Turn to the left, seen from above."""
    about: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 0.0)
    """Place x, y on the ground that slope and heading turn about, and the direction of travel, a unit vector."""

    @property
    def off(self) -> bool:
        """Whether it changes nothing."""
        return not (self.height or self.slope or self.heading)

    def turn(self) -> np.ndarray:
        """(3, 3)."""
        x, y = self.about[2:]
        across = np.array([y, -x, 0.0])  # a turn about it lifts the direction of travel
        tilt = matrices_from_axis_angle(across * np.radians(self.slope))
        return matrices_from_axis_angle(_UP * np.radians(self.heading)) @ tilt


def fixed(person: Person, fix: RootFix) -> Person:
    """The person moved as one piece: nothing slides that did not slide before."""
    if fix.off or not len(person.frames):
        return person
    pivot = np.array([*fix.about[:2], 0.0])
    return moved(person, fix.turn(), pivot - fix.turn() @ pivot + _UP * fix.height)


def moved(person: Person, turn: np.ndarray, shift: np.ndarray) -> Person:
    """Everything of the person at turn @ x + shift; turn (3, 3), shift (3,) m."""
    pelvis = pelvis_world(person.joints, person.transl) @ turn.T + shift
    poses = np.array(person.poses, dtype=np.float64)
    poses[:, 0] = axis_angle_from_matrices(turn @ matrices_from_axis_angle(poses[:, 0]))
    return replace(person, poses=poses, transl=pelvis - person.joints[0])


def travel(person: Person) -> tuple[float, float, float, float]:
    """RootFix.about for a person: where the first frame is, and the direction from there to the last one."""
    pelvis = pelvis_world(person.joints, person.transl)
    way = pelvis[-1, :2] - pelvis[0, :2]
    if np.linalg.norm(way) < _LEAST_WAY_M:
        # SMPL's bodies look along their z.
        way = matrices_from_axis_angle(np.asarray(person.poses[:1, 0], dtype=np.float64))[0, :2, 2]
    size = np.linalg.norm(way)
    way = way / size if size > 1e-6 else np.array([1.0, 0.0])
    return (float(pelvis[0, 0]), float(pelvis[0, 1]), float(way[0]), float(way[1]))


def path_slope(person: Person, about: tuple[float, float, float, float], soles: np.ndarray) -> float | None:
    """Degrees by which the planted feet climb along the direction of travel; None where too few are apart.

    soles (N, 4, 3) m: the contact points, as chain.soles has them.
    """
    planted = person.contacts >= 0.5
    points = soles[planted]
    along = (points[:, :2] - about[:2]) @ np.array(about[2:])
    if len(along) < 2 or np.ptp(along) < _LEAST_SLOPE_WAY_M:
        return None
    return float(np.degrees(np.arctan(np.polyfit(along, points[:, 2], 1)[0])))


def in_place(person: Person, fps: Fraction) -> Person:
    """The travel over the ground taken away, sway and steps kept: the body stays over its first place."""
    if not len(person.frames):
        return person
    transl = np.array(person.transl, dtype=np.float64)
    start = None
    for mine, every in stretches(person.frames, fps):
        way = mean_vectors(every.values(transl[mine, :2]), _SWAY_S * float(fps))[person.frames[mine] - every.at[0]]
        start = way[0] if start is None else start
        transl[mine, :2] -= way - start
    return replace(person, transl=transl)

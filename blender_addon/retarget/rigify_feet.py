"""Feet of a Rigify rig in IK: a control that stands still in a plant, and a roll about heel and ball. NumPy only.

The foot is where `foot_ik`, `foot_spin_ik` and the roll of `foot_heel_ik` bring it together: one after the other, each
about what is before it. In a plant the first stands, the roll follows the foot, and what is left (millimetres) is the
second's; in the air the first takes all, and the others ease away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..scene.rotations import axis_angle_from_matrices, matrices_from_axis_angle
from .controls import Controls
from .posing import Constraint, Posing
from .rigid import blended, inverses, rigid
from .rigify_limbs import pole_axis
from .rigify_names import Limb, control, mechanism

_EASE_S = 0.25


@dataclass(frozen=True)
class FootContacts:
    """When a foot stands."""

    heel: np.ndarray
    """(N,) bool"""
    toe: np.ndarray
    """(N,) bool"""
    frames: np.ndarray
    """(N,) whole scene frames; a step of more than one ends every plant."""
    fps: float


@dataclass(frozen=True)
class Roll:
    """What Rigify rolls a foot with, read from the rig."""

    spin: str
    """The control between the foot's and the roll; empty on rigs without."""
    heel: str
    """The control that is turned about one of its axes: above 0 about the ball, below about the heel."""
    axis: int
    """Which of its axes."""
    about_ball: str
    about_heel: tuple[str, ...]
    """What carries the toes: the bone that turns about the heel, and those that hang on it."""


def find_roll(posing: Posing, limb: Limb) -> Roll | None:
    """The bones between the foot's control and what the leg reaches for; None where the rig is built otherwise."""
    foot = limb.bones["end"]
    way = _way(posing, mechanism(limb.bones["upper"], "ik_target"), control(foot, "ik"))
    for row, name in enumerate(way):
        heels = [found.target for found in posing.constraints.get(name, ()) if _copies_all(found)]
        above = way[row + 1 :]
        limited = [row for row, bone in enumerate(above) if _is_limited(posing, bone)]
        if heels and limited:
            spin = control(foot, "spin_ik")
            axis = int(np.abs(pole_axis(posing, limb)[[2, 0]]).argmax()) * 2
            return Roll(spin if spin in above else "", heels[0], axis, name, above[: limited[0] + 1])
    return None


def _way(posing: Posing, start: str, end: str) -> tuple[str, ...]:
    """Bones between two, from the first's parent on; none where the second does not carry the first."""
    way, name = [], posing.parent(start) if start in posing else None
    while name is not None and name != end:
        way.append(name)
        name = posing.parent(name)
    return () if name is None else tuple(way)


def _copies_all(found: Constraint) -> bool:
    return found.kind == "COPY_ROTATION" and not found.owner_local


def _is_limited(posing: Posing, name: str) -> bool:
    return any(found.kind == "LIMIT_ROTATION" for found in posing.constraints.get(name, ()))


def foot_controls(controls: Controls, limb: Limb, contacts: FootContacts | None) -> None:
    """Values of the foot's controls in IK, the toe's too. Without contacts the foot's own control takes it all."""
    posing, foot = controls.posing, limb.bones["end"]
    roll = find_roll(posing, limb)
    moved = controls.moved(foot)
    top = control(foot, "ik")
    if contacts is None or roll is None:
        controls.bring(top, moved @ posing.at_rest(top))
    else:
        _rolled(controls, roll, top, moved, contacts)
    target = mechanism(limb.bones["upper"], "ik_target")
    if target in posing:
        posing.put(target, controls.attached(foot, target))
    if "toe" in limb.bones:
        controls.follow(limb.bones["toe"], control(limb.bones["toe"], "ik"))


def _rolled(controls: Controls, roll: Roll, top: str, moved: np.ndarray, contacts: FootContacts) -> None:
    """Share the foot's motion, (N, 4, 4) from rest, among the three."""
    posing = controls.posing
    plants = runs(contacts.heel | contacts.toe, contacts.frames)
    angle, spin = np.zeros(len(moved)), np.broadcast_to(np.eye(4), moved.shape).copy()
    still = []
    for first, after in plants:
        part, base = slice(first, after), _base(moved, contacts, first, after)
        left = inverses(base) @ moved[part]
        turned = _angle(posing, roll, left)
        left = left @ inverses(_roll(posing, roll, turned))
        if not _is_carried(posing, roll, left):
            angle[part], spin[part] = turned, left
            still.append((first, after, base))
    _ease(angle, spin, [plant[:2] for plant in still], max(round(_EASE_S * contacts.fps), 1))
    if not roll.spin or _is_little(spin, controls.least):
        spin[:] = np.eye(4)
    base = moved @ inverses(spin @ _roll(posing, roll, angle))
    for first, after, stands in still if roll.spin else ():
        base[first:after] = stands
    controls.bring(top, base @ posing.at_rest(top))
    if not _is_little(spin, 0.0):
        controls.bring(roll.spin, base @ spin @ posing.at_rest(roll.spin))
    turn = matrices_from_axis_angle(angle[:, None] * np.eye(3)[roll.axis])
    controls.set(roll.heel, rigid(turn, np.zeros((len(turn), 3))))
    heeled = base @ spin @ _roll(posing, roll, np.minimum(angle, 0.0))
    for name in roll.about_heel:
        posing.put(name, heeled @ posing.at_rest(name))


def runs(flags: np.ndarray, frames: np.ndarray) -> list[tuple[int, int]]:
    """First row of each run of True, and the row after it; a step of more than one in frames ends a run."""
    goes_on = flags[1:] & flags[:-1] & (np.diff(frames) == 1)
    begins = np.flatnonzero(flags & ~np.concatenate([[False], goes_on]))
    ends = np.flatnonzero(flags & ~np.concatenate([goes_on, [False]])) + 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def _base(moved: np.ndarray, contacts: FootContacts, first: int, after: int) -> np.ndarray:
    """(4, 4) how the foot stands in a plant: as in the middle of the frames in which all of the sole does."""
    flat = first + np.flatnonzero((contacts.heel & contacts.toe)[first:after])
    frames = flat if len(flat) else np.arange(first, after)
    return moved[frames[len(frames) // 2]]


def _axis(posing: Posing, roll: Roll) -> np.ndarray:
    """(3,) about which the foot rolls, at rest."""
    return posing.at_rest(roll.heel)[:3, roll.axis]


def _angle(posing: Posing, roll: Roll, turns: np.ndarray) -> np.ndarray:
    """(N,) rad of each turn that is about the roll's axis."""
    return axis_angle_from_matrices(turns[:, :3, :3]) @ _axis(posing, roll)


def _roll(posing: Posing, roll: Roll, angle: np.ndarray) -> np.ndarray:
    """(N, 4, 4) what the roll does with the foot at rest: about the ball above 0, about the heel below."""
    turn = matrices_from_axis_angle(angle[:, None] * _axis(posing, roll))
    ball, heel = (posing.at_rest(name)[:3, 3] for name in (roll.about_ball, roll.about_heel[-1]))
    point = np.where(angle[:, None] > 0, ball, heel)
    return rigid(turn, point - (turn @ point[:, :, None])[..., 0])


def _is_carried(posing: Posing, roll: Roll, left: np.ndarray) -> bool:
    """Whether a foot that is said to stand goes farther than its length: who stays in place lets the ground go by."""
    ball, heel = (posing.at_rest(name)[:3, 3] for name in (roll.about_ball, roll.about_heel[-1]))
    way = left[:, :3, :3] @ ball + left[:, :3, 3] - ball
    return bool(np.linalg.norm(way, axis=1).max() > np.linalg.norm(ball - heel))


def _is_little(moved: np.ndarray, least: float) -> bool:
    turned = np.linalg.norm(axis_angle_from_matrices(moved[:, :3, :3]), axis=1)
    return bool(np.abs(moved[:, :3, 3]).max(initial=0) <= 5 * least and turned.max(initial=0) <= np.radians(0.2))


def _ease(angle: np.ndarray, spin: np.ndarray, plants: list[tuple[int, int]], ease: int) -> None:
    """Between plants: roll and spin go away within `ease` frames after one and come back before the next. In place."""
    nothing = np.eye(4)
    ends = [0, *(after for _, after in plants)], [*(first for first, _ in plants), len(angle)]
    for place, (begin, end) in enumerate(zip(*ends, strict=True)):
        frames = np.arange(begin, end)
        if not len(frames):
            continue
        room = min(ease, end - begin + 1)
        parts = []
        if place > 0:
            parts.append((begin - 1, _smooth((frames - begin + 1) / room)))
        if place < len(plants):
            parts.append((end, _smooth((end - frames) / room)))
        angle[frames] = sum((angle[edge] * (1 - share) for edge, share in parts), np.zeros(len(frames)))
        for edge, share in parts:
            spin[frames] = spin[frames] @ blended(np.broadcast_to(spin[edge], (len(share), 4, 4)), nothing, share)


def _smooth(share: np.ndarray) -> np.ndarray:
    clipped = np.clip(share, 0, 1)
    return clipped * clipped * (3 - 2 * clipped)

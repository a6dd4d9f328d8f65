"""Arms and legs of a Rigify rig in IK: a hinge for elbow and knee, and the pole that says where it points."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .controls import Controls
from .posing import Constraint, Posing
from .rigid import rigid
from .rigify_names import Limb, control, mechanism
from .turning import across, unit

_STRAIGHT = 0.02
"""Elbow or knee so far off the straight line, in lengths of the limb: the plane comes half from where it is, half from
how the upper bone turns. Moving it by millimetres is not seen, turning a straight limb about itself is."""
_POLE_ANGLE = -np.pi / 2
"""Rigify's own for limbs that bend about x."""


def ik_constraint(posing: Posing, limb: Limb) -> Constraint | None:
    """The limb's IK constraint that acts, if any."""
    name = mechanism(limb.bones["lower"], "ik")
    return next((found for found in posing.constraints.get(name, ()) if found.kind == "IK"), None)


def pole_axis(posing: Posing, limb: Limb) -> np.ndarray:
    """(3,) in the upper bone, what points to the pole."""
    found = ik_constraint(posing, limb)
    angle = found.pole_angle if found is not None and found.pole else _POLE_ANGLE
    return np.array([np.cos(angle), 0.0, np.sin(angle)])


def hinge_limb(posing: Posing, wanted: Mapping[str, np.ndarray], limb: Limb) -> dict[str, np.ndarray]:
    """Wanted upper and lower bone, (N, 4, 4), as a hinge and IK can do it: ends stay, the plane stays, twist goes.

    Where the limb is as good as straight, the upper bone's own turn says the plane, so that knees do not pop.
    """
    upper, lower, end = (limb.bones[part] for part in ("upper", "lower", "end"))
    start, bend, reach = (wanted[name][:, :3, 3] for name in (upper, lower, end))
    rest_start, rest_bend, rest_reach = (posing.at_rest(name)[:3, 3] for name in (upper, lower, end))
    above, below = rest_bend - rest_start, rest_reach - rest_bend
    first, second = np.linalg.norm(above), np.linalg.norm(below)
    rest_hinge = posing.at_rest(upper)[:3, :3] @ np.cross(pole_axis(posing, limb), [0.0, 1.0, 0.0])

    far = np.linalg.norm(reach - start, axis=1, keepdims=True)
    along = (reach - start) / np.maximum(far, 1e-9)
    own = wanted[upper][:, :3, :3] @ posing.at_rest(upper)[:3, :3].T @ rest_hinge
    seen = unit(across(np.cross(bend - start, reach - bend), along))
    far_out = np.linalg.norm(across(bend - start, along), axis=1, keepdims=True) / (_STRAIGHT * (first + second))
    agree = (seen * own).sum(-1, keepdims=True)
    hinge = unit(across(seen * far_out**2 * np.clip(2.5 * agree + 0.5, 0, 1) + own, along))

    ahead = (first**2 - second**2 + far**2) / (2 * np.maximum(far, 1e-9))
    aside = np.sqrt(np.maximum(first**2 - ahead**2, 0))
    knee = start + ahead * along + aside * np.cross(along, hinge)
    out = {}
    for name, place, way, rest_way in ((upper, start, knee - start, above), (lower, knee, reach - knee, below)):
        turn = _frame(hinge, way) @ np.swapaxes(_frame(rest_hinge, rest_way), -1, -2)
        out[name] = rigid(turn @ posing.at_rest(name)[:3, :3], place)
    return out


def _frame(hinge: np.ndarray, way: np.ndarray) -> np.ndarray:
    """(..., 3, 3) axes in columns: the hinge, as far as it is across the way, the way, and what is across both."""
    second = unit(way)
    first = unit(across(np.broadcast_to(hinge, second.shape), second))
    return np.stack([first, second, np.cross(first, second)], -1)


def ik_controls(controls: Controls, limb: Limb) -> None:
    """The pole, as far from elbow or knee as at rest, and for an arm the hand's control."""
    posing, wanted = controls.posing, controls.wanted
    upper, lower, end = (limb.bones[part] for part in ("upper", "lower", "end"))
    if limb.kind == "arm":
        controls.follow(end, control(end, "ik"))
    found = ik_constraint(posing, limb)
    if found is None:
        return
    posing.put(found.target, controls.attached(end, found.target))
    if found.pole not in posing:
        return
    start, knee, reach = (wanted[name][:, :3, 3] for name in (upper, lower, end))
    out = across(wanted[upper][:, :3, :3] @ pole_axis(posing, limb), unit(reach - start))
    far = np.linalg.norm(posing.at_rest(found.pole)[:3, 3] - posing.at_rest(lower)[:3, 3])
    point = knee + far * unit(out)
    controls.bring(found.pole, rigid(np.broadcast_to(np.eye(3), (len(point), 3, 3)), point), turned=False)

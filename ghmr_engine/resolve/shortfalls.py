"""What was asked for and could not be done, in words for the user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.body.smpl import Body
from ghmr_engine.edits import Pin
from ghmr_engine.energy.placed import Placed
from ghmr_engine.resolve.feet import PLANTED
from ghmr_engine.resolve.pins import FEET, View

_MISSED_PX = 2.0
_SLIDES_MM = 1.0
"""A frame."""


def shortfalls(
    name: str, person: Placed, pins: Sequence[Pin], free: np.ndarray, view: View, body: Body
) -> Iterator[str]:  # fmt: skip
    """Of a person who was solved again: pins that are missed and planted feet that slide. free (N,) bool: frames that
    might change."""
    planted = person.contacts.numpy() >= PLANTED
    posed = body.forward(person.rotations, person.transl, person.betas)
    joints, feet = posed.joints.double().numpy(), posed.contacts.double().numpy()
    for pin in pins:
        row, joint = int(np.searchsorted(person.frames, pin.frame)), JOINT_NAMES.index(pin.joint)
        off = float(np.linalg.norm(view.seen(row, joints[row, joint]) - [pin.x, pin.y]))
        if off > _MISSED_PX:
            stands_still = any(joint in FEET[side] and planted[row, 2 * side : 2 * side + 2].any() for side in range(2))
            why = "that foot is planted" if stands_still else "the body does not reach there"
            what = f"Person {name}'s {pin.joint.replace('_', ' ')} in frame {pin.frame}"
            yield f"{what} is {off:.0f} px off its pin: {why}."
    way = 1000 * np.linalg.norm(np.diff(feet, axis=0), axis=-1)
    both = planted[1:] & planted[:-1] & ((np.diff(person.frames) == 1) & (free[1:] | free[:-1]))[:, None]
    for side, word in enumerate(("left", "right")):
        mine = slice(2 * side, 2 * side + 2)
        slides = (way * both)[:, mine].max(1, initial=0)
        rows = np.flatnonzero(slides > _SLIDES_MM)
        if len(rows):
            yield (
                f"Person {name}'s {word} foot slides up to {slides.max():.1f} mm a frame in frames "
                f"{person.frames[rows[0]]} to {person.frames[rows[-1] + 1]}: the body moves on too far over that plant."
            )

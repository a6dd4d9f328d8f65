"""Edits that do not fit a motion are refused before anything is done."""

from __future__ import annotations

import math

from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.edits import Edits, Pin
from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import Motion


def check_edits(motion: Motion, edits: Edits) -> None:
    """Raises RecoverError for people, frames and joints that the motion does not have."""
    for name in edits.people:
        if name not in motion.people:
            known = ", ".join(motion.people)
            raise RecoverError("unknown_person", f"There is no person {name} in this motion.", f"Choose from: {known}.")
        if not len(motion.people[name].vertices):
            raise RecoverError("no_body", f"This motion has no body of person {name}.", "Recover the clip again.")
    last = len(motion.R) - 1
    if not 0 <= edits.first <= edits.last <= last:
        raise RecoverError(
            "bad_range", f"Frames {edits.first} to {edits.last} are not all in the clip.",
            f"Choose from frames 0 to {last}.",
        )  # fmt: skip
    for name in edits.people:
        frames = motion.people[name].frames
        if not ((frames >= edits.first) & (frames <= edits.last)).any():
            raise RecoverError(
                "not_there", f"Person {name} is not there in frames {edits.first} to {edits.last}.",
                "Choose frames in which that person is seen.",
            )  # fmt: skip
    for pin in edits.pins:
        _check_pin(motion, edits, pin)


def _check_pin(motion: Motion, edits: Edits, pin: Pin) -> None:
    if pin.joint not in JOINT_NAMES:
        raise RecoverError(
            "unknown_joint", f"There is no joint '{pin.joint}'.", f"Choose from: {', '.join(JOINT_NAMES)}."
        )
    if not (math.isfinite(pin.x) and math.isfinite(pin.y)):
        raise RecoverError("bad_edit", f"The pin of {pin.joint} is nowhere in the picture.", "Pin it again.")
    if pin.person not in edits.people:
        raise RecoverError(
            "unknown_person", f"Person {pin.person} is pinned, but not solved again.", "Choose that person too."
        )
    where = f"The pin of {pin.joint} in frame {pin.frame}"
    if not edits.first <= pin.frame <= edits.last:
        raise RecoverError(
            "bad_range", f"{where} lies outside frames {edits.first} to {edits.last}.", "Choose a longer range."
        )
    if pin.frame not in motion.people[pin.person].frames:
        raise RecoverError("not_there", f"{where} is of person {pin.person}, who is not there then.", "Remove the pin.")

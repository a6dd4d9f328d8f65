"""What a user changed by hand and wants solved again. Standard library only: the add-on carries this file."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .errors import RecoverError


@dataclass(frozen=True)
class Pin:
    """One joint of one person in one frame, where the user put it in the picture."""

    person: str
    """The motion file's number."""
    frame: int
    """Of the motion, from 0."""
    joint: str
    """One of body/skeleton.py's JOINT_NAMES."""
    x: float
    """px in the upright picture, to the right; whole numbers are pixels' centres, as K has them."""
    y: float
    """px, down."""


@dataclass(frozen=True)
class Edits:
    """Which people and frames of a motion file are solved again, and by what."""

    people: tuple[str, ...]
    """Numbers in the motion file; at least one."""
    first: int
    """First frame that may change."""
    last: int
    """Last frame that may change (included)."""
    pins: tuple[Pin, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Plain values by name, for JSON."""
        return asdict(self)


def edits_from(values: dict[str, object]) -> Edits:
    """Edits from a JSON object. Raises RecoverError 'bad_edit' for what is missing, unknown or of another type."""
    try:
        pins = tuple(Pin(str(p["person"]), int(p["frame"]), str(p["joint"]), float(p["x"]), float(p["y"]))
                     for p in values.get("pins", ()))  # fmt: skip
        people = tuple(str(person) for person in values["people"])
        edits = Edits(people, int(values["first"]), int(values["last"]), pins)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RecoverError(
            "bad_edit", f"These edits cannot be read ({error!r}).", "Use an add-on of the same version."
        ) from error
    if not edits.people or not 0 <= edits.first <= edits.last:
        raise RecoverError("bad_edit", "There is nobody, or no frame, to solve again.", "Choose a person and a range.")
    return edits

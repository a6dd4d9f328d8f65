"""What is shown is a motion file's person with layers over it, each of which can be taken off again. NumPy only.

A layer is a function from Person to Person; one that is off gives back the very person it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from ..motion import Person
from .cycle import closed, trimmed
from .root import RootFix, fixed, in_place
from .smoothing import PARTS, smoothed


@dataclass(frozen=True)
class Layers:
    """All layers of one person, off by default."""

    smoothing: tuple[float, ...] = (0.0,) * len(PARTS)
    """0 to 1 for each of smoothing.PARTS."""
    root: RootFix = field(default_factory=RootFix)
    first: int | None = None
    """First frame of the motion that is kept."""
    last: int | None = None
    """Last frame of the motion that is kept (included)."""
    in_place: bool = False
    loop: int = 0
    """Frames at the end over which it becomes the beginning again; 0: no cycle."""


def layered(person: Person, fps: Fraction, layers: Layers) -> Person:
    """The person as shown. fps: the motion's rate."""
    person = smoothed(person, fps, layers.smoothing)
    person = fixed(person, layers.root)
    person = trimmed(person, layers.first, layers.last)
    if layers.in_place:
        person = in_place(person, fps)
    return closed(person, layers.loop, stays=layers.in_place)

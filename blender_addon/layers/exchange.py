"""Two people who were taken for each other from a frame on. NumPy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..motion import Person
from .chain import joint_frames, soles
from .cycle import FIELDS, cut


def exchanged(a: Person, b: Person, frame: int) -> tuple[Person, Person]:
    """Both with the other's motion from `frame` on (included), each with its own body; either may be away then."""
    return (
        _joined(cut(a, a.frames < frame), worn(cut(b, b.frames >= frame), a)),
        _joined(cut(b, b.frames < frame), worn(cut(a, a.frames >= frame), b)),
    )


def worn(motion: Person, body: Person) -> Person:
    """A motion on another body: the lower sole is as high as it was, so that longer legs do not sink in."""
    own = {name: getattr(body, name) for name in ("betas", "vertices", "weights", "joints")}
    transl = motion.transl + motion.joints[0] - body.joints[0]
    other = replace(motion, transl=transl, **own)
    lowest, lowest_now = (soles(person, *joint_frames(person))[..., 2].min(1) for person in (motion, other))
    return replace(other, transl=transl + np.stack([0 * lowest, 0 * lowest, lowest - lowest_now], 1))


def _joined(before: Person, after: Person) -> Person:
    arrays = {name: np.concatenate([getattr(before, name), getattr(after, name)]) for name in FIELDS}
    return replace(before, **arrays)

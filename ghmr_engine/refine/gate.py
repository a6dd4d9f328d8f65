"""Nothing gets worse: whether a refined scene may take the place of the one that it began from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ghmr_engine import quality
from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.placed import Placed
from ghmr_engine.types import Refinement

_UNSEEN_MM = 0.1
"""Feet that slide by so much more a frame, or sink in, are seen by nobody."""


def judge(before: Sequence[Placed], after: Sequence[Placed], energy: tuple[float, float], body: Body) -> Refinement:
    """Kept only where the energy is no higher, nobody's feet slide or sink more, and everybody is still whole."""
    sliding, sinking = (
        [[measure(person, body) or 0.0 for person in people] for people in (before, after)]
        for measure in (_sliding, _sinking)
    )
    fault = next(_faults(before, after, energy, sliding, sinking), None)
    return Refinement(fault, energy, tuple(float(np.mean(each)) if each else 0.0 for each in sliding))


def _faults(
    before: Sequence[Placed], after: Sequence[Placed], energy: tuple[float, float],
    sliding: list[list[float]], sinking: list[list[float]],
) -> Iterator[str]:  # fmt: skip
    if len(before) != len(after) or any(
        not np.array_equal(a.frames, b.frames) for a, b in zip(before, after, strict=False)
    ):
        yield "it lost a person"
    if not all(bool(person.rotations.isfinite().all() & person.transl.isfinite().all()) for person in after):
        yield "it came to no number"
    if not energy[1] <= energy[0]:
        yield f"its energy was higher ({energy[1]:.0f} instead of {energy[0]:.0f})"
    for what, (befores, afters) in (("slid", sliding), ("sank in", sinking)):
        for person, first, last in zip(before, befores, afters, strict=False):
            if last > first + _UNSEEN_MM:
                yield f"feet of person {person.person} {what} more ({last:.2f} instead of {first:.2f} mm)"


def _sliding(person: Placed, body: Body) -> float | None:
    return quality.sliding_mm(person.frames, _feet(person, body), person.contacts.cpu().numpy())


def _sinking(person: Placed, body: Body) -> float | None:
    return quality.penetration_mm(_feet(person, body))


def _feet(person: Placed, body: Body) -> np.ndarray:
    return body.forward(person.rotations, person.transl, person.betas).contacts.cpu().numpy()

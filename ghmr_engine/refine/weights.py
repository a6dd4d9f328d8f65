"""How far everything is expected to be off, by what refine chooses itself: weights are 1 / deviation^2."""

from __future__ import annotations

from dataclasses import dataclass

from ghmr_engine.energy.person import Deviations

PEOPLE = Deviations(turn=0.1, pose=0.1, spread=0.7, ground=0.01)
"""Of each person's terms (energy/person.py). World's fit, from which this begins, knew only the lift's pose; here each
joint may go where the picture and resting feet pull it, as far as the network is unsure of that joint."""


@dataclass(frozen=True)
class SharedDeviations:
    """Deviations of what all frames share."""

    scale: float = 0.003
    """Of the logarithm of the camera's path's scale, SLAHMR's alpha. World/scale.py found it by what tells of it best:
    with 0.02 here it went away from the truth (docs/design.md)."""
    height: float = 0.01
    """m, of the ground's height,"""
    tilt: float = 0.002
    """and rad, of its two tilts."""
    shape: float = 0.15
    """Of each of a person's ten shape numbers."""
    overlap: float = 0.02
    """m, by which two people's bodies lie in each other (bodies.py)."""
    counted_again: float = 10.0
    """Neighbouring frames err alike, so that what a clip says of what they share is counted so many times over."""


@dataclass(frozen=True)
class PriorWeights:
    """Of the priors (priors.py); SLAHMR's are 0.04 and 0.075, beside another data term."""

    pose: float = 0.04
    """A squared pose latent."""
    step: float = 0.3
    """A nat of a step's latents."""


SHARED = SharedDeviations()
PRIORS = PriorWeights()

"""What a user may say about how a motion goes onto a rig. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RootMotion = Literal["root", "pelvis", "in_place"]


@dataclass(frozen=True)
class RetargetSettings:
    """The defaults suit a character that walks where the person walked."""

    root: RootMotion = "root"
    """Where the way over the ground goes: onto the root bone (the pelvis bone where the rig has none), onto the pelvis
    bone alone, or nowhere: the person stays in place."""
    scale: float = 0.0
    """Metres of the rig's way for each of the person's; 0: as the legs' lengths are to each other."""
    plant_feet: bool = True
    """Solve legs and pelvis again, so that planted feet stand still."""
    relaxed_hands: float = 1.0
    """0: fingers as they rest on the rig; 1: curled as in a hand that hangs."""
    legs_ik: bool = True
    """Rigify: legs follow their controls for IK; both sets are written, and IK_FK switches at any frame."""
    arms_ik: bool = False
    """Arms alike."""

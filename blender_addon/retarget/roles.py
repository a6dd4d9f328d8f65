"""What a bone of a human rig can be: the names that maps speak. Standard library only."""

from __future__ import annotations

SIDES = ("left", "right")

CENTRE = ("root", "pelvis", "spine", "neck", "head")
LIMBS = ("clavicle", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe")
FINGERS = ("thumb", "index", "middle", "ring", "little")

ROLES = (*CENTRE, *(f"{side}_{part}" for side in SIDES for part in (*LIMBS, *FINGERS)))
"""Every role, in the order in which maps list them."""

NEEDED = ("pelvis", *(f"{side}_{part}" for side in SIDES for part in ("upper_arm", "forearm", "thigh", "shin", "foot")))
"""Without these nothing is retargeted; what else lacks stays as it rests."""

MIRRORED = {role: role.replace("left_", "right_", 1) for role in ROLES if role.startswith("left_")}
"""Left to right."""

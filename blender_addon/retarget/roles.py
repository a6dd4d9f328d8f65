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

SINGLE = ("root", "pelvis", "head", "left_hand", "right_hand", "left_foot", "right_foot")
"""Roles of one bone; others may have several, one behind the other."""

CARRIERS = {
    "spine": ("pelvis",), "neck": ("spine",), "head": ("neck", "spine"),
    **{f"{side}_{part}": tuple(f"{side}_{one}" if one in LIMBS else one for one in carriers)
       for side in SIDES for part, carriers in {
           "upper_arm": ("clavicle",), "forearm": ("upper_arm",), "hand": ("forearm",), "thigh": ("pelvis",),
           "shin": ("thigh",), "foot": ("shin",), "toe": ("foot",), **dict.fromkeys(FINGERS, ("hand",))}.items()},
}  # fmt: skip
"""What a role hangs on, the first of these that there is."""

LABELS = {
    "root": "Root Bone", "pelvis": "Hips", "spine": "Spine", "neck": "Neck", "head": "Head",
    "left_clavicle": "Left Shoulder", "left_upper_arm": "Left Upper Arm", "left_forearm": "Left Forearm",
    "left_hand": "Left Hand", "left_thigh": "Left Thigh", "left_shin": "Left Shin", "left_foot": "Left Foot",
    "left_toe": "Left Toes", "left_thumb": "Left Thumb", "left_index": "Left Index Finger",
    "left_middle": "Left Middle Finger", "left_ring": "Left Ring Finger", "left_little": "Left Little Finger",
    "right_clavicle": "Right Shoulder", "right_upper_arm": "Right Upper Arm", "right_forearm": "Right Forearm",
    "right_hand": "Right Hand", "right_thigh": "Right Thigh", "right_shin": "Right Shin", "right_foot": "Right Foot",
    "right_toe": "Right Toes", "right_thumb": "Right Thumb", "right_index": "Right Index Finger",
    "right_middle": "Right Middle Finger", "right_ring": "Right Ring Finger", "right_little": "Right Little Finger",
}  # fmt: skip
"""For people."""


PARTS = {
    "clavicle": "Shoulder", "upper_arm": "Upper Arm", "forearm": "Forearm", "hand": "Hand", "thigh": "Thigh",
    "shin": "Shin", "foot": "Foot", "toe": "Toes", "thumb": "Thumb", "index": "Index Finger",
    "middle": "Middle Finger", "ring": "Ring Finger", "little": "Little Finger",
}  # fmt: skip
"""For people, where the side is said beside it."""


def part_of(role: str) -> str:
    """The role without its side: `shin` of `left_shin`."""
    return role.split("_", 1)[1] if role.startswith(("left_", "right_")) else role

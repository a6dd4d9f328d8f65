"""Which of a skeleton's joints plays which of SMPL's, by the names that capture programs give."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PELVIS = ("hips", "pelvis", "hip", "root")
_HEAD = ("head",)
_NECK = ("neck", "neck1", "neck01", "lowerneck", "spineneck")
# Surer names stand first. Some call the thigh LeftHip and the collar bone LeftShoulder, others the joints: a joint that
# is taken already is passed over, and parts stand in the order in which their sure names leave the rest.
_SIDE = {
    "knee": ("knee", "shin", "calf", "lowleg", "lowerleg", "tibia", "leg"),
    "hip": ("upleg", "thigh", "upperleg", "femur", "hip", "leg"),
    "ankle": ("ankle", "foot"),
    "foot": ("toebase", "toes", "toe", "ball", "foot"),
    "elbow": ("elbow", "forearm", "lowarm", "lowerarm", "radius"),
    "shoulder": ("uparm", "upperarm", "humerus", "arm", "shoulder"),
    "collar": ("collar", "clavicle", "shoulder"),
    "wrist": ("wrist", "hand"),
    "hand": ("fingers", "handmiddle1", "middle1", "middle01", "handindex1", "hand"),
}


def known_joints(names: tuple[str, ...], parents: tuple[int, ...]) -> dict[str, str]:
    """SMPL's joint name -> the joint of `names` that plays it, for those that are there."""
    plain = {}
    for name in names:
        plain.setdefault(_plain(name), name)
    found: dict[str, str] = {}
    for part, options in (("pelvis", _PELVIS), ("head", _HEAD), ("neck", _NECK)):
        _take(part, options, plain, found)
    for part, options in _SIDE.items():
        for side in ("left", "right"):
            spelt = [word for option in options for word in _spellings(side, option)]
            _take(f"{side}_{part}", spelt, plain, found)
    return found | _spine(found, names, parents)


def _plain(name: str) -> str:
    """Lower case, without a prefix as `mixamorig:` or `Bip01_` and without what parts words."""
    name = re.sub(r"^(bip\d+|mixamorig\d*|character\d+)[_ .-]?", "", name.split(":")[-1].lower())
    return re.sub(r"[^a-z0-9]", "", name)


def _spellings(side: str, part: str) -> tuple[str, ...]:
    letter = side[0]
    return f"{side}{part}", f"{letter}{part}", f"{part}{side}", f"{part}{letter}"


def _take(part: str, options: tuple[str, ...] | list[str], plain: Mapping[str, str], found: dict[str, str]) -> None:
    free = (plain[word] for word in options if word in plain and plain[word] not in found.values())
    name = next(free, None)
    if name is not None:
        found[part] = name


def _spine(found: Mapping[str, str], names: tuple[str, ...], parents: tuple[int, ...]) -> dict[str, str]:
    """The spine is what stands between the pelvis and both shoulders, however many joints and whatever they are called:
    the lowest, the middle one and the one that carries the arms."""
    lines = [_above(names.index(found[name]), parents) for name in ("left_shoulder", "right_shoulder") if name in found]
    if len(lines) < 2 or "pelvis" not in found:
        return {}
    pelvis = names.index(found["pelvis"])
    spine = sorted(joint for joint in set(lines[0]) & set(lines[1]) if joint > pelvis and pelvis in lines[0])
    if not spine:
        return {}
    places = {"spine3": -1}
    if len(spine) > 1:
        places["spine1"] = 0
    if len(spine) > 2:
        places["spine2"] = len(spine) // 2 if len(spine) > 3 else 1
    return {name: names[spine[place]] for name, place in places.items()}


def _above(joint: int, parents: tuple[int, ...]) -> list[int]:
    line = []
    while parents[joint] >= 0:
        joint = parents[joint]
        line.append(joint)
    return line

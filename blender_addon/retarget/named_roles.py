"""Roles by what the bones' names say, set straight by the order in which they hang on each other."""

from __future__ import annotations

from itertools import product

from .bone_tree import BoneTree
from .bone_words import Meaning, read_names
from .roles import FINGERS, SIDES

_ARM = ("clavicle", "upper_arm", "forearm", "hand")
_LEG = ("thigh", "shin", "foot", "toe")
_OF_ONE_BONE = ("hand", "foot", "toe")
_LONGEST_LINE = 8
_FINGER_BONES = 3


def roles_by_name(tree: BoneTree, placed: dict[str, list[int]]) -> dict[str, list[int]]:
    """Role to bones of the tree, from the root outwards. placed: the same by their places, which decides where a word
    may mean two things."""
    read = read_names(tree.names)
    said = {bone: read[name] for bone, name in enumerate(tree.names) if name in read}
    roles: dict[str, list[int]] = {}
    for side in SIDES:
        own = {bone: meaning for bone, meaning in said.items() if meaning.side == side}
        for limb in (_ARM, _LEG):
            roles |= {f"{side}_{part}": bones for part, bones in _limb(tree, own, limb, placed, side).items()}
        for finger in FINGERS:
            bones = _line(tree, [bone for bone, meaning in own.items() if meaning.parts == (finger,)])
            if bones:
                roles[f"{side}_{finger}"] = bones[:_FINGER_BONES]
    centre = {bone: meaning for bone, meaning in said.items() if not meaning.side}
    for part in ("spine", "neck", "head", "root", "pelvis"):
        bones = _line(tree, [bone for bone, meaning in centre.items() if meaning.parts[0] == part])
        if part == "pelvis":
            bones = _pelvis(centre, placed)
        if bones:
            roles[part] = bones if part in ("spine", "neck") else bones[:1]
    _part_spine(roles, placed)
    if roles.get("root") == roles.get("pelvis"):
        roles.pop("root", None)
    return roles


def _part_spine(roles: dict[str, list[int]], placed: dict[str, list[int]]) -> None:
    """Where all from pelvis to head are called spine, their places say which is which."""
    others = [part for part in ("pelvis", "neck", "head") if part not in roles]
    taken = {bone for part in others for bone in placed.get(part, ())}
    left = [bone for bone in roles.get("spine", ()) if bone not in taken]
    if left:
        roles["spine"] = left


def _line(tree: BoneTree, bones: list[int]) -> list[int]:
    """Those of the bones that hang one behind the other, the most of them; of several such lines the first."""
    among = set(bones)
    lines = [[above for above in tree.line(bone) if above in among] for bone in bones]
    return max(lines, key=len, default=[])


def _best_line(tree: BoneTree, choices: dict[int, list[str]], where: dict[int, str]) -> list[int]:
    """Bones one behind the other with the most parts of a limb; then, with the most that lie where a limb is."""
    lines = [[above for above in tree.line(bone) if above in choices] for bone in choices]

    def worth(line: list[int]) -> tuple[int, int, int]:
        parts = {part for bone in line for part in choices[bone]}
        return len(parts), sum(bone in where for bone in line), -len(line)

    return max(lines, key=worth, default=[])


def _limb(
    tree: BoneTree, own: dict[int, Meaning], limb: tuple[str, ...], placed: dict[str, list[int]], side: str
) -> dict[str, list[int]]:
    """The parts of one limb, in their order along it."""
    choices = {bone: [part for part in meaning.parts if part in limb] for bone, meaning in own.items()}
    where = {bone: role for role, bones in placed.items() for bone in bones}
    line = _best_line(tree, {bone: parts for bone, parts in choices.items() if parts}, where)[:_LONGEST_LINE]
    best: dict[str, list[int]] = {}
    most = -1.0
    for parts in product(*(choices[bone] for bone in line)):
        order = [limb.index(part) for part in parts]
        if order != sorted(order):
            continue
        agreed = sum(where.get(bone) == f"{side}_{part}" for bone, part in zip(line, parts, strict=True))
        first = sum(choices[bone][0] == part for bone, part in zip(line, parts, strict=True))
        score = 10 * len(set(parts)) + 3 * agreed + first
        if score > most:
            most = score
            best = {part: [line[place] for place, at in enumerate(parts) if at == part] for part in parts}
    for bone, parts in choices.items():
        # Bones that do not hang on each other, as in rigs held together by constraints.
        if len(parts) == 1 and parts[0] not in best:
            best[parts[0]] = [bone]
    return {part: bones[:1] if part in _OF_ONE_BONE else bones for part, bones in best.items()}


def _pelvis(centre: dict[int, Meaning], placed: dict[str, list[int]]) -> list[int]:
    """The one that carries legs and trunk, where several are called so."""
    bones = [bone for bone, meaning in centre.items() if meaning.parts[0] == "pelvis"]
    by_place = placed.get("pelvis", [])
    if not bones:
        return [bone for bone in by_place if bone in centre and "pelvis" in centre[bone].parts]
    return by_place if by_place and by_place[0] in bones else bones[:1]

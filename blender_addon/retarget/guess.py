"""The automatic map of a rig: by a preset's names, else by what its names say and where its bones are. NumPy only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from .body_shape import Body, body_of
from .bone_tree import BoneTree, tree_of
from .named_roles import roles_by_name
from .presets import matching
from .rig_map import Remark, RigMap
from .rig_rest import RigRest
from .roles import MIRRORED, NEEDED, ROLES, SIDES

SURE = 0.75
"""From here on nobody needs to look."""

_SURENESS = {"preset": 1.0, "both": 0.9, "name": 0.7, "place": 0.6, "name against place": 0.4}


@dataclass(frozen=True)
class Found:
    """How one role was found."""

    sure: float
    """0 to 1."""
    how: str
    """`preset`, `name`, `place`, `both` (name and place agree) or `name against place`."""


@dataclass(frozen=True)
class Guess:
    """A map, and how far it can be trusted."""

    map: RigMap
    found: dict[str, Found]
    """By role, for every role in the map."""
    remarks: tuple[Remark, ...] = field(default=())
    """What to know of it; what is missing says rig_map.check."""


def guess_map(
    rest: RigRest, deforming: Collection[str] | None = None, driven: Collection[str] = (), name: str = "Guessed"
) -> Guess:
    """The map of a rig at rest; roles that are not found are left out.

    deforming: bones that move a mesh; None: all may. driven: bones that constraints hold, so that keys on them do not
    show. name: what a map is called that follows no preset.
    """
    if not rest.names:
        return Guess(RigMap(name), {})
    preset = matching(rest.names)
    if preset is not None and _carries(rest, preset):
        how = {role: Found(_SURENESS["preset"], "preset") for role in preset.bones}
        return Guess(preset, how, tuple(_swapped(rest, preset)))
    guesses = [_guess(rest, used, name) for used in _choices(rest, deforming, driven)]
    best = max(guesses, key=lambda guess: sum(role in guess.map.bones for role in NEEDED))
    return Guess(best.map, best.found, (*best.remarks, *_held(best.map, driven)))


def _carries(rest: RigRest, preset: RigMap) -> bool:
    """Whether the legs hang on what a preset takes for the pelvis: the same names may be meant otherwise. Rigify's
    generated bones hang on others."""
    if preset.kind == "rigify":
        return True
    index = {name: bone for bone, name in enumerate(rest.names)}
    pelvis = index[preset.bones["pelvis"][0]]
    lines = ([], [])
    for side, line in zip(SIDES, lines, strict=True):
        bone = index[preset.bones[f"{side}_thigh"][0]]
        while bone >= 0:
            line.append(bone)
            bone = int(rest.parents[bone])
    return all(pelvis in line for line in lines)


def _choices(rest: RigRest, deforming: Collection[str] | None, driven: Collection[str]) -> Iterable[np.ndarray]:
    """Which bones may be limbs, the best choice first: those that deform and obey their keys, else controls, else all
    that deform, else all."""
    deform = np.array([deforming is None or name in deforming for name in rest.names])
    free = np.array([name not in driven for name in rest.names])
    seen: set[bytes] = set()
    for used in (deform & free, free, deform, np.ones_like(deform)):
        if used.any() and used.tobytes() not in seen:
            seen.add(used.tobytes())
            yield used


def _guess(rest: RigRest, used: np.ndarray, name: str) -> Guess:
    tree, body = _upright(rest, used)
    named = roles_by_name(tree, body.roles)
    if body.forward is None and _other_way(named, body.roles):
        body.roles = mirrored(body.roles)
    remarks = []
    if body.forward is None and body.roles and not any(role in MIRRORED for role in named):
        remarks.append(Remark("", "Nothing tells where the rig looks: left and right may be the wrong way round."))
    if body.forward is not None and _other_way(named, body.roles):
        remarks.append(_SIDES_DIFFER)
    bones, found = {}, {}
    for role in ROLES:
        chosen, how = _chosen(named.get(role, []), body.roles.get(role, []))
        if chosen:
            bones[role] = tuple(tree.names[bone] for bone in chosen)
            found[role] = Found(_SURENESS[how], how)
    _once(bones, found)
    if "root" not in bones and "pelvis" in bones:
        top = _root(rest, tree, bones)
        if top:
            bones["root"], found["root"] = (top,), Found(_SURENESS["place"], "place")
    return Guess(RigMap(name, "bones", {role: bones[role] for role in ROLES if role in bones}), found, tuple(remarks))


def _upright(rest: RigRest, used: np.ndarray) -> tuple[BoneTree, Body]:
    """The rig as it stands, or, where nobody is found in it, as if its y axis went up."""
    tree = tree_of(rest, used)
    body = body_of(tree)
    if not body.roles:
        raised = tree_of(replace(rest, world=_RAISED @ rest.world), used)
        if body_of(raised).roles:
            return raised, body_of(raised)
    return tree, body


_RAISED = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
"""y to z."""


def _chosen(named: list[int], placed: list[int]) -> tuple[list[int], str]:
    """A role's bones from what its name says and where it is."""
    if not named or not placed:
        return (named, "name") if named else (placed, "place")
    if set(named) & set(placed):
        return (placed if set(named) <= set(placed) else named), "both"
    return named, "name against place"


def _once(bones: dict[str, tuple[str, ...]], found: dict[str, Found]) -> None:
    """A bone has one role: the surer one keeps it."""
    owners: dict[str, str] = {}
    for role in sorted(bones, key=lambda role: (-found[role].sure, ROLES.index(role))):
        left = tuple(bone for bone in bones[role] if owners.setdefault(bone, role) == role)
        if left:
            bones[role] = left
        else:
            del bones[role], found[role]


def _root(rest: RigRest, tree: BoneTree, bones: dict[str, tuple[str, ...]]) -> str:
    """The first of the pelvis' ancestors, whether or not it deforms, if it lies on the ground."""
    bone, top = rest.names.index(bones["pelvis"][0]), ""
    while rest.parents[bone] >= 0:
        bone = int(rest.parents[bone])
        top = rest.names[bone]
    low = (rest.world @ rest.matrices[bone])[2, 3] - tree.floor < 0.15 * tree.height
    taken = any(top in listed for listed in bones.values())
    return top if top and low and not taken else ""


def mirrored(roles: dict[str, list[int]]) -> dict[str, list[int]]:
    """Left for right."""
    other = MIRRORED | {right: left for left, right in MIRRORED.items()}
    return {other.get(role, role): bones for role, bones in roles.items()}


def _other_way(named: dict[str, list[int]], placed: dict[str, list[int]]) -> bool:
    """Whether names and places mean each other's sides."""
    turned = mirrored(placed)
    same = sum(bool(set(named.get(role, ())) & set(placed[role])) for role in placed if role in turned)
    other = sum(bool(set(named.get(role, ())) & set(bones)) for role, bones in turned.items())
    return other > same


_SIDES_DIFFER = Remark("", "Left and right by the names are the other way round by where the feet point.")


def _swapped(rest: RigRest, preset: RigMap) -> list[Remark]:
    """Whether a preset's sides are where they should be, by those of its own bones."""
    own = {bone for bones in preset.bones.values() for bone in bones}
    tree = tree_of(rest, np.array([name in own for name in rest.names]))
    index = {name: bone for bone, name in enumerate(tree.names)}
    named = {role: [index[bone] for bone in bones] for role, bones in preset.bones.items()}
    body: Body = body_of(tree)
    return [_SIDES_DIFFER] if body.forward is not None and _other_way(named, body.roles) else []


def held_bones(rig_map: RigMap, driven: Collection[str]) -> list[str]:
    """Bones of the map that constraints hold."""
    return [bone for bones in rig_map.bones.values() for bone in bones if bone in set(driven)]


def _held(rig_map: RigMap, driven: Collection[str]) -> list[Remark]:
    held = held_bones(rig_map, driven)
    if not held:
        return []
    text = "Constraints hold {count} of these bones, {bone} for one: choose the rig's controls instead."
    return [Remark("", text, {"count": str(len(held)), "bone": held[0]})]

"""Which bones of a rig play which roles, and the JSON file that keeps it. Standard library only.

{"format": "recover-motion-rig-map", "version": 1, "name": "Mixamo", "kind": "bones",
 "bones": {"pelvis": ["mixamorig:Hips"], "spine": ["mixamorig:Spine", "mixamorig:Spine1"], ...}}
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from ..ghmr_engine.errors import RecoverError
from .roles import CARRIERS, LABELS, NEEDED, ROLES, SINGLE

FORMAT, VERSION = "recover-motion-rig-map", 1
LONGEST = 1_000_000
"""Bytes of a file that is read at all."""

Kind = Literal["bones", "rigify"]
_FIX = "Choose a map that was saved here, or guess again."


@dataclass(frozen=True)
class RigMap:
    """A rig's bones by role."""

    name: str
    """For people: `Mixamo`, or the rig's own."""
    kind: Kind = "bones"
    """`bones`: the motion goes onto these very bones. `rigify`: they are the ORG bones of a generated Rigify rig, whose
    controls, in FK and IK, and switches go by Rigify's own names."""
    bones: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Role (roles.ROLES) to bones from the root outwards: spine and neck from below up, a finger from its knuckle on
    (the thumb from its base), a limb of more than one bone (MakeHuman's upperarm01, upperarm02) as one stiff piece
    whose last bone takes the twist. What the rig lacks is left out. Bones of no role (twist, helper,
    face) stay as they rest.
    """


@dataclass(frozen=True)
class Remark:
    """What is missing or doubtful in a map."""

    role: str
    """Which role it is about; `` where it is about the whole."""
    text: str
    """A sentence for people, with names in braces."""
    values: dict[str, str] = field(default_factory=dict)
    """What stands for the names in braces."""
    grave: bool = False
    """Nothing can be retargeted before it is put right."""

    def __str__(self) -> str:
        return self.text.format(**self.values)


def to_text(rig_map: RigMap) -> str:
    """The map as JSON, a role a line, in the order of ROLES."""
    bones = {role: list(rig_map.bones[role]) for role in ROLES if rig_map.bones.get(role)}
    head = {"format": FORMAT, "version": VERSION, "name": rig_map.name, "kind": rig_map.kind}
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    roles = [f"    {json.dumps(role)}: {json.dumps(names, ensure_ascii=False)}" for role, names in bones.items()]
    inner = "{\n" + ",\n".join(roles) + "\n  }" if roles else "{}"
    return "{\n" + ",\n".join([*lines, f'  "bones": {inner}']) + "\n}\n"


def from_text(text: str) -> RigMap:
    """A map from JSON. Raises RecoverError bad_rig_map, which says what is wrong with it."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _wrong("This is no JSON file.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _wrong("This is no map of a rig.")
    if data.get("version") != VERSION:
        raise RecoverError(
            "newer_rig_map", "The map was written by another version of Recover Motion.", "Update the add-on."
        )
    unknown = set(data) - {"format", "version", "name", "kind", "bones"}
    if unknown:
        raise _wrong(f"The map has an unknown entry: {sorted(unknown)[0][:60]}.")
    if not isinstance(data.get("name"), str) or data.get("kind", "bones") not in get_args(Kind):
        raise _wrong("The map's name or kind is none that is known.")
    if not isinstance(data.get("bones"), dict):
        raise _wrong("The map lists no bones.")
    rig_map = RigMap(data["name"], data.get("kind", "bones"), _bones(data["bones"]))
    try:
        to_text(rig_map).encode()
    except UnicodeEncodeError:  # JSON may hold halves of characters, which no bone is called
        raise _wrong("The map has names that are no text.") from None
    return rig_map


def _bones(listed: dict[str, object]) -> dict[str, tuple[str, ...]]:
    bones: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    for role, names in listed.items():
        if role not in ROLES:
            raise _wrong(f"The map has an unknown role: {role[:60]}.")
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise _wrong(f"The bones of {LABELS[role]} are no list of names.")
        for name in names:
            if name in owners:
                raise _wrong(f"The bone {name[:60]} is named twice.")
            owners[name] = role
        if names:
            bones[role] = tuple(names)
    return {role: bones[role] for role in ROLES if role in bones}


def _wrong(message: str) -> RecoverError:
    return RecoverError("bad_rig_map", message, _FIX)


def check(rig_map: RigMap, names: Collection[str]) -> list[Remark]:
    """What is missing or doubtful in a map for a rig with bones of these names, the grave first."""
    known, remarks = set(names), []
    for role in NEEDED:
        if not rig_map.bones.get(role):
            remarks.append(Remark(role, "{role} is missing.", {"role": LABELS[role]}, grave=True))
    owners: dict[str, str] = {}
    for role, bones in rig_map.bones.items():
        for bone in bones:
            if bone not in known:
                said = {"bone": bone, "role": LABELS[role]}
                remarks.append(Remark(role, "The rig has no bone {bone} for {role}.", said, grave=True))
            elif bone in owners:
                said = {"bone": bone, "role": LABELS[role], "other": LABELS[owners[bone]]}
                remarks.append(Remark(role, "{bone} is {role} and {other} at once.", said, grave=True))
            owners[bone] = role
        if role in SINGLE and len(bones) > 1:
            remarks.append(Remark(role, "{role} can be one bone only.", {"role": LABELS[role]}, grave=True))
    return sorted(remarks + _lopsided(rig_map), key=lambda remark: not remark.grave)


def doubts(rig_map: RigMap, names: Sequence[str], parents: Sequence[int]) -> list[Remark]:
    """What is odd in how the bones hang on each other; names and parents as RigRest has them. Rigs held together by
    constraints, as Rigify's, are not asked."""
    above = {name: names[parent] if parent >= 0 else "" for name, parent in zip(names, parents, strict=True)}
    remarks = []
    for role, bones in rig_map.bones.items() if rig_map.kind == "bones" else ():
        for bone, before in zip(bones[1:], bones, strict=False):
            if before not in _line(bone, above):
                said = {"bone": bone, "role": LABELS[role]}
                remarks.append(Remark(role, "{bone} of {role} does not hang on the bone before it.", said))
        carrier = next((other for other in CARRIERS.get(role, ()) if rig_map.bones.get(other)), None)
        if carrier and rig_map.bones[carrier][-1] not in _line(bones[0], above):
            said = {"role": LABELS[role], "other": LABELS[carrier]}
            remarks.append(Remark(role, "{role} does not hang on {other}.", said))
    return remarks


def _line(bone: str, above: dict[str, str]) -> list[str]:
    """The bone's ancestors, and itself."""
    found = []
    while bone:
        found.append(bone)
        bone = above.get(bone, "")
    return found


def _lopsided(rig_map: RigMap) -> list[Remark]:
    """Roles that one side has and the other lacks."""
    remarks = []
    for role in ROLES:
        if role in NEEDED or role.split("_")[0] not in ("left", "right"):
            continue
        other = role.replace("left_", "right_") if role.startswith("left_") else role.replace("right_", "left_")
        if rig_map.bones.get(other) and not rig_map.bones.get(role):
            said = {"role": LABELS[role], "other": LABELS[other]}
            remarks.append(Remark(role, "{role} is missing, {other} is there.", said))
    return remarks

"""The map of a rig in the file: kept with the rig as JSON, shown and corrected role by role, guessed, or from a file.

The one truth is the text in `rig.recover_motion_retarget.map`; what the panel shows reads and writes that.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import bpy

from .ghmr_engine.errors import RecoverError
from .ghmr_engine.part_files import written_whole
from .preferences import data_folder
from .retarget.guess import Found, Guess, guess_map
from .retarget.rig_map import LONGEST, Remark, RigMap, check, from_text, to_text
from .retarget.roles import LABELS, NEEDED, PARTS, ROLES, SINGLE, part_of
from .rigs import rest_of_rig
from .translations import told

ENDING = ".rig_map.json"
"""Files beside the .blend with such names, and in the user's folder, are looked at for rigs without a map."""

_PLAIN = {"options": set(), "override": {"LIBRARY_OVERRIDABLE"}}
_HARMLESS = ("LIMIT_", "MAINTAIN_VOLUME", "ACTION")
"""Constraints that leave a bone its keys."""


def kept_map(rig: bpy.types.Object) -> RigMap | None:
    """The map that the rig has; None without one, or where the text is none."""
    with contextlib.suppress(RecoverError):
        return _parsed(rig.recover_motion_retarget.map)
    return None


@lru_cache(maxsize=32)
def _parsed(text: str) -> RigMap | None:
    return from_text(text) if text else None


def map_for(rig: bpy.types.Object) -> RigMap:
    """The rig's map: the one kept with it, else one of the user's files that fits its bones, else a guess. Nothing is
    changed."""
    return kept_map(rig) or fitting_file(rig) or guess_for(rig).map


def ensure_map(rig: bpy.types.Object) -> RigMap:
    """The same, and kept with the rig where it had none: to be looked at and corrected."""
    kept = kept_map(rig)
    if kept is not None:
        return kept
    own = fitting_file(rig)
    if own is not None:
        keep_map(rig, own)
        return own
    return keep_guess(rig).map


def keep_guess(rig: bpy.types.Object) -> Guess:
    """Guess, and keep that with the rig."""
    guess = guess_for(rig)
    keep_map(rig, guess.map, guess.found, guess.remarks)
    return guess


def keep_map(
    rig: bpy.types.Object, rig_map: RigMap, found: dict[str, Found] | None = None, remarks: Sequence[Remark] = ()
) -> None:
    """Keep a map with the rig. found: how each role was found; None: somebody said it, so that nothing is doubtful.
    remarks: what to know of the whole."""
    rig.recover_motion_retarget.map = to_text(rig_map)
    rig.recover_motion_rig_map.remarks = json.dumps([[remark.text, remark.values] for remark in remarks])
    rows = rig.recover_motion_rig_map.roles
    if not has_rows(rig):
        rows.clear()
        for role in ROLES:
            rows.add().name = role
    for row in rows:
        row.how = found[row.name].how if found and row.name in found else ""
        row.sure = found[row.name].sure if found and row.name in found else 1.0


def has_rows(rig: bpy.types.Object) -> bool:
    """Whether the panel has its list. Blender 5 forgets the list of a library override when a file is opened."""
    return tuple(row.name for row in rig.recover_motion_rig_map.roles) == ROLES


def remarks_of(rig: bpy.types.Object) -> list[Remark]:
    """What the guess that is kept had to say of the whole."""
    with contextlib.suppress(ValueError):
        return [Remark("", text, values) for text, values in json.loads(rig.recover_motion_rig_map.remarks)]
    return []


def missing(rig: bpy.types.Object, rig_map: RigMap) -> list[str]:
    """What keeps the rig, or a part of it, from moving as the map says: a sentence each, in the user's language."""
    remarks = [remark for remark in check(rig_map, rig.data.bones.keys()) if remark.grave]
    return [told(each.text, **{name: told(value) for name, value in each.values.items()}) for each in remarks]


def guess_for(rig: bpy.types.Object) -> Guess:
    """The automatic map of a rig; nothing is changed."""
    if rig.pose is None:  # made by a script just now
        bpy.context.view_layer.update()
    deforming = {bone.name for bone in rig.data.bones if bone.use_deform}
    driven = {bone.name for bone in rig.pose.bones if any(map(_holds, bone.constraints))}
    return guess_map(rest_of_rig(rig), deforming or None, driven, rig.name)


def _holds(constraint: bpy.types.Constraint) -> bool:
    return not constraint.mute and constraint.influence > 0 and not constraint.type.startswith(_HARMLESS)


def fitting_file(rig: bpy.types.Object) -> RigMap | None:
    """The user's map with the most bones of those whose bones this rig has all; beside the .blend first."""
    names = {bone.name for bone in rig.data.bones}
    beside = [Path(bpy.path.abspath("//"))] if bpy.data.filepath else []
    for folder in (*beside, data_folder() / "rig_maps"):
        fitting = []
        for path in sorted(folder.glob(f"*{ENDING}")):
            with contextlib.suppress(RecoverError):
                rig_map = load(path)
                used = {bone for bones in rig_map.bones.values() for bone in bones}
                if used <= names and all(role in rig_map.bones for role in NEEDED):
                    fitting.append(rig_map)
        if fitting:
            return max(fitting, key=lambda rig_map: sum(map(len, rig_map.bones.values())))
    return None


def load(path: Path) -> RigMap:
    """A map from a file. Raises RecoverError bad_rig_map, newer_rig_map, cannot_read."""
    try:
        if path.stat().st_size > LONGEST:
            raise RecoverError("bad_rig_map", f"{path.name} is no map of a rig.", "Choose a map that was saved here.")
        return from_text(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecoverError(
            "cannot_read", f"{path.name} cannot be read ({error.strerror}).", "Choose another file."
        ) from error
    except UnicodeDecodeError:
        raise RecoverError(
            "bad_rig_map", f"{path.name} is no map of a rig.", "Choose a map that was saved here."
        ) from None


def save(rig_map: RigMap, path: Path) -> None:
    """Write a map, whole or not at all. Raises RecoverError cannot_write."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as part:
            part.write_text(to_text(rig_map), encoding="utf-8")
    except OSError as error:
        raise RecoverError(
            "cannot_write", f"{path.name} cannot be written ({error.strerror}).", "Choose another folder."
        ) from error


def default_path(rig: bpy.types.Object) -> Path:
    """Where a rig's map is saved if nobody says otherwise: beside the .blend, or in the user's folder."""
    folder = Path(bpy.path.abspath("//")) if bpy.data.filepath else data_folder() / "rig_maps"
    return folder / f"{bpy.path.clean_name(rig.name)}{ENDING}"


def rig_of(item: bpy.types.Object | None) -> bpy.types.Object | None:
    """The animator's rig that an object is, or hangs on; recovered people are none."""
    while item is not None and item.type != "ARMATURE":
        item = item.parent
    return item if item is not None and not item.recover_motion.number else None


def chosen_rig(context: bpy.types.Context) -> bpy.types.Object | None:
    """The rig of the active object, else the one that the scene names."""
    rig = rig_of(context.view_layer.objects.active)
    named = getattr(context.scene, "recover_motion_rig", None)
    return named if rig is None and named is not None and named.name in context.scene.objects else rig


def set_role(rig: bpy.types.Object, role: str, bones: tuple[str, ...]) -> None:
    """Say which bones play a role; they play no other any more. Nothing doubtful is left of it."""
    old = kept_map(rig) or RigMap(rig.name)
    rest = {other: tuple(bone for bone in own if bone not in bones) for other, own in old.bones.items()}
    changed = {other: own for other, own in (rest | {role: bones}).items() if own}
    rig.recover_motion_retarget.map = to_text(RigMap(old.name, old.kind, changed))
    row = rig.recover_motion_rig_map.roles.get(role)
    if row is not None:
        row.how, row.sure = "", 1.0


def chain(rig: bpy.types.Object, first: str, last: str) -> tuple[str, ...]:
    """The bones from one down to the other, both included; () where they do not hang on each other."""
    bone = rig.data.bones.get(last)
    found: list[str] = []
    while bone is not None:
        found.append(bone.name)
        if bone.name == first:
            return tuple(found[::-1])
        bone = bone.parent
    return ()


def ordered(rig: bpy.types.Object, names: list[str]) -> tuple[str, ...]:
    """Bones from the root outwards."""
    return tuple(sorted(names, key=lambda name: len(rig.data.bones[name].parent_recursive)))


def _first(row: bpy.types.PropertyGroup) -> str:
    return next(iter(_bones(row)), "")


def _last(row: bpy.types.PropertyGroup) -> str:
    return next(reversed(_bones(row)), "")


def _bones(row: bpy.types.PropertyGroup) -> tuple[str, ...]:
    rig_map = kept_map(row.id_data)
    return rig_map.bones.get(row.name, ()) if rig_map else ()


def _set_first(row: bpy.types.PropertyGroup, bone: str) -> None:
    last = bone if row.name in SINGLE else _last(row)
    set_role(row.id_data, row.name, (chain(row.id_data, bone, last) or (bone,)) if bone else ())


def _set_last(row: bpy.types.PropertyGroup, bone: str) -> None:
    first = _first(row)
    set_role(row.id_data, row.name, (chain(row.id_data, first, bone) or (bone,)) if bone else (first,) * bool(first))


class RecoverMotionRigRole(bpy.types.PropertyGroup):
    """A row of the panel; its name is the role."""

    first: bpy.props.StringProperty(
        name="Bone", description="The bone that plays this part, or the first of several",
        get=_first, set=_set_first, options=set(),
    )  # fmt: skip
    last: bpy.props.StringProperty(
        name="To", description="The last of the bones that play this part, where several hang one behind the other",
        get=_last, set=_set_last, options=set(),
    )  # fmt: skip
    how: bpy.props.StringProperty(name="Found", description="How the bone was found", **_PLAIN)
    sure: bpy.props.FloatProperty(name="Sure", description="How sure it is", default=1.0, min=0.0, max=1.0, **_PLAIN)


class RecoverMotionRigMap(bpy.types.PropertyGroup):
    """What the panel shows of a rig's map."""

    roles: bpy.props.CollectionProperty(
        type=RecoverMotionRigRole, name="Parts", description="The parts of a body and the bones that play them",
        override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"},
    )  # fmt: skip
    active: bpy.props.IntProperty(name="Part", description="The part of the body that is chosen", **_PLAIN)
    remarks: bpy.props.StringProperty(name="Remarks", description="What to know of the guess", **_PLAIN)
    colours: bpy.props.StringProperty(name="Colours", description="The bones' own colours, to be put back", **_PLAIN)


_CLASSES = (RecoverMotionRigRole, RecoverMotionRigMap)


def label_of(role: str) -> str:
    """A role in the user's language."""
    return told(LABELS[role])


def short_label_of(role: str) -> str:
    """The same for a narrow list: the side is a letter."""
    part = part_of(role)
    return (
        told(LABELS[role]) if part == role else f"{told('L' if role.startswith('left') else 'R')} {told(PARTS[part])}"
    )


def register() -> None:
    """Called by the add-on."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Object.recover_motion_rig_map = bpy.props.PointerProperty(
        type=RecoverMotionRigMap, override={"LIBRARY_OVERRIDABLE"}
    )


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Object.recover_motion_rig_map
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)

"""Rigs out of other files: appended with the meshes on them, or made editable where they are linked."""

from __future__ import annotations

from pathlib import Path

import bpy

from .ghmr_engine.errors import RecoverError
from .retarget.roles import LABELS, NEEDED
from .rig_maps import map_for
from .translations import told


def rigs_from_file(path: Path) -> bpy.types.Object:
    """Append the rig of a .blend, with its meshes, in a collection of its own; each call appends another one.

    Of several armatures the one with the most parts of a body is taken, and of those one that moves a mesh. Raises
    RecoverError.
    """
    known = set(bpy.data.objects)
    if bpy.data.filepath and path.resolve() == Path(bpy.data.filepath).resolve():  # Blender crashes over it
        raise RecoverError("own_file", f"{path.name} is the open file.", "Give the rig's own .blend.")
    try:
        with bpy.data.libraries.load(str(path), link=False) as (stored, taken):
            taken.objects = list(stored.objects)
    except OSError as error:
        raise RecoverError(
            "cannot_read", f"{path.name} cannot be read as a .blend ({error}).",
            "Give a .blend that this Blender, or an older one, has written.",
        ) from error  # fmt: skip
    added = [item for item in taken.objects if item is not None and item not in known]
    try:
        rig = _rig_of(added, path)
    except RecoverError:
        _drop(added)
        raise
    mine = [rig, *_above(rig), *_hanging_on(rig, added)]
    group = bpy.data.collections.new(path.stem)
    bpy.context.scene.collection.children.link(group)
    for item in mine:
        group.objects.link(item)
    needed = _needed_by(mine)
    _drop([item for item in added if item not in needed])
    bpy.context.view_layer.update()
    return rig


def _rig_of(added: list[bpy.types.Object], path: Path) -> bpy.types.Object:
    armatures = [item for item in added if item.type == "ARMATURE" and not item.recover_motion.number]
    if not armatures:
        raise RecoverError(
            "no_rig", f"There is no rig in {path.name}.", "Give a .blend with your character's armature."
        )
    maps = {item: map_for(item) for item in armatures}

    def worth(item: bpy.types.Object) -> tuple[int, bool, bool, int]:
        """The parts it has; then what is skinned before a meta-rig, and a generated rig before what it was made of."""
        bones = maps[item].bones
        skinned = any(other.type == "MESH" for other in _hanging_on(item, added))
        return sum(role in bones for role in NEEDED), skinned, maps[item].kind == "rigify", len(bones)

    rig = max(armatures, key=worth)
    lacking = [role for role in NEEDED if role not in maps[rig].bones]
    if lacking:
        raise RecoverError(
            "map_lacks", f"{rig.name} in {path.name} has no bone for: {', '.join(LABELS[role] for role in lacking)}.",
            "Open it, choose these bones in the panel, and save it: the map is kept with the rig.",
        )  # fmt: skip
    return rig


def _above(rig: bpy.types.Object) -> list[bpy.types.Object]:
    """What the rig hangs on: files from other programs often have an empty there, with the scale."""
    found, above = [], rig.parent
    while above is not None:
        found.append(above)
        above = above.parent
    return found


def _needed_by(items: list[bpy.types.Object]) -> set[bpy.types.ID]:
    """They, and all that they use, and that in turn: bones' shapes, targets of constraints, modifiers and drivers."""
    uses: dict[bpy.types.ID, set[bpy.types.ID]] = {}
    for used, users in bpy.data.user_map().items():
        for user in users:
            uses.setdefault(user, set()).add(used)
    found: set[bpy.types.ID] = set()
    left: list[bpy.types.ID] = list(items)
    while left:
        item = left.pop()
        if item not in found and item.id_type != "SCENE":
            found.add(item)
            left += uses.get(item, ())
    return found


def _hanging_on(rig: bpy.types.Object, added: list[bpy.types.Object]) -> list[bpy.types.Object]:
    """What the rig moves: its children, and what its bones deform."""

    def follows(item: bpy.types.Object) -> bool:
        above = item.parent
        while above is not None and above != rig:
            above = above.parent
        return above == rig or any(getattr(modifier, "object", None) == rig for modifier in item.modifiers)

    return [item for item in added if item != rig and follows(item)]


def _drop(items: list[bpy.types.Object]) -> None:
    bpy.data.batch_remove([item for item in items if item.name in bpy.data.objects])


def editable_rig(context: bpy.types.Context, rig: bpy.types.Object) -> bpy.types.Object:
    """The rig itself, or where it is linked a library override of it, in its place: the library stays as it is.

    Raises RecoverError where none can be made.
    """
    if rig.override_library is not None:
        rig.override_library.is_system_override = False
    if rig.library is None:
        return rig
    made = rig.override_hierarchy_create(context.scene, context.view_layer, do_fully_editable=True)
    if made is None:
        raise RecoverError(
            "linked_rig", told("No library override of {rig} can be made.", rig=rig.name),
            "Link its whole collection, or append the character instead.",
        )  # fmt: skip
    return made

"""Taking a take out of the file, with all that only it uses; its motion file on disk stays."""

from __future__ import annotations

import bpy

from .take_list import parts_of

_LAST = ("Material", "Action")
"""Removed last: other parts use them."""


def remove_take(scene: bpy.types.Scene, take: bpy.types.Collection) -> None:
    """Remove a take from the scene. What others use (another scene, another collection, an action on a character)
    stays; what an asset's fake user alone keeps goes."""
    if any(other != scene and take in other.collection.children_recursive for other in bpy.data.scenes):
        _unlink(scene, take)
        return
    family = {take, *take.children_recursive}
    own = [item for item in take.all_objects if set(item.users_collection) <= family]
    parts = [part for part in parts_of(take) if part not in own]
    family -= {child for child in family if child != take and _users(child) > 1}
    bpy.data.batch_remove(own)
    bpy.data.batch_remove(family)
    for part in sorted(parts, key=lambda part: part.rna_type.identifier in _LAST):
        if _users(part) == 0:
            bpy.data.batch_remove([part])


def _users(part: bpy.types.ID) -> int:
    """How many use it in earnest."""
    return part.users - part.use_fake_user


def _unlink(scene: bpy.types.Scene, take: bpy.types.Collection) -> None:
    for parent in [scene.collection, *scene.collection.children_recursive]:
        if take in list(parent.children):
            parent.children.unlink(take)

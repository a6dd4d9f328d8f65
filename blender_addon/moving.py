"""Paths that begin at the .blend's folder, kept right where it is saved in another one: Blender minds only its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bpy


@dataclass
class _Save:
    """One save into another folder: what paths were before it."""

    before: list[tuple[bpy.types.PropertyGroup, str, str]] = field(default_factory=list)
    """Whose, which property, and its value."""


_SAVE = _Save()
"""Handed from the handler before a save to the one after it."""


def _relative() -> Iterator[tuple[bpy.types.PropertyGroup, str, str]]:
    """All paths of this file that begin with //."""
    found = [(take.recover_motion, "motion") for take in bpy.data.collections if take.library is None]
    for scene in (scene for scene in bpy.data.scenes if scene.library is None):
        found += [(scene.recover_motion, "clip"), (scene.recover_motion, "camera_file")]
        found += [(scene.recover_motion_people, "path"), (scene.recover_motion_people, "clip")]
    return ((owner, name, path) for owner, name in found if (path := getattr(owner, name)).startswith("//"))


@bpy.app.handlers.persistent
def _before_save(path: str, *_rest: object) -> None:
    """Write into the new file how its paths go from there."""
    _SAVE.before.clear()
    now, then = Path(bpy.data.filepath).parent, Path(path).parent
    if not path or not bpy.data.filepath or now == then:
        return
    for owner, name, value in list(_relative()):
        _SAVE.before.append((owner, name, value))
        whole = bpy.path.abspath(value)
        try:
            setattr(owner, name, bpy.path.relpath(whole, start=str(then)))
        except ValueError:  # another drive
            setattr(owner, name, whole)


@bpy.app.handlers.persistent
def _after_save(path: str, *_rest: object) -> None:
    """A copy, or a save that failed, leaves the file that is open where it was."""
    if _SAVE.before and Path(bpy.data.filepath) != Path(path):
        for owner, name, value in _SAVE.before:
            setattr(owner, name, value)
    _SAVE.before.clear()


_HANDLERS = {"save_pre": _before_save, "save_post": _after_save, "save_post_fail": _after_save}


def register() -> None:
    """Called by the add-on."""
    for name, call in _HANDLERS.items():
        getattr(bpy.app.handlers, name).append(call)


def unregister() -> None:
    """Called by the add-on."""
    for name, call in _HANDLERS.items():
        if call in getattr(bpy.app.handlers, name):
            getattr(bpy.app.handlers, name).remove(call)

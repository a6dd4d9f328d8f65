"""Files of takes stay with their .blend: brought beside it where it is saved for the first time, paths kept right where
it is saved in another folder and where something of it is appended to another file. Blender minds only its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

import bpy

from .compat import TELLS_IMPORTS
from .ghmr_engine.part_files import written_whole
from .places_of_takes import TAKES, free, new_path, unsaved_takes
from .runner import tell
from .scene.build import relative
from .translations import told

_ENDING = ".motion.npz"


@dataclass
class _Save:
    """One save into another folder: what paths were before it."""

    before: list[tuple[bpy.types.PropertyGroup, str, str]] = field(default_factory=list)
    """Whose, which property, and its value."""


_SAVE = _Save()
"""Handed from the handler before a save to the one after it."""


def _relative(owners: Iterable[bpy.types.ID | None]) -> Iterator[tuple[bpy.types.PropertyGroup, str, str]]:
    """Paths of takes and scenes of this file that begin with //."""
    found = []
    for owner in owners:
        if owner is None or owner.library is not None:
            continue
        if isinstance(owner, bpy.types.Collection):
            found += [(owner.recover_motion, "motion")]
        elif isinstance(owner, bpy.types.Scene):
            found += [(owner.recover_motion, "clip"), (owner.recover_motion, "camera_file")]
            found += [(owner.recover_motion_people, "path"), (owner.recover_motion_people, "clip")]
    return ((kept, name, path) for kept, name in found if (path := getattr(kept, name)).startswith("//"))


@bpy.app.handlers.persistent
def _before_save(path: str, *_rest: object) -> None:
    """Write into the new file how its paths go from there."""
    _SAVE.before.clear()
    if path and not bpy.data.filepath:
        _bring_beside(Path(path).parent)
        return
    now, then = Path(bpy.data.filepath).parent, Path(path).parent
    if not path or now == then:
        return
    for owner, name, value in list(_relative((*bpy.data.collections, *bpy.data.scenes))):
        _SAVE.before.append((owner, name, value))
        whole = bpy.path.abspath(value)
        try:
            setattr(owner, name, bpy.path.relpath(whole, start=str(then)))
        except ValueError:  # another drive
            setattr(owner, name, whole)


def _bring_beside(folder: Path) -> None:
    """Copy the motion files that were written while the .blend had no place, with what lies beside them under their
    names. The old ones stay: undo may name them again."""
    for take in bpy.data.collections:
        kept = take.recover_motion
        old = Path(bpy.path.abspath(kept.motion)) if kept.motion and take.library is None else None
        if old is None or old.parent != unsaved_takes() or not old.is_file():
            continue
        stem = old.name.removesuffix(_ENDING)
        new = None
        try:
            (folder / TAKES).mkdir(exist_ok=True)
            new = new_path(folder / TAKES, stem, _ENDING.removeprefix("."))
            for file in old.parent.glob(f"{escape(stem)}.*"):
                rest = file.name.removeprefix(stem)  # another take's begins with its number
                if file == old or not (file.name.endswith(_ENDING) or rest[1:2].isdigit()):
                    copy_whole(file, new.with_name(new.name.removesuffix(_ENDING) + rest))
        except OSError as error:
            if new is not None:
                free(new)
            tell(told("{take}'s files stay where they are ({error}).", take=take.name, error=error), warn=True)
            continue
        _SAVE.before.append((kept, "motion", kept.motion))
        kept.motion = f"//{TAKES}/{new.name}"


def copy_whole(file: Path, to: Path) -> None:
    """A copy that is there whole or not at all. Raises OSError."""
    with written_whole(to) as part:
        shutil.copyfile(file, part)


@bpy.app.handlers.persistent
def _after_save(path: str, *_rest: object) -> None:
    """A copy, or a save that failed, leaves the file that is open where it was."""
    if _SAVE.before and Path(bpy.data.filepath) != Path(path):
        for owner, name, value in _SAVE.before:
            setattr(owner, name, value)
    _SAVE.before.clear()


@bpy.app.handlers.persistent
def _after_import(came: object, *_rest: object) -> None:
    """What was appended goes on naming the files that it named in the file it came from."""
    for item in came.import_items:
        if item.source_library is None:
            continue
        folder = str(Path(bpy.path.abspath(item.source_library.filepath)).parent)
        for owner, name, value in _relative((item.id,)):
            setattr(owner, name, relative(Path(bpy.path.abspath(value, start=folder))))


_HANDLERS = {"save_pre": _before_save, "save_post": _after_save, "save_post_fail": _after_save}
if TELLS_IMPORTS:
    _HANDLERS["blend_import_post"] = _after_import


def register() -> None:
    """Called by the add-on."""
    for name, call in _HANDLERS.items():
        getattr(bpy.app.handlers, name).append(call)


def unregister() -> None:
    """Called by the add-on."""
    for name, call in _HANDLERS.items():
        if call in getattr(bpy.app.handlers, name):
            getattr(bpy.app.handlers, name).remove(call)

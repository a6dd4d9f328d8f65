"""A take's motion file is never changed: what changes a motion writes another one and lets the take name that."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import bpy

from .motion import Motion, Person, write_motion
from .places_of_takes import free, takes_folder
from .scene.build import relative
from .takes import motion_path

_EDITED = re.compile(r"(\.edit\d+)?\.motion\.npz$")


def switch_base(take: bpy.types.Collection, motion: Motion, edit: str = "") -> None:
    """Write the motion beside the take's file; the take names that from now on.

    edit: what was done, kept in the file; the engine says itself what it did. Raises RecoverError, MotionFileError,
    OSError.
    """
    edits = [*motion.meta.get("edits", []), *([{"by_hand": edit}] if edit else [])]
    path = edited_path(take)
    try:
        write_motion(path, replace(motion, meta={**motion.meta, "edits": edits}))
    finally:
        free(path)
    take.recover_motion.motion = relative(path)


def edited_path(take: bpy.types.Collection) -> Path:
    """CLIP.edit2.motion.npz, or the first higher number that is free, beside the take's file; where nothing can be
    written there, in the folder of new takes. It is taken at once, as new_path does. Raises RecoverError, OSError."""
    now = motion_path(take)
    stem = _EDITED.sub("", now.name)
    folder = now.parent if _can_write(now.parent) else takes_folder()
    for number in count(2):
        path = folder / f"{stem}.edit{number}.motion.npz"
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            break
    return path


def with_people(motion: Motion, people: dict[str, Person]) -> Motion:
    """The motion with some people in another version; what was measured of their old one is left out."""
    quality = {number: figures for number, figures in motion.meta.get("quality", {}).items() if number not in people}
    return replace(motion, people={**motion.people, **people}, meta={**motion.meta, "quality": quality})


def _can_write(folder: Path) -> bool:
    """Asked by trying: permissions say little on network drives and on Windows."""
    probe = folder / ".recover_motion_probe"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True

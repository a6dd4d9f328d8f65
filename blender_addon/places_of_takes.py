"""Where files of takes go."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import bpy

from .ghmr_engine.errors import RecoverError
from .preferences import data_folder
from .translations import told

TAKES = "recover_motion"
"""The folder beside a .blend."""
_LONGEST_STEM = 160
"""Bytes."""


def unsaved_takes() -> Path:
    """The folder for takes of files that have no place yet."""
    return data_folder() / "takes"


def takes_folder() -> Path:
    """Where motion files go: beside the saved .blend, else in the add-on's data folder. Raises RecoverError."""
    saved = bpy.data.filepath
    folder = Path(saved).parent / TAKES if saved else unsaved_takes()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecoverError(
            "no_place",
            told("There is no place for the take ({error}).", error=error),
            "Save the file in another folder.",
        ) from error
    return folder


def new_path(folder: Path, stem: str, ending: str) -> Path:
    """A name that no file had: STEM.ENDING, STEM.2.ENDING, ... It is taken at once, by an empty file, so that another
    Blender takes another; where nothing comes of it, `free` gives it back. Raises OSError."""
    stem, number = _short(stem), 1
    while True:
        path = folder / (f"{stem}.{ending}" if number == 1 else f"{stem}.{number}.{ending}")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return path


def free(path: Path) -> None:
    """Give back a name that new_path took and nothing was written under."""
    with suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


def _short(stem: str) -> str:
    """So that files beside a take, and their parts while they grow, have names that every system takes."""
    whole = os.fsencode(stem)
    return stem if len(whole) <= _LONGEST_STEM else whole[:_LONGEST_STEM].decode("utf-8", "ignore")

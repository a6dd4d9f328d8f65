"""Where files of takes go."""

from __future__ import annotations

from pathlib import Path

import bpy

from .ghmr_engine.errors import RecoverError
from .preferences import data_folder
from .translations import told

TAKES = "recover_motion"
"""The folder beside a .blend."""


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
    """A name that no file has yet: STEM.ENDING, STEM.2.ENDING, ..."""
    path, number = folder / f"{stem}.{ending}", 2
    while path.exists():
        path, number = folder / f"{stem}.{number}.{ending}", number + 1
    return path

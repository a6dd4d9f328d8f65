"""Where an export goes: written under another name in the same folder, and renamed when it is whole."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..ghmr_engine.errors import RecoverError
from ..translations import told

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def check_place(path: Path, suffix: str) -> Path:
    """The path with its ending, where a file can be written. Raises RecoverError."""
    if path.suffix.lower() != suffix:
        path = path.with_name(path.name + suffix)
    if path.name == suffix:
        raise RecoverError("bad_name", "The file has no name.", "Give it one.")
    if not path.parent.is_dir():
        raise RecoverError(
            "no_folder", told("There is no folder {folder}.", folder=path.parent), "Make it, or choose another."
        )
    if path.is_dir():
        raise RecoverError("bad_name", told("{path} is a folder.", path=path), "Choose another name.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _not_written(path, error) from error
    return path


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """Around the writing: gives the name to write to, which keeps the ending that exporters go by. Where it fails or
    is stopped, what was there before stays and nothing is new. Raises RecoverError."""
    part = path.with_name(f"{path.stem}.part{os.getpid()}{path.suffix}")
    try:
        yield part
        if not part.is_file() or not part.stat().st_size:
            raise RuntimeError("nothing was written")
        part.replace(path)
    except OSError as error:
        raise _not_written(path, error) from error
    except RuntimeError as error:
        words = str(error).strip().splitlines()
        raise RecoverError(
            "export_failed", told("Cannot export {path} ({why}).", path=path.name, why=words[-1] if words else ""),
            "Choose another format, or another folder.",
        ) from error  # fmt: skip
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _not_written(path: Path, error: OSError) -> RecoverError:
    if error.errno in _FULL:
        return RecoverError(
            "disk_full", told("The disk of {folder} is full.", folder=path.parent),
            "Free some space, or choose another folder.",
        )  # fmt: skip
    why = error.strerror or str(error)
    return RecoverError(
        "cannot_write", told("Cannot write {path} ({why}).", path=path, why=why), "Choose a folder that can be written."
    )

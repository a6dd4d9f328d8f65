"""The extension: which files it holds, as a zip for Blender, and laid out in the home folder for scenes without one."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from pathlib import Path

from ghmr_engine import __version__, places
from ghmr_engine.errors import RecoverError
from installer import ROOT
from installer.stamps import key_of, write_whole

PACKAGE = "recover_motion"

_FOLDERS = ("ghmr_engine", "installer", "assets")
_FILES = ("install.py", "pyproject.toml", "LICENSE")
_LEFT_OUT = {"evaluate", "train", "make_demo"}
_KINDS = {".py", ".toml", ".json", ".npz", ".safetensors", ".png", ".svg"}
_EXACT = re.compile(r"LICENSE|assets/requirements-[\w.-]+\.txt")
_LARGEST = 40_000_000


def extension_files(root: Path = ROOT) -> dict[str, Path]:
    """Every file of the extension by its name in the zip, sorted: the add-on on top, the engine and install.py with it.

    Raises RecoverError stray_file where a file is of a kind or size that has no business there.
    """
    if not (root / "blender_addon").is_dir():
        return _checked({name.relative_to(root).as_posix(): name for name in _walk(root)})
    files = {name.relative_to(root / "blender_addon").as_posix(): name for name in _walk(root / "blender_addon")}
    for folder in _FOLDERS:
        files |= {name.relative_to(root).as_posix(): name for name in _walk(root / folder)}
    files |= {name: root / name for name in _FILES}
    return _checked(files)


def build_zip(out: Path | None = None) -> Path:
    """Write the extension; the same sources give the same bytes. Returns where it is."""
    out = out or Path.cwd() / f"{PACKAGE}-{__version__}.zip"
    if out.is_dir():
        out = out / f"{PACKAGE}-{__version__}.zip"
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, file in extension_files().items():
            entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes(), compresslevel=9)
    try:
        write_whole(out, memory.getvalue())
    except OSError as error:
        raise RecoverError(
            "cannot_write", f"{out} cannot be written ({error.strerror}).", "Choose another place with --out."
        ) from error
    return out


def is_extension(root: Path = ROOT) -> bool:
    """Whether this is the extension that Blender installed, whose folder Blender wipes at every update."""
    return (root / "blender_manifest.toml").is_file()


def lay_out(place: str = "addon") -> Path:
    """The extension as a Python package in the home folder's `place`, made again when a source changed.

    Returns the folder to put on the Python path.
    """
    files = extension_files()
    folder = places.home() / place
    now = folder / key_of(*(part for name, file in files.items() for part in (name, file)))
    if now.is_dir():
        return now
    part = folder / f"{now.name}.part"
    shutil.rmtree(folder, ignore_errors=True)
    for name, file in files.items():
        target = part / PACKAGE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    part.rename(now)
    return now


def _walk(folder: Path) -> list[Path]:
    """Files that are shipped: no caches, nothing hidden, no clips, no training code."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in found if _shipped(path.relative_to(folder))]


def _shipped(name: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
    return not hidden and not _LEFT_OUT & set(name.parts) and name.suffix not in {".pyc", ".mp4"}


def _checked(files: dict[str, Path]) -> dict[str, Path]:
    for name, file in files.items():
        known = file.suffix in _KINDS or _EXACT.fullmatch(name)
        if not known or file.stat().st_size > _LARGEST or not re.fullmatch(r"[\w./-]+", name):
            raise RecoverError("stray_file", f"{file} does not belong in the extension.", "Remove it or move it.")
    return dict(sorted(files.items()))

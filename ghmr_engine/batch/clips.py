"""Which clips a batch is asked for, what their files are called, and what tells whether a take is the one wanted.

Standard library only.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import RecoverError

KINDS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".mxf", ".3gp",
         ".ogv")  # fmt: skip
"""Endings of the files that are taken from a folder. A file that is named itself may have any."""
_COPIES = (".background.mp4", ".part.mp4")
_LONGEST_BYTES = 180
"""Of a name, so that its endings fit into what file systems allow, 255."""


@dataclass(frozen=True)
class Clip:
    """A clip of a batch."""

    path: Path
    """Absolute."""
    name: str
    """Its files are NAME.motion.npz and so on; no other clip's of the folder."""


@dataclass(frozen=True)
class Content:
    """A file's content, in short."""

    bytes: int
    sha256: str


def find_clips(wanted: Sequence[str], out: Path) -> list[Path]:
    """The clips that files, folders and patterns stand for, each once, absolute, in the order of asking.

    Folders are looked through with all folders in them, by name; what lies in `out`, hidden files and the copies beside
    takes are left out. Raises RecoverError for a name that stands for nothing.
    """
    found: dict[Path, None] = {}
    for one in wanted:
        there = [path.absolute() for path in _stands_for(one, out.absolute())]
        if not there:
            raise RecoverError(
                "no_file",
                f"There is no clip {one}.",
                f"Name files, or folders and patterns that hold some ({', '.join(kind[1:] for kind in KINDS)}).",
            )
        found |= dict.fromkeys(Path(os.path.normpath(path)) for path in there)
    return list(found)


def named(paths: Iterable[Path], before: Mapping[str, str]) -> list[Clip]:
    """The clips with their names: the file's own without its ending, or with a part of the path's hash after it where
    another clip of the batch has that already.

    before: names that clips of the folder have had, by path; those stay. The order of the paths changes nothing.
    """
    paths = list(paths)
    taken = {name.casefold() for name in before.values()}
    names = dict(before)
    for path in sorted(paths, key=os.fsencode):
        if str(path) not in names:
            plain = _short(path)
            name = plain if plain.casefold() not in taken else f"{plain}-{_hash(path)[:8]}"
            names[str(path)] = name
            taken.add(name.casefold())
    return [Clip(path, names[str(path)]) for path in paths]


def content_of(path: Path) -> Content:
    """Size and SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Content(file.tell(), digest.hexdigest())


def key_of(clip: Content, options: Mapping[str, object], engine: str, models: Iterable[str]) -> str:
    """Tells one take from another: what is made of the same content, options, engine and models is the same.

    Of files that options name their content counts. The device does not: it changes no result. models: SHA-256 of those
    that the user added. Raises OSError where such a file cannot be read.
    """
    counted = {name: value for name, value in options.items() if name != "device"}
    read = [content_of(Path(str(options[name]))).sha256 for name in ("camera_file", "identities") if options.get(name)]
    said = json.dumps([clip.sha256, counted, read, engine, sorted(models)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _stands_for(wanted: str, out: Path) -> list[Path]:
    path = Path(wanted)
    if path.is_dir():
        inside = sorted((each for each in path.rglob("*") if each.suffix.lower() in KINDS), key=os.fsencode)
        return [each for each in inside if each.is_file() and not _left_out(each, path, out)]
    if path.exists():
        return [path]
    # Where no shell has done it; Path.glob takes no absolute patterns. Sorted, because folders are in no order.
    there = (Path(each) for each in glob.glob(wanted, recursive=True))  # noqa: PTH207
    return sorted((each for each in there if each.is_file()), key=os.fsencode)


def _left_out(clip: Path, folder: Path, out: Path) -> bool:
    hidden = any(part.startswith(".") for part in clip.relative_to(folder).parts)
    return hidden or out in clip.absolute().parents or clip.name.lower().endswith(_COPIES)


def _short(path: Path) -> str:
    """The file's name without its ending, cut where it is very long."""
    name = path.stem
    if len(os.fsencode(name)) <= _LONGEST_BYTES:
        return name
    cut = os.fsencode(name)[:_LONGEST_BYTES].decode("utf-8", "ignore")
    return f"{cut}-{_hash(path)[:8]}"


def _hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()

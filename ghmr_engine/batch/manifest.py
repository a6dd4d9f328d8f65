"""The manifest of a batch: one JSON record a line, only ever appended; of two on one thing the later one holds.

Several programs may append at once (`ghmr batch` its motions, Blender its scenes), and any may be killed while it does:
a line that is torn, or no record, is left out. docs/batch.md lists the fields. Standard library only: the add-on
carries this file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

from ..errors import RecoverError

NAME = "manifest.jsonl"
MOTION, SCENE = "motion", "scene"
DONE, REVIEW, FAILED = "done", "review", "failed"


def append(folder: Path, record: dict) -> dict:
    """Add a record, with `when` it was made, in one write, and see that it is on the disk. Returns it as written.

    Raises RecoverError where the file cannot be written.
    """
    record = {**record, "when": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    path = folder / NAME
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            line = json.dumps(record).encode() + b"\n"
            line = line if _ends_whole(file) else b"\n" + line
            if os.write(file, line) != len(line):
                raise OSError(0, "the disk is full")
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise RecoverError(
            "cannot_write", f"Cannot write {path} ({error.strerror}).", "Make room there, then start again."
        ) from error
    return record


def read(folder: Path) -> list[dict]:
    """All records, oldest first; none where there is no manifest. Raises RecoverError where it cannot be read."""
    path = folder / NAME
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecoverError("cannot_read", f"Cannot read {path} ({error.strerror}).", "Choose another.") from error
    return [record for record in map(_record, lines) if record is not None]


def latest(records: Iterable[dict], kind: str) -> dict[str, dict]:
    """The last record of a kind on each clip, by the clip's path, in the order in which the clips came first."""
    found: dict[str, dict] = {}
    for record in records:
        if record["kind"] == kind:
            found[record["clip"]] = record
    return found


def _record(line: bytes) -> dict | None:
    """What a line says; None where it is torn, damaged, or no record of a clip."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    named = isinstance(record, dict) and all(isinstance(record.get(key), str) for key in ("clip", "kind", "state"))
    return record if named else None


def _ends_whole(file: int) -> bool:
    """Whether the file is empty or ends with a line's end: a process that was killed may have left half a line."""
    size = os.lseek(file, 0, os.SEEK_END)
    if size == 0:
        return True
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1) == b"\n"

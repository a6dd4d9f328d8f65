"""What set-up has finished, so that a second run does nothing and a killed one goes on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError

_FILE = "setup.json"


def stamp(name: str) -> str | None:
    """The key under which step `name` was finished last; None where it never was or was cut off."""
    return _read().get(name)


def set_stamp(name: str, key: str | None) -> None:
    """Note that step `name` is finished for `key`; None: it is begun, or to be done again."""
    _write({**_read(), name: key})


def drop_stamps(prefix: str) -> None:
    """Forget every step whose name begins so: what it made is gone."""
    _write({name: key for name, key in _read().items() if not name.startswith(prefix)})


def begun(name: str) -> bool:
    """Whether step `name` was begun and cut off: what it left may be half-written."""
    values = _read()
    return name in values and values[name] is None


def key_of(*parts: str | Path) -> str:
    """A key for inputs: texts as they are, files by their content."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:20]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold the home folder for one set-up at a time; the system lets go of it when the process ends, however it ends.

    Raises RecoverError home_not_writable, setup_running.
    """
    home = places.home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "setup.lock").open("a+b")
    except OSError as error:
        raise RecoverError(
            "home_not_writable",
            f"The folder {home} cannot be written ({error.strerror}).",
            f"Set {places.HOME_VARIABLE} to a folder of yours.",
        ) from error
    with file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise RecoverError(
                "setup_running", f"Another set-up is at work in {home}.", "Wait until it is done, then run this again."
            ) from error
        yield


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read() -> dict[str, str | None]:
    try:
        return json.loads((places.home() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _write(values: dict[str, str | None]) -> None:
    write_whole(places.home() / _FILE, json.dumps(values, indent=1).encode())

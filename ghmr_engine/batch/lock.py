"""One batch at a time in a folder: a lock that the system drops when whoever holds it is dead, however it died."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import RecoverError

NAME = "batch.lock"
WAIT_S = 10.0
"""The engine of a batch that was killed holds the lock too, and takes some seconds to notice."""
_WINDOWS_BYTE = 1 << 30
"""What is locked there cannot be read; the process' number, at the file's begin, shall be."""
_HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def locked(folder: Path, wait_s: float = WAIT_S) -> Iterator[int]:
    """Inside, no other batch works in `folder`; gives the lock's descriptor, for children that shall hold it as well.

    A lock that only a dead batch's engine still holds is waited for. Raises RecoverError where another batch works
    there, or where nothing can be written.
    """
    path = folder / NAME
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise RecoverError(
            "cannot_write", f"Cannot write in {folder} ({error.strerror}).", "Choose a folder that can be written."
        ) from error
    try:
        until = time.monotonic() + wait_s
        while not _take(file):
            holder = _holder(file)
            if holder is None or _alive(holder) or time.monotonic() > until:
                by = f" (process {holder})" if holder else ""
                raise RecoverError(
                    "batch_runs", f"Another batch works in {folder}{by}.", "Wait for its end, or choose another --out."
                )
            time.sleep(0.1)
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, str(os.getpid()).encode())
        yield file
    finally:
        os.close(file)


def _take(file: int) -> bool:
    """Whether the lock is ours now. Where the folder's system knows no locks, it is."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, _WINDOWS_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD
    return True


def _holder(file: int) -> int | None:
    """The process that wrote its number there last."""
    os.lseek(file, 0, os.SEEK_SET)
    with suppress(ValueError, OSError):
        return int(os.read(file, 32))
    return None


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # a signal there ends the process; and no child holds the lock there
        return True
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True

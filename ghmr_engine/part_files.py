"""Files are written under a temporary name, each process's its own, and renamed when they are whole.

Standard library only: the add-on carries this file.
"""

from __future__ import annotations

import glob
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ABANDONED_S = 3600
"""A part that nobody has written to for so long belongs to nobody."""


def part_of(path: Path) -> Path:
    """Where this process lets a file grow until it is whole."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Gives the temporary name to write to; afterwards the file is there whole, or what was there before.

    Raises OSError, and what the block raises.
    """
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(OSError):  # where the folder itself is no folder there is nothing to clean up
            part.unlink(missing_ok=True)


def drop_abandoned(path: Path) -> None:
    """Remove what this process, and processes that were killed, left of a file."""
    for part in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        owner = re.fullmatch(r"\.(\d+)\.part(\.\1\.part)?", part.name.removeprefix(path.name))
        if owner is not None:
            with suppress(OSError):
                if _is_abandoned(int(owner[1]), part):
                    part.unlink()


def _is_abandoned(owner: int, part: Path) -> bool:
    if owner == os.getpid() or time.time() - part.stat().st_mtime > ABANDONED_S:
        return True
    if sys.platform == "win32":  # where os.kill with 0 ends the process
        return False
    try:
        os.kill(owner, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False

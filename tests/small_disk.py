"""A disk of a few megabytes for tests of what happens when it is full: tmpfs in a mount space that ends with it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_SCRIPT = """
mount -t tmpfs -o size="$2" small "$1" || exit 250
folder=$1; listing=$3; shift 3
"$@"; code=$?
ls -A "$folder" >"$listing"
exit $code
"""


@dataclass(frozen=True)
class Ran:
    """How a program ended, and what it left on the small disk."""

    code: int
    out: str
    err: str
    left: list[str]


def run_on_small_disk(folder: Path, size: str, command: list[str], environment: dict[str, str] | None = None) -> Ran:
    """Run a program that sees a disk of `size` (as mount has it, 2m) at `folder`; skips where none can be mounted."""
    if shutil.which("unshare") is None:
        pytest.skip("no small disk: there is no unshare here")
    folder.mkdir()
    listing = folder.with_name(folder.name + ".listing")
    space = ["unshare", "-rm", "sh", "-c", _SCRIPT, "sh", str(folder), size, str(listing)]
    done = subprocess.run([*space, *command], capture_output=True, text=True, check=False, timeout=300, env=environment)
    if not listing.exists():
        pytest.skip(f"no small disk: tmpfs cannot be mounted here ({done.stderr.strip()})")
    return Ran(done.returncode, done.stdout, done.stderr, listing.read_text().split())

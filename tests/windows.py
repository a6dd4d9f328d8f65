"""Sessions in real Blender windows, on a virtual screen of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from extension_tree import REPO

INNER = REPO / "tests" / "blender"
SIZE = (1600, 1000)
LONGEST_S = 600

needs_screen = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no virtual screen: install xvfb")


@contextmanager
def screen() -> Iterator[str]:
    """A virtual screen of its own: its DISPLAY."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "{}x{}x24".format(*SIZE), "-ac", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            yield f":{said.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def run_session(
    program: list[str], package: Path, file: Path, user: Path, last: str = "session over, 0", **more: str
) -> str:
    """Run a session (tests/blender/run_in_window.py) in one Blender; what it said, or a failure that shows it.

    user: a folder for Blender's settings. last: what it has to say at its end.
    """
    with screen() as display:
        environment = {**os.environ, "DISPLAY": display, "BLENDER_USER_RESOURCES": str(user), **more}
        began = time.monotonic()
        done = subprocess.run(
            [*program, "--factory-startup", "--window-geometry", "0", "0", *map(str, SIZE), "--python-exit-code", "1",
             "--python", str(INNER / "run_in_window.py"), "--", str(package), str(REPO), str(file)],
            cwd=REPO, env=environment, text=True, timeout=LONGEST_S, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    # What raises in a panel, a timer or a handler is printed, and Blender goes on.
    raised = re.search(rf'File "[^"]*{package.name}/', done.stdout)
    if done.returncode or last not in done.stdout or raised:
        spent = time.monotonic() - began
        pytest.fail(f"{file.name} ended with {done.returncode} after {spent:.0f} s\n{done.stdout}", pytrace=False)
    return done.stdout

"""Which Blender renders: the Python module that set-up installed, or a program; and running it in parts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError

SCRIPT = Path(__file__).with_name("in_blender.py")
_STARTS = 3


def blender_command(program: str | None) -> list[str]:
    """The command that runs in_blender.py, its arguments to follow. Raises RecoverError no_blender.

    program: a Blender program; None: Blender as a Python module where set-up installed it, else `blender`.
    """
    if program is None:
        for env in sorted(places.home().glob("bpy-*")):
            python = places.interpreter(env)
            if python.is_file():
                return [str(python), "-I", str(SCRIPT)]
    found = shutil.which(program or "blender")
    if found is None:
        raise RecoverError(
            "no_blender", f"There is no Blender program {program or ''}".rstrip() + ".",
            "Give one with --blender, or run `python3 install.py setup`, which installs Blender as a Python module.",
        )  # fmt: skip
    start = ["--background", "--factory-startup", "--python-exit-code", "1", "--python"]
    return [found, *start, str(SCRIPT), "--"]


def render_frames(folder: Path, count: int, command: list[str], parts: int, report: Callable[[float], None]) -> None:
    """Render frames 0 to count-1 of a folder that render.py wrote, in `parts` processes side by side.

    Frames that are there are kept, so an interrupted rendering goes on. A process that fails is started again, since
    drivers refuse a start now and then. Raises RecoverError render_failed with what Blender said last, and whatever
    `report` raises; either way no process is left behind.
    """
    (folder / "frames").mkdir(exist_ok=True)
    edges = [round(k * count / parts) for k in range(parts + 1)]
    running = [_Part(folder, first, stop, command) for first, stop in pairwise(edges) if stop > first]
    try:
        while any(part.goes_on() for part in running):
            report(1 - sum(part.missing() for part in running) / count)
            time.sleep(0.2)
    finally:
        for part in running:
            part.end()
    failed = [part for part in running if part.missing()]
    if failed:
        missing = sum(part.missing() for part in failed)
        raise RecoverError(
            "render_failed", f"Blender left out {missing} of {count} frames: {failed[0].last_words()}",
            f"See {failed[0].log}.",
        )  # fmt: skip


class _Part:
    """One Blender process and the frames it has to make."""

    def __init__(self, folder: Path, first: int, stop: int, command: list[str]) -> None:
        self.log = folder / f"blender_{first}.log"
        self._frames = [folder / "frames" / f"{frame:05d}.bmp" for frame in range(first, stop)]
        self._command = [*command, str(folder), str(first), str(stop - 1)]
        self._starts_left = _STARTS
        self._process = self._start()

    def _start(self) -> subprocess.Popen:
        self._starts_left -= 1
        # A leaked PYTHONPATH or PYTHONHOME would break Blender's own Python.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        with self.log.open("w") as out:
            return subprocess.Popen(self._command, stdout=out, stderr=subprocess.STDOUT, env=environment)

    def missing(self) -> int:
        """How many frames are not there yet."""
        return sum(not frame.exists() for frame in self._frames)

    def goes_on(self) -> bool:
        """Whether the process runs; one that ended too early is started again."""
        if self._process.poll() is None:
            return True
        if not self.missing() or not self._starts_left:
            return False
        self._process = self._start()
        return True

    def end(self) -> None:
        """Kill the process if it runs."""
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """The last line of the log that says something; Blender's farewell does not."""
        lines = self.log.read_text(errors="replace").splitlines()
        said = [line for line in lines if line.strip() and line.strip() != "Blender quit"]
        return said[-1] if said else "it said nothing"


def processors() -> int:
    """How many processes render side by side."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

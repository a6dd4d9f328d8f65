"""Which Blender renders: the Python module that set-up installed, or a program; and running it in parts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError

SCRIPT = Path(__file__).with_name("in_blender.py")


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

    Frames that are there are kept, so an interrupted rendering goes on. Raises RecoverError render_failed with what
    Blender said last, and whatever `report` raises; either way no process is left behind.
    """
    (folder / "frames").mkdir(exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    edges = [round(k * count / parts) for k in range(parts + 1)]
    logs = [folder / f"blender_{k}.log" for k in range(parts)]
    running: list[subprocess.Popen] = []
    try:
        for first, stop, log in zip(edges, edges[1:], logs, strict=False):
            if stop > first:
                with log.open("w") as out:
                    words = [*command, str(folder), str(first), str(stop - 1)]
                    running.append(subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, env=environment))
        while any(process.poll() is None for process in running):
            report(len(list((folder / "frames").glob("[0-9][0-9][0-9][0-9][0-9].bmp"))) / count)
            for process in running:
                try:
                    process.wait(timeout=0.2 / len(running))
                except subprocess.TimeoutExpired:
                    continue
    finally:
        for process in running:
            process.kill()
            process.wait()
    missing = count - len(list((folder / "frames").glob("[0-9]" * 5 + ".bmp")))
    if missing:
        said = [line for log in logs if log.is_file() for line in log.read_text(errors="replace").splitlines() if line]
        reason = said[-1] if said else "it said nothing"
        raise RecoverError(
            "render_failed", f"Blender left out {missing} of {count} frames: {reason}", f"See {logs[0]}."
        )


def processors() -> int:
    """How many processes render side by side."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

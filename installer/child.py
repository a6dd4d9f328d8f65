"""Other programs: started with a clean environment, logged, and watched so that the screen never stands still."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ghmr_engine import places

_LEAKS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX")
_LEAKS += ("PIP_USER", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_REQUIRE_HASHES", "PIP_NO_DEPS", "PIP_QUIET")


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what makes another Python load wrong packages, and `extra` on top."""
    kept = {key: value for key, value in os.environ.items() if key not in _LEAKS}
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PYTHONUTF8": "1"}
    return {**kept, **quiet, **(extra or {})}


def log_file() -> Path:
    """What every started program said, oldest first."""
    return places.home() / "setup.log"


def run_logged(
    command: Sequence[str | Path],
    on_line: Callable[[str], None],
    on_tick: Callable[[], None],
    extra: Mapping[str, str] | None = None,
) -> tuple[int, list[str]]:
    """Run a program to its end; every line goes to the log and to `on_line`, `on_tick` is called five times a second.

    Returns the exit code and all lines. Ctrl-C ends the program too.
    """
    lines: list[str] = []
    with log_file().open("a", encoding="utf-8") as log:
        log.write(f"\n{time.strftime('%Y-%m-%d %H:%M:%S')} $ {' '.join(str(part) for part in command)}\n")
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=clean_environment(extra),
        )
        try:
            for line in _lines(process, on_tick):
                log.write(line + "\n")
                lines.append(line)
                on_line(line)
            return process.wait(), lines
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def ask(command: Sequence[str | Path], timeout: float = 60) -> str | None:
    """What a program prints, stripped; None where it is not there, fails or takes too long."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _lines(process: subprocess.Popen[str], on_tick: Callable[[], None]):
    """Lines as they come. A thread reads them, because reading blocks while a large file comes down."""
    found: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            found.put(line.rstrip())
        found.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = found.get(timeout=0.2)
        except queue.Empty:
            on_tick()
            continue
        if line is None:
            return
        yield line

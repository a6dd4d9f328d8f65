"""A program of ours beside this one: started in a clean environment, read without waiting, ended.

Standard library only: the add-on and `ghmr batch` start the engine with it.

Tried on Linux. The Windows branch (PeekNamedPipe) and macOS were written after their documentation only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_UNWANTED = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH",
             "DYLD_INSERT_LIBRARIES", "VIRTUAL_ENV")  # fmt: skip
_NICE = 5
_TAIL_LINES = 12


def clean_environment() -> dict[str, str]:
    """The environment without what Blender, or a shell, would push into another Python."""
    return {name: value for name, value in os.environ.items() if name not in _UNWANTED}


class ChildProcess:
    """One process in a group of its own; closing its standard input tells it to end."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, folder: Path | None = None, keeps: Sequence[int] = ()
    ) -> None:
        """Start it in `folder` (none: the log's), what it says on its error output goes to `log`.

        keeps: descriptors that it holds open as long as it lives, where the system can do that. Raises OSError where it
        cannot be started.
        """
        self.log = log
        self._rest = b""
        log.parent.mkdir(parents=True, exist_ok=True)
        group = {"start_new_session": True, "pass_fds": tuple(keeps)}
        if sys.platform == "win32":
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
                     | subprocess.BELOW_NORMAL_PRIORITY_CLASS}  # fmt: skip
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env=clean_environment(), cwd=folder or log.parent, **group,
            )  # fmt: skip
        if sys.platform != "win32":
            os.set_blocking(self._process.stdout.fileno(), False)
            # Who asked goes first (Blender): the child takes what is left of the processor, which alone is all of it.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)

    @property
    def process_id(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def write(self, line: str) -> None:
        """Send it a line. Where it is dead nothing happens."""
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, OSError, ValueError):
            return

    def lines(self) -> list[str]:
        """The whole lines that it said since the last call."""
        self._rest += self._available()
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def log_tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines of its log."""
        try:
            text = self.log.read_text("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(line for line in text.splitlines()[-lines:] if line.strip())

    def hang_up(self) -> None:
        """Close its standard input, which ends a program that is well; does not wait."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def close(self, wait_s: float = 1.0) -> None:
        """Let it go: hang up, and kill it with its children where it has not ended after `wait_s`."""
        self.hang_up()
        with contextlib.suppress(OSError):
            self._process.stdout.close()
        try:
            self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it and its children now."""
        if sys.platform == "win32":
            self._process.kill()
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _available(self) -> bytes:
        """Bytes that are there now."""
        parts = []
        while True:
            if sys.platform == "win32" and not _waiting_on_windows(self._process.stdout.fileno()):
                break
            try:
                part = os.read(self._process.stdout.fileno(), 65536)
            except (BlockingIOError, OSError, ValueError):
                break
            if not part:
                break
            parts.append(part)
        return b"".join(parts)


def _waiting_on_windows(descriptor: int) -> int:
    """How many bytes wait in a pipe: Windows' pipes cannot be set not to block."""
    import ctypes
    import msvcrt

    waiting = ctypes.c_ulong()
    handle = msvcrt.get_osfhandle(descriptor)
    there = ctypes.windll.kernel32.PeekNamedPipe(handle, None, 0, None, ctypes.byref(waiting), None)
    return waiting.value if there else 0

"""The engine's process as the add-on sees it: started, asked, read without waiting, stopped. Plain Python, no bpy.

Tried on Linux. The Windows branch (PeekNamedPipe) and macOS were written after their documentation only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from .ghmr_engine import protocol

_UNWANTED = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH",
             "DYLD_INSERT_LIBRARIES", "VIRTUAL_ENV")  # fmt: skip
_NICE = 5
_TAIL_LINES = 12
_LONGEST_REASON = 160
_AFTER_DEATH = "Start again; if it stays so, run 'python3 install.py doctor', or report it with the log."


def clean_environment() -> dict[str, str]:
    """The environment without what Blender, or a shell around it, would push into another Python."""
    return {name: value for name, value in os.environ.items() if name not in _UNWANTED}


class EngineClient:
    """One engine process. Replies are collected with `poll`, which never waits."""

    def __init__(self, python: Path, log: Path, arguments: tuple[str, ...] = ("-m", "ghmr_engine.serve")) -> None:
        """Start it. Raises OSError where `python` cannot be run or `log` not be written."""
        self.log = log
        self._rest = b""
        self._told_death = False
        log.parent.mkdir(parents=True, exist_ok=True)
        group = {"start_new_session": True}
        if sys.platform == "win32":
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
                     | subprocess.BELOW_NORMAL_PRIORITY_CLASS}  # fmt: skip
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [str(python), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env=clean_environment(), cwd=log.parent, **group,
            )  # fmt: skip
        if sys.platform != "win32":
            os.set_blocking(self._process.stdout.fileno(), False)
            # Blender goes first: the engine takes what is left of the processor, which alone is all of it.
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)

    @property
    def process_id(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def send(self, message: protocol.Request) -> None:
        """Ask something. A dead engine is reported by the next `poll`, not here."""
        try:
            self._process.stdin.write(protocol.encode(message).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, OSError, ValueError):
            return

    def poll(self) -> list[protocol.Reply]:
        """What the engine said since the last call. Lines that are no messages are left out; a death is said once, as
        an error with code engine_died and the log's last line."""
        ended = not self.alive
        self._rest += self._available()
        *lines, self._rest = self._rest.split(b"\n")
        replies = []
        for line in lines:
            try:
                replies.append(protocol.decode_reply(line.decode("utf-8", "replace")))
            except protocol.ProtocolError:
                continue
        if ended and not self._told_death:
            self._told_death = True
            code = self._process.returncode
            text = f"The engine ended unexpectedly (exit code {code}). {self.log_tail(1)[-_LONGEST_REASON:]}".strip()
            replies.append(protocol.Error(None, "engine_died", text, _AFTER_DEATH))
        return replies

    def log_tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines of the engine's log."""
        try:
            text = self.log.read_text("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(line for line in text.splitlines()[-lines:] if line.strip())

    def close(self, wait_s: float = 1.0) -> None:
        """Let it go: closing stdin ends an engine that is well; one that is not is killed with its children."""
        self._told_death = True
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()
            except OSError:
                continue
        try:
            self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()

    def _kill(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

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

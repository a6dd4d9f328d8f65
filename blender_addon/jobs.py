"""The one job of this Blender: the engine's process and how far it is. Plain Python, no bpy.

`JOB` is the add-on's only state outside Blender's properties: a process cannot be kept in a property.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .ghmr_engine import protocol
from .ghmr_engine.engine_client import EngineClient
from .ghmr_engine.errors import Cancelled
from .time_left import TimeLeft

_PATIENCE_S = 5.0
"""How long an engine may take to answer a cancel; native code that does not come back is ended."""


@dataclass
class Job:
    """Something asked of the engine that runs, ran, or has not begun. The engine stays warm between two."""

    client: EngineClient | None = None
    python: Path | None = None
    number: int = 0
    running: bool = False
    stage: str = ""
    ahead: TimeLeft | None = None
    """How far the job is, of all its stages."""
    preview: Path | None = None
    """A picture of what was found so far."""
    previews: int = 0
    """How many there were: the file's name stays the same."""
    done: protocol.Done | protocol.Found | None = None
    error: protocol.Error | None = None
    quality: str = ""
    """A line for the panel when a take was built."""
    end_at: float | None = None
    """Moment (time.monotonic) at which an engine that was told to stop is ended."""

    def start(self, python: Path, log: Path, ask: Callable[[int], protocol.Request]) -> None:
        """Ask for what `ask` makes of the job's number, with the warm engine where there is one. Raises OSError."""
        if self.client is None or not self.client.alive or self.python != python:
            self.stop()
            self.client, self.python = EngineClient(python, log), python
        self.number += 1
        request = ask(self.number)
        self.running, self.stage, self.ahead = True, "starting", TimeLeft(type(request))
        self.done = self.error = self.end_at = self.preview = None
        self.quality = ""
        self.client.send(request)

    def cancel(self, patience_s: float = _PATIENCE_S) -> None:
        """Ask to stop; the answer comes through `poll`, after `patience_s` at the latest."""
        if self.running and self.client is not None:
            self.client.send(protocol.Cancel(self.number))
            self.stage, self.end_at = "stopping", time.monotonic() + patience_s

    def poll(self) -> bool:
        """Take in what the engine said; whether the job still runs."""
        if not self.running or self.client is None:
            return False
        for reply in self.client.poll():
            if isinstance(reply, protocol.Error) and reply.id in (self.number, None):
                self.error, self.running = reply, False
            elif getattr(reply, "id", None) == self.number:
                self._take(reply)
        if self.running and self.end_at is not None and time.monotonic() > self.end_at:
            self.stop(0)  # it has had its time
            self.error = protocol.error_reply(self.number, Cancelled())
        return self.running

    def _take(self, reply: protocol.Reply) -> None:
        if isinstance(reply, protocol.Progress) and self.end_at is None:
            self.stage = reply.stage
            self.ahead.told(reply.stage, reply.done / (reply.total or 1), time.monotonic())
        elif isinstance(reply, protocol.Preview):
            self.preview, self.previews = Path(reply.path), self.previews + 1
        elif isinstance(reply, (protocol.Done, protocol.Found)):
            self.done, self.running = reply, False

    def forget(self) -> None:
        """End the engine and what the panel says of its last job: another file is opened."""
        self.stop()
        self.done = self.error = None
        self.quality = ""

    def stop(self, wait_s: float = 1.0) -> None:
        """End the engine, and with it whatever runs; one that does not end by itself in `wait_s` is killed."""
        if self.client is not None:
            self.client.close(wait_s)
        self.client, self.running, self.stage, self.preview = None, False, "", None


JOB = Job()

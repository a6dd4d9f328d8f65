"""The one job of this Blender: the engine's process and how far it is. Plain Python, no bpy.

`JOB` is the add-on's only state outside Blender's properties: a process cannot be kept in a property.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from .engine_client import EngineClient
from .ghmr_engine import protocol
from .ghmr_engine.errors import Cancelled

_PATIENCE_S = 5.0
"""How long an engine may take to answer a cancel; native code that does not come back is ended."""


@dataclass
class Job:
    """A recovery that runs, ran, or has not begun. The engine stays warm between two."""

    client: EngineClient | None = None
    python: Path | None = None
    number: int = 0
    running: bool = False
    stage: str = ""
    share: float = 0.0
    eta_s: float | None = None
    done: protocol.Done | None = None
    error: protocol.Error | None = None
    clip: Path = field(default_factory=Path)
    quality: str = ""
    """A line for the panel when a take was built."""
    end_at: float | None = None
    """Moment (time.monotonic) at which an engine that was told to stop is ended."""

    def start(self, python: Path, log: Path, clip: Path, out: Path, options: dict) -> None:
        """Ask for a recovery, with the warm engine where there is one. Raises OSError."""
        if self.client is None or not self.client.alive or self.python != python:
            self.stop()
            self.client, self.python = EngineClient(python, log), python
        self.number += 1
        self.running, self.stage, self.share, self.eta_s = True, "starting", 0.0, None
        self.done = self.error = self.end_at = None
        self.quality = ""
        self.clip = clip
        self.client.send(protocol.Recover(self.number, str(clip), str(out), options))

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
            if isinstance(reply, protocol.Progress) and reply.id == self.number and self.end_at is None:
                self.stage, self.share, self.eta_s = reply.stage, reply.done / (reply.total or 1), reply.eta_s
            elif isinstance(reply, protocol.Done) and reply.id == self.number:
                self.done, self.running = reply, False
            elif isinstance(reply, protocol.Error) and reply.id in (self.number, None):
                self.error, self.running = reply, False
        if self.running and self.end_at is not None and time.monotonic() > self.end_at:
            self.stop()
            self.error = protocol.error_reply(self.number, Cancelled())
        return self.running

    def forget(self) -> None:
        """End the engine and what the panel says of its last job: another file is opened."""
        self.stop()
        self.done = self.error = None
        self.quality = ""

    def stop(self) -> None:
        """End the engine, and with it whatever runs."""
        if self.client is not None:
            self.client.close()
        self.client, self.running, self.stage = None, False, ""


JOB = Job()

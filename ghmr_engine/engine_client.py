"""The engine's process as who asks it sees it: started, asked, read without waiting, stopped. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import protocol
from .child_process import ChildProcess

_LONGEST_REASON = 160
_AFTER_DEATH = "Start again; if it stays so, run 'python3 install.py doctor', or report it with the log."


class EngineClient(ChildProcess):
    """One engine process. Replies are collected with `poll`, which never waits."""

    def __init__(
        self,
        python: Path,
        log: Path,
        arguments: Sequence[str] = ("-m", "ghmr_engine.serve"),
        folder: Path | None = None,
        keeps: Sequence[int] = (),
    ) -> None:
        """Start it, in `folder` and with `keeps` as ChildProcess has them.

        Raises OSError where `python` cannot be run or `log` not be written.
        """
        super().__init__([python, *arguments], log, folder, keeps)
        self._told_death = False

    def send(self, message: protocol.Request) -> None:
        """Ask something. A dead engine is reported by the next `poll`, not here."""
        self.write(protocol.encode(message))

    def poll(self) -> list[protocol.Reply]:
        """What the engine said since the last call. Lines that are no messages are left out; a death is said once, as
        an error with code engine_died and the log's last line."""
        ended = not self.alive
        replies = []
        for line in self.lines():
            try:
                replies.append(protocol.decode_reply(line))
            except protocol.ProtocolError:
                continue
        if ended and not self._told_death:
            self._told_death = True
            reason = self.log_tail(1)[-_LONGEST_REASON:]
            text = f"The engine ended unexpectedly (exit code {self.exit_code}). {reason}".strip()
            replies.append(protocol.Error(None, "engine_died", text, _AFTER_DEATH))
        return replies

    def close(self, wait_s: float = 1.0) -> None:
        """Let it go: closing stdin ends an engine that is well; one that is not is killed with its children."""
        self._told_death = True
        super().close(wait_s)

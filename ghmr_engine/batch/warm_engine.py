"""The engine's process as a batch uses it: warm from clip to clip, started anew where it died, ended where it hangs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import ghmr_engine
from ghmr_engine import output, protocol
from ghmr_engine.batch.work import LOGS, Told
from ghmr_engine.engine_client import EngineClient
from ghmr_engine.errors import Cancelled, RecoverError

COMMAND = (sys.executable, "-m", "ghmr_engine.serve")
PATIENCE_S = 1800.0
"""How long an engine may say nothing: the longest steps between two words take minutes, on long clips."""
_START_S = 300.0
_POLL_S = 0.05
_STOP_S = 5.0
_LOG_BYTES = 100_000
_FRESH = ("engine_died", "out_of_memory")
"""What another try with a fresh engine may mend."""

Answer = TypeVar("Answer", protocol.Done, protocol.Drawn)


class WarmEngine:
    """One engine process at a time. Close it in the end; if this process dies, it ends by itself."""

    def __init__(
        self,
        folder: Path,
        keeps: Sequence[int] = (),
        command: Sequence[str | Path] = COMMAND,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """folder: the batch's; the log goes into its logs/. keeps: descriptors that the engine holds open."""
        self._log = folder / LOGS / "engine.log"
        self._keeps = tuple(keeps)
        self._command = tuple(command)
        self._patience_s = patience_s
        self._client: EngineClient | None = None
        self._number = 0
        self._log_from = 0
        self._logged = ""

    def start(self) -> None:
        """See that an engine runs. Raises RecoverError where none can be started."""
        if self._client is not None and self._client.alive:
            return
        self.close()
        home = Path(ghmr_engine.__file__).parent.parent  # where `-m` finds the very engine that this is
        try:
            self._client = EngineClient(Path(self._command[0]), self._log, self._command[1:], home, self._keeps)
        except OSError as error:
            raise RecoverError(
                "no_engine", f"The engine cannot be started ({error}).", "Run `python3 install.py doctor`."
            ) from error
        self._log_from = 0
        self._wait(protocol.Welcome, None, lambda _stage, _done: None, _START_S)

    def recover(self, clip: Path, out: Path, options: dict[str, object], told: Told) -> protocol.Done:
        """As work.Engine has it; one that dies of it is started again once."""
        self._logged, self._log_from = "", self._log_size()

        def ask(number: int) -> protocol.Recover:
            return protocol.Recover(number, str(clip), str(out), options)

        try:
            try:
                return self._ask(ask, protocol.Done, told)
            except RecoverError as error:
                if error.code not in _FRESH:
                    raise
                self._logged = self.log() + "\n--- once more, with a fresh engine ---\n"
                self.close()
                return self._ask(ask, protocol.Done, told)
        except RecoverError as error:
            output.drop_unfinished(out)
            raise self._twice(error) from error

    def draw(self, motion: Path | None, clip: Path, stem: Path) -> dict[str, str]:
        """As work.Engine has it."""
        drawn = self._ask(
            lambda number: protocol.Draw(number, str(clip), str(motion or ""), str(stem)),
            protocol.Drawn,
            lambda _stage, _done: None,
        )
        return drawn.pictures

    def log(self) -> str:
        """What the engine logged since the last `recover` began."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(self._log_from, self._log_size() - _LOG_BYTES))
                return self._logged + file.read().decode("utf-8", "replace")
        except OSError:
            return self._logged

    def close(self, wait_s: float = _STOP_S) -> None:
        """End the engine, and with it what it does: it is told to, and killed where it does not in `wait_s`."""
        if self._client is not None:
            self._client.close(wait_s)
        self._client = None

    def _ask(self, ask: Callable[[int], protocol.Request], kind: type[Answer], told: Told) -> Answer:
        self.start()
        self._number += 1
        self._client.send(ask(self._number))
        return self._wait(kind, self._number, told, self._patience_s)

    def _wait(self, kind: type[Answer], number: int | None, told: Told, patience_s: float) -> Answer:
        """The answer of a kind to a job. Raises RecoverError for an error, a death, or silence."""
        heard = time.monotonic()
        while True:
            for reply in self._client.poll():
                heard = time.monotonic()
                if isinstance(reply, protocol.Error) and reply.id in (number, None):
                    raise _raised(reply)
                if getattr(reply, "id", None) != number:
                    continue
                if isinstance(reply, kind):
                    return reply
                if isinstance(reply, protocol.Progress):
                    told(reply.stage, reply.done / (reply.total or 1))
            if time.monotonic() - heard > patience_s:
                self.close(0)
                raise RecoverError(
                    "engine_hangs",
                    f"The engine said nothing for {patience_s / 60:.0f} minutes and was ended.",
                    "Try the clip alone, or a part of it (--start, --end); report it with the log.",
                )
            time.sleep(_POLL_S)

    def _twice(self, error: RecoverError) -> RecoverError:
        """A death's error in words that fit a batch."""
        if error.code != "engine_died":
            return error
        code = self._client.exit_code if self._client is not None else None
        killed = " It was killed, which mostly means that memory ran out." if code == -9 else ""
        fix = "Try a part of the clip (--start, --end) or --device cpu; report it with the log."
        return RecoverError("engine_died", f"The engine died of this clip, twice. {error.message}{killed}", fix)

    def _log_size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0


def _raised(reply: protocol.Error) -> RecoverError | Cancelled:
    if reply.code == "cancelled":
        return Cancelled()
    return RecoverError(reply.code, reply.message, reply.fix)

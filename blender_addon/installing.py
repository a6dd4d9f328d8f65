"""Installing and removing the engine as a process beside Blender: started, polled, stopped. Plain Python, no bpy.

`INSTALL` is kept as JOB is: a process cannot be kept in a property.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .ghmr_engine.child_process import ChildProcess
from .pythons import PROBE, none_found

_PROBE_S = 20.0
"""How long a Python may take to say whether it will do."""
_PATIENCE_S = 6.0
"""How long set-up may take to stop; it stops what it has started first."""
_LONGEST_REASON = 200

INSTALL_ARGUMENTS = ("setup", "--json", "--engine-only")
REMOVE_ARGUMENTS = ("uninstall", "--yes")


@dataclass(frozen=True)
class Failure:
    """Why it failed, for the user."""

    code: str
    message: str
    fix: str


@dataclass
class InstallJob:
    """One run of install.py that runs, ran, or has not begun. Its state is what the preferences show."""

    state: str = "idle"
    """idle, running, stopping, failed or done."""
    arguments: Sequence[str] = ()
    text: str = ""
    """What it does right now."""
    share: float = 0.0
    failure: Failure | None = None
    log: Path | None = None
    _root: Path | None = None
    _left: list[Path] = field(default_factory=list)
    """Pythons that were not tried yet."""
    _codes: list[int | None] = field(default_factory=list)
    """What those that were tried ended with."""
    _python: Path | None = None
    _child: ChildProcess | None = None
    _probing: bool = False
    _end_at: float = 0.0
    """Moment (time.monotonic) at which the child that does not answer is ended."""
    _said_done: bool = False

    @property
    def running(self) -> bool:
        """Whether a process is at work."""
        return self.state in ("running", "stopping")

    @property
    def removing(self) -> bool:
        """Whether this is the engine's removal."""
        return tuple(self.arguments) == REMOVE_ARGUMENTS

    def start(self, pythons: Iterable[Path], root: Path, arguments: Sequence[str], log: Path) -> None:
        """Run root/install.py with the first Python that will do. Does not wait; what goes wrong is in `failure`.

        log: gets what install.py says beside its messages; a new one each time.
        """
        if self.running:
            return
        self.arguments, self.log, self._root = tuple(arguments), log, root
        self._left, self._codes = list(pythons), []
        self.state, self.share, self.text = "running", 0.0, "Looking for a Python"
        self.failure, self._said_done = None, False
        self._try_next()

    def poll(self) -> bool:
        """Take in what happened since the last call; whether it still runs."""
        if not self.running or self._child is None:
            return False
        code = self._child.exit_code
        for line in self._child.lines():
            self._take(line)
        late = time.monotonic() > self._end_at
        if code is None:
            if late and (self._probing or self.state == "stopping"):
                self._child.kill()
        elif self._probing and self.state == "running":
            self._judge(code)
        else:
            self._ended(code)
        return self.running

    def cancel(self) -> None:
        """Tell it to stop. It does through `poll`, after a few seconds at the latest; a retry goes on where it was."""
        if self.state == "running":
            self.state, self.text = "stopping", "Stopping"
            self._end_at = time.monotonic() + _PATIENCE_S
            self._child.hang_up()

    def stop(self) -> None:
        """End it now: Blender quits, or the add-on goes."""
        if self._child is not None:
            self._child.close(2.0)
        self._child = None
        if self.running:
            self.state = "idle"

    def report(self, setup_log: Path, lines: int = 200) -> str:
        """For somebody who is asked for help: what went wrong, install.py's own words, and set-up's log, its end."""
        parts = [f"{self.failure.code}: {self.failure.message} {self.failure.fix}"] if self.failure else []
        for path in (self.log, setup_log):
            if path is not None and path.is_file():
                parts += [f"--- {path.name}", *path.read_text("utf-8", "replace").splitlines()[-lines:]]
        return "\n".join(parts)

    def _try_next(self) -> None:
        """Ask the next Python whether it will do."""
        while self._left:
            self._python = self._left.pop(0)
            if self._launch([self._python, "-I", "-c", PROBE]):
                self._probing, self._end_at = True, time.monotonic() + _PROBE_S
                return
            self._codes.append(None)
        self._fail("no_python", *none_found(self._codes))

    def _judge(self, code: int) -> None:
        """A Python has answered."""
        self._close()
        if code != 0:
            self._codes.append(code)
            self._try_next()
            return
        # -I would keep install.py from its own folder; these keep everything else of this machine's Python away.
        command = [self._python, "-E", "-s", "-B", "-X", "utf8", self._root / "install.py", *self.arguments]
        self._probing, self.text = False, "Removing" if self.removing else "Starting"
        if not self._launch(command):
            self._fail("no_start", "The installation cannot be started.", "Retry.")

    def _launch(self, command: Sequence[str | Path]) -> bool:
        try:
            self._child = ChildProcess(command, self.log)
        except OSError:
            return False
        return True

    def _take(self, line: str) -> None:
        """A line of set-up's; what is none is left out."""
        try:
            said = json.loads(line)
        except ValueError:
            return
        if not isinstance(said, dict) or self._probing:
            return
        if isinstance(said.get("error"), dict):
            error = {name: str(said["error"].get(name, "")) for name in ("code", "message", "fix")}
            self.failure = Failure(**error)
        elif said.get("done") is True:
            self._said_done = True
        elif "step" in said and self.state == "running":
            self._show(said)

    def _show(self, said: dict) -> None:
        """How far it is; a field of another kind than expected says nothing."""
        number, of, share = (said.get(name) for name in ("number", "of", "share"))
        share = share if isinstance(share, (int, float)) else 0.0
        steps = isinstance(number, int) and isinstance(of, int) and 0 < number <= of
        self.share = min(max((number - 1 + share) / of, 0.0), 1.0) if steps else self.share
        detail = f": {said['text']}" if said.get("text") else ""
        self.text = f"{f'{number}/{of} ' if steps else ''}{said['step']}{detail}"

    def _ended(self, code: int) -> None:
        """The process is gone: well, told to, or not well."""
        reason = self._child.log_tail(1)[-_LONGEST_REASON:]
        self._close()
        if self.state == "stopping":
            self.state, self.text, self.failure = "idle", "", None
        elif code == 0 and (self._said_done or self.removing):
            self.state, self.text, self.share, self.failure = "done", "", 1.0, None
        elif self.failure is not None:
            self.state = "failed"
        else:
            what = f"The {'removal' if self.removing else 'installation'} ended unexpectedly (exit code {code})."
            self._fail("died", f"{what} {reason}".strip(), "Retry: it goes on where it was; or copy the log.")

    def _fail(self, code: str, message: str, fix: str) -> None:
        self.failure, self.state = Failure(code, message, fix), "failed"

    def _close(self) -> None:
        self._child.close(0.5)
        self._child = None


INSTALL = InstallJob()

"""Steps with a bar for a person at a terminal, one line a step for a log, and lines of JSON for a program."""

from __future__ import annotations

import contextlib
import contextvars
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TextIO

_NAME_WIDTH = 28
_BAR_WIDTH = 24
_BETWEEN_LINES_S = 0.2

_FOR_A_PROGRAM: contextvars.ContextVar[Sequence[str]] = contextvars.ContextVar("steps shown as JSON", default=())


@contextlib.contextmanager
def for_a_program(steps: Sequence[str]) -> Iterator[None]:
    """Show all that comes as one JSON object a line; `steps`: what the steps' names begin with, in their order.

    step, number, of, share (0 to 1, or null), text: how far a step is. say: a sentence. The others are `tell`'s.
    """
    before = _FOR_A_PROGRAM.set(tuple(steps))
    try:
        yield
    finally:
        _FOR_A_PROGRAM.reset(before)


def say(text: str) -> None:
    """A sentence on the screen."""
    if _FOR_A_PROGRAM.get():
        tell(say=text.strip())
    else:
        print(text)


def tell(**values: object) -> None:
    """One line for a program."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


class Step:
    """One step of the work, shown while it runs: `with Step("Packages") as step: step.update(0.5, "numpy")`."""

    def __init__(self, name: str, out: TextIO | None = None) -> None:
        self.name = name
        self._out = out or sys.stdout
        self._steps = _FOR_A_PROGRAM.get()
        self._live = not self._steps and self._out.isatty()
        self._told = 0.0
        self._began = time.monotonic()
        self._fraction: float | None = None
        self._detail = ""

    def __enter__(self) -> Step:
        if self._steps:
            self._tell()
        elif self._live:
            self.tick()
        else:
            self._write(f"  {self.name} ...\n")
        return self

    def update(self, fraction: float | None, detail: str = "") -> None:
        """fraction: 0 to 1, or None where nobody knows; detail: what is being done right now."""
        self._fraction, self._detail = fraction, detail
        self.tick()

    def tick(self) -> None:
        """Draw the bar again, so that the clock is seen to run."""
        if self._steps and time.monotonic() - self._told >= _BETWEEN_LINES_S:
            self._tell()
        if not self._live:
            return
        gone = time.monotonic() - self._began
        line = f"  {self.name:<{_NAME_WIDTH}}[{_bar(self._fraction, gone)}] {clock(gone)}  {self._detail}"
        width = shutil.get_terminal_size().columns - 1
        self._write("\r" + line[:width].ljust(width))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._steps:
            return
        gone = time.monotonic() - self._began
        word = "done" if kind is None else "stopped" if kind is KeyboardInterrupt else "failed"
        line = f"  {self.name:<{_NAME_WIDTH}}{word}, {clock(gone)}"
        width = shutil.get_terminal_size().columns - 1
        self._write(("\r" + line.ljust(width) if self._live else line) + "\n")

    def _tell(self) -> None:
        self._told = time.monotonic()
        number = next((at for at, name in enumerate(self._steps, 1) if self.name.startswith(name)), 0)
        share = None if self._fraction is None else round(self._fraction, 3)
        tell(step=self.name, number=number, of=len(self._steps), share=share, text=self._detail)

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def clock(seconds: float) -> str:
    """Minutes and seconds: 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def size(count: float) -> str:
    """Bytes for people: 1.2 GB, 34 MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _bar(fraction: float | None, gone: float) -> str:
    if fraction is None:
        at = int(gone * 5) % _BAR_WIDTH
        return "." * at + "#" + "." * (_BAR_WIDTH - at - 1)
    filled = round(min(max(fraction, 0.0), 1.0) * _BAR_WIDTH)
    return "#" * filled + "." * (_BAR_WIDTH - filled)

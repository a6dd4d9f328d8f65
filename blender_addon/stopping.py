"""Ctrl-C and SIGTERM without a window. Blender alone only notes the first and goes on to the end of its work."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_asked = [0]
"""How often since `stoppable` began."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside, the first of these signals makes the next `check` raise KeyboardInterrupt; a second one raises it then
    and there, or wherever Blender gives Python its turn."""
    before = {number: signal.signal(number, _ask) for number in _SIGNALS}
    _asked[0] = 0
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def check() -> None:
    """Raises KeyboardInterrupt where the user asked to stop: where nothing is half done."""
    if _asked[0]:
        raise KeyboardInterrupt


def _ask(_signal: int, _frame: object) -> None:
    _asked[0] += 1
    if _asked[0] > 1:
        raise KeyboardInterrupt
    sys.stderr.write("Stopping, as soon as what is being written is whole.\n")
    sys.stderr.flush()

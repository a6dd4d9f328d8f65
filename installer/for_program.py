"""Set-up run by a program: JSON lines on the standard output, and an end as soon as nobody listens any more."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from ghmr_engine.errors import RecoverError
from installer import child
from installer.show import for_a_program, tell


def run(work: Callable[[], None], steps: tuple[str, ...]) -> int:
    """Do the work and end with a line `done`, or `error` with code, message and fix. Returns the exit code.

    It ends by itself, and with what it started, when its standard input is closed or it is told to terminate; done
    again it goes on where it was.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    try:
        with for_a_program(steps):
            work()
    except RecoverError as error:
        return _failed(error.code, error.message, error.fix, 1)
    except KeyboardInterrupt:
        return _failed("cancelled", "Stopped.", "Started again, it goes on where it was.", 130)
    except OSError as error:
        return _failed("system", f"{error}.", f"Look at {child.log_file()}.", 1)
    tell(done=True)
    return 0


def _failed(code: str, message: str, fix: str, exit_code: int) -> int:
    try:
        tell(error={"code": code, "message": message, "fix": fix})
    except OSError:  # whoever started this is gone
        return exit_code
    return exit_code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Once: whoever terminates also closes the input, and a second interrupt would meet the first one's cleaning up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_with_the_input() -> None:
    """A thread, because reading blocks; past Python's own reader, whose lock would keep the program from ending."""
    while os.read(0, 1024):
        continue
    _thread.interrupt_main(signal.SIGTERM)

"""Keeps what native libraries write to stderr by themselves away from what the program says there."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from ghmr_engine.errors import RecoverError


@contextmanager
def native_stderr_aside() -> Iterator[None]:
    """Inside, descriptor 2 leads to a hidden file, and sys.stderr to where descriptor 2 led.

    What the hidden file holds is shown where the block fails with anything but a RecoverError. TensorFlow Lite, for
    one, greets on stderr and has no switch for it.
    """
    before = sys.stderr
    with tempfile.TemporaryFile() as hidden, os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace") as real:
        os.dup2(hidden.fileno(), 2)
        sys.stderr = real
        try:
            yield
        except RecoverError:
            raise
        except Exception:
            hidden.seek(0)
            real.write(hidden.read().decode(errors="replace"))
            raise
        finally:
            real.flush()
            os.dup2(real.fileno(), 2)
            sys.stderr = before

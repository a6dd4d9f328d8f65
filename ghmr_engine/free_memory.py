"""Gives memory that was freed back to the system.

What a stage keeps of each frame lies between pictures that come and go, and glibc keeps the gaps: 0.6 MB a frame of
640 x 360, 10 GB in ten minutes of video, of which 0.02 MB a frame is in use.
"""

from __future__ import annotations

import ctypes
import sys
import time

EVERY_S = 1.0


class Tidied:
    """Call it often: once a second it gives back what lies free between what is in use. Elsewhere than with glibc
    nothing happens: other allocators do it by themselves."""

    def __init__(self) -> None:
        self._trim = _trim()
        self._next = 0.0

    def __call__(self) -> None:
        """Give back, unless that was a moment ago."""
        now = time.monotonic()
        if self._trim is not None and now >= self._next:
            self._next = now + EVERY_S
            self._trim(0)


def _trim() -> object | None:
    """glibc's malloc_trim; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None

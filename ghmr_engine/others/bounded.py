"""A stream out of a file that nobody vouches for: how much is read of it, and made of that, is counted."""

from __future__ import annotations

from typing import BinaryIO

from ghmr_engine.others.unpickling import LARGEST_ARRAY, MOST_BYTES, TooLarge

PIECE = 1 << 18
"""Bytes that are read at a time where none are kept."""


class Bounded:
    """A stream that never makes room for more than it can still hold, keeps no more than MOST_BYTES in all, and lets
    no more than twice that be made of it."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self.left, self._kept, self._made = stream, size, 0, 0
        if stream.seekable():
            stream.seek(0)

    def read(self, length: int) -> bytes:
        """So many bytes; fewer at the end. Raises TooLarge."""
        if length < 0:
            raise ValueError("less than nothing")
        if length > self.left:
            raise EOFError
        self._kept += length
        if length > LARGEST_ARRAY + PIECE or self._kept > MOST_BYTES:
            raise TooLarge
        data = self._stream.read(length)
        self.left -= len(data)
        return data

    def skip(self, length: int) -> None:
        """Pass over so many bytes. Raises EOFError."""
        if length > self.left:
            raise EOFError
        self.left -= length
        while length:
            passed = len(self._stream.read(min(length, PIECE)))
            if not passed:
                raise EOFError
            length -= passed

    def readline(self) -> bytes:
        """A line: older pickles write numbers, names and text so."""
        line = self._stream.readline(min(self.left, LARGEST_ARRAY))
        self.left -= len(line)
        self._kept += len(line)
        if self._kept > MOST_BYTES:
            raise TooLarge
        return line

    def tell(self) -> int:
        """How much is left, as a place: pickletools wants one."""
        return -self.left

    def make(self, length: int) -> None:
        """So many bytes of memory are used for what was read. Raises TooLarge where that is too much."""
        self._made += length
        if self._made > 2 * MOST_BYTES:
            raise TooLarge

"""What a result's file holds, as plain containers and arrays, by what is in it and not by its name."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ghmr_engine.errors import RecoverError
from ghmr_engine.others.bounded import PIECE, Bounded
from ghmr_engine.others.names import checked_shape, find
from ghmr_engine.others.unpickling import (
    LARGEST_ARRAY,
    LEFT_OUT,
    MOST_BYTES,
    TooLarge,
    Unsafe,
    check_size,
    unpickle,
    unsafe_file,
)  # fmt: skip

_MOST_UNPACKED = 1 << 33
"""Bytes that a packed file may unfold to; most of them (vertices) are passed over."""
_TORCH_MAGIC = bytes.fromhex("80028a0a6cfc9c46f9206aa85019")
_DAMAGED = (
    OSError, ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError,
    MemoryError, SyntaxError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, struct.error,
    tokenize.TokenError,
)  # fmt: skip


def read_content(path: Path) -> object:
    """A dict of arrays for .npz, what was saved for .npy, pickles, joblib's files and PyTorch's. Nothing in it is run.

    Arrays larger than LARGEST_ARRAY stand as LEFT_OUT. Raises RecoverError: no_file, unsafe_file where it names
    anything but plain data, too_large where it unfolds to more than a result has, damaged_file.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            return _reader(file.read(16))(path, Bounded(file, size))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise RecoverError("no_file", f"{path} cannot be read: {error.strerror}.", "Choose a file.") from error
    except Unsafe as error:
        raise unsafe_file(path.name, error) from None
    except TooLarge:
        raise RecoverError(
            "too_large", f"{path.name} unfolds to more than a result has.", "Import a shorter clip's result."
        ) from None
    except _DAMAGED as error:
        raise RecoverError(
            "damaged_file", f"{path.name} is damaged, ends too early, or is no result.", "Copy it again."
        ) from error


Reader = Callable[[Path, Bounded], object]


def _reader(head: bytes) -> Reader:
    if head[:2] == b"PK":
        return _zipped
    if head[:6] == b"\x93NUMPY":
        return lambda _path, file: _npy(file)
    if head[: len(_TORCH_MAGIC)] == _TORCH_MAGIC:
        return lambda path, _file: _torch(path)
    if head[:1] == b"x" and len(head) > 1 and (head[0] * 256 + head[1]) % 31 == 0:
        return lambda _path, file: unpickle(Bounded(io.BufferedReader(_Unpacked(file, 15)), _MOST_UNPACKED), find)
    if head[:2] == b"\x1f\x8b":
        return lambda _path, file: unpickle(Bounded(io.BufferedReader(_Unpacked(file, 31)), _MOST_UNPACKED), find)
    return lambda _path, file: unpickle(file, find)


class _Unpacked(io.RawIOBase):
    """What a zlib or gzip stream holds, in pieces."""

    def __init__(self, packed: Bounded, bits: int) -> None:
        self._packed, self._unpack, self._waiting = packed, zlib.decompressobj(bits), b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer`, or some of it."""
        while not self._unpack.eof:
            data = self._unpack.decompress(self._waiting or self._piece(), len(buffer))
            self._waiting = self._unpack.unconsumed_tail
            if data:
                buffer[: len(data)] = data
                return len(data)
        return 0

    def _piece(self) -> bytes:
        length = min(PIECE, self._packed.left)
        if not length:
            raise EOFError
        return self._packed.read(length)


def _zipped(path: Path, _file: Bounded) -> object:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(member.filename.endswith("/data.pkl") for member in members):
            return _torch(path)
        if not members or not all(member.filename.endswith(".npy") for member in members):
            raise ValueError("no archive of arrays")
        kept, content = 0, {}
        for member in members:
            with archive.open(member) as stream:
                value = _npy(Bounded(stream, member.file_size))
            kept += getattr(value, "nbytes", 0)
            if kept > MOST_BYTES:
                raise TooLarge
            content[member.filename.removesuffix(".npy")] = value
    check_size(content)
    return content


def _npy(stream: Bounded) -> object:
    """An array; one of objects holds a pickle, and one alone stands for itself."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, kind = read(stream)
    if kind.hasobject:
        value = unpickle(stream, find)
        return value[()] if isinstance(value, np.ndarray) and value.shape == () else value
    if kind.names is not None:
        raise ValueError("an array of several fields")
    length = math.prod(checked_shape(shape)) * kind.itemsize
    if length > LARGEST_ARRAY:
        return LEFT_OUT
    data = stream.read(length)
    if len(data) != length:
        raise EOFError
    return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


def _torch(path: Path) -> object:
    from ghmr_engine.checkpoints import read_tensors  # PyTorch takes seconds

    try:
        return _as_arrays(read_tensors(path), 0)
    except RecoverError as error:
        if error.code != "pickle_refused":
            raise
        raise Unsafe(error.message.partition(" asks for ")[2].partition(";")[0] or "code") from error


def _as_arrays(value: object, depth: int) -> object:
    """torch's tensors as arrays, in containers as they are."""
    if depth > 20:
        raise TooLarge
    if isinstance(value, dict):
        return {key: _as_arrays(part, depth + 1) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_arrays(part, depth + 1) for part in value]
    if hasattr(value, "detach"):
        tensor = value.detach()
        if tensor.nelement() * tensor.element_size() > LARGEST_ARRAY:
            return LEFT_OUT
        return (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return value

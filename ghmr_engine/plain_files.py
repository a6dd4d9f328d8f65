"""Reads files that may come from anywhere: nothing in them is run, and no memory is taken for what is not there.

NumPy and the standard library only: the add-on carries this file.
"""

from __future__ import annotations

import errno
import json
import zipfile
from pathlib import Path

import numpy as np

MOST_ARRAY_BYTES = 2_000_000_000
"""Of all arrays of a file together, unpacked: an hour of two people is a quarter of it."""
MOST_TEXT_BYTES = 100_000_000
"""An hour of a gyroscope is half of it."""
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """A text file. Raises OSError where it cannot be read, ValueError where it is no text or too long."""
    with _opened(path) as file:
        content = file.read(MOST_TEXT_BYTES + 1)
    if len(content) > MOST_TEXT_BYTES:
        raise ValueError(f"it is longer than {MOST_TEXT_BYTES // 1_000_000} MB")
    return content.decode(encoding)


def read_json(path: Path) -> object:
    """A JSON file. Raises as read_text, ValueError where it is no JSON too."""
    try:
        return json.loads(read_text(path))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_arrays(path: Path, most_bytes: int = MOST_ARRAY_BYTES) -> dict[str, np.ndarray]:
    """All arrays of an .npz by name.

    Raises OSError where the file cannot be read, ValueError where it is damaged, no .npz, holds Python objects, says of
    an array another size than it has, holds a name twice, or more than `most_bytes` altogether.
    """
    try:
        with _opened(path) as file:
            _check_sizes(file, most_bytes)
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
    except OSError:
        raise
    except Exception as error:  # a damaged zip makes its readers raise anything
        raise ValueError(f"{path.name} is damaged: {error}") from error


def _opened(path: Path) -> object:
    """The file, open; one that is no plain file is not: a pipe or a device would be read for ever. Raises OSError."""
    try:
        plain = path.is_file()
    except ValueError as error:  # a name that no system has
        raise FileNotFoundError(errno.ENOENT, "no such file", str(path)) from error
    if not plain:
        path.stat()
        kind = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise OSError(kind, "a folder" if path.is_dir() else "not a file", str(path))
    return path.open("rb")


def _check_sizes(file: object, most_bytes: int) -> None:
    """Raises ValueError unless every array is as large as its header says, and all fit: both are known unread."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if len({entry.filename for entry in entries}) < len(entries):
            raise ValueError("a name occurs twice")
        if sum(entry.file_size for entry in entries) > most_bytes:
            raise ValueError(f"it holds more than {most_bytes / 1e9:g} GB")
        for entry in entries:
            with archive.open(entry) as member:
                version = np.lib.format.read_magic(member)
                if version not in _HEADERS:
                    raise ValueError(f"{entry.filename} has another form")
                shape, _, dtype = _HEADERS[version](member)
                if dtype.hasobject:
                    raise ValueError("it holds Python objects")
                size = dtype.itemsize
                for length in shape:
                    size *= length  # Python's whole numbers: no overflow
                if min(shape, default=0) < 0 or member.tell() + size != entry.file_size:
                    raise ValueError(f"{entry.filename} is not what its header says")

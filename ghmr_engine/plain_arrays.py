"""Reads .npz files of other people's without surprise: no pickle, and no memory for what is not there.

NumPy and the standard library only: the add-on carries this file.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

MOST_BYTES = 2_000_000_000
"""Of all arrays of a file together, unpacked: an hour of two people is a quarter of it."""
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_arrays(path: Path, most_bytes: int = MOST_BYTES) -> dict[str, np.ndarray]:
    """All arrays of an .npz by name.

    Raises OSError where the file cannot be read, ValueError where it is damaged, no .npz, holds Python objects, says of
    an array another size than it has, holds a name twice, or more than `most_bytes` altogether.
    """
    if not path.is_file():  # a pipe or a device would be read for ever
        raise FileNotFoundError(2, "No such file", str(path))
    try:
        _check_sizes(path, most_bytes)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  a damaged zip makes its readers raise anything
        raise ValueError(f"{path.name} is damaged: {type(error).__name__}: {error}") from error


def _check_sizes(path: Path, most_bytes: int) -> None:
    """Raises ValueError unless every array is as large as its header says, and all fit: both are known unread."""
    with zipfile.ZipFile(path) as archive:
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
                size = dtype.itemsize
                for length in shape:
                    size *= length  # Python's whole numbers: no overflow
                if dtype.hasobject or min(shape, default=0) < 0 or member.tell() + size != entry.file_size:
                    raise ValueError(f"{entry.filename} is not what its header says")

"""Results of stages, kept on disk by what went in: the same clip, options and versions give the same key.

An entry is an npz read with allow_pickle=False: a JSON text that says how records nest, and their arrays.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from ghmr_engine import types
from ghmr_engine.plain_files import read_arrays

MAX_BYTES = 2_000_000_000
_FORMAT = 1
_ABANDONED_S = 24 * 3600
_log = logging.getLogger(__name__)


def key_of(parts: Mapping[str, object]) -> str:
    """Hex SHA-256 of JSON values by name: what a result depends on."""
    text = json.dumps({"format": _FORMAT, **parts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """A folder of results. Trouble with it never fails a run: an entry that cannot be read is absent, one that cannot
    be written is not kept.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def load(self, stage: str, key: str) -> object | None:
        """The kept result of a stage; None where there is none, or it is damaged. Counts as a use."""
        path = self._path(stage, key)
        try:
            arrays = read_arrays(path)
            value = _decode(json.loads(str(arrays["value"])), arrays)
            os.utime(path)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001  damage comes in every form, and the stage can always be run
            _log.warning("The cached result %s is damaged (%s) and is made again.", path, error)
            return None
        return value

    def store(self, stage: str, key: str, value: object) -> None:
        """Keep a result, whole or not at all; then drop what was not used for longest until all fit."""
        arrays: dict[str, np.ndarray] = {}
        text = json.dumps(_encode(value, arrays))
        path = self._path(stage, key)
        part = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f"stage-{os.getpid()}-", suffix=".part", dir=self.folder)
            part = Path(name)
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(file, value=np.array(text), **arrays)
            part.replace(path)
            self._prune(path)
        except OSError as error:
            _log.warning("The result of a stage could not be kept in %s: %s.", self.folder, error.strerror or error)
        finally:
            if part is not None:
                with suppress(OSError):
                    part.unlink()

    def drop_unfinished(self) -> None:
        """Remove what this process was still writing: for a process that ends in the middle."""
        for path in self.folder.glob(f"stage-{os.getpid()}-*.part"):
            with suppress(OSError):
                path.unlink()

    def _path(self, stage: str, key: str) -> Path:
        return self.folder / f"stage-{stage}-{key}.npz"

    def _prune(self, newest: Path) -> None:
        # Only files that this class named: the folder may hold the user's own.
        entries = []
        for path in self.folder.glob("stage-*-*.npz"):
            with suppress(OSError):  # another run may have dropped it
                stat = path.stat()
                entries.append((path != newest, -stat.st_mtime_ns, stat.st_size, path))
        total = 0
        for _older, _age, size, path in sorted(entries):
            total += size
            if total > self.max_bytes and path != newest:
                path.unlink(missing_ok=True)
        for path in self.folder.glob("stage-*.part"):  # of processes that were killed
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - _ABANDONED_S:
                    path.unlink()


_RECORDS = {name: kind for name, kind in vars(types).items() if isinstance(kind, type) and is_dataclass(kind)}


def _encode(value: object, arrays: dict[str, np.ndarray]) -> object:
    """JSON for a value; arrays are put aside by name. Raises TypeError for what a cache cannot keep."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        if value.dtype.hasobject:
            raise TypeError("an array of Python objects cannot be cached")
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Fraction):
        return {"fraction": [value.numerator, value.denominator]}
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, arrays) for item in value]}
    name = type(value).__name__
    if _RECORDS.get(name) is not type(value):
        raise TypeError(f"{name} cannot be cached: only the records of types.py can")
    return {"record": name, "fields": {f.name: _encode(getattr(value, f.name), arrays) for f in fields(value)}}


def _decode(value: object, arrays: Mapping[str, np.ndarray]) -> object:
    """The value that `_encode` gave this JSON for."""
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "fraction" in value:
        return Fraction(*value["fraction"])
    if "path" in value:
        return Path(value["path"])
    if "tuple" in value:
        return tuple(_decode(item, arrays) for item in value["tuple"])
    return _RECORDS[value["record"]](**{key: _decode(item, arrays) for key, item in value["fields"].items()})

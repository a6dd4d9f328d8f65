"""Files in joblib's layout, which the tests write without joblib: a pickle with arrays' bytes between its opcodes.

golden/joblib.pkl and golden/joblib_packed.pkl, which joblib 1.6.0 itself wrote, hold the same and keep this honest.
"""

from __future__ import annotations

import io
import pickle
import sys
import types
import zlib
from pathlib import Path

import numpy as np


class NumpyArrayWrapper:
    """Stands where an array's bytes follow; pickled under joblib's name."""

    def __init__(self, array: np.ndarray) -> None:
        self.subclass, self.shape, self.dtype = type(array), array.shape, array.dtype
        self.order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        self.allow_mmap, self.numpy_array_alignment_bytes = not array.dtype.hasobject, 16


NumpyArrayWrapper.__module__ = "joblib.numpy_pickle"


class _Pickler(pickle._Pickler):
    """Python's own pickler, which can be stopped after each object."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=4)
        self.out = file

    def save(self, obj: object, save_persistent_id: bool = True) -> None:
        if type(obj) is not np.ndarray or obj.dtype.hasobject:
            return super().save(obj, save_persistent_id)
        wrapper = NumpyArrayWrapper(obj)
        super().save(wrapper, save_persistent_id)
        self.framer.commit_frame(force=True)
        padding = 16 - (self.out.tell() + 1) % 16
        self.out.write(bytes([padding]) + b"\xff" * padding + obj.tobytes(order=wrapper.order))
        return None


def dump(value: object, path: Path, packed: bool = False) -> None:
    """As joblib.dump does, or joblib.dump(compress=3)."""
    parent, module = types.ModuleType("joblib"), types.ModuleType("joblib.numpy_pickle")
    module.NumpyArrayWrapper = NumpyArrayWrapper
    sys.modules |= {"joblib": parent, "joblib.numpy_pickle": module}
    try:
        out = io.BytesIO()
        _Pickler(out).dump(value)
    finally:
        del sys.modules["joblib"], sys.modules["joblib.numpy_pickle"]
    path.write_bytes(zlib.compress(out.getvalue(), 3) if packed else out.getvalue())

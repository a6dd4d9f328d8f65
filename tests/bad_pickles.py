"""Pickles that want to run something, or to eat the memory; `mark` is a file that they would make."""

from __future__ import annotations

import builtins
import functools
import io
import operator
import os
import pickle
import struct
import subprocess
import types
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import joblib_files
import numpy as np
import torch


class _Calls:
    """Pickled as a call."""

    def __init__(self, called: object, *arguments: object, state: object = None) -> None:
        self._call = (called, arguments) if state is None else (called, arguments, state)

    def __reduce__(self) -> tuple:
        return self._call

    def __call__(self) -> None:
        """Never: but the pickler wants what it writes as called to be callable."""


def calls(mark: Path) -> dict[str, object]:
    """Values whose unpickling would make the file."""
    touch = f"open({str(mark)!r}, 'w').close()"
    return {
        "os.system": _Calls(os.system, f"touch {mark}"),
        "eval": _Calls(eval, touch),
        "exec": _Calls(exec, touch),
        "getattr": _Calls(_Calls(getattr, _Calls(__import__, "os"), "system"), f"touch {mark}"),
        "Popen": _Calls(subprocess.Popen, ["touch", str(mark)]),
        "numpy.load": _Calls(np.load, str(mark)),
        "torch.hub": _Calls(torch.hub.load, str(mark), "x"),
        "torch.load": _Calls(torch.load, str(mark)),  # noqa: TID251  only named
        "partial": _Calls(_Calls(functools.partial, os.system, f"touch {mark}")),
        "attrgetter": _Calls(_Calls(operator.attrgetter, "system"), os),
        "open": _Calls(open, str(mark), "w"),
        "setattr": _Calls(setattr, builtins, "len", 1),
        "a class": _Calls(types.SimpleNamespace),
    }


def dumped(value: object, protocol: int) -> bytes:
    """Modules themselves cannot be pickled: then the call of __import__ stands for them."""

    class Pickler(pickle._Pickler):
        def reducer_override(self, obj: object) -> object:
            return (__import__, (obj.__name__,)) if isinstance(obj, types.ModuleType) else NotImplemented

    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()


def by_hand(mark: Path) -> dict[str, bytes]:
    """What Python's pickler does not write, but its reader obeys."""
    command = f"touch {mark}"
    text = b"\x8c" + bytes([len(command)]) + command.encode()
    inst = b"(S'" + command.encode() + b"'\nios\nsystem\n."
    return {
        "INST": inst,
        "OBJ": b"(cos\nsystem\n" + text + b"o.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x05posix\x8c\x06system\x93" + text + b"\x85R.",
        "STACK_GLOBAL by memo": b"\x80\x04\x8c\x06system\x940\x8c\x05posix\x94h\x00\x93" + text + b"\x85R.",
        "a dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0flib.npyio.NpzFile\x93" + text + b"\x85R.",
        "NEWOBJ_EX": b"\x80\x04\x8c\x02os\x8c\x06system\x93)}\x92.",
        "EXT1": b"\x80\x02\x82\x01.",
        "PERSID": b"Psomething\n.",
        "BUILD of a type": b"\x80\x02cnumpy\ndtype\n}X\x04\x00\x00\x00nameX\x01\x00\x00\x00xsb.",
        "BUILD of a list": b"\x80\x02]}b.",
        "REDUCE of a list": b"\x80\x02]\x85R.",
        "a call of a result": b"\x80\x02ccollections\nOrderedDict\n)R)R.",
        "bytes so long": b"\x80\x02cbuiltins\nbytes\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R.",
        "a list of a number": b"\x80\x02cbuiltins\nlist\nK\x05\x85R.",
    }


def nested(mark: Path, folder: Path) -> Iterator[Path]:
    """The same inside of what results are kept in."""
    evil = _Calls(os.system, f"touch {mark}")
    objects = np.array([{"a": evil}, None], object)
    np.save(folder / "objects.npy", objects)
    np.savez(folder / "objects.npz", results=objects, x=np.zeros(3))
    (folder / "packed.pkl").write_bytes(zlib.compress(dumped({"a": evil}, 4)))
    joblib_files.dump({1: {"pose": np.zeros(3), "more": objects}}, folder / "joblib.pkl")
    joblib_files.dump({1: evil}, folder / "joblib packed.pkl", packed=True)
    torch.save({"smpl_params_global": evil}, folder / "new.pt")
    torch.save({"smpl_params_global": evil}, folder / "old.pt", _use_new_zipfile_serialization=False)
    storage = _Calls(torch.storage._load_from_bytes, dumped(evil, 2))
    (folder / "storage.pkl").write_bytes(dumped(storage, 4))
    inner = io.BytesIO()
    torch.save(evil, inner, _use_new_zipfile_serialization=False)
    (folder / "legacy storage.pkl").write_bytes(dumped(_Calls(torch.storage._load_from_bytes, inner.getvalue()), 4))
    yield from sorted(folder.iterdir())


def bombs(folder: Path) -> Iterator[Path]:
    """Small files that would become large."""
    shared: list = []
    for _ in range(40):
        shared = [shared, shared]
    own: list = []
    own.append(own)
    numbers = np.zeros(2)
    laughing = [numbers] * 1000
    for _ in range(3):
        laughing = [laughing] * 1000
    pickles = {
        "shared": dumped(shared, 4),
        "own": dumped(own, 4),
        "laughing": dumped(laughing, 4),
        "deep": b"\x80\x04" + b"(" * 20_000 + b"t" * 20_000 + b".",
        "long": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"x.",
        "longer": b"\x80\x04\x8e" + struct.pack("<Q", (1 << 64) - 1) + b"x.",
        "digits": b"L" + b"9" * 1_000_000 + b"L\n.",
        "shape": _array_state((1 << 39,), b"12345678"),
        "many sides": _array_state((1,) * 60, b"12345678"),
        "negative": _array_state((-1,), b"12345678"),
        "tensor": dumped(
            _Calls(torch._utils._rebuild_tensor_v2, numbers, 0, (1 << 30, 1 << 9), (0, 0), False, None), 4
        ),
    }
    for name, data in pickles.items():
        (folder / f"{name}.pkl").write_bytes(data)
    head = b"\x80\x04\x8e" + struct.pack("<Q", 1 << 32)
    zeros, packer = bytes(1 << 24), zlib.compressobj(9)
    packed = packer.compress(head) + b"".join(packer.compress(zeros) for _ in range(16)) + packer.flush()
    (folder / "zeros.pkl").write_bytes(packed)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 22,)})
    (folder / "header.npy").write_bytes(header.getvalue() + b"12345678")
    yield from sorted(folder.iterdir())


def _array_state(shape: tuple[int, ...], data: bytes) -> bytes:
    """An array that says it is larger than its bytes."""
    state = (1, shape, np.dtype("<f8"), False, data)
    return dumped(_Calls(np._core.multiarray._reconstruct, np.ndarray, (0,), b"b", state=state), 4)


def crashes() -> dict[str, bytes]:
    """What made the reader's own process crash, or read where nothing is."""
    objects = np.empty(0, object).reshape(10**8, 0)
    tensor = _Calls(torch._utils._rebuild_tensor_v2, objects, 5 * 10**7, (1,), (0,), False, None)
    numbers = _Calls(torch._utils._rebuild_tensor_v2, np.zeros((10**8, 0)), 5 * 10**7, (1,), (0,), False, None)
    deep = b")" + b"\x85" * 300_000
    return {
        "a deep key": b"\x80\x04}" + deep + b"K\x01s.",
        "a deep key in a set": b"\x80\x04\x8f(" + deep + b"\x90.",
        "a deep key in a frozenset": b"\x80\x04(" + deep + b"\x91.",
        "a deep key in a call": b"\x80\x04cbuiltins\nset\n]" + deep + b"a\x85R.",
        "a deep key in a pair": b"\x80\x04cbuiltins\ndict\n]" + deep + b"K\x01\x86a\x85R.",
        "a tensor of no objects": dumped(tensor, 4),
        "a tensor of no numbers": dumped(numbers, 4),
    }


def copies() -> dict[str, bytes]:
    """Few bytes that ask for the same again and again, each time as something of its own."""
    row = b"\x80\x04](" + b"K\x01" * 100_000 + b"e\x94](" + b"cbuiltins\nlist\nh\x00\x85R" * 1000 + b"e."
    text = b"\x80\x04B" + struct.pack("<I", 1 << 20) + bytes(1 << 20) + b"\x94]("
    text += b"cbuiltins\nbytearray\nh\x00\x85R" * 1000 + b"e."
    number = np.zeros(1)
    tensors = [_Calls(torch._utils._rebuild_tensor_v2, number, 0, (1 << 20,), (0,), False, None) for _ in range(1000)]
    return {
        "lists": row,
        "bytes": text,
        "tensors": dumped(tensors, 4),
        "sets": zlib.compress(b"\x80\x04(" + b"\x8f" * 1_000_000 + b"l."),
        "dicts": zlib.compress(b"\x80\x04(" + b"}" * 1_000_000 + b"l."),
        "memories": zlib.compress(b"\x80\x04N" + b"\x94" * 1_000_000 + b"."),
    }


def backwards(path: Path) -> None:
    """An archive whose array has less than no numbers: all there is would be read."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (-1,)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("poses.npy", header.getvalue() + bytes(300_000_000))

"""What may be wrong with a motion file, for its readers in the engine and in Blender."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]

_VALUES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "empty": lambda array: np.zeros(0),
    "one number": lambda array: np.array(3.0),
    "another axis": lambda array: array[None],
    "one more": lambda array: np.concatenate([array, array[:1]]),
    "words": lambda array: array.astype(str),
    "complex": lambda array: array.astype(complex),
    "times": lambda array: np.zeros(array.shape, "M8[s]"),
    "records": lambda array: np.zeros(array.shape, [("a", "f4")]),
    "nan": lambda array: np.full(array.shape, np.nan),
    "inf": lambda array: np.full(array.shape, np.inf),
    "huge": lambda array: np.full(array.shape, 1e300),
    "large": lambda array: np.full(array.shape, 10**9),
}
_MAY_BE = {("people/1/reprojection", "nan"), ("body/faces", "one more"), ("body/colors", "empty")}
"""Not measured; a face twice; no regions."""
_WEIRD = [
    True, -1, 0, float("inf"), float("nan"), 10**30, [], {}, [1, 0], [0, 1], [-30, 1], ["a"], [[1]], "../../x", None,
]  # fmt: skip
_META = {
    "fps": _WEIRD, "frames": _WEIRD, "image_size": _WEIRD, "video": _WEIRD, "people": _WEIRD[:8] + _WEIRD[10:],
    "engine": [1, None, []], "licence": [1, None, []], "options": [1, None, []], "quality": [1, [1], {"1": 3}],
    "names": [1, ["a"], {"1": 2}], "warnings": [1, [1], "x"], "camera": [1, [1]], "edits": [1, [1], {"a": 1}],
    "version": [2, None, [1]], "format": ["other", None],
}  # fmt: skip
_VIDEO = {
    "name": [None, 1, []], "background": ["../x.mp4", "/etc/passwd", "a\\b", "..", "", 1],
    "start": [-1, 1.5, "1", 2**40], "sha256": [1, None], "path": [1],
}  # fmt: skip


def spoilt(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of files that are no motion file any more, made from a good one with two people."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    meta = json.loads(str(arrays.pop("meta")))
    for key, array in arrays.items():
        if key.endswith("distortion") or "/2/" in key:
            continue
        yield f"{key} lost", _packed({name: other for name, other in arrays.items() if name != key}, meta)
        for name, value in _VALUES.items():
            if (key, name) not in _MAY_BE:
                yield f"{key} {name}", _packed({**arrays, key: value(array)}, meta)
    for key, values in _META.items():
        for value in values:
            yield f"meta {key} {value!r}"[:60], _packed(arrays, {**meta, key: value})
    for key, values in _VIDEO.items():
        for value in values:
            yield f"video {key} {value!r}", _packed(arrays, {**meta, "video": {**meta["video"], key: value}})
    for text in ("[" * 100_000, '{"a":' * 50_000, '{"frames":' + "9" * 5000 + "}", "", "null", "3", "\\ud800"):
        yield f"meta is {text[:12]}", _packed({**arrays, "meta": np.array(text)})
    yield "one person twice", _packed(arrays, {**meta, "people": ["1", "1"]})
    yield "a face beyond the body", _packed({**arrays, "body/faces": arrays["body/faces"] + 10**6}, meta)
    yield "another skeleton", _packed({**arrays, "body/parents": arrays["body/parents"][::-1].copy()}, meta)
    yield "a camera that mirrors", _packed({**arrays, "camera/R": -arrays["camera/R"]}, meta)
    yield from _broken_zips(path)


def cut_and_flipped(path: Path, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """The file cut at every tenth, and with some bytes changed. Some of the latter may still be whole."""
    whole, rng = path.read_bytes(), np.random.default_rng(seed)
    for tenth in range(10):
        yield f"cut {tenth}", whole[: len(whole) * tenth // 10]
    for number in range(count):
        content = bytearray(whole)
        begin = 0 if number % 2 else len(content) - 3000  # a zip's table of contents is at its end
        for place in rng.integers(begin, len(content), rng.integers(1, 12)):
            content[place] = rng.integers(256)
        yield f"flipped {number}", bytes(content)


def _broken_zips(path: Path) -> Iterator[tuple[str, bytes]]:
    for shape in ((10**13,), (10**6, 10**6, 10**6), (2**63,), (10**9, 3), (0, 10**30)):
        yield f"says {shape}", _with_member(path, "camera/R.npy", _header(shape))
    for gigabytes in (1, 3):
        numbers = gigabytes * 125_000_000
        yield f"a bomb of {gigabytes} GB", _with_member(path, "camera/R.npy", _header((numbers,)), 8 * numbers)
    twice = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(twice, "a") as archive:
        archive.writestr("camera/R.npy", _header((0, 3, 3)))
    yield "a name twice", twice.getvalue()


def _header(shape: tuple[int, ...]) -> bytes:
    memory = io.BytesIO()
    np.lib.format.write_array_header_1_0(memory, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return memory.getvalue()


def _with_member(path: Path, name: str, content: bytes, more: int = 0) -> bytes:
    """The file with another content of a member. more: bytes that it claims to have beyond that."""
    memory = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            if entry.filename != name:
                archive.writestr(entry.filename, source.read(entry))
        archive.writestr(name, content)
        archive.filelist[-1].file_size += more
    return memory.getvalue()


def _packed(arrays: Arrays, meta: dict | None = None) -> bytes:
    memory = io.BytesIO()
    np.savez(memory, **arrays, **({} if meta is None else {"meta": np.array(json.dumps(meta))}))
    return memory.getvalue()

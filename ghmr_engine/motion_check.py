"""Whether what a motion file holds is a motion: shapes, kinds and bounds of everything that is read from it later.

NumPy and the standard library only: the add-on carries this file. A file may come from anywhere, and Blender ends with
the work of its user where a mesh names vertices that it does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .body.skeleton import PARENTS

if TYPE_CHECKING:
    from .motion_file import Motion, Person

LARGEST = 1e7
"""m or px: what is farther is no number of a clip, and beyond a third of it Blender's float32 cannot tell frames."""
_MOST_FRAMES, _LONGEST_SIDE = 10_000_000, 100_000
_REGIONS = 5
_TURNS = 1e-2
"""How far R R^T may be from the identity."""


class NoMotion(ValueError):
    """What is wrong, in a few words without a full stop."""


def check_meta(meta: dict) -> None:
    """Raises NoMotion for an entry of `meta` that is missing or of another kind."""
    for name, holds in _NEEDED.items():
        if name not in meta:
            raise NoMotion(f"meta {name} is missing")
        if not holds(meta[name]):
            raise NoMotion(f"meta {name} is {_short(meta[name])}")
    for name, holds in _OPTIONAL.items():
        if name in meta and not holds(meta[name]):
            raise NoMotion(f"meta {name} is {_short(meta[name])}")


def check_motion(motion: Motion) -> None:
    """Every array has its shape and kind and is finite where it must be; raises NoMotion naming the first that is not.

    `meta` was checked before.
    """
    frames = motion.meta["frames"]
    _expect("camera/R", motion.R, (frames, 3, 3))
    _expect("camera/t", motion.t, (frames, 3))
    _expect("camera/K", motion.K, (frames, 3, 3))
    _expect("camera/confidence", motion.camera_confidence, (frames,))
    _expect("camera/distortion", motion.distortion, (2,))
    R = motion.R.astype(float)
    if (np.abs(R @ np.swapaxes(R, 1, 2) - np.eye(3)) > _TURNS).any() or not (np.linalg.det(R) > 0).all():
        raise NoMotion("camera/R does not turn")
    if not (motion.K[:, [0, 1], [0, 1]] > 0).all():
        raise NoMotion("camera/K has no focal length")
    _expect("body/parents", motion.parents, (len(PARENTS),), "iu")
    if motion.parents.tolist() != list(PARENTS):
        raise NoMotion("body/parents is another skeleton")
    for name, person in motion.people.items():
        _check_person(name, person, frames)
        _check_body(f"body/{name}/", person, motion)


def _check_person(name: str, person: Person, frames: int) -> None:
    if person.frames.ndim != 1:
        raise NoMotion(f"people/{name}/frames is {person.frames.shape}, expected (N,)")
    n = len(person.frames)
    _expect(f"people/{name}/frames", person.frames, (n,), "iu")
    at = person.frames.astype(np.int64)
    if n and (at[0] < 0 or at[-1] >= frames or (np.diff(at) <= 0).any()):
        raise NoMotion(f"people/{name}/frames must rise within 0 to {frames - 1}")
    shapes = {
        "poses": (n, 24, 3), "transl": (n, 3), "betas": (10,), "contacts": (n, 4), "confidence": (n, 24),
        "keypoints": (n, 33, 3), "reprojection": (n,),
    }  # fmt: skip
    for key, shape in shapes.items():
        array = getattr(person, key)
        if key == "reprojection" and array.dtype.kind == "f":
            array = np.nan_to_num(array, nan=0.0)  # a frame in which nothing was visible
        _expect(f"people/{name}/{key}", array, shape)


def _check_body(name: str, person: Person, motion: Motion) -> None:
    count = len(person.vertices) if person.vertices.ndim else 0
    _expect(f"{name}vertices", person.vertices, (count, 3))
    _expect(f"{name}weights", person.weights, (count, 24))
    _expect(f"{name}joints", person.joints, (24, 3))
    faces, colors = motion.faces, motion.colors
    if not count:
        return
    if faces.ndim != 2 or not 3 <= faces.shape[1] <= 4:
        raise NoMotion(f"body/faces is {faces.shape}, expected (F, 3)")
    _expect("body/faces", faces, faces.shape, "iu")
    if faces.size and not 0 <= faces.min() <= faces.max() < count:
        raise NoMotion(f"body/faces names vertices that {name.rstrip('/')} does not have")
    if colors.shape != (0,):
        _expect("body/colors", colors, (count,), "iu")
        if not 0 <= colors.min() <= colors.max() < _REGIONS:
            raise NoMotion("body/colors names regions that there are not")


def _expect(name: str, array: np.ndarray, shape: tuple[int, ...], kinds: str = "fiu") -> None:
    """kinds: NumPy's letters of the kinds of numbers that will do."""
    if array.shape != shape:
        raise NoMotion(f"{name} is {array.shape}, expected {shape}")
    if array.dtype.kind not in kinds:
        raise NoMotion(f"{name} holds {array.dtype}, which are no numbers of its kind")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise NoMotion(f"{name} holds numbers that are not finite")
    if array.size and max(-float(array.min()), float(array.max())) > LARGEST:
        raise NoMotion(f"{name} holds numbers beyond all measure")


def _short(value: object) -> str:
    text = " ".join(repr(value)[:60].split())
    return text if text else "empty"


def _is_count(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_list_of(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _is_rate(value: object) -> bool:
    pair = isinstance(value, list) and len(value) == 2 and all(_is_count(part, 1, 2**31 - 1) for part in value)
    return pair and 0.01 <= value[0] / value[1] <= 10_000


def _is_size(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_count(side, 1, _LONGEST_SIDE) for side in value)


def _is_people(value: object) -> bool:
    if not _is_list_of(str)(value) or not value:
        return False
    return len(set(value)) == len(value) and all(re.fullmatch(r"[1-9][0-9]{0,3}", name) for name in value)


def _is_video(value: object) -> bool:
    """background: a name beside the file, not a path to anywhere."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return False
    texts = all(isinstance(value.get(key, ""), str) for key in ("path", "sha256"))
    copy = value.get("background")
    beside = copy is None or (isinstance(copy, str) and re.fullmatch(r"[^/\\\0]+", copy) and copy not in (".", ".."))
    return texts and bool(beside) and _is_count(value.get("start", 0), 0, 2**31 - 1)


def _is_quality(value: object) -> bool:
    if not isinstance(value, dict) or not all(isinstance(figures, dict) for figures in value.values()):
        return False
    numbers = [number for figures in value.values() for number in figures.values()]
    return all(number is None or (type(number) in (int, float) and abs(number) <= 1e30) for number in numbers)


def _is_names(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value.values())


_NEEDED: dict[str, Callable[[object], bool]] = {
    "engine": _is_text,
    "fps": _is_rate,
    "frames": lambda value: _is_count(value, 1, _MOST_FRAMES),
    "image_size": _is_size,
    "video": _is_video,
    "options": _is_table,
    "licence": _is_text,
    "people": _is_people,
}
_OPTIONAL: dict[str, Callable[[object], bool]] = {
    "models": _is_list_of(dict),
    "camera": _is_table,
    "refinement": lambda value: value is None or _is_table(value),
    "seconds": _is_table,
    "cached": _is_list_of(str),
    "quality": _is_quality,
    "names": _is_names,
    "warnings": _is_list_of(str),
    "edits": _is_list_of(dict),
}

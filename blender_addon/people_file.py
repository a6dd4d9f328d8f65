"""Who was found in a clip: reading the people file, and what merging and splitting make of its tracks. No bpy.

A part is (person, first, last): frames first to last (included) of a track of the file, counted as the motion's are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from .ghmr_engine.errors import RecoverError
from .ghmr_engine.part_files import written_whole
from .ghmr_engine.plain_files import read_json

Part = tuple[int, int, int]
Parts = Sequence[Part]

_KEPT = 4


@dataclass(frozen=True)
class Found:
    """Somebody whom the engine followed through the clip."""

    main: bool
    """Whether one who matters, by size and time in view."""
    frames: np.ndarray
    """(N,) int, rising: where there is a box."""
    boxes: np.ndarray
    """(N, 4) px: left, top, right, bottom."""
    thumbnail: Path


@dataclass(frozen=True)
class PeopleFile:
    """What the people file says."""

    fps: Fraction
    frames: int
    size: tuple[int, int]
    """Of the upright picture: width, height, px."""
    start: int
    """Frame 0, counted from the clip's first picture at the rate fps."""
    sha256: str
    """Of the clip."""
    people: dict[int, Found]
    """By the engine's numbers."""


def people_in(path: Path) -> PeopleFile:
    """The file's content; read once while it is the same. Raises RecoverError where it is gone or something else."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        message = f"{path.name}, which says who is in the clip, is not there."
    except (ValueError, ArithmeticError, KeyError, TypeError, AttributeError):
        message = f"{path.name} does not say who is in the clip."
    raise RecoverError("no_people_file", message, "Find the people again.")


@lru_cache(maxsize=_KEPT)
def _read(path: Path, _changed: int) -> PeopleFile:
    """A file as it was at one moment: panels and boxes ask for the same one at every redraw."""
    content = read_json(path)
    if (content["format"], content["version"]) != ("recover-motion people", 1):
        raise ValueError(path.name)
    width, height = content["image_size"]
    people = {entry["person"]: _found(path, entry) for entry in content["people"]}
    sha256, start, frames = content["video"]["sha256"], content["start"], content["frames"]
    fps = Fraction(*content["fps"]) if len(content["fps"]) == 2 else 0
    counts = (*people, width, height, start, frames)
    if not all(type(count) is int and 0 <= count < 2**31 for count in counts) or not isinstance(sha256, str):
        raise ValueError("a number is none")
    if min(fps, width, height, frames) <= 0:
        raise ValueError("nothing is left")
    return PeopleFile(fps, frames, (width, height), start, sha256, people)


def _found(path: Path, entry: dict) -> Found:
    """One of the file's people. Raises ValueError, KeyError, TypeError, OverflowError."""
    frames, boxes = np.array(entry["frames"], dtype=np.int64), np.array(entry["boxes"], dtype=float).reshape(-1, 4)
    if frames.shape != (len(boxes),) or (np.diff(frames) <= 0).any() or not np.isfinite(boxes).all():
        raise ValueError("boxes and frames do not fit")
    return Found(bool(entry["main"]), frames, boxes, path.with_name(entry["thumbnail"]))


def clip_of(path: Path) -> str:
    """Path of the clip that a people file is of; empty where it cannot be read."""
    try:
        return str(read_json(path)["video"]["path"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def write_identities(path: Path, people: Iterable[tuple[str, Parts]]) -> None:
    """Tell the engine whom to recover: names and parts, in the order of their numbers. Whole or not. Raises OSError."""
    entries = [
        {"name": name, "parts": [{"person": person, "first": first, "last": last} for person, first, last in parts]}
        for name, parts in people
    ]
    content = {"format": "recover-motion identities", "version": 1, "people": entries}
    with written_whole(path) as part:
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")


def visible(found: PeopleFile, parts: Parts) -> np.ndarray:
    """(N,) int, rising: the frames in which one made of these parts has a box."""
    each = [frames for part in parts if len(frames := _own(found, part))]
    if len(each) == 1:
        return each[0]
    return np.unique(np.concatenate(each)) if each else np.empty(0, dtype=np.int64)


def box_at(found: PeopleFile, parts: Parts, frame: int) -> np.ndarray | None:
    """(4,) px, the box in this frame; None where there is none."""
    for person, first, last in parts:
        one = found.people.get(person)
        if one is None or not first <= frame <= last:
            continue
        row = int(np.searchsorted(one.frames, frame))
        if row < len(one.frames) and one.frames[row] == frame:
            return one.boxes[row]
    return None


def both_visible(found: PeopleFile, one: Parts, other: Parts) -> np.ndarray:
    """(N,) int, rising: frames in which both have a box, so that they cannot be one person."""
    return np.intersect1d(visible(found, one), visible(found, other), assume_unique=True)


def joined(parts: Iterable[Part]) -> list[Part]:
    """The same parts in order; those of one track that follow each other become one again."""
    result: list[Part] = []
    for person, first, last in sorted(parts):
        before = result[-1] if result else None
        if before is not None and before[0] == person and before[2] + 1 == first:
            result[-1] = (person, before[1], last)
        else:
            result.append((person, first, last))
    return result


def cut(parts: Parts, frame: int) -> tuple[list[Part], list[Part]]:
    """What lies before `frame`, and the rest."""
    before = [(person, first, min(last, frame - 1)) for person, first, last in parts if first < frame]
    after = [(person, max(first, frame), last) for person, first, last in parts if last >= frame]
    return before, after


def stretches(frames: np.ndarray, most: int = 3) -> str:
    """Frames (N,), rising, in words: 3 to 8, 12, 20 to 24."""
    ends = np.flatnonzero(np.diff(frames) > 1)
    firsts, lasts = frames[[0, *(ends + 1)]], frames[[*ends, len(frames) - 1]]
    each = [f"{a}" if a == b else f"{a} to {b}" for a, b in zip(firsts, lasts, strict=True)]
    return ", ".join(each[:most]) + (" and others" if len(each) > most else "")


def under(boxes: np.ndarray, point: Sequence[float]) -> int | None:
    """Place of the box (N, 4) that is meant by a click on a point, px: of those around it, the one whose middle is
    nearest, counted in the box's own size; None where there is none. Boxes may be NaN."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    off = (np.abs(np.asarray(point) - middle) / np.maximum(half, 1e-6)).max(1, initial=0)
    off = np.where(np.isnan(off), np.inf, off)
    return int(off.argmin()) if len(off) and off.min() <= 1 else None


def _own(found: PeopleFile, part: Part) -> np.ndarray:
    person, first, last = part
    one = found.people.get(person)
    if one is None:
        return np.empty(0, dtype=np.int64)
    return one.frames[(one.frames >= first) & (one.frames <= last)]

"""One clip of a batch: recovered into the batch's folder, drawn, judged; what came of it is a manifest's record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ghmr_engine import __version__, output, protocol
from ghmr_engine.batch import manifest
from ghmr_engine.batch.clips import Clip, Content, content_of
from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import MotionFileError, read_motion
from ghmr_engine.part_files import written_whole

PICTURES, LOGS = "pictures", "logs"
_DEADLY = ("engine_died", "engine_hangs", "out_of_memory")
"""After these nothing more is asked about a clip."""

Told = Callable[[str, float], None]
"""Called with a stage and the share of it that is done, 0 to 1."""


@dataclass(frozen=True)
class Limits:
    """What a take must keep to; one that does not is for review."""

    sliding_mm: float | None = None
    """Most that resting feet may slide in a frame, mm."""
    seen: float | None = None
    """Least share of a person's frames in which the person was seen, 0 to 1."""

    def __post_init__(self) -> None:
        if self.sliding_mm is not None and not self.sliding_mm >= 0:
            raise RecoverError("bad_option", "Option max_sliding is less than 0.", "It takes millimetres a frame.")
        if self.seen is not None and not 0 <= self.seen <= 1:
            raise RecoverError("bad_option", "Option min_seen is not a share.", "It takes a number from 0 to 1.")


@dataclass(frozen=True)
class Work:
    """One clip to recover, and how."""

    clip: Clip
    content: Content
    options: dict[str, object]
    """As options.Options has them."""
    key: str
    """clips.key_of."""


class Engine(Protocol):
    """Whoever recovers: a process beside this one, or this process itself on a farm."""

    def recover(self, clip: Path, out: Path, options: dict[str, object], told: Told) -> protocol.Done:
        """Recover a clip into `out`. Raises RecoverError and Cancelled."""

    def draw(self, motion: Path | None, clip: Path, stem: Path) -> dict[str, str]:
        """Pictures of the take, or a frame alone, by what they show. Raises RecoverError and Cancelled."""

    def log(self) -> str:
        """What was logged since the last `recover` began."""


def recover_clip(work: Work, folder: Path, engine: Engine, limits: Limits, told: Told) -> dict:
    """Recover one clip into `folder` and return its record, without `when`: done, for review, or failed and why.

    A failure's log goes to logs/NAME.log. Raises Cancelled, and RecoverError only where that cannot be written.
    """
    out, began = folder / f"{work.clip.name}{output.SUFFIX}", time.monotonic()
    try:
        done = engine.recover(work.clip.path, out, work.options, told)
        record = _outcome(done, out)
    except RecoverError as error:
        log = _write_log(folder, work.clip, error, engine.log())
        record = {"state": manifest.FAILED, "error": in_words(error), "log": log}
        if error.code not in _DEADLY:
            record["pictures"] = _draw(work.clip, None, folder, engine)[0]
    else:
        drawn, fault = _draw(work.clip, out, folder, engine)
        record |= {"pictures": drawn, "warnings": record["warnings"] + fault}
        record = judged(record, limits)
    return {**_begun(work), **record, "took_s": round(time.monotonic() - began, 1)}


def in_words(error: RecoverError) -> dict[str, str]:
    """An error as records have it."""
    return {"code": error.code, "message": error.message, "fix": error.fix}


def failed(work: Work, error: RecoverError, folder: Path, log: str) -> dict:
    """The record of a clip that came to nothing outside of `recover_clip`."""
    return {
        **_begun(work), "state": manifest.FAILED, "error": in_words(error), "took_s": 0.0,
        "log": _write_log(folder, work.clip, error, log),
    }  # fmt: skip


def judged(record: dict, limits: Limits) -> dict:
    """A finished clip's record, for review where its figures do not keep to the limits, else done."""
    reasons = []
    for person, figures in record["quality"].items():
        sliding, seen = figures.get("sliding_mm"), figures.get("seen")
        if limits.sliding_mm is not None and sliding is not None and sliding > limits.sliding_mm:
            reasons.append(f"Person {person}: feet slide {sliding:.2f} mm a frame, more than {limits.sliding_mm:g}.")
        if limits.seen is not None and seen is not None and seen < limits.seen:
            reasons.append(f"Person {person}: seen in {seen:.0%} of the frames, less than {limits.seen:.0%}.")
    return {**record, "state": manifest.REVIEW if reasons else manifest.DONE, "review": reasons}


def still_good(record: Mapping | None, work: Work, folder: Path) -> bool:
    """Whether a clip's last record tells of the very take that is wanted, and that take is there and whole."""
    if record is None or record["state"] not in (manifest.DONE, manifest.REVIEW) or record.get("key") != work.key:
        return False
    try:
        return (
            bool(record["files"])
            and _can_be_judged(record)
            and all(content_of(folder / name).sha256 == sha256 for name, sha256 in record["files"].items())
        )
    except (OSError, KeyError, TypeError, AttributeError):
        return False


def _can_be_judged(record: Mapping) -> bool:
    """Whether what limits look at, and the line about it, is there and of the right kind. Raises KeyError."""
    people = record["quality"].values()
    figures = [figures.get(name) for figures in people for name in ("sliding_mm", "seen")]
    lists = all(isinstance(record[name], list) for name in ("warnings", "review"))
    return lists and all(value is None or type(value) in (int, float) for value in figures)


def _begun(work: Work) -> dict:
    """What every record says of its clip."""
    return {
        "clip": str(work.clip.path), "kind": manifest.MOTION, "state": manifest.FAILED, "name": work.clip.name,
        "out": None, "bytes": work.content.bytes, "sha256": work.content.sha256, "key": work.key,
        "options": work.options, "engine": __version__, "frames": None, "fps": None, "licence": None, "seconds": {},
        "quality": {}, "names": {}, "warnings": [], "review": [], "pictures": {}, "files": {}, "error": None,
        "log": None,
    }  # fmt: skip


def _outcome(done: protocol.Done, out: Path) -> dict:
    """What a recovery says of itself, and its files. Raises RecoverError where they are not there."""
    try:
        meta = read_motion(out).meta
        copy = meta["video"].get("background")
        files = {name: content_of(out.with_name(name)).sha256 for name in (out.name, copy) if name}
    except (OSError, MotionFileError, RecoverError) as error:
        raise RecoverError("no_result", f"The result {out} cannot be read ({error}).", "Recover it again.") from error
    return {
        "out": out.name, "files": files, "frames": meta["frames"], "fps": meta["fps"][0] / meta["fps"][1],
        "names": meta.get("names", {}), "licence": done.licence, "quality": done.quality, "warnings": done.warnings,
        "seconds": {stage: round(seconds, 2) for stage, seconds in done.seconds.items()},
    }  # fmt: skip


def _draw(clip: Clip, out: Path | None, folder: Path, engine: Engine) -> tuple[dict[str, str], list[str]]:
    """Pictures of a take, relative to the batch's folder, and a warning where there are none: the take is there."""
    stem = folder / PICTURES / clip.name
    try:
        drawn = engine.draw(out, clip.path, stem)
    except RecoverError as error:
        return {}, [f"No pictures were drawn: {error.message}"]
    return {what: f"{PICTURES}/{Path(path).name}" for what, path in drawn.items()}, []


def _write_log(folder: Path, clip: Clip, error: RecoverError, text: str) -> str:
    path = folder / LOGS / f"{clip.name}.log"
    try:
        path.parent.mkdir(exist_ok=True)
        said = f"{clip.path}\n{error.code}: {error.message} {error.fix}\n\n{text}\n"
        with written_whole(path) as part:
            part.write_bytes(said.encode("utf-8", "backslashreplace"))
    except OSError as problem:
        raise RecoverError(
            "cannot_write", f"Cannot write {path} ({problem.strerror}).", "Make room there, then start again."
        ) from problem
    return f"{LOGS}/{path.name}"

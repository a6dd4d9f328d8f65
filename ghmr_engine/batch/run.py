"""A batch on this machine: clips one after another through one warm engine; what is done already is left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ghmr_engine import __version__
from ghmr_engine.added_models import switched_on
from ghmr_engine.batch import manifest
from ghmr_engine.batch.clips import Clip, Content, content_of, key_of, named
from ghmr_engine.batch.said import Said
from ghmr_engine.batch.warm_engine import WarmEngine
from ghmr_engine.batch.work import Limits, Work, failed, judged, recover_clip, still_good
from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options


@dataclass(frozen=True)
class Batch:
    """What to recover, where to, how."""

    folder: Path
    """Absolute, and there."""
    clips: tuple[Clip, ...]
    options: Options
    limits: Limits
    before: dict[str, dict]
    """The last record of each clip's motion, by the clip's path."""


def made_folder(folder: Path) -> Path:
    """The folder, absolute, made where it is missing. Raises RecoverError."""
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecoverError(
            "no_folder", f"The folder {folder} cannot be made ({error.strerror}).", "Choose another --out."
        ) from error
    return folder


def open_batch(paths: list[Path], folder: Path, options: Options, limits: Limits) -> Batch:
    """Name the clips, and read what is done already; while the folder is locked. Raises RecoverError."""
    before = manifest.latest(manifest.read(folder), manifest.MOTION)
    clips = named(paths, {path: record["name"] for path, record in before.items() if _is_name(record.get("name"))})
    return Batch(folder, tuple(clips), options, limits, before)


def run_here(batch: Batch, engine: WarmEngine, said: Said) -> None:
    """Recover one clip after another.

    Raises Cancelled, and RecoverError where no engine can be started or nothing be written.
    """
    for work in still_wanted(batch, said):
        engine.start()  # that it does not start is no clip's fault
        said.working(work.clip, "video", 0.0)
        record = recover_clip(work, batch.folder, engine, batch.limits, partial(said.working, work.clip))
        said.came_to(manifest.append(batch.folder, record))


def still_wanted(batch: Batch, said: Said) -> Iterator[Work]:
    """What is not done yet, clip by clip. What is done, and what cannot be read, is told and recorded on the way.

    Raises RecoverError where nothing can be written.
    """
    models = [added.sha256 for added in switched_on().values()]
    for clip in batch.clips:
        work = Work(clip, Content(0, ""), batch.options.as_dict(), "")
        try:
            content = content_of(clip.path)
            work = Work(clip, content, work.options, key_of(content, work.options, __version__, models))
        except OSError as error:
            reason = RecoverError("cannot_read", f"Cannot read {error.filename} ({error.strerror}).", "Check it.")
            said.came_to(manifest.append(batch.folder, failed(work, reason, batch.folder, "")))
            continue
        record = batch.before.get(str(clip.path))
        if still_good(record, work, batch.folder):
            now = judged(record, batch.limits)
            if (now["state"], now["review"]) != (record["state"], record["review"]):  # other limits than last time
                now = manifest.append(batch.folder, now)
            said.came_to(now, before=True)
        else:
            yield work


def _is_name(name: object) -> bool:
    """Whether a manifest's name is one that files in its folder can have."""
    return isinstance(name, str) and name not in ("", ".", "..") and not {"/", "\\", "\0"} & set(name)

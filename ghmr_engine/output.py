"""The files of a job: where they may lie, that they fit, and that they are written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import MotionFileError
from ghmr_engine.part_files import drop_abandoned, part_of
from ghmr_engine.types import VideoInfo

SUFFIX = ".motion.npz"
PEOPLE_SUFFIX = ".people.json"
_MOTION_BYTES = 10_000_000  # a person's body is 1 to 2 MB, a minute of motion as much
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows has no quotas there


def background_path(out: Path) -> Path:
    """Where the upright copy of the clip at a constant rate lies: beside the motion file."""
    return out.with_name(out.name.removesuffix(SUFFIX) + ".background.mp4")


def background_part(out: Path) -> Path:
    """Where that copy grows until it is whole."""
    return part_of(background_path(out))


def thumbnail_path(out: Path, person: int) -> Path:
    """Where a person's thumbnail lies: beside the people file."""
    return out.with_name(f"{out.name.removesuffix(PEOPLE_SUFFIX)}.person{person}.jpg")


def needs_background(info: VideoInfo) -> bool:
    """Whether other programs would show this clip turned, combed or at other moments than its motion has."""
    return bool(info.rotation) or not info.constant_rate or info.interlaced


def check_out(out: Path, video: Path) -> None:
    """Refuse before an hour of work what could not be written after it. Raises RecoverError."""
    check_place(out, SUFFIX)
    copy = background_path(out)
    if copy.exists() and video.exists() and copy.samefile(video):
        raise RecoverError("bad_name", f"The clip's copy {copy} would replace the clip.", "Choose another name.")


def check_place(out: Path, suffix: str) -> None:
    """Raises RecoverError where `out` has another ending than `suffix`, or cannot be written there."""
    if not out.name.endswith(suffix) or out.name == suffix:
        raise RecoverError(
            "bad_name", f"The result cannot be called '{out.name}'.", f"Choose a name that ends with {suffix}."
        )
    try:
        if not out.parent.is_dir():
            raise RecoverError("no_folder", f"There is no folder {out.parent}.", "Make it, or choose another.")
        if out.is_dir():
            raise RecoverError("bad_name", f"{out} is a folder.", "Choose another name.")
        probe = part_of(background_part(out) if suffix == SUFFIX else thumbnail_path(out, 10_000))
        probe.touch()  # the longest name that will be written
        probe.unlink()
    except ValueError as error:
        raise RecoverError("bad_name", f"{str(out)!r} is no name for a file.", "Choose another.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise RecoverError("bad_name", f"The name {out.name} is too long.", "Choose a shorter one.") from error
        raise _not_written(out, error) from error
    check_space(out, None)


def check_space(out: Path, info: VideoInfo | None) -> None:
    """Raises RecoverError where the disk has no room for the motion file and, where it is needed, the clip's copy."""
    copy_bytes = info.bytes if info is not None and needs_background(info) else 0
    needed = _MOTION_BYTES + copy_bytes
    free = shutil.disk_usage(out.parent).free
    if free < needed:
        raise RecoverError(
            "disk_full",
            f"The disk of {out.parent} has {free / 1e6:.0f} MB free, the result takes up to {needed / 1e6:.0f} MB.",
            "Free some space, or choose another folder.",
        )


@contextmanager
def whole_or_nothing(out: Path) -> Iterator[None]:
    """Around the writing of all files: where one fails or is stopped, what was there before stays and nothing is new.

    Trouble with the disk comes out as RecoverError.
    """
    drop_unfinished(out)
    try:
        yield
        for path in _files(out, os.getpid()):
            if part_of(path).exists():
                part_of(path).replace(path)
    except MotionFileError as error:
        raise _not_written(out, error.__cause__ or error) from error
    except OSError as error:
        raise _not_written(out, error) from error
    finally:
        drop_unfinished(out)


def drop_unfinished(out: Path) -> None:
    """Remove what was being written for this motion or people file, by this process and by those that were killed."""
    for path in _files(out, owner="*"):
        drop_abandoned(path)


def _files(out: Path, owner: int | str) -> list[Path]:
    """What is being written for this motion or people file, itself last. owner: the process that does, * for any."""
    if not out.name.endswith(PEOPLE_SUFFIX):
        return [background_path(out), out]
    stem = re.escape(out.name.removesuffix(PEOPLE_SUFFIX))
    parts = out.parent.glob(f"*.jpg.{owner}.part")
    found = (re.fullmatch(rf"({stem}\.person\d+\.jpg)\.\d+\.part", part.name) for part in parts)
    return [*(out.with_name(name) for name in sorted({match[1] for match in found if match})), out]


def _not_written(out: Path, error: BaseException) -> RecoverError:
    if isinstance(error, OSError) and error.errno in _FULL:
        return RecoverError(
            "disk_full", f"The disk of {out.parent} is full.", "Free some space, or choose another folder."
        )
    reason = getattr(error, "strerror", None) or error
    return RecoverError("cannot_write", f"Cannot write {out} ({reason}).", "Choose a folder that can be written.")

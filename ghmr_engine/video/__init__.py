"""Stage 1: a clip as upright RGB pictures at a constant rate, streamed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options
from ghmr_engine.progress import Report, silent
from ghmr_engine.types import VideoInfo
from ghmr_engine.video.background import write_background
from ghmr_engine.video.decode import Source, pictures
from ghmr_engine.video.probe import probe
from ghmr_engine.video.timing import own_rate, schedule

__all__ = ["VERSION", "Video", "open_video", "write_background"]

VERSION = 1
"""Counted up whenever the same clip and options would give other pictures: kept results of later stages follow it."""

_FEWEST_FRAMES = 10  # a shorter clip holds no motion to speak of
_HASH_BLOCK = 1 << 22  # bytes


class Video:
    """A clip that was opened: `info`, and its pictures as often as they are asked for. Holds no file open."""

    def __init__(self, info: VideoInfo, source: Source, shown: np.ndarray) -> None:
        self.info = info
        self._source = source
        self._shown = shown  # (T,) int: which of the file's pictures each frame shows

    def frames(self) -> Iterator[np.ndarray]:
        """Exactly info.frames pictures in order, each (height, width, 3) uint8 RGB, upright, square pixels.

        Every call starts over. A picture that cannot be decoded is replaced by the one before it. Raises RecoverError
        ("no_frames") where nothing can be decoded any more.
        """
        return pictures(self._source, self._shown)

    def frame(self, index: int) -> np.ndarray:
        """One picture of `frames`; where the file can be sought in, without decoding all before it. Raises as that."""
        return next(pictures(self._source, self._shown[index : index + 1]))


def open_video(path: Path, options: Options, report: Report = silent) -> Video:
    """Find out all about a clip without keeping pictures: options.start, .end and .fps choose its frames.

    The first picture's time is 0. Where times are uneven, they are resampled onto a constant rate near their own: each
    frame shows the picture nearest in time. start and end count at that rate, also where fps asks for another one.

    Raises RecoverError: no_such_file, not_a_file, cannot_read, not_a_video, no_frames, start_beyond_end, too_short.
    """
    _check_file(path)
    sha256 = _sha256(path, report)
    source = probe(path)
    rate = own_rate(source.seconds, float(source.time_base), source.nominal_rates)
    plan = schedule(source.seconds, rate.fps, options)
    if len(plan.shown) < _FEWEST_FRAMES:
        raise RecoverError(
            "too_short",
            f"{path.name}, or the part that was chosen, has {len(plan.shown)} frames.",
            f"Choose at least {_FEWEST_FRAMES}.",
        )
    info = VideoInfo(
        path=path,
        name=path.name,
        bytes=path.stat().st_size,
        sha256=sha256,
        width=source.width,
        height=source.height,
        fps=plan.fps,
        frames=len(plan.shown),
        start=plan.first,
        rotation=source.rotation,
        constant_rate=rate.constant,
        interlaced=source.interlaced,
        focal_px=source.focal_px,
        warnings=source.warnings,
    )
    return Video(info, source, plan.shown)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise RecoverError("not_a_file", f"{path} is a folder.", "Choose a video file in it.")
    if not path.exists():
        raise RecoverError("no_such_file", f"There is no file {path}.", "Check the name and the folder.")
    if not path.stat().st_size:
        raise RecoverError("no_frames", f"{path.name} is empty.", "Copy the clip again, or choose another.")


def _sha256(path: Path, report: Report) -> str:
    """Of the file's bytes, read in blocks."""
    digest, total, done = hashlib.sha256(), max(path.stat().st_size, 1), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_HASH_BLOCK):
                digest.update(block)
                done += len(block)
                report(0.9 * done / total)
    except OSError as error:
        raise RecoverError(
            "cannot_read", f"Cannot read {path} ({error.strerror}).", "Check the file's permissions."
        ) from error
    return digest.hexdigest()

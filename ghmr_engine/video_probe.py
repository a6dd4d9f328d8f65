"""What a clip is before its pictures are used: times, rate, turn, lens. Reads packets; decodes only where it must."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np

from ghmr_engine.errors import RecoverError
from ghmr_engine.progress import Report

_RATES = [Fraction(n, d) for n, d in (
    (10, 1), (12, 1), (15, 1), (20, 1), (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1),
    (60000, 1001), (60, 1), (100, 1), (120000, 1001), (120, 1), (240, 1),
)]  # fmt: skip
_NOT_VIDEO = ("image2", "tty", "gif_pipe")
_FOCAL_KEYS = ("com.apple.quicktime.camera.focal_length.35mm_equivalent", "focal_length_35mm", "focallength35mm")


@dataclass(frozen=True)
class Probe:
    """What a clip is. Times are seconds on the container's clock."""

    sha256: str
    first: float
    """When the first picture is shown."""
    duration: float
    """From then until the last one ends."""
    count: int
    """Pictures that can be decoded."""
    rate: Fraction
    """The clip's own constant rate, or the common one nearest to how its pictures mostly come."""
    even: bool
    """Whether pictures come at that rate, and the container says so to other programs too."""
    tolerance: float
    """Half a picture's time: how far a picture's time may lie from its place at a constant rate."""
    rotation: int
    """Degrees clockwise that stand the stored picture upright."""
    interlaced: bool
    square_width: int
    """Pixels across after pixels are made square, before the turn."""
    height: int
    focal_35mm: float | None
    warnings: tuple[str, ...]


def probe_video(path: Path, report: Report) -> Probe:
    """Read the container. Raises RecoverError: no_such_file, not_a_video, no_frames."""
    if not path.exists():
        raise RecoverError("no_such_file", f"There is no file {path}.", "Check the name.")
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise _not_a_video(path) from error
    with container:
        name = container.format.name
        if not container.streams.video or name.split(",")[0] in _NOT_VIDEO or name.endswith("_pipe"):
            raise _not_a_video(path)
        stream = container.streams.video[0]
        times, broken = _packet_times(container)
        expected = _expected_duration(container)
        metadata = {**container.metadata, **stream.metadata}
        announced, guessed = stream.frames, stream.guessed_rate
        average = stream.average_rate
    first_frames, turn, square = _first_frames(path)
    if not first_frames:
        raise RecoverError("no_frames", f"{path.name} holds no picture that can be decoded.", "Export the clip anew.")
    report(0.2)
    short = broken or (announced and len(times) < announced) or (expected and _span(times) < 0.97 * expected)
    warnings: tuple[str, ...] = ()
    if short or not len(times):
        times = _decoded_times(path)
        warnings = (f"{path.name} is cut off or damaged: the {len(times)} frames that decode are used.",)
    report(0.6)
    rate, even = _rate(times, average, guessed)
    step = float(1 / rate)
    frame = first_frames[0]
    return Probe(
        sha256=_sha256(path),
        first=float(times[0]),
        duration=_span(times) if len(times) > 1 else step,
        count=len(times),
        rate=rate,
        even=even,
        tolerance=0.5 * step if even else 1e-4,
        rotation=turn,
        interlaced=any(frame.interlaced_frame for frame in first_frames),
        square_width=max(round(frame.width * square), 1),
        height=frame.height,
        focal_35mm=_focal(metadata),
        warnings=warnings,
    )


def _not_a_video(path: Path) -> RecoverError:
    return RecoverError("not_a_video", f"{path.name} is not a video.", "Choose an mp4, mov, mkv, avi or webm file.")


def _packet_times(container: av.container.InputContainer) -> tuple[np.ndarray, bool]:
    """Sorted times of the shown packets, and whether reading broke off."""
    stream = container.streams.video[0]
    stamps: list[int] = []
    broken = False
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                broken = True
            elif packet.pts is not None and not packet.is_discard:
                stamps.append(packet.pts)
    except av.error.FFmpegError:
        broken = True
    if stream.codec_context.name in ("mpeg1video", "mpeg2video") and not stamps:
        broken = True
    return np.unique(np.array(stamps, np.int64)) * float(stream.time_base), broken


def _expected_duration(container: av.container.InputContainer) -> float | None:
    stream = container.streams.video[0]
    if stream.duration:
        return float(stream.duration * stream.time_base)
    only_video = len(container.streams) == 1
    return container.duration / av.time_base if container.duration and only_video else None


def _first_frames(path: Path) -> tuple[list[av.VideoFrame], int, float]:
    """A few decoded frames, degrees clockwise to upright, and how much wider than high a pixel is."""
    frames: list[av.VideoFrame] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        with suppress(av.error.FFmpegError):
            frames.extend(islice(container.decode(stream), 5))
        aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    if not frames:
        return [], 0, 1.0
    # FFmpeg's display matrix counts degrees against the clock; quarter turns are what cameras write.
    turn = round(-frames[0].rotation / 90) * 90 % 360
    return frames, turn, float(aspect) if aspect else 1.0


def _decoded_times(path: Path) -> np.ndarray:
    """Times of all frames that decode; the slow way, for damaged files."""
    times: list[float] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                times.extend(frame.time for frame in next(packets).decode() if frame.time is not None)
            except (StopIteration, av.error.EOFError):
                break
            except av.error.FFmpegError:
                continue
    if not times:
        raise RecoverError("no_frames", f"{path.name} holds no picture that can be decoded.", "Export the clip anew.")
    return np.unique(times)


def _span(times: np.ndarray) -> float:
    """Seconds from the first picture to the end of the last, which is taken to last as long as the average one."""
    return float((times[-1] - times[0]) * len(times) / (len(times) - 1)) if len(times) > 1 else 0.0


def _rate(times: np.ndarray, average: Fraction | None, guessed: Fraction | None) -> tuple[Fraction, bool]:
    """The constant rate, and whether the clip really has it."""
    if len(times) < 2:
        return average or Fraction(30), True
    steps = np.diff(times)
    usual = np.median(steps)
    average_step = (times[-1] - times[0]) / len(steps)
    even = np.abs(steps / average_step - 1).max() < 0.1
    if even and average and abs(float(average) * average_step - 1) < 0.002:
        return average, guessed is None or abs(float(guessed / average) - 1) < 0.002
    nearest = min(_RATES, key=lambda rate: abs(float(rate) * usual - 1))
    if abs(float(nearest) * usual - 1) > 0.03:
        nearest = Fraction(1 / usual).limit_denominator(100)
    return nearest, False


def _focal(metadata: dict[str, str]) -> float | None:
    for key, value in metadata.items():
        if key.lower() in _FOCAL_KEYS:
            try:
                focal = float(value)
            except ValueError:
                continue
            if 5 < focal < 500:
                return focal
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

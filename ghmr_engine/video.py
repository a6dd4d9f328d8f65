"""Stage 1, video: any clip as upright RGB frames on a constant rate, streamed."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options
from ghmr_engine.progress import Report, silent
from ghmr_engine.types import VideoInfo
from ghmr_engine.video_probe import Probe, probe_video

MIN_FRAMES = 10


@dataclass(frozen=True)
class Video:
    """An open clip: what is known of it, and its frames as often as one wants them."""

    info: VideoInfo
    probe: Probe

    def frames(self) -> Iterator[np.ndarray]:
        """Yield exactly info.frames upright pictures (H, W, 3) uint8 RGB, in order, holding one at a time.

        Frame k shows what a player shows at (info.start + k) / info.fps seconds. Where the file breaks off or cannot be
        decoded, the last good picture is held.
        """
        moments = [
            self.probe.first + float(Fraction(self.info.start + k) / self.info.fps) for k in range(self.info.frames)
        ]
        shown: av.VideoFrame | None = None
        given = 0
        with av.open(str(self.info.path)) as container:
            for frame in _decoded(container, self.probe.interlaced):
                time = frame.time if frame.time is not None else moments[min(given, len(moments) - 1)]
                # What is on screen before this frame's time is the frame before it.
                picture = None
                while shown is not None and given < len(moments) and moments[given] < time - self.probe.tolerance:
                    picture = self._upright(shown) if picture is None else picture
                    yield picture
                    given += 1
                if given == len(moments):
                    return
                shown = frame
        if shown is not None:
            picture = self._upright(shown)
            for _ in range(given, len(moments)):
                yield picture

    def _upright(self, frame: av.VideoFrame) -> np.ndarray:
        width, height = self.probe.square_width, frame.height
        picture = frame.to_ndarray(format="rgb24", width=width, height=height)
        return np.ascontiguousarray(np.rot90(picture, -self.info.rotation // 90))


def open_video(path: Path, options: Options, report: Report = silent) -> Video:
    """Look at a clip and choose its constant rate. Raises RecoverError with codes no_such_file, not_a_video, no_frames,
    too_short, bad_option."""
    probe = probe_video(path, report)
    own = probe.rate
    fps = own if options.fps is None else Fraction(options.fps).limit_denominator(1001)
    total = max(round(probe.duration * fps), 1) if fps != own or not probe.even else probe.count
    # start and end count at the rate that comes out, which is the clip's own unless --fps says otherwise.
    if options.start >= total:
        raise RecoverError(
            "bad_option", f"The clip has {total} frames, so it cannot start at {options.start}.", "Lower --start."
        )
    stop = total if options.end is None else min(options.end + 1, total)
    frames = stop - options.start
    if frames < MIN_FRAMES:
        raise RecoverError(
            "too_short",
            f"{path.name} gives {frames} frame{'s' if frames > 1 else ''}; motion needs at least {MIN_FRAMES}.",
            "Choose a longer clip or range.",
        )
    turned = probe.rotation % 180 != 0
    width, height = (probe.height, probe.square_width) if turned else (probe.square_width, probe.height)
    diagonal = float(np.hypot(width, height))
    info = VideoInfo(
        path=path.resolve(),
        name=path.name,
        bytes=path.stat().st_size,
        sha256=probe.sha256,
        width=width,
        height=height,
        fps=fps,
        frames=frames,
        start=options.start,
        rotation=probe.rotation,
        constant_rate=probe.even and fps == own,
        interlaced=probe.interlaced,
        focal_px=None if probe.focal_35mm is None else probe.focal_35mm / _DIAGONAL_35MM * diagonal,
        warnings=probe.warnings,
    )
    return Video(info, probe)


_DIAGONAL_35MM = 43.267
"""mm: the diagonal of a 36 x 24 picture, to which equivalent focal lengths refer."""


def write_background(video: Video, out: Path, report: Report = silent) -> None:
    """Write the clip as other programs can show it frame by frame: upright, constant rate, H.264 (MPEG-4 without x264).

    Whole or not at all. An odd side is padded by one pixel. Raises RecoverError where the disk is full.
    """
    info = video.info
    part = out.with_name(out.name + ".part")
    try:
        with av.open(str(part), "w", format="mp4") as container:
            codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
            stream = container.add_stream(codec, rate=info.fps)
            stream.width, stream.height = info.width + info.width % 2, info.height + info.height % 2
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": "20", "preset": "veryfast"} if codec == "libx264" else {"qscale": "3"}
            for place, picture in enumerate(video.frames()):
                padded = np.pad(picture, ((0, info.height % 2), (0, info.width % 2), (0, 0)), mode="edge")
                frame = av.VideoFrame.from_ndarray(padded, format="rgb24")
                frame.pts, frame.time_base = place, 1 / info.fps
                container.mux(stream.encode(frame))
                report((place + 1) / info.frames)
            container.mux(stream.encode())
        part.replace(out)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise RecoverError("cannot_write", f"Cannot write {out.name}: {reason}.", "Make room and try again.") from error
    finally:
        part.unlink(missing_ok=True)


def _decoded(container: av.container.InputContainer, interlaced: bool) -> Iterator[av.VideoFrame]:
    """Frames in the order of showing; what cannot be decoded is left out."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    weave = _deinterlacer(stream) if interlaced else None
    for frame in _readable(container, stream):
        if weave is None:
            yield frame
            continue
        weave.push(frame)
        yield from _pulled(weave)
    if weave is not None:
        weave.push(None)
        yield from _pulled(weave)


def _readable(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> Iterator[av.VideoFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            yield from packet.decode()
        except StopIteration:
            return
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            continue


def _deinterlacer(stream: av.video.stream.VideoStream) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(template=stream)
    weave = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(weave)
    weave.link_to(sink)
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return

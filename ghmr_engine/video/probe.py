"""What a file says of its video before pictures are used: stream, times, size, turn, interlacing, focal length."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData

from ghmr_engine.errors import RecoverError
from ghmr_engine.video.decode import Source, decoded, open_container

_NO_VIDEOS = re.compile(r"_pipe$|^image2|^tty$|^hls|^dash|^concat|^sdp$|^rtsp$|^imf$")
"""Pictures, text shown as a terminal would, and lists of other files."""
_INDEXED_FORMATS = {"mov", "mp4", "matroska", "webm"}
_ONE_PICTURE_A_PACKET = {"h264", "hevc", "vp9", "av1", "mpeg4", "ffv1", "prores", "mjpeg", "dnxhd"}
_LOOKED_AT = 12  # pictures decoded for what only they tell
_EARLY_END_S = 0.5
_SQUARE = 0.005  # pixels this near to square are square
_FULL_FRAME_DIAGONAL_MM = 43.27
_FOCAL_35MM = re.compile(r"focal.?length.*35.?mm|35.?mm.*focal.?length", re.IGNORECASE)


@dataclass(frozen=True)
class _Facts:
    """What the container and its first pictures say."""

    stream: int
    formats: set[str]
    codec: str
    time_base: Fraction
    nominal_rates: tuple[Fraction, ...]
    stored_size: tuple[int, int]
    rotation: int
    mirrored: bool
    interlaced: bool
    first_pts: int | None
    promised_frames: int
    """0 where the container does not say."""
    promised_s: float
    """Length of the video; 0 where the container does not say."""
    focal_px: float | None


def probe(path: Path) -> Source:
    """Look through a video file. Good files are not decoded beyond their first pictures; others once, whole.

    Raises RecoverError: not_a_video, no_frames, cannot_read.
    """
    facts = _facts(path)
    pts, seconds, facts, indexed = _packet_times(path, facts)
    warnings: list[str] = []
    if facts.mirrored:
        warnings.append("The clip is tagged as mirrored; that is ignored: left and right are as they were stored.")
    if not indexed:
        pts, seconds = _decoded_times(path, facts)
        warnings += _missing(seconds, facts)
    return Source(
        path=path,
        stream=facts.stream,
        pts=pts,
        seconds=seconds,
        time_base=facts.time_base,
        nominal_rates=facts.nominal_rates,
        stored_size=facts.stored_size,
        rotation=facts.rotation,
        interlaced=facts.interlaced,
        seekable=indexed,
        focal_px=facts.focal_px,
        warnings=tuple(warnings),
    )


def _facts(path: Path) -> _Facts:
    not_a_video = RecoverError("not_a_video", f"{path.name} is not a video.", "Choose a video file, such as an MP4.")
    no_frames = RecoverError("no_frames", f"{path.name} has no picture that can be decoded.", "Choose another clip.")
    try:
        container = open_container(path)
    except av.EOFError as error:
        raise no_frames from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise not_a_video from error
    with container:
        stream = _video_stream(container)
        if stream is None:
            raise not_a_video if len(container.streams) else no_frames
        looked_at = list(islice(decoded(container, stream), _LOOKED_AT))
        if not looked_at:
            raise no_frames
        first = looked_at[0]
        rotation, mirrored = _turn(first)
        size = _square_size(first, stream)
        return _Facts(
            stream=stream.index,
            formats=set(container.format.name.split(",")),
            codec=stream.codec_context.name,
            time_base=stream.time_base,
            nominal_rates=tuple(rate for rate in (stream.guessed_rate, stream.average_rate) if rate) or (Fraction(25),),
            stored_size=size,
            rotation=rotation,
            mirrored=mirrored,
            interlaced=any(frame.interlaced_frame for frame in looked_at),
            first_pts=first.pts,
            promised_frames=stream.frames,
            promised_s=_promised_seconds(container, stream),
            focal_px=_focal_px({**container.metadata, **stream.metadata}, math.hypot(*size)),
        )


def _video_stream(container: av.container.InputContainer) -> av.VideoStream | None:
    """The largest stream of moving pictures; a sound file's cover is none."""
    if _NO_VIDEOS.search(container.format.name):
        return None
    streams = [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None and not stream.disposition & av.stream.Disposition.attached_pic
    ]
    return max(streams, key=lambda stream: stream.codec_context.width * stream.codec_context.height, default=None)


def _packet_times(path: Path, facts: _Facts) -> tuple[np.ndarray, np.ndarray, _Facts, bool]:
    """When pictures are shown, read without decoding: (S,) int, rising, and (S,) s from 0; the facts without the
    pictures that an edit list hides; and whether all this is sure.
    """
    times: list[int | None] = []
    begins_with_key, damaged, hidden = False, False, 0
    with open_container(path) as container:
        try:
            for packet in container.demux(container.streams[facts.stream]):
                if not packet.size:
                    continue
                begins_with_key = begins_with_key or (not times and packet.is_keyframe)
                damaged = damaged or packet.is_corrupt
                if packet.is_discard:
                    hidden += 1
                else:
                    times.append(packet.pts)
        except av.FFmpegError:
            damaged = True
    facts = replace(facts, promised_frames=facts.promised_frames - hidden)
    pts = np.unique(np.array([time for time in times if time is not None], dtype=np.int64))
    seconds = _seconds(pts, facts.time_base)
    sure = (
        begins_with_key
        and not damaged
        and not facts.interlaced  # a packet may hold one field
        and bool(facts.formats & _INDEXED_FORMATS)
        and facts.codec in _ONE_PICTURE_A_PACKET
        and len(pts) == len(times) > 0
        and facts.first_pts == pts[0]
        and not _missing(seconds, facts)
    )
    return pts, seconds, facts, sure


def _decoded_times(path: Path, facts: _Facts) -> tuple[np.ndarray | None, np.ndarray]:
    """The same of the pictures that come out of the decoder; None, and times by counting, where theirs are useless."""
    with open_container(path) as container:
        times = [frame.pts for frame in decoded(container, container.streams[facts.stream])]
    if None in times or any(later <= time for time, later in pairwise(times)):
        # Some containers (AVI with B-frames) give pictures none or another's time; they still come out in order.
        return None, np.arange(len(times)) / float(facts.nominal_rates[0])
    pts = np.array(times, dtype=np.int64)
    return pts, _seconds(pts, facts.time_base)


def _missing(seconds: np.ndarray, facts: _Facts) -> list[str]:
    """A warning where a container promised more than the pictures shown at `seconds` (S,)."""
    count, end = len(seconds), seconds[-1] + 1 / facts.nominal_rates[0]
    if count < facts.promised_frames:
        return [f"The file is cut off or damaged: {count} of {facts.promised_frames} frames can be used."]
    if end < facts.promised_s - _EARLY_END_S:
        return [f"The file is cut off or damaged: {end:.1f} of {facts.promised_s:.1f} seconds can be used."]
    return []


def _seconds(pts: np.ndarray, time_base: Fraction) -> np.ndarray:
    return (pts - pts[:1]) * float(time_base)


def _promised_seconds(container: av.container.InputContainer, stream: av.VideoStream) -> float:
    """How long the video is, from its first picture, where the container says so, else 0."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    # Matroska gives when things end, counted from the container's zero, not from the first picture.
    begin = float((stream.start_time or 0) * stream.time_base) if "matroska" in container.format.name else 0.0
    if clock := re.fullmatch(r"(\d+):(\d+):([\d.]+)", stream.metadata.get("DURATION", "")):
        hours, minutes, seconds = clock.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds) - begin
    return (container.duration or 0) / av.time_base - begin


def _square_size(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[int, int]:
    """width, height with which pixels are square; the shorter side of a pixel decides, so that nothing is lost."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if not 0.1 < aspect < 10 or abs(aspect - 1) < _SQUARE:
        return frame.width, frame.height
    if aspect > 1:
        return round(frame.width * aspect), frame.height
    return frame.width, round(frame.height / aspect)


def _turn(frame: av.VideoFrame) -> tuple[int, bool]:
    """Degrees clockwise to turn the stored picture by, to the nearest quarter; and whether the tag mirrors it too."""
    rotation = round(-frame.rotation / 90) * 90 % 360
    matrix = frame.side_data.get(SideData.DISPLAYMATRIX)
    if matrix is None:
        return rotation, False
    a, b, _, c, d = struct.unpack("=9i", bytes(matrix))[:5]
    return rotation, a * d - b * c < 0


def _focal_px(metadata: dict[str, str], diagonal_px: float) -> float | None:
    """From a focal length in 35 mm terms, as Apple's phones write: the diagonal of a full frame is 43.27 mm."""
    for key, value in metadata.items():
        if _FOCAL_35MM.search(key) and (number := re.search(r"\d+(\.\d+)?", value)):
            focal_mm = float(number[0])
            return focal_mm / _FULL_FRAME_DIAGONAL_MM * diagonal_px if focal_mm > 0 else None
    return None

"""Decoding: pictures of a file in the order they are shown, upright RGB, with damage stepped over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np

from ghmr_engine.errors import RecoverError

_WORTH_SEEKING = 60  # pictures; fewer are decoded and dropped faster than a seek is checked
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Source:
    """A file's video stream, as found by probing. S: its pictures."""

    path: Path
    stream: int
    """Index of the stream in the container."""
    pts: np.ndarray | None
    """(S,) int, rising: when each picture is shown, in time_base; None where the file gives pictures no times."""
    seconds: np.ndarray
    """(S,) the same in seconds, from 0."""
    time_base: Fraction
    nominal_rates: tuple[Fraction, ...]
    """What the container states, frames a second; the first is the one that other programs take."""
    stored_size: tuple[int, int]
    """width, height in square pixels, before turning."""
    rotation: int
    """Degrees clockwise that make the picture upright: 0, 90, 180 or 270."""
    interlaced: bool
    seekable: bool
    """Whether the container has an index whose times are those of the pictures."""
    focal_px: float | None
    warnings: tuple[str, ...]

    @property
    def width(self) -> int:
        """Pixels of the upright picture."""
        return self.stored_size[self.rotation in (90, 270)]

    @property
    def height(self) -> int:
        """Pixels of the upright picture."""
        return self.stored_size[self.rotation not in (90, 270)]


def pictures(source: Source, shown: np.ndarray) -> Iterator[np.ndarray]:
    """The pictures of the indices `shown` (T,) int, not falling: (height, width, 3) uint8 RGB, upright, each an array
    of its own. One that is lost is replaced by the one before, at the start by the first there is.

    Raises RecoverError ("no_frames") where nothing decodes.
    """
    place, before = 0, None
    for index, frame in _frames_from(source, int(shown[0])):
        while place < len(shown) and shown[place] < index:
            yield _upright(before or frame, source)
            place += 1
        while place < len(shown) and shown[place] == index:
            yield _upright(frame, source)
            place += 1
        if place == len(shown):
            return
        before = frame
    if before is None:
        raise RecoverError("no_frames", f"No picture of {source.path.name} can be decoded.", "Choose another clip.")
    for _ in range(place, len(shown)):
        yield _upright(before, source)


def open_container(path: Path) -> av.container.InputContainer:
    """The file, and nothing that it may name: no network, and a name with a colon is no protocol. Raises as av.open."""
    return av.open(f"file:{path}", options={"protocol_whitelist": "file"})


def decoded(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """Frames as they come out of the decoder, on several threads; damaged packets are stepped over."""
    stream.thread_type = "AUTO"
    for packet in chain(_packets(container, stream), [None]):  # None brings out the frames that are still inside
        with suppress(av.FFmpegError):
            yield from stream.codec_context.decode(packet)


def _packets(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.Packet]:
    """Up to where the file breaks off. A last packet that the container knows to be cut is left out: its picture would
    be half grey. Elsewhere one is decoded as well as can be, for later pictures are built on it.
    """
    doubtful = None
    with suppress(av.FFmpegError):
        for packet in container.demux(stream):
            if not packet.size:
                return
            if doubtful is not None:
                yield doubtful
            doubtful = packet if packet.is_corrupt else None
            if doubtful is None:
                yield packet


def _frames_from(source: Source, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
    """(index, frame) of the file's pictures in order, at the latest from `first` on."""
    margin = 2  # pictures that the deinterlacing of `first` looks at
    if source.seekable and first > _WORTH_SEEKING:
        with open_container(source.path) as container:
            stream = container.streams[source.stream]
            container.seek(int(source.pts[first - margin]), stream=stream)
            frames = _numbered(decoded(container, stream), source)
            begin = next(frames, None)
            if begin is not None and begin[0] <= first - margin:
                yield from _progressive(chain([begin], frames), source)
                return
    with open_container(source.path) as container:
        yield from _progressive(_numbered(decoded(container, container.streams[source.stream]), source), source)


def _numbered(frames: Iterable[av.VideoFrame], source: Source) -> Iterator[tuple[int, av.VideoFrame]]:
    """Each frame with its index, found by its time, else by counting."""
    for count, frame in enumerate(frames):
        if source.pts is None:
            yield count, frame
        elif frame.pts is not None:
            yield int(np.searchsorted(source.pts, frame.pts)), frame


def _progressive(frames: Iterable[tuple[int, av.VideoFrame]], source: Source) -> Iterator[tuple[int, av.VideoFrame]]:
    """The same frames, those flagged as interlaced filled in between the lines of their first field."""
    if not source.interlaced:
        yield from frames
        return
    graph, waiting = None, deque()
    for index, frame in frames:
        if graph is None:
            graph = _deinterlacer(frame, source.time_base)
        waiting.append(index)
        graph.vpush(frame)
        yield from _ready(graph, waiting)
    if graph is not None:
        graph.vpush(None)
        yield from _ready(graph, waiting)


def _deinterlacer(frame: av.VideoFrame, time_base: Fraction) -> av.filter.Graph:
    """bwdif: one frame out for each one in; it looks one frame ahead."""
    graph = av.filter.Graph()
    begin = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or time_base
    )
    nodes = [begin, graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced"), graph.add("buffersink")]
    graph.link_nodes(*nodes).configure()
    return graph


def _ready(graph: av.filter.Graph, waiting: deque[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    while waiting:
        try:
            frame = graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield waiting.popleft(), frame


def _upright(frame: av.VideoFrame, source: Source) -> np.ndarray:
    """(height, width, 3) uint8 RGB; scaled to square pixels and turned."""
    width, height = source.stored_size
    # One thread converts a picture of unchanged size fastest.
    picture = frame.to_ndarray(format="rgb24", width=width, height=height, threads=1)
    return picture if not source.rotation else cv2.rotate(picture, _TURNS[source.rotation])

"""Small clips made through PyAV: each picture carries its number as white squares, and one red corner."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 96, 64
_BITS = 10


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(height, width, 3) uint8 RGB: grey, red in the upper left quarter, `number` in squares of 8 px below it."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[: height // 2, : width // 2] = 220, 30, 30
    for bit in range(_BITS):
        picture[height // 2 + 8 : height // 2 + 16, 8 + 8 * bit : 16 + 8 * bit] = 235 if number >> bit & 1 else 20
    return picture


def number_in(picture: np.ndarray) -> int:
    """The number that `numbered` put there; the picture upright, of any height."""
    row = picture[picture.shape[0] // 2 + 12, 12 : 12 + 8 * _BITS : 8].astype(int).mean(axis=-1)
    return int(sum(1 << bit for bit in range(_BITS) if row[bit] > 128))


def red_corner(picture: np.ndarray) -> str:
    """Which corner is red."""
    height, width = picture.shape[:2]
    places = {"top left": (4, 4), "top right": (4, width - 5), "bottom left": (height - 5, 4)}
    places["bottom right"] = height - 5, width - 5
    red = [name for name, (y, x) in places.items() if picture[y, x, 0] > 150 and picture[y, x, 1] < 100]
    assert len(red) == 1, red
    return red[0]


def write_clip(
    path: Path,
    times: Iterable[int] = range(30),
    rate: Fraction | int = 30,
    *,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    draw: Callable[[int], np.ndarray] | None = None,
    turn: int = 0,
    mirror: bool = False,
    pixel_aspect: Fraction | None = None,
    codec_options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Picture number k is shown from times[k] time_base (1 / rate by default) on. turn: degrees against the clock that
    a tag asks for. Returns the path.
    """
    width, height = size
    draw = draw or (lambda number: numbered(number, width, height))
    with av.open(str(path), "w", options=container_options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate, options=codec_options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        if time_base is not None:
            stream.codec_context.time_base = time_base
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if turn or mirror:
            stream.set_display_rotation(turn, hflip=mirror)
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(draw(number), format="rgb24")
            frame.pts, frame.time_base = time, time_base or 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path

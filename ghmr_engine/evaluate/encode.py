"""Rendered pictures to a clip: motion blur, darkness and a sensor's noise, H.264."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from ghmr_engine.evaluate.shot import Shot

_GAMMA = 2.2
_LINEAR = ((np.arange(256) / 255) ** _GAMMA).astype(np.float32)
_GAIN = {"workbench": 2.2, "eevee": 1.0, "cycles": 1.0}
"""Workbench's studio light is dim, and it ignores exposure."""
_DARK = 0.2
"""Share of the daylight that a dark scene leaves."""
_SHOT_NOISE, _READ_NOISE = 4e-4, 1.5e-3
"""A pixel's variance in linear light is the first times the light, plus the second squared: a photon transfer curve."""


def encode(pictures: list[Path], out: Path, shot: Shot, each: int, quality: int = 24) -> None:
    """Write the clip: `each` pictures make one frame; 4:2:0, BT.709 and tagged so, a key picture each second.

    Written whole or not at all. quality: x264's constant rate factor.
    """
    rng = np.random.default_rng([shot.seed, 99])
    part = out.with_name(out.name + ".part")
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(shot.fps))
        stream.width, stream.height, stream.pix_fmt = shot.width, shot.height, "yuv420p"
        stream.options = {"crf": str(quality), "preset": "slow", "g": str(shot.fps), "threads": "1"}
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        for first in range(0, len(pictures), each):
            picture = _frame(pictures[first : first + each], shot, rng)
            coded = av.VideoFrame.from_ndarray(picture, format="bgr24")
            coded = coded.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            container.mux(stream.encode(coded))
        container.mux(stream.encode())
    part.replace(out)


def _frame(pictures: list[Path], shot: Shot, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 BGR of one frame: light adds up before the display's curve."""
    read = [cv2.imread(str(path)) for path in pictures]
    if read[0].shape[:2] != (shot.height, shot.width):
        read = [cv2.resize(one, (shot.width, shot.height), interpolation=cv2.INTER_AREA) for one in read]
    gain = _GAIN[shot.engine]
    if len(read) == 1 and shot.light == "day" and gain == 1:
        return read[0]
    light = gain * np.mean([_LINEAR[one] for one in read], 0)
    if shot.light == "low":
        light = _DARK * light
        light = light + np.sqrt(_SHOT_NOISE * light + _READ_NOISE**2) * rng.standard_normal(light.shape, np.float32)
    return (255 * np.clip(light, 0, 1) ** (1 / _GAMMA) + 0.5).astype(np.uint8)

"""The focal length, and where it comes from."""

from __future__ import annotations

import math

from ghmr_engine.options import Options
from ghmr_engine.types import VideoInfo

TYPICAL_FOCAL = 0.72
"""Focal length over the picture's diagonal of a typical phone clip, for clips that say nothing.

A phone's main camera is 24 to 28 mm in 35 mm terms: 26 / 43.27 = 0.60 of the diagonal of its 4:3 picture. A 16:9 clip
is as wide but lower, its diagonal 0.918 of that: 0.65; steadying crops another tenth: 0.72. The diagonal is the same
upright and lengthwise. The whole diagonal, the usual default of research programs, would be a 43 mm lens, which puts
people almost half as far again from the camera.
"""


LOG_FOCAL = 0.2
"""How far that may be off, as a deviation of the logarithm: phones' wide and long lenses included."""


def focal_length(options: Options, info: VideoInfo, file_px: float | None = None) -> tuple[float, str]:
    """Pixels of the upright picture, and 'user', 'file' (of the camera, file_px), 'metadata' or 'default'."""
    if options.focal is not None:
        return options.focal, "user"
    if options.lens is not None:
        return options.lens / options.sensor * max(info.width, info.height), "user"
    if file_px is not None:
        return file_px, "file"
    if info.focal_px is not None:
        return info.focal_px, "metadata"
    return TYPICAL_FOCAL * math.hypot(info.width, info.height), "default"

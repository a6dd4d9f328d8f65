"""Small pictures of a take for the sheet of a batch: a frame of the clip, the bodies over it, all paths from above."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ghmr_engine import output
from ghmr_engine.errors import RecoverError
from ghmr_engine.geometry import straighten
from ghmr_engine.jpeg import jpeg
from ghmr_engine.motion_file import MotionFileError, read_motion
from ghmr_engine.options import Options, options_from
from ghmr_engine.picture import telling_frame
from ghmr_engine.scene_views import camera_of, overlay_through, view_from
from ghmr_engine.video import open_video

FRAME_PX, OVERLAY_PX, TOP_PX = 200, 480, 360
"""Longest sides."""
_ALPHA = 0.8
_QUALITY = 80


def draw_take(motion_path: Path | None, video_path: Path, stem: Path) -> dict[str, Path]:
    """Write STEM.frame.jpg, STEM.overlay.jpg and STEM.top.jpg, and return their paths by name.

    The moment is the one that shows the most people. Without a motion file there is the frame alone, from the clip's
    middle. Raises RecoverError.
    """
    drawn = _of_clip(video_path) if motion_path is None else _of_take(motion_path, video_path)
    paths = {}
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for name, picture in drawn.items():
            paths[name] = stem.with_name(f"{stem.name}.{name}.jpg")
            part = output.part_of(paths[name])
            part.write_bytes(jpeg(picture, _QUALITY))
            part.replace(paths[name])
    except OSError as error:
        raise RecoverError(
            "cannot_write", f"Cannot write pictures to {stem.parent} ({error.strerror}).", "Make room there."
        ) from error
    return paths


def _of_clip(video_path: Path) -> dict[str, np.ndarray]:
    clip = open_video(video_path, Options())
    return {"frame": _shrunk(clip.frame(clip.info.frames // 2), FRAME_PX)}


def _of_take(motion_path: Path, video_path: Path) -> dict[str, np.ndarray]:
    try:
        motion = read_motion(motion_path)
    except MotionFileError as error:
        raise RecoverError("bad_motion", str(error), "Then draw it again.") from error
    index = telling_frame(motion)
    clip = open_video(video_path, options_from(motion.meta["options"]))
    image = straighten(clip.frame(index), motion.K[index], motion.distortion)
    view, small = camera_of(motion, index), _shrunk(image, OVERLAY_PX)
    view = view.cropped(0.0, 0.0, small.shape[1] / image.shape[1], small.shape[1::-1])
    return {
        "frame": _shrunk(image, FRAME_PX),
        "overlay": overlay_through(small, view, motion, index, _ALPHA),
        "top": view_from(motion, index, "top", (TOP_PX, TOP_PX)),
    }


def _shrunk(image: np.ndarray, longest: int) -> np.ndarray:
    """The picture (H, W, 3) with a longest side of at most `longest`."""
    height, width = image.shape[:2]
    scale = min(longest / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)

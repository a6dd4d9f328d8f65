"""Stage 3: the camera's focal length, whether it stood still, turned or was carried, and its path."""

from __future__ import annotations

import numpy as np

from ghmr_engine.camera.background import WORKING_SIDE, Background, follow
from ghmr_engine.camera.lens import LOG_FOCAL, focal_length
from ghmr_engine.camera.odometry import Path, find_path
from ghmr_engine.geometry import intrinsics
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, People, VideoInfo
from ghmr_engine.video import Video

__all__ = ["VERSION", "track_camera"]

VERSION = 2
"""Counted up whenever the same input would give another result: kept results follow it."""

_STILL_PX = 1.0
"""With the picture's longer side at 640 px, a background that never strays further from where it began stands still."""

_STRAYING_SHARE = 0.02  # of the frames: somebody passes close to the lens, a light flashes
_TRUSTED = 0.2  # of confidence: under it a frame's turn was guessed
_GUESSED_SHARE = 0.02  # of the frames, from which on it is worth a warning


def track_camera(video: Video, people: People, options: Options, report: Report) -> CameraMotion:
    """The camera in the world of its first frame: R[0] = I, t[0] = 0, world to camera, OpenCV's axes.

    One pass over the pictures; none where options.camera is "static". CameraMotion.unit says what is known of its path.
    Raises what report and video.frames raise.
    """
    info = video.info
    focal_px, focal_source = focal_length(options.focal, info)
    if options.camera == "static":
        report(1.0)
        return _standing(info, focal_px, np.ones(info.frames), focal_source, "static (chosen)", ())
    background = follow(video, people, focal_px, lambda done: report(0.8 * done))
    warnings = _warnings(background.confidence)
    if _stands_still(background):
        return _standing(info, focal_px, background.confidence, focal_source, "static (found)", warnings)
    scale = min(1.0, WORKING_SIDE / max(info.width, info.height))
    path = find_path(background, focal_px * scale, LOG_FOCAL if focal_source == "default" else None)
    report(1.0)
    if path is None:
        return _guessed(info, focal_px, background, focal_source)
    if focal_source == "default" and path.focal_px != focal_px * scale:
        focal_px, focal_source = path.focal_px / scale, "background"
    return CameraMotion(
        R=path.R, t=path.t, K=_same(intrinsics(focal_px, info.width, info.height), info.frames),
        confidence=path.confidence, moving=True, unit="any" if path.carried else "metre", points=path.points,
        focal_source=focal_source, motion_source="path" if path.carried else "rotation",
        warnings=_warnings(path.confidence),
    )  # fmt: skip


def _standing(
    info: VideoInfo, focal_px: float, confidence: np.ndarray, focal_source: str, motion_source: str,
    warnings: tuple[str, ...],
) -> CameraMotion:  # fmt: skip
    """A camera that does not move; confidence (T,)."""
    return CameraMotion(
        R=_same(np.eye(3), info.frames), t=np.zeros((info.frames, 3)),
        K=_same(intrinsics(focal_px, info.width, info.height), info.frames), confidence=confidence, moving=False,
        unit="metre", points=np.zeros((0, 3)), focal_source=focal_source, motion_source=motion_source,
        warnings=warnings,
    )  # fmt: skip


def _guessed(info: VideoInfo, focal_px: float, background: Background, focal_source: str) -> CameraMotion:
    """What is left where the background does not fit together: how most of it turned."""
    return CameraMotion(
        R=background.R, t=np.zeros((info.frames, 3)),
        K=_same(intrinsics(focal_px, info.width, info.height), info.frames), confidence=background.confidence,
        moving=True, unit="none", points=np.zeros((0, 3)), focal_source=focal_source, motion_source="rotation (guessed)",
        warnings=(_UNKNOWN_PATH, *_warnings(background.confidence)),
    )  # fmt: skip


_UNKNOWN_PATH = "The background does not show how the camera was carried: only its turning was followed."


def _same(matrix: np.ndarray, frames: int) -> np.ndarray:
    return np.repeat(matrix[None], frames, axis=0)


def _stands_still(background: Background) -> bool:
    """Over the whole clip, so that slow drift counts. A background with nothing to follow is no motion."""
    known = background.stray_px[background.confidence >= _TRUSTED]
    return len(known) == 0 or float(np.mean(known > _STILL_PX)) <= _STRAYING_SHARE


def _warnings(confidence: np.ndarray) -> tuple[str, ...]:
    guessed = confidence < _TRUSTED
    if guessed.mean() <= _GUESSED_SHARE:
        return ()
    return (
        f"In {guessed.sum()} of {len(guessed)} frames the background shows too little to follow the camera; "
        "there its turn was guessed.",
    )

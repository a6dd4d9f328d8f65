"""Stage 3: the camera's focal length, whether it stood still, and how it turned."""

from __future__ import annotations

import numpy as np

from ghmr_engine.camera.background import CameraPath, follow
from ghmr_engine.camera.lens import focal_length
from ghmr_engine.geometry import intrinsics
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, People
from ghmr_engine.video import Video

__all__ = ["VERSION", "track_camera"]

VERSION = 1
"""Counted up whenever the same input would give another result: kept results follow it."""

_STILL_PX = 1.0
"""With the picture's longer side at 640 px, a background that never strays further from where it began stands still."""

_STRAYING_SHARE = 0.02  # of the frames: somebody passes close to the lens, a light flashes
_TRUSTED = 0.2  # of confidence: under it a frame's turn was guessed
_GUESSED_SHARE = 0.02  # of the frames, from which on it is worth a warning


def track_camera(video: Video, people: People, options: Options, report: Report) -> CameraMotion:
    """The camera in the world of its first frame: R[0] = I, t = 0, world to camera, OpenCV's axes.

    The camera is held to turn about one point with one focal length: where it was carried through space the turn is the
    one that most of the background agrees on, which is its far part, and t stays 0. One pass over the pictures; none
    where options.camera is "static". Raises what report and video.frames raise.
    """
    info = video.info
    focal_px, focal_source = focal_length(options.focal, info)
    K = intrinsics(focal_px, info.width, info.height)
    if options.camera == "static":
        report(1.0)
        return _standing(K, np.ones(info.frames), focal_source, "static (chosen)", ())
    path = follow(video, people, focal_px, report)
    warnings = _warnings(path)
    if _stands_still(path):
        return _standing(K, path.confidence, focal_source, "static (found)", warnings)
    return CameraMotion(
        R=path.R,
        t=np.zeros((info.frames, 3)),
        K=np.repeat(K[None], info.frames, axis=0),
        confidence=path.confidence,
        moving=True,
        focal_source=focal_source,
        motion_source="rotation",
        warnings=warnings,
    )


def _standing(
    K: np.ndarray, confidence: np.ndarray, focal_source: str, motion_source: str, warnings: tuple[str, ...]
) -> CameraMotion:
    """A camera that does not move; K (3, 3) px, confidence (T,)."""
    frames = len(confidence)
    return CameraMotion(
        R=np.repeat(np.eye(3)[None], frames, axis=0),
        t=np.zeros((frames, 3)),
        K=np.repeat(K[None], frames, axis=0),
        confidence=confidence,
        moving=False,
        focal_source=focal_source,
        motion_source=motion_source,
        warnings=warnings,
    )


def _stands_still(path: CameraPath) -> bool:
    """Over the whole clip, so that slow drift counts. A background with nothing to follow is no motion."""
    known = path.stray_px[path.confidence >= _TRUSTED]
    return len(known) == 0 or float(np.mean(known > _STILL_PX)) <= _STRAYING_SHARE


def _warnings(path: CameraPath) -> tuple[str, ...]:
    guessed = path.confidence < _TRUSTED
    if guessed.mean() <= _GUESSED_SHARE:
        return ()
    return (
        f"In {guessed.sum()} of {len(guessed)} frames the background shows too little to follow the camera; "
        "there its turn was guessed.",
    )

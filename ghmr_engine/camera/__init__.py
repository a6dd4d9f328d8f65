"""Stage 3: the camera's focal length, whether it stood still, turned or was carried, and its path."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ghmr_engine.camera.background import Background, follow, working_scale
from ghmr_engine.camera.given import GivenCamera, read_camera
from ghmr_engine.camera.gyro import read_gyro, turns_of
from ghmr_engine.camera.lens import LOG_FOCAL, focal_length
from ghmr_engine.camera.lines import planes_of
from ghmr_engine.camera.odometry import CameraPath, find_path, shape_seen_from
from ghmr_engine.geometry import intrinsics
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, People, VideoInfo
from ghmr_engine.video import Video

__all__ = ["VERSION", "file_sha256", "track_camera"]

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
    Raises RecoverError for a camera's file that cannot be used, and what report and video.frames raise.
    """
    info = video.info
    if options.camera == "static":
        report(1.0)
        return _motion(info, _standing(np.ones(info.frames)), *focal_length(options, info), "static (chosen)", None)
    given = read_camera(Path(options.camera_file), info) if options.camera == "file" else None
    gyro = read_gyro(Path(options.camera_file)) if options.camera == "gyro" else None
    focal_px, focal_source = focal_length(options, info, None if given is None else given.focal_px)
    background = follow(video, people, focal_px, lambda done: report(0.8 * done))
    scale = working_scale(info)
    if given is not None:
        path = _from_file(given, background, focal_px * scale)
        return _motion(info, path, focal_px, focal_source, "file", background)
    if _stands_still(background):
        return _motion(info, _standing(background.confidence), focal_px, focal_source, "static (found)", background)
    if gyro is not None:
        R = turns_of(gyro, background.R, background.confidence, float(info.fps))
        turned = CameraPath(R, np.ones(info.frames), known=False)
        return _motion(info, turned, focal_px, focal_source, "gyro", background)
    path = find_path(background, focal_px * scale, LOG_FOCAL if focal_source == "default" else None)
    report(1.0)
    if path is None:
        turned = CameraPath(background.R, background.confidence, known=False)
        return _motion(info, turned, focal_px, focal_source, "rotation (guessed)", background)
    if focal_source == "default" and path.focal_px != focal_px * scale:
        focal_px, focal_source = path.focal_px / scale, "background"
    return _motion(info, path, focal_px, focal_source, "path" if path.carried else "rotation", background)


def file_sha256(options: Options) -> str:
    """Of the camera's file, empty where none is chosen or it cannot be read (which the stage then says)."""
    path = Path(options.camera_file) if options.camera_file is not None else None
    return hashlib.sha256(path.read_bytes()).hexdigest() if path is not None and path.is_file() else ""


def _standing(confidence: np.ndarray) -> CameraPath:
    return CameraPath(np.repeat(np.eye(3)[None], len(confidence), axis=0), confidence)


def _from_file(given: GivenCamera, background: Background, focal_px: float) -> CameraPath:
    """Another program's path, with the shape of the background that it makes; focal_px at the working size."""
    if not given.t.any():
        return CameraPath(given.R, given.covered.astype(float))
    shape = shape_seen_from(background, given.R, given.t, focal_px)
    return CameraPath(given.R, given.covered.astype(float), given.t, shape)


def _motion(
    info: VideoInfo, path: CameraPath, focal_px: float, focal_source: str, motion_source: str,
    background: Background | None,
) -> CameraMotion:  # fmt: skip
    """The stage's result; background: None where the pictures were not looked at."""
    upright = np.zeros((0, 4))
    if background is not None:
        R = path.R[background.line_frame]
        upright = planes_of(background.line_px, R, focal_px * working_scale(info), background.size)
    return CameraMotion(
        R=path.R,
        t=np.zeros((info.frames, 3)) if path.t is None else path.t,
        K=np.repeat(intrinsics(focal_px, info.width, info.height)[None], info.frames, axis=0),
        confidence=path.confidence,
        moving=not motion_source.startswith("static"),
        unit="any" if path.carried else "metre" if path.known else "none",
        points=np.zeros((0, 3)) if path.points is None else path.points,
        upright=upright,
        focal_source=focal_source,
        motion_source=motion_source,
        warnings=(*(() if path.known else (_UNKNOWN_PATH,)), *_warnings(path.confidence)),
    )


_UNKNOWN_PATH = "The background does not show how the camera was carried: only its turning was followed."


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

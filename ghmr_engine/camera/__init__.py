"""Stage 3: the camera's focal length, whether it stood still, turned or was carried, and its path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ghmr_engine.camera.background import Background, follow, straightened, working_scale
from ghmr_engine.camera.given import GivenCamera, read_camera
from ghmr_engine.camera.gyro import read_gyro, turns_of
from ghmr_engine.camera.lens import LOG_FOCAL, focal_length
from ghmr_engine.camera.lens_lines import focal_of_lines
from ghmr_engine.camera.lines import planes_of, steep
from ghmr_engine.camera.long_path import find_whole_path
from ghmr_engine.camera.odometry import CameraPath, shape_seen_from
from ghmr_engine.camera.slam import run_slam
from ghmr_engine.geometry import intrinsics
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, People, VideoInfo
from ghmr_engine.video import Video

__all__ = ["VERSION", "file_sha256", "track_camera"]

VERSION = 4
"""Counted up whenever the same input would give another result: kept results follow it."""

_STILL_PX = 1.0
"""With the picture's longer side at 640 px, a background that never strays further from where it began stands still."""

_STRAYING_SHARE = 0.02  # of the frames: somebody passes close to the lens, a light flashes
_TRUSTED = 0.2  # of confidence: under it a frame's turn was guessed
_SHOWN_SHARE = 0.5  # of the frames that must show something before a camera is said to stand
_GUESSED_SHARE = 0.02  # of the frames, from which on it is worth a warning


def track_camera(video: Video, people: People, options: Options, report: Report) -> CameraMotion:
    """The camera in the world of its first frame: R[0] = I, t[0] = 0, world to camera, OpenCV's axes.

    One pass over the pictures; none where options.camera is "static". CameraMotion.unit says what is known of its path.
    Raises RecoverError for a camera's file or program that cannot be used, and what report and video.frames raise.
    """
    info = video.info
    if options.camera == "static":
        report(1.0)
        return _motion(info, _standing(np.ones(info.frames)), _lens(options, info), "static (chosen)", None)
    given = read_camera(Path(options.camera_file), info) if options.camera in ("file", "blender") else None
    gyro = read_gyro(Path(options.camera_file)) if options.camera == "gyro" else None
    lens = _lens(options, info, given)
    slam = options.camera if options.camera in ("droid", "dpvo") else None
    share = 0.4 if slam else 0.8
    background = follow(video, people, lens.focal_px, lambda done: report(share * done))
    lens = _by_lines(lens, background, working_scale(info))
    if slam:
        given = run_slam(slam, video, people, lens.focal_px, lambda done: report(share + (1 - share) * done))
    if given is not None:
        return _motion(info, _as_given(given, background, lens, info), lens, options.camera, background)
    shown = float(np.mean(background.confidence >= _TRUSTED)) > _SHOWN_SHARE
    if _stands_still(background) and (shown or gyro is None):
        stood = replace(_standing(background.confidence), known=shown)
        return _motion(info, stood, lens, "static (found)" if shown else "static (guessed)", background)
    if gyro is not None:
        R = turns_of(gyro, background.R, background.confidence, float(info.fps))
        return _motion(info, CameraPath(R, np.ones(info.frames), known=False), lens, "gyro", background)
    scale = working_scale(info)
    path = find_whole_path(background, lens.focal_px * scale, lens.log_deviation)
    report(1.0)
    if path is None:
        turned = CameraPath(background.R, background.confidence, known=False)
        return _motion(info, turned, lens, "rotation (guessed)", background)
    if path.k1:
        lens = replace(lens, distortion=np.array([path.k1, 0.0]))
    if lens.log_deviation is not None and not np.isclose(path.focal_px, lens.focal_px * scale, rtol=1e-6):
        lens = replace(lens, focal_px=path.focal_px / scale, source="background")
    return _motion(info, path, lens, "path" if path.carried else "rotation", background)


def file_sha256(options: Options) -> str:
    """Of the camera's file, empty where none is chosen or it cannot be read (which the stage then says)."""
    if options.camera_file is None:
        return ""
    try:
        if Path(options.camera_file).is_file():
            with Path(options.camera_file).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        pass
    return ""


@dataclass(frozen=True)
class _Lens:
    focal_px: float
    """Of the full picture."""
    source: str
    """As CameraMotion.focal_source."""
    distortion: np.ndarray
    """(2,)."""
    log_deviation: float | None
    """Of the focal length's logarithm; None: it is known."""


def _lens(options: Options, info: VideoInfo, given: GivenCamera | None = None) -> _Lens:
    """What is known of it before the pictures are looked at."""
    focal = focal_length(options, info, None if given is None else given.focal_px)
    known = given is not None and given.distortion is not None
    deviation = LOG_FOCAL if focal[1] == "default" else None
    return _Lens(*focal, given.distortion if known else np.zeros(2), deviation)


def _by_lines(lens: _Lens, background: Background, scale: float) -> _Lens:
    """Where nothing is known of the focal length: what straight lines of the background show of it."""
    if lens.log_deviation is None:
        return lens
    pictures = [background.line_px[background.line_frame == frame] for frame in np.unique(background.line_frame)]
    found = focal_of_lines(pictures, lens.focal_px * scale, lens.log_deviation)
    if found is None:
        return lens
    return replace(lens, focal_px=found.focal_px / scale, source="lines", log_deviation=found.log_deviation)


def _standing(confidence: np.ndarray) -> CameraPath:
    return CameraPath(np.repeat(np.eye(3)[None], len(confidence), axis=0), confidence)


def _as_given(given: GivenCamera, background: Background, lens: _Lens, info: VideoInfo) -> CameraPath:
    """Another program's path, with the shape of the background that it makes."""
    confidence = given.covered.astype(float)
    if not given.t.any():
        return CameraPath(given.R, confidence)
    focal_px = lens.focal_px * working_scale(info)
    straight = straightened(background, *lens.distortion, focal_px)
    return CameraPath(given.R, confidence, given.t, shape_seen_from(straight, given.R, given.t, focal_px))


def _motion(
    info: VideoInfo, path: CameraPath, lens: _Lens, motion_source: str, background: Background | None
) -> CameraMotion:
    """The stage's result; background: None where the pictures were not looked at."""
    upright = np.zeros((0, 4))
    if background is not None:
        focal_px = lens.focal_px * working_scale(info)
        lines_px = straightened(background, *lens.distortion, focal_px).line_px
        which = steep(lines_px)
        upright = planes_of(lines_px[which], path.R[background.line_frame[which]], focal_px, background.size)
    moving = not motion_source.startswith("static")
    return CameraMotion(
        R=path.R,
        t=np.zeros((info.frames, 3)) if path.t is None else path.t,
        K=np.repeat(intrinsics(lens.focal_px, info.width, info.height)[None], info.frames, axis=0),
        confidence=path.confidence,
        moving=moving,
        unit="any" if path.carried else "metre" if path.known else "none",
        points=np.zeros((0, 3)) if path.points is None else path.points,
        upright=upright,
        focal_source=lens.source,
        motion_source=motion_source,
        distortion=lens.distortion,
        warnings=(*(() if path.known or not moving else (_UNKNOWN_PATH,)), *_warnings(path.confidence, moving)),
    )


_UNKNOWN_PATH = "The background does not show how the camera was carried: only its turning was followed."


def _stands_still(background: Background) -> bool:
    """Over the whole clip, so that slow drift counts. A background with nothing to follow is taken for no motion."""
    known = background.stray_px[background.confidence >= _TRUSTED]
    return len(known) == 0 or float(np.mean(known > _STILL_PX)) <= _STRAYING_SHARE


def _warnings(confidence: np.ndarray, moving: bool) -> tuple[str, ...]:
    guessed = confidence < _TRUSTED
    if guessed.mean() <= _GUESSED_SHARE:
        return ()
    return (
        f"In {guessed.sum()} of {len(guessed)} frames the background shows too little to follow the camera; "
        + ("there its turn was guessed." if moving else "there it was taken to stand."),
    )

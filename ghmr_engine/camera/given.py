"""A camera that another program solved, from a file: matrices, a trajectory, or arrays (docs/camera.md)."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from ghmr_engine.errors import RecoverError
from ghmr_engine.plain_files import read_arrays, read_json, read_text
from ghmr_engine.types import VideoInfo

_MOST_BYTES = 200_000_000
_FARTHEST, _LONGEST_PX = 1e9, 1e7  # in the file's unit; px
_FEWEST_SHARE = 0.5  # of the clip's time that the file must cover
_SAME_SHAPE = 0.02  # by which width over height may differ
BLENDER_TO_OPENCV = np.diag([1.0, -1.0, -1.0])
"""Blender's camera looks along -z with y up, OpenCV's along z with y down."""


@dataclass(frozen=True)
class GivenCamera:
    """A path in a unit of its own, in the first frame's camera. T frames."""

    R: np.ndarray
    """(T, 3, 3) world to camera."""
    t: np.ndarray
    """(T, 3)."""
    covered: np.ndarray
    """(T,) bool: False before the file's first and after its last moment, where that one is repeated."""
    focal_px: float | None = None
    """None where the file does not say."""
    distortion: np.ndarray | None = None
    """(2,) as in CameraMotion, None where the file does not say."""


@dataclass(frozen=True)
class _Moments:
    """What a file holds. S moments."""

    seconds: np.ndarray  # (S,) of the clip's used part
    turns: np.ndarray  # (S, 3, 3) camera to world, OpenCV's axes
    places: np.ndarray  # (S, 3)
    focal_px: float | None = None
    distortion: np.ndarray | None = None  # (2,)


def read_camera(path: Path, info: VideoInfo) -> GivenCamera:
    """The camera at every frame of a clip; between the file's moments it is interpolated.

    Raises RecoverError: no_camera_file, bad_camera_file.
    """
    readers = {".json": _from_json, ".npz": _from_npz, ".txt": _from_trajectory}
    if path.suffix.lower() not in readers:
        raise _bad(path, f"its kind is not known ({path.suffix or 'no ending'})")
    try:
        moments = readers[path.suffix.lower()](path, info)
        if not all(np.isfinite(part).all() for part in (moments.seconds, moments.turns, moments.places)):
            raise ValueError("it has numbers that are none")
        if np.abs(moments.places).max(initial=0.0) > _FARTHEST:
            raise ValueError("it is farther away than can be")
        if moments.focal_px is not None and not 0 < moments.focal_px < _LONGEST_PX:
            raise ValueError("its focal length is none")
        if moments.distortion is not None and not np.isfinite(moments.distortion).all():
            raise ValueError("its distortion is none")
        seconds, kept = np.unique(moments.seconds, return_index=True)
        if len(seconds) < 2:
            raise ValueError("it has fewer than two moments")
        between = Slerp(seconds, Rotation.from_matrix(moments.turns[kept]))
    except FileNotFoundError:
        raise RecoverError(
            "no_camera_file", f"There is no file {path}.", "Choose the camera's with --camera-file."
        ) from None
    except Exception as error:  # whatever another program wrote there
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise _bad(path, why) from error
    now = np.arange(info.frames) / float(info.fps)
    step = 1.5 / float(info.fps)
    covered = (now >= seconds[0] - step) & (now <= seconds[-1] + step)
    if covered.mean() < _FEWEST_SHARE:
        raise _bad(path, f"it covers {covered.sum()} of the clip's {info.frames} frames")
    inside = now.clip(seconds[0], seconds[-1])
    places = np.stack([np.interp(inside, seconds, moments.places[kept, axis]) for axis in range(3)], 1)
    return from_first(between(inside).as_matrix(), places, covered, moments.focal_px, moments.distortion)


def from_first(
    turns: np.ndarray, places: np.ndarray, covered: np.ndarray,
    focal_px: float | None = None, distortion: np.ndarray | None = None,
) -> GivenCamera:  # fmt: skip
    """From camera to world, turns (T, 3, 3) and places (T, 3), to the first frame's camera."""
    R = np.swapaxes(turns, 1, 2) @ turns[0]
    t = -np.einsum("tji,tj->ti", turns, places - places[0])
    return GivenCamera(R, t, covered, focal_px, distortion)


def _from_json(path: Path, info: VideoInfo) -> _Moments:
    """docs/camera.md has the keys."""
    content = read_json(path)
    matrices = np.asarray(content["camera_to_world"], float)
    if matrices.ndim != 3 or matrices.shape[1:] != (4, 4):
        raise ValueError("camera_to_world is not a list of 4 x 4 matrices")
    frames = np.asarray(content.get("frames", np.arange(len(matrices))), float)
    if frames.shape != (len(matrices),):
        raise ValueError("frames and camera_to_world differ in length")
    axes = content.get("axes", "blender")
    if axes not in ("blender", "opencv"):
        raise ValueError(f"axes is {axes!r}, neither blender nor opencv")
    width, height = content.get("picture", (info.width, info.height))
    if abs(width / height / (info.width / info.height) - 1) > _SAME_SHAPE:
        raise ValueError(f"it belongs to a picture of {width} x {height}, the clip has {info.width} x {info.height}")
    focal = _focal(content, max(width, height))  # in longer sides
    size = np.cbrt(np.linalg.det(matrices[:, :3, :3]))[:, None, None]
    if not (size > 1e-9).all():
        raise ValueError("a matrix of camera_to_world does not turn, or mirrors")
    turns = matrices[:, :3, :3] / size @ (BLENDER_TO_OPENCV if axes == "blender" else np.eye(3))
    seconds = frames / float(content.get("fps", info.fps)) - info.start / float(info.fps)
    distortion = content.get("distortion")
    corner = math.hypot(width, height) / max(width, height) / 2
    return _Moments(
        seconds, turns, matrices[:, :3, 3],
        None if focal is None else focal * max(info.width, info.height),
        None if distortion is None else _division(distortion, corner, focal),
    )  # fmt: skip


def _focal(content: dict, long_side: float) -> float | None:
    """Over the picture's longer side."""
    if "focal_px" in content:
        focal = content["focal_px"] / long_side
    elif "lens_mm" in content:
        focal = content["lens_mm"] / content["sensor_mm"]
    else:
        return None
    if not focal > 0:
        raise ValueError("the focal length is not more than 0")
    return focal


def _division(distortion: dict, corner: float, focal: float | None) -> np.ndarray:
    """(2,) the engine's model nearest to one of Blender's, from the centre to the corner (in longer sides).

    All of Blender's lead from the straight picture to the bent one, the engine's leads back.
    """
    if focal is None:
        raise ValueError("its distortion needs a focal length")
    model, k = distortion["model"], [float(value) for value in distortion["k"]]
    if model not in ("division", "polynomial", "brown"):
        raise ValueError(f"its distortion {model!r} is none of division, polynomial and brown")
    straight = np.linspace(0.02, 1.0, 50) * corner / focal
    by = 1 + sum(value * straight ** (2 * power) for power, value in enumerate(k, 1))
    bent = straight / by if model == "division" else straight * by
    shown = bent > np.maximum.accumulate(bent) - 1e-12  # beyond its largest radius a polynomial turns back
    straight, bent = straight[shown], bent[shown]
    return np.linalg.lstsq(np.stack([bent**2, bent**4], 1), bent / straight - 1, rcond=None)[0]


def _from_npz(path: Path, info: VideoInfo) -> _Moments:
    """R (T, 3, 3), t (T, 3) world to camera in OpenCV's axes, and perhaps K (3, 3) or (T, 3, 3)."""
    arrays = read_arrays(path, _MOST_BYTES)
    R, t = arrays["R"].astype(float), arrays["t"].astype(float)
    K = arrays["K"].astype(float) if "K" in arrays else None
    turns = np.swapaxes(R, 1, 2)
    places = -np.einsum("tij,tj->ti", turns, t)
    focal_px = None if K is None else float(np.median(K.reshape(-1, 3, 3)[:, 0, 0]))
    return _Moments((np.arange(len(R)) - info.start) / float(info.fps), turns, places, focal_px)


def _from_trajectory(path: Path, info: VideoInfo) -> _Moments:
    """TUM's lines: seconds tx ty tz qx qy qz qw, camera to world in OpenCV's axes, seconds of the clip."""
    rows = np.loadtxt(io.StringIO(read_text(path)), ndmin=2)
    if rows.shape[1] != 8:
        raise ValueError("a line does not have eight numbers: seconds tx ty tz qx qy qz qw")
    turns = Rotation.from_quat(rows[:, 4:]).as_matrix()
    return _Moments(rows[:, 0] - info.start / float(info.fps), turns, rows[:, 1:4])


def _bad(path: Path, why: str) -> RecoverError:
    why = " ".join(why.split())
    return RecoverError("bad_camera_file", f"{path.name} is no camera that can be read: {why}.", "See docs/camera.md.")

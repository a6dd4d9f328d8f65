"""A camera that another program solved, from a file: matrices, a trajectory, or arrays (docs/camera.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from ghmr_engine.errors import RecoverError
from ghmr_engine.types import VideoInfo

_FEWEST_SHARE = 0.5  # of the clip's time that the file must cover
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
    focal_px: float | None
    """None where the file does not say."""


def read_camera(path: Path, info: VideoInfo) -> GivenCamera:
    """The camera at every frame of a clip; between the file's moments it is interpolated.

    Raises RecoverError: no_camera_file, bad_camera_file.
    """
    if not path.is_file():
        raise RecoverError("no_camera_file", f"There is no file {path}.", "Choose the camera's with --camera-file.")
    readers = {".json": _from_json, ".npz": _from_npz, ".txt": _from_trajectory}
    if path.suffix.lower() not in readers:
        raise _bad(path, f"its kind is not known ({path.suffix or 'no ending'})")
    try:
        seconds, turns, places, focal_px = readers[path.suffix.lower()](path, info)
        turns = Rotation.from_matrix(np.asarray(turns, float).reshape(-1, 3, 3))
        places = np.asarray(places, float).reshape(-1, 3)
    except (ValueError, KeyError, TypeError, OSError, IndexError) as error:
        raise _bad(path, str(error) or type(error).__name__) from error
    if not (np.isfinite(places).all() and np.isfinite(seconds).all()):
        raise _bad(path, "it has numbers that are none")
    seconds, kept = np.unique(seconds, return_index=True)
    if len(seconds) < 2:
        raise _bad(path, "it has fewer than two moments")
    now = np.arange(info.frames) / float(info.fps)
    step = 1.5 / float(info.fps)
    covered = (now >= seconds[0] - step) & (now <= seconds[-1] + step)
    if covered.mean() < _FEWEST_SHARE:
        raise _bad(path, f"it covers {covered.sum()} of the clip's {info.frames} frames")
    inside = now.clip(seconds[0], seconds[-1])
    turns = Slerp(seconds, turns[kept])(inside).as_matrix()
    places = np.stack([np.interp(inside, seconds, places[kept, axis]) for axis in range(3)], 1)
    R = np.swapaxes(turns, 1, 2) @ turns[0]
    t = -np.einsum("tij,tj->ti", np.swapaxes(turns, 1, 2), places - places[0])
    return GivenCamera(R, t, covered, focal_px)


def _from_json(path: Path, info: VideoInfo) -> tuple[np.ndarray, np.ndarray, np.ndarray, float | None]:
    """{"axes": "blender" or "opencv", "frames": [n, ...], "camera_to_world": [4 x 4, ...]}, and either "focal_px", or
    "lens_mm" and "sensor_mm" (of the picture's longer side), or neither. Frames count from the clip's first."""
    content = json.loads(path.read_text(encoding="utf-8"))
    matrices = np.asarray(content["camera_to_world"], float)
    if matrices.ndim != 3 or matrices.shape[1:] != (4, 4):
        raise ValueError("camera_to_world is not a list of 4 x 4 matrices")
    axes = content.get("axes", "blender")
    if axes not in ("blender", "opencv"):
        raise ValueError(f"axes is {axes!r}, neither blender nor opencv")
    scale = np.cbrt(np.linalg.det(matrices[:, :3, :3]))[:, None, None]
    turns = matrices[:, :3, :3] / scale @ (BLENDER_TO_OPENCV if axes == "blender" else np.eye(3))
    focal_px = content.get("focal_px")
    if focal_px is None and "lens_mm" in content:
        focal_px = content["lens_mm"] / content["sensor_mm"] * max(info.width, info.height)
    frames = np.asarray(content.get("frames", np.arange(len(matrices))), float)
    if len(frames) != len(matrices):
        raise ValueError("frames and camera_to_world differ in length")
    return (frames - info.start) / float(info.fps), turns, matrices[:, :3, 3], focal_px


def _from_npz(path: Path, info: VideoInfo) -> tuple[np.ndarray, np.ndarray, np.ndarray, float | None]:
    """R (T, 3, 3), t (T, 3) world to camera in OpenCV's axes, and perhaps K (3, 3) or (T, 3, 3)."""
    with np.load(path, allow_pickle=False) as arrays:
        R, t = arrays["R"].astype(float), arrays["t"].astype(float)
        K = arrays["K"].astype(float) if "K" in arrays else None
    turns = np.swapaxes(R, 1, 2)
    places = -np.einsum("tij,tj->ti", turns, t)
    focal_px = None if K is None else float(np.median(K.reshape(-1, 3, 3)[:, 0, 0]))
    return (np.arange(len(R)) - info.start) / float(info.fps), turns, places, focal_px


def _from_trajectory(path: Path, info: VideoInfo) -> tuple[np.ndarray, np.ndarray, np.ndarray, float | None]:
    """TUM's lines: seconds tx ty tz qx qy qz qw, camera to world in OpenCV's axes, seconds of the clip."""
    rows = np.loadtxt(path, ndmin=2)
    if rows.shape[1] != 8:
        raise ValueError("a line does not have eight numbers: seconds tx ty tz qx qy qz qw")
    turns = Rotation.from_quat(rows[:, 4:]).as_matrix()
    return rows[:, 0] - info.start / float(info.fps), turns, rows[:, 1:4], None


def _bad(path: Path, why: str) -> RecoverError:
    return RecoverError("bad_camera_file", f"{path.name} is no camera that can be read: {why}.", "See docs/camera.md.")

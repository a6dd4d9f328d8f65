"""A phone's gyroscope instead of the picture: how the camera turned, whatever it saw."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ghmr_engine.errors import RecoverError

_TIMES = ("seconds_elapsed", "time", "timestamp", "t", "seconds")
_RATES = (("x", "y", "z"), ("gx", "gy", "gz"), ("wx", "wy", "wz"), ("gyro_x", "gyro_y", "gyro_z"))
_TURNS = (("qx", "qy", "qz", "qw"), ("x", "y", "z", "w"))
_SMOOTH_S = 0.05
_AGREES = 0.5  # correlation of the two rates of turning
_TURNS_ENOUGH = 0.05  # rad/s: a camera that turns less than that gives nothing to compare
_TRUSTED = 0.2


@dataclass(frozen=True)
class Gyro:
    """Rates of turning about the device's own axes."""

    seconds: np.ndarray
    """(S,) rising, from a moment of its own."""
    rates: np.ndarray
    """(S, 3) rad/s."""


def read_gyro(path: Path) -> Gyro:
    """A CSV with a line of names: a time (seconds_elapsed, time or timestamp; seconds, milliseconds or nanoseconds) and
    either rates x, y, z in rad/s or orientations qx, qy, qz, qw. Raises RecoverError: no_camera_file, bad_camera_file.
    """
    if not path.is_file():
        raise RecoverError("no_camera_file", f"There is no file {path}.", "Choose the CSV with --camera-file.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
        names = [name.strip().lower() for name in lines[0]]
        numbers = np.array([[float(cell) for cell in line] for line in lines[1:] if line])
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise _bad(path, "it is not a table of numbers under a line of names") from error
    if numbers.ndim != 2 or len(numbers) < 10:
        raise _bad(path, "it has fewer than ten lines")
    time = next((name for name in _TIMES if name in names), None)
    if time is None:
        raise _bad(path, f"it has no column of times ({', '.join(_TIMES)})")
    seconds, kept = np.unique(numbers[:, names.index(time)], return_index=True)
    seconds = (seconds - seconds[0]) * _unit(seconds)
    for columns in _TURNS:
        if set(columns) <= set(names):
            turns = Rotation.from_quat(numbers[kept][:, [names.index(name) for name in columns]])
            between = (turns[:-1].inv() * turns[1:]).as_rotvec() / np.diff(seconds)[:, None]
            return Gyro((seconds[1:] + seconds[:-1]) / 2, between)
    for columns in _RATES:
        if set(columns) <= set(names):
            return Gyro(seconds, numbers[kept][:, [names.index(name) for name in columns]])
    raise _bad(path, "it has no columns x, y, z in rad/s nor qx, qy, qz, qw")


def _unit(times: np.ndarray) -> float:
    """Seconds in a unit of a column of times: gyroscopes report 50 to 1000 times a second."""
    step = float(np.median(np.diff(times)))
    return 1.0 if step < 0.5 else 1e-3 if step < 500 else 1e-9 if step > 1e5 else 1e-6


def turns_of(gyro: Gyro, R: np.ndarray, confidence: np.ndarray, fps: float) -> np.ndarray:
    """(T, 3, 3) world to camera, R[0] = I, from the gyroscope; how it lies in the camera, its offset in time and
    its bias come from comparing it with the picture's turning R (T, 3, 3), confidence (T,).

    Raises RecoverError 'bad_camera_file' where the two do not fit.
    """
    seen = _rates(R, fps)
    sure = (confidence[1:] > _TRUSTED) & (confidence[:-1] > _TRUSTED)
    moments = (np.arange(len(R) - 1) + 0.5) / fps
    smooth = gaussian_filter1d(gyro.rates, max(_SMOOTH_S / max(np.median(np.diff(gyro.seconds)), 1e-4), 0.5), axis=0)
    if sure.sum() < 10 or np.linalg.norm(seen[sure], axis=1).max() < _TURNS_ENOUGH:
        raise RecoverError(
            "bad_camera_file", "The picture does not turn enough to find when and how the gyroscope ran.",
            "Leave out --camera gyro for this clip.",
        )  # fmt: skip
    offset = _offset(gyro.seconds, smooth, moments[sure], gaussian_filter1d(seen, _SMOOTH_S * fps, axis=0)[sure])
    felt = _at(gyro.seconds, gyro.rates, moments + offset)
    bias = np.zeros(3)
    for _ in range(3):
        lies, _ = Rotation.align_vectors(seen[sure], felt[sure] - bias)
        off = felt[sure] - lies.inv().apply(seen[sure])
        bias = np.median(off, axis=0)
    turned = lies.apply(felt - bias)
    steps = Rotation.from_rotvec(-turned / fps).as_matrix()
    path = [np.eye(3)]
    for step in steps:
        path.append(step @ path[-1])
    return np.stack(path)


def _rates(R: np.ndarray, fps: float) -> np.ndarray:
    """(T - 1, 3) rad/s about the camera's own axes: R' = Exp(-rate / fps) R."""
    return -Rotation.from_matrix(R[1:] @ np.swapaxes(R[:-1], 1, 2)).as_rotvec() * fps


def _at(seconds: np.ndarray, rates: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Rates (N, 3) at moments (N,); 0 outside the recording."""
    return np.stack([np.interp(moments, seconds, rates[:, axis], left=0, right=0) for axis in range(3)], 1)


def _offset(seconds: np.ndarray, rates: np.ndarray, moments: np.ndarray, seen: np.ndarray) -> float:
    """Seconds to add to the clip's time for the gyroscope's, by the correlation of how fast both turn: speed alone,
    since the device's axes are not known yet. The recording may begin long before the clip, and end before it."""
    length = moments[-1] - moments[0]
    tries = np.arange(-0.5 * length, seconds[-1] - 0.5 * length, 0.004)
    speed = np.linalg.norm(rates - np.median(rates, axis=0), axis=1)
    known = np.linalg.norm(seen, axis=1)
    known = (known - known.mean()) / max(known.std(), 1e-9)
    felt = np.interp(moments[None] + tries[:, None], seconds, speed, left=0, right=0)
    spread = felt.std(axis=1)
    score = (felt * known).mean(1) / np.maximum(spread, 1e-9)
    score[spread < 1e-6] = -1
    best = int(score.argmax())
    if score[best] < _AGREES:
        raise RecoverError(
            "bad_camera_file",
            f"The gyroscope does not fit the clip: their turning correlates by {max(score[best], 0):.2f}.",
            "Choose the recording made with this clip, or leave out --camera gyro.",
        )
    return float(tries[best])


def _bad(path: Path, why: str) -> RecoverError:
    return RecoverError("bad_camera_file", f"{path.name} is no gyroscope's recording: {why}.", "See docs/camera.md.")

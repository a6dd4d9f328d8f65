"""A phone's gyroscope instead of the picture: how the camera turned, whatever it saw."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from ghmr_engine.errors import RecoverError
from ghmr_engine.plain_files import read_text

_TIMES = ("seconds_elapsed", "time", "timestamp", "t", "seconds")
_RATES = (("x", "y", "z"), ("gx", "gy", "gz"), ("wx", "wy", "wz"), ("gyro_x", "gyro_y", "gyro_z"))
_TURNS = (("qx", "qy", "qz", "qw"), ("x", "y", "z", "w"))
_PAUSE_S = 0.2
_AGREES = 0.6  # correlation of how far both turn
_TURNS_ENOUGH = np.radians(0.5)  # in that time: a camera that turns less gives nothing to compare
_FEWEST = 10  # frames to compare, and lines of a recording
_LARGEST = 1e20  # of a number: times may be nanoseconds since 1970
_TRUSTED = 0.2
_PICTURE = np.radians(0.1)  # how exactly the picture shows a turn
_BIAS = 0.05  # rad/s, of a phone's gyroscope


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
    try:
        names, numbers = _table(read_text(path, "utf-8-sig"))
    except FileNotFoundError:
        fix = "Choose the CSV with --camera-file."
        raise RecoverError("no_camera_file", f"There is no file {path}.", fix) from None
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    except (ValueError, StopIteration, csv.Error) as error:
        raise _bad(path, "it is not a table of numbers under a line of names") from error
    if len(numbers) < _FEWEST:
        raise _bad(path, "it has fewer than ten lines")
    time = next((name for name in _TIMES if name in names), None)
    if time is None:
        raise _bad(path, f"it has no column of times ({', '.join(_TIMES)})")
    seconds, kept = np.unique(numbers[:, names.index(time)], return_index=True)
    seconds = (seconds - seconds[0]) * _unit(seconds)
    columns = next((columns for columns in (*_TURNS, *_RATES) if set(columns) <= set(names)), None)
    if columns is None:
        raise _bad(path, "it has no columns x, y, z in rad/s nor qx, qy, qz, qw")
    if len(seconds) < _FEWEST:
        raise _bad(path, "it has fewer than ten moments")
    values = numbers[kept][:, [names.index(name) for name in columns]]
    if columns in _RATES:
        return Gyro(seconds, values)
    if not np.linalg.norm(values, axis=1).all():
        raise _bad(path, "one of its orientations is 0")
    turns = Rotation.from_quat(values)
    between = (turns[:-1].inv() * turns[1:]).as_rotvec() / np.diff(seconds)[:, None]
    return Gyro((seconds[1:] + seconds[:-1]) / 2, between)


def _table(text: str) -> tuple[list[str], np.ndarray]:
    """Names of columns, and (S, columns) numbers. Raises ValueError, StopIteration, csv.Error."""
    lines = csv.reader(io.StringIO(text, newline=""))
    names = [name.strip().lower() for name in next(lines)]
    numbers = np.array([[float(cell) for cell in line] for line in lines if line]).reshape(-1, len(names))
    if not (np.abs(numbers) < _LARGEST).all():
        raise ValueError("numbers that are none")
    return names, numbers


def _unit(times: np.ndarray) -> float:
    """Seconds in a unit of a column of times: gyroscopes report 50 to 1000 times a second."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return 1.0 if step < 0.5 else 1e-3 if step < 500 else 1e-9 if step > 1e5 else 1e-6


def turns_of(gyro: Gyro, R: np.ndarray, confidence: np.ndarray, fps: float) -> np.ndarray:
    """(T, 3, 3) world to camera, R[0] = I, from the gyroscope; how it lies in the camera, its offset in time and its
    bias come from comparing it with the picture's turning R (T, 3, 3), confidence (T,).

    Raises RecoverError 'bad_camera_file' where the two do not fit.
    """
    sure = np.flatnonzero(confidence > _TRUSTED)
    integral = _Integral(gyro)
    moments = np.arange(len(R)) / fps
    offset, lies = _offset_and_axes(integral, R, sure, moments)

    def path(values: np.ndarray) -> np.ndarray:
        """offset, axes (3,), bias (3,), first frame (3,) to (T, 3, 3)."""
        turned = integral.between(moments + offset + values[0])
        turned = (Rotation.from_rotvec(values[1:4]) * lies).apply(turned - values[4:7] * (1 / fps))
        steps = Rotation.from_rotvec(-turned).as_matrix()
        R = np.empty((len(steps) + 1, 3, 3))
        R[0] = Rotation.from_rotvec(values[7:]).as_matrix()
        for frame, step in enumerate(steps):
            R[frame + 1] = step @ R[frame]
        return R

    def off(values: np.ndarray) -> np.ndarray:
        between = Rotation.from_matrix(path(values)[sure] @ np.swapaxes(R[sure], 1, 2)).as_rotvec()
        return np.concatenate([(between / _PICTURE).ravel(), values[4:7] / _BIAS])

    best = least_squares(off, np.zeros(10), loss="soft_l1", x_scale=[0.01, *(0.01,) * 9], max_nfev=30)
    found = path(best.x)
    return found @ found[0].T


class _Integral:
    """The rates, summed up over time."""

    def __init__(self, gyro: Gyro) -> None:
        self._seconds = gyro.seconds
        steps = np.diff(gyro.seconds)[:, None] * (gyro.rates[1:] + gyro.rates[:-1]) / 2
        self._sums = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
        self.last = gyro.seconds[-1]

    def at(self, seconds: np.ndarray) -> np.ndarray:
        """(..., 3) rad; outside the recording nothing turns."""
        return np.stack([np.interp(seconds, self._seconds, self._sums[:, axis]) for axis in range(3)], -1)

    def between(self, seconds: np.ndarray) -> np.ndarray:
        """(N - 1, 3) rad, from one moment (N,) to the next."""
        return np.diff(self.at(seconds), axis=0)


def _offset_and_axes(
    integral: _Integral, R: np.ndarray, sure: np.ndarray, moments: np.ndarray
) -> tuple[float, Rotation]:
    """Seconds to add to the clip's time for the gyroscope's, and the device's axes in the camera's.

    The offset has the best correlation of how far both turn within a fifth of a second: lengths alone, since the
    device's axes are not known yet. The recording may begin long before the clip, and end before it.
    """
    pause = max(round(_PAUSE_S * len(moments) / max(moments[-1], 1e-9)), 1)
    first = sure[np.isin(sure + pause, sure)]
    if len(first) >= _FEWEST:
        turned = -Rotation.from_matrix(R[first + pause] @ np.swapaxes(R[first], 1, 2)).as_rotvec()
    if len(first) < _FEWEST or np.linalg.norm(turned, axis=1).max() < _TURNS_ENOUGH:
        raise RecoverError(
            "bad_camera_file", "The picture does not turn enough to find when and how the gyroscope ran.",
            "Leave out --camera gyro for this clip.",
        )  # fmt: skip
    begin, end = moments[first], moments[first + pause]
    tries = np.arange(-0.5 * moments[-1], integral.last - 0.5 * moments[-1], 0.004)
    felt = np.linalg.norm(integral.at(end + tries[:, None]) - integral.at(begin + tries[:, None]), axis=-1)
    known = np.linalg.norm(turned, axis=1)
    known = (known - known.mean()) / max(known.std(), 1e-9)
    spread = felt.std(axis=1)
    score = np.where(spread > 1e-6, (felt * known).mean(1) / np.maximum(spread, 1e-9), -1.0)
    best = int(score.argmax())
    if score[best] < _AGREES:
        raise RecoverError(
            "bad_camera_file",
            f"The gyroscope does not fit the clip: their turning correlates by {max(score[best], 0):.2f}.",
            "Choose the recording made with this clip, or leave out --camera gyro.",
        )
    offset = float(tries[best])
    lies, _ = Rotation.align_vectors(turned, integral.at(end + offset) - integral.at(begin + offset))
    return offset, lies


def _bad(path: Path, why: str) -> RecoverError:
    return RecoverError("bad_camera_file", f"{path.name} is no gyroscope's recording: {why}.", "See docs/camera.md.")

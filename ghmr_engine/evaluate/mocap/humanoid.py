"""Reads the JSON motions of a simulated humanoid: a place and quaternions of fifteen joints a frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ghmr_engine.evaluate.mocap.capture import Capture
from ghmr_engine.evaluate.mocap.facing import turned
from ghmr_engine.evaluate.mocap.source import bad_capture, rate_of, read_text

# Name, parent, metres from the parent, numbers in a frame: 4 a quaternion w x y z, 1 an angle about z, 0 none.
_SKELETON = (
    ("root", -1, (0.0, 0.0, 0.0), 4),
    ("chest", 0, (0.0, 0.236151, 0.0), 4),
    ("neck", 1, (0.0, 0.223894, 0.0), 4),
    ("right_hip", 0, (0.0, 0.0, 0.084887), 4),
    ("right_knee", 3, (0.0, -0.421546, 0.0), 1),
    ("right_ankle", 4, (0.0, -0.409870, 0.0), 4),
    ("right_shoulder", 1, (-0.02405, 0.24350, 0.18311), 4),
    ("right_elbow", 6, (0.0, -0.274788, 0.0), 1),
    ("right_wrist", 7, (0.0, -0.258947, 0.0), 0),
    ("left_hip", 0, (0.0, 0.0, -0.084887), 4),
    ("left_knee", 9, (0.0, -0.421546, 0.0), 1),
    ("left_ankle", 10, (0.0, -0.409870, 0.0), 4),
    ("left_shoulder", 1, (-0.02405, 0.24350, -0.18311), 4),
    ("left_elbow", 12, (0.0, -0.274788, 0.0), 1),
    ("left_wrist", 13, (0.0, -0.258947, 0.0), 0),
)
# A frame begins with its duration and the root's place.
_BEFORE = 4
_NUMBERS = _BEFORE + sum(joint[3] for joint in _SKELETON)
_PLAYED_BY = {"pelvis": "root", "spine3": "chest"} | {joint[0]: joint[0] for joint in _SKELETON[2:]}
# The humanoid rests facing +x; a quarter turn about y brings that to +z, and its left from -z to +x.
_TO_FORWARD = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


def read_humanoid(path: Path) -> Capture:
    """The motion of a humanoid's JSON file (metres, y up), arms hanging at rest, turned so that rest faces +z."""
    frames = _read_frames(path)
    names, parents, offsets, widths = zip(*_SKELETON, strict=True)
    turns, column = [], _BEFORE
    for name, width in zip(names, widths, strict=True):
        turns.append(_turns(frames[:, column : column + width], name, path))
        column += width
    # The last frame lasts 0 s: nothing follows it.
    durations = frames[:-1, 0] if len(frames) > 1 else frames[:, 0]
    fps = rate_of(repr(float(np.median(durations))), path)
    capture = Capture(
        path.stem, fps, names, parents, np.array(offsets), np.stack(turns, 1), frames[:, 1:_BEFORE], _PLAYED_BY
    )
    return turned(capture, _TO_FORWARD)


def _read_frames(path: Path) -> np.ndarray:
    """(T, 44) seconds, metres and rotations."""
    try:
        content: Any = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise bad_capture(path, "is not whole JSON: it is cut off or damaged") from error
    rows = content.get("Frames") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows:
        raise bad_capture(path, "has no list of `Frames`", "Give a humanoid's motion, not its skeleton.")
    widths = {len(row) if isinstance(row, list) else 0 for row in rows}
    if widths != {_NUMBERS}:
        raise bad_capture(path, f"has frames of {min(widths)} numbers instead of {_NUMBERS}")
    if not all(type(value) in (int, float) for row in rows for value in row):
        raise bad_capture(path, "has something that is not a number in its frames")
    try:
        frames = np.array(rows, dtype=np.float64)
    except OverflowError as error:
        raise bad_capture(path, "has a number that is too large in its frames") from error
    if not np.isfinite(frames).all():
        raise bad_capture(path, "has a number that is not finite in its frames")
    return frames


def _turns(values: np.ndarray, name: str, path: Path) -> np.ndarray:
    """(T, 3, 3) from quaternions w x y z (T, 4), angles about z in rad (T, 1), or nothing (T, 0)."""
    if values.shape[1] == 4:
        if (np.abs(np.linalg.norm(values, axis=1) - 1) > 0.05).any():
            raise bad_capture(path, f"has a quaternion of {name} whose length is not 1")
        return Rotation.from_quat(values[:, [1, 2, 3, 0]]).as_matrix()
    if values.shape[1] == 1:
        return Rotation.from_euler("z", values).as_matrix()
    return np.tile(np.eye(3), (len(values), 1, 1))

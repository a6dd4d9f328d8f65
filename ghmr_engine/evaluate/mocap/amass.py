"""Reads AMASS's .npz: SMPL's own rotations (also SMPL-H's and SMPL-X's, without hands and face), z up."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS
from ghmr_engine.evaluate.mocap.capture import Capture
from ghmr_engine.evaluate.mocap.source import bad_capture, rate_of, read_bytes

# A rough adult in metres, of 1.7 m: the file's shape needs SMPL itself. Only the legs' lengths are meant seriously.
_MIDDLE = {
    "pelvis": (0.0, 0.0, 0.0), "spine1": (0.0, 0.11, -0.02), "spine2": (0.0, 0.13, 0.0), "spine3": (0.0, 0.06, 0.02),
    "neck": (0.0, 0.21, -0.03), "head": (0.0, 0.09, 0.04),
}  # fmt: skip
_LEFT = {
    "hip": (0.06, -0.09, 0.0), "knee": (0.04, -0.38, 0.0), "ankle": (-0.01, -0.41, -0.03), "foot": (0.03, -0.06, 0.12),
    "collar": (0.08, 0.12, -0.02), "shoulder": (0.1, 0.04, -0.01), "elbow": (0.26, -0.01, -0.02),
    "wrist": (0.25, 0.01, 0.0), "hand": (0.085, -0.01, -0.01),
}  # fmt: skip
# SMPL, SMPL-H and SMPL-X; the first 22 joints are the same, the last two only SMPL's.
_WIDTHS = {72: 24, 156: 22, 165: 22}
_RATES = ("mocap_framerate", "mocap_frame_rate")
# NumPy's and zipfile's ways of saying: no archive, one cut off or damaged anywhere, or one that holds Python objects.
_DAMAGED = (
    OSError, ValueError, EOFError, AttributeError, TypeError, RuntimeError, SyntaxError, MemoryError,
    zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError,
)  # fmt: skip
_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def read_amass(path: Path) -> Capture:
    """The motion of an AMASS .npz, turned to y up, in metres, on a rough adult skeleton.

    `trans` is taken as the pelvis's place; SMPL's pelvis lies a constant vector beside it (3 cm in height).
    """
    arrays = _read_arrays(path)
    poses, trans = _numbers(arrays, "poses", path), _numbers(arrays, "trans", path)
    if poses.ndim != 2 or poses.shape[1] not in _WIDTHS or len(poses) == 0:
        raise bad_capture(path, f"has `poses` of shape {poses.shape} instead of (frames, 72, 156 or 165)")
    if trans.shape != (len(poses), 3):
        raise bad_capture(path, f"has `trans` of shape {trans.shape} instead of ({len(poses)}, 3)")
    turning = _WIDTHS[poses.shape[1]]
    rotations = np.tile(np.eye(3), (len(poses), len(JOINT_NAMES), 1, 1))
    maps = poses[:, : turning * 3].reshape(-1, 3)
    rotations[:, :turning] = Rotation.from_rotvec(maps).as_matrix().reshape(len(poses), turning, 3, 3)
    rotations[:, 0] = _Y_UP @ rotations[:, 0]
    joints = {name: name for name in JOINT_NAMES}
    offsets = np.array([_offset(name) for name in JOINT_NAMES])
    return Capture(path.stem, _rate(arrays, path), JOINT_NAMES, PARENTS, offsets, rotations, trans @ _Y_UP.T, joints)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    wanted = ("poses", "trans", *_RATES)
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in wanted if name in archive.files}
    except _DAMAGED as error:
        raise bad_capture(path, "is not a whole .npz of plain numbers") from error
    missing = [name for name in ("poses", "trans") if name not in arrays]
    if missing or not any(name in arrays for name in _RATES):
        what = f"has no `{missing[0] if missing else _RATES[0]}`"
        raise bad_capture(path, what, "Give one of AMASS's motion files.")
    return arrays


def _numbers(arrays: dict[str, np.ndarray], name: str, path: Path) -> np.ndarray:
    values = arrays[name]
    if values.dtype.kind not in "fiu":
        raise bad_capture(path, f"has something that is not a number in `{name}`")
    if not np.isfinite(values).all():
        raise bad_capture(path, f"has a number that is not finite in `{name}`")
    return values.astype(np.float64)


def _rate(arrays: dict[str, np.ndarray], path: Path) -> Fraction:
    values = _numbers(arrays, next(name for name in _RATES if name in arrays), path)
    if values.size != 1 or not 0.1 < values.item() < 1e5:
        raise bad_capture(path, f"has an impossible frame rate: {values.ravel()[:3]}")
    # AMASS writes rates as 59.9999: six digits are what is meant.
    return rate_of(f"{1 / values.item():.8f}", path)


def _offset(name: str) -> tuple[float, float, float]:
    if name in _MIDDLE:
        return _MIDDLE[name]
    side, _, part = name.partition("_")
    x, y, z = _LEFT[part]
    return (x if side == "left" else -x), y, z

"""Motion as AMASS keeps it (Mahmood et al. 2019): SMPL-H's numbers in an .npz. NumPy and the standard library only.

The world is z up, metres, and `trans` is SMPL's translation, as in motion files. SMPL-H has SMPL's joints up to the
wrists; its fingers, 15 a hand, are straight here, and the turns of SMPL's two hand joints are left out.
"""

from __future__ import annotations

import os
import struct
import tokenize
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .motion_file import MotionFileError
from .plain_files import read_arrays

BODY_JOINTS, JOINTS = 22, 52
_BETAS, _DMPLS = 16, 8
_RATES = ("mocap_framerate", "mocap_frame_rate")
"""AMASS's key in the SMPL-H and in the SMPL-X release."""
_KNOWN = {"poses", "trans", "betas", "gender", "rest_joints", *_RATES}
# NumPy's and zipfile's ways of saying: no archive, one cut off or damaged anywhere, or one that holds Python objects.
_DAMAGED = (
    ValueError, KeyError, IndexError, EOFError, TypeError, AttributeError, RuntimeError, SyntaxError, MemoryError,
    StopIteration, OSError, zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError,
)  # fmt: skip


@dataclass(frozen=True)
class AmassMotion:
    """One person's motion at a constant rate. N frames."""

    poses: np.ndarray  # (N, 52, 3) axis-angle, SMPL-H's joints; the root's is in the world, z up
    trans: np.ndarray  # (N, 3) m
    betas: np.ndarray  # (16,)
    fps: float
    gender: str
    joints: np.ndarray | None  # (24, 3) m, SMPL's joints at rest, y up, of files that Recover Motion wrote


def write_amass(
    path: Path,
    poses: np.ndarray,
    trans: np.ndarray,
    betas: np.ndarray,
    fps: float,
    gender: str = "neutral",
    joints: np.ndarray | None = None,
) -> None:
    """Write under another name, then rename. Raises MotionFileError for what no file can hold, OSError.

    poses (N, 24, 3) of SMPL or (N, 52, 3) or (N, 156) of SMPL-H, trans (N, 3) m, betas (16,) at most, joints (24, 3) m:
    where the body's joints are at rest, which betas alone tell only to whoever has SMPL.
    """
    poses = np.asarray(poses, dtype=np.float64).reshape(len(poses), -1, 3)
    whole = np.zeros((len(poses), JOINTS, 3))
    body = JOINTS if poses.shape[1] == JOINTS else BODY_JOINTS
    whole[:, :body] = poses[:, :body]
    shape = np.zeros(_BETAS)
    shape[: len(betas)] = betas
    arrays = {
        "poses": whole.reshape(len(whole), -1),
        "trans": np.asarray(trans, dtype=np.float64),
        "betas": shape,
        "dmpls": np.zeros((len(whole), _DMPLS)),
        "gender": np.array(gender),
        "mocap_framerate": np.array(float(fps)),
        "surface_model_type": np.array("smplh"),
    }
    if joints is not None:
        arrays["rest_joints"] = np.asarray(joints, dtype=np.float64)
    if not all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f"):
        raise MotionFileError("The motion holds numbers that are not finite. Recover the clip again.")
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def read_amass(path: Path) -> AmassMotion:
    """A file of AMASS's, of either release, or of ours. Raises MotionFileError."""
    try:
        arrays = read_arrays(path)
    except FileNotFoundError:
        raise MotionFileError(f"There is no file {path}. Check the name.") from None
    except OSError as error:
        raise MotionFileError(f"Cannot read {path}: {error.strerror}. Check the file.") from error
    except ValueError as error:
        raise MotionFileError(f"{path} is damaged or not a file of AMASS's. Choose another.") from error
    try:
        return _checked({key: array for key, array in arrays.items() if key in _KNOWN})
    except _DAMAGED as error:
        raise MotionFileError(f"{path} is damaged or not a file of AMASS's. Choose another.") from error


def _checked(arrays: dict[str, np.ndarray]) -> AmassMotion:
    """One of _DAMAGED where something is missing, misshapen or not finite."""
    trans = np.asarray(arrays["trans"], dtype=np.float64)
    count = len(trans)
    flat = np.asarray(arrays["poses"], dtype=np.float64).reshape(count, -1, 3)
    # SMPL-X has jaw and eyes between the body and the hands.
    hands = flat.shape[1] - (JOINTS - BODY_JOINTS) if flat.shape[1] >= JOINTS else flat.shape[1]
    poses = np.zeros((count, JOINTS, 3))
    poses[:, :BODY_JOINTS] = flat[:, :BODY_JOINTS]
    poses[:, BODY_JOINTS : BODY_JOINTS + flat.shape[1] - hands] = flat[:, hands:]
    betas = np.zeros(_BETAS)
    given = np.asarray(arrays["betas"], dtype=np.float64).ravel()[:_BETAS]
    betas[: len(given)] = given
    fps = next(float(arrays[key]) for key in _RATES if key in arrays)
    gender = arrays.get("gender", np.array("neutral")).item()
    joints = arrays.get("rest_joints")
    if trans.shape != (count, 3) or not count or flat.shape[1] < BODY_JOINTS:
        raise ValueError("shapes")
    if not (np.isfinite(poses).all() and np.isfinite(trans).all() and np.isfinite(betas).all() and 0 < fps < 1e4):
        raise ValueError("not finite")
    if joints is not None and (joints.shape != (24, 3) or not np.isfinite(joints).all()):
        raise ValueError("joints")
    text = gender.decode(errors="replace") if isinstance(gender, bytes) else str(gender)
    return AmassMotion(poses, trans, betas, fps, text, joints)

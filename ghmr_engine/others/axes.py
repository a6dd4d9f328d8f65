"""Rotations as the other programs write them, and ways up: NumPy only."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ghmr_engine.others.record import refused

Y_UP, Y_DOWN, Z_UP = np.array([0.0, 1.0, 0.0]), np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def from_axis_angle(values: np.ndarray) -> np.ndarray:
    """(..., 3) radians to (..., 3, 3)."""
    return Rotation.from_rotvec(values.reshape(-1, 3)).as_matrix().reshape(*values.shape[:-1], 3, 3)


def joints_from_body(body_pose: np.ndarray) -> np.ndarray:
    """(N, 63 or 69) axis-angle to (N, 23, 3, 3): SMPL-X and SMPL+H have no joints of hands as SMPL has them."""
    joints = np.tile(np.eye(3), (len(body_pose), 23, 1, 1))
    count = body_pose.shape[1] // 3
    joints[:, :count] = from_axis_angle(body_pose.reshape(len(body_pose), count, 3))
    return joints


def checked(matrices: np.ndarray, name: str, key: str) -> np.ndarray:
    """Matrices (..., 3, 3) that turn, made exact. Raises RecoverError where they do something else."""
    if matrices.size and np.abs(matrices @ np.swapaxes(matrices, -1, -2) - np.eye(3)).max() > 0.02:
        raise refused(name, f"has matrices in `{key}` that are no rotations")
    if matrices.size and np.linalg.det(matrices).min() < 0:
        raise refused(name, f"has matrices in `{key}` that mirror")
    return Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_matrix().reshape(matrices.shape)


def turn_to_z(up: np.ndarray) -> np.ndarray:
    """(3, 3) the shortest rotation that brings `up` to z; y up is turned about x, as everybody does it."""
    up = up / np.linalg.norm(up)
    axis = np.cross(up, Z_UP)
    sine = np.linalg.norm(axis)
    if sine < 1e-9:
        return np.eye(3) if up[2] > 0 else np.diag([1.0, -1.0, -1.0])
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, up[2])).as_matrix()


def turn_about_z(angle: float) -> np.ndarray:
    """(3, 3) by radians."""
    return Rotation.from_rotvec([0.0, 0.0, angle]).as_matrix()

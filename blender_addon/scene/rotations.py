"""Rotations in NumPy: axis-angle to matrix, matrix to quaternion (w, x, y, z), quaternions without flips."""

from __future__ import annotations

import numpy as np


def matrices_from_axis_angle(axis_angle: np.ndarray) -> np.ndarray:
    """Rodrigues' formula. axis_angle (..., 3) radians -> (..., 3, 3)."""
    angle = np.linalg.norm(axis_angle, axis=-1)[..., None, None]
    # np.sinc(x) is sin(pi x) / (pi x): finite at no turn at all, where dividing by the angle is not.
    sine_over_angle = np.sinc(angle / np.pi)
    versine_over_square = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    x, y, z = np.moveaxis(axis_angle, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*axis_angle.shape[:-1], 3, 3)
    return np.eye(3) + sine_over_angle * cross + versine_over_square * (cross @ cross)


def matrices_from_quaternions(quaternions: np.ndarray) -> np.ndarray:
    """quaternions (..., 4), w x y z, of any length but 0 -> (..., 3, 3)."""
    w, x, y, z = np.moveaxis(quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*np.shape(quaternions)[:-1], 3, 3)
    return np.eye(3) + 2 * w[..., None, None] * cross + 2 * cross @ cross


def quaternions_from_matrices(matrices: np.ndarray) -> np.ndarray:
    """matrices (..., 3, 3) -> unit quaternions (..., 4), w x y z, w >= 0.

    Shepperd's method: of the four equal forms the one whose divisor is largest, so that none loses digits.
    """
    m = matrices
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    xx, yy, zz = (2 * m[..., i, i] - trace for i in range(3))
    x_w, y_w, z_w = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    x_y, y_z, z_x = m[..., 1, 0] + m[..., 0, 1], m[..., 2, 1] + m[..., 1, 2], m[..., 0, 2] + m[..., 2, 0]
    # Row i is 4 q_i q, as a whole symmetric matrix of products.
    products = np.stack(
        [1 + trace, x_w, y_w, z_w, x_w, 1 + xx, x_y, z_x, y_w, x_y, 1 + yy, y_z, z_w, z_x, y_z, 1 + zz], -1
    ).reshape(*m.shape[:-2], 4, 4)
    largest = np.diagonal(products, axis1=-2, axis2=-1).argmax(-1)
    quaternions = np.take_along_axis(products, largest[..., None, None], axis=-2)[..., 0, :]
    quaternions = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    return np.where(quaternions[..., :1] < 0, -quaternions, quaternions)


def without_flips(quaternions: np.ndarray) -> np.ndarray:
    """(N, ..., 4) over time -> the same rotations, each in the hemisphere of the one before it.

    q and -q are one rotation, but the four curves between them pass through no rotation at all.
    """
    if len(quaternions) < 2:
        return quaternions
    dots = (quaternions[1:] * quaternions[:-1]).sum(-1)
    signs = np.cumprod(np.where(dots < 0, -1.0, 1.0), axis=0)
    return np.concatenate([quaternions[:1], quaternions[1:] * signs[..., None]])


def quaternions_from_axis_angle(axis_angle: np.ndarray) -> np.ndarray:
    """axis_angle (..., 3) radians -> unit quaternions (..., 4), w x y z; w < 0 where it is more than half a turn."""
    half = np.linalg.norm(axis_angle, axis=-1, keepdims=True) / 2
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * axis_angle], -1)


def axis_angle_from_quaternions(quaternions: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4), w x y z -> (..., 3) radians, half a turn at most."""
    q = np.where(quaternions[..., :1] < 0, -quaternions, quaternions)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    # Angle over sine tends to 2 where there is no turn.
    ratio = np.divide(2 * np.arctan2(sine, q[..., :1]), sine, out=np.full_like(sine, 2.0), where=sine > 1e-12)
    return ratio * q[..., 1:]


def axis_angle_from_matrices(matrices: np.ndarray) -> np.ndarray:
    """(..., 3, 3) -> (..., 3) radians, half a turn at most."""
    return axis_angle_from_quaternions(quaternions_from_matrices(matrices))


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4), w x y z: the turn b, then a."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz, aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx, aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    )  # fmt: skip


def inverse(quaternions: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4): the turns back."""
    return quaternions * np.array([1.0, -1.0, -1.0, -1.0])


def slerp(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) from a (share 0) to b (1) the short way round, at a constant speed; share (...)."""
    way = axis_angle_from_quaternions(multiply(b, inverse(a)))
    return multiply(quaternions_from_axis_angle(way * share[..., None]), a)

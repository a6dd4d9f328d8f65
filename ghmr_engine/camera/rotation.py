"""The turn between two views of a background, from points seen in both, many of which may be wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SAMPLES = 64  # pairs of points; with half of the points wrong, all are spoilt with a chance of 0.75 ** 64 = 1e-8
_ROUNDS = 4  # of reweighting


@dataclass(frozen=True)
class Turn:
    """A rotation and the points that agree with it."""

    D: np.ndarray
    """(3, 3): a direction seen at b in the first view is seen at D b in the second."""
    agree: np.ndarray
    """(N,) bool."""


def directions(points_px: np.ndarray, focal_px: float, centre_px: np.ndarray) -> np.ndarray:
    """(N, 3) unit vectors from the camera (OpenCV's axes) through points (N, 2) px."""
    rays = np.column_stack([(points_px - centre_px) / focal_px, np.ones(len(points_px))])
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def to_pixels(rays: np.ndarray, focal_px: float, centre_px: np.ndarray) -> np.ndarray:
    """(..., 2) px where directions (..., 3) are seen; those beside or behind the camera land far outside."""
    return rays[..., :2] / np.maximum(rays[..., 2:], 1e-3) * focal_px + centre_px


def find_turn(
    first: np.ndarray, second_px: np.ndarray, guess: np.ndarray, focal_px: float, centre_px: np.ndarray, near_px: float
) -> Turn:
    """The rotation that most points agree with. first (N, 3): directions in the first view; second_px (N, 2): where the
    same points are in the second; guess (3, 3): a rotation that is tried too; near_px: agreement of a point.

    Consensus over random pairs (MSAC, Torr and Zisserman 2000), then weighted least squares (Kabsch 1976) with Cauchy's
    weights. Always the same for the same input.
    """
    second = directions(second_px, focal_px, centre_px)
    tries = np.concatenate([guess[None], _from_pairs(first, second)])
    errors_px = _errors_px(tries, first, second_px, focal_px, centre_px)
    cost = np.minimum(errors_px / near_px, 1.0) ** 2
    D = tries[np.argmin(cost.sum(axis=1))]
    for scale_px in np.geomspace(near_px, near_px / 4, _ROUNDS):
        error_px = _errors_px(D[None], first, second_px, focal_px, centre_px)[0]
        weight = np.where(error_px < 2 * near_px, 1 / (1 + (error_px / scale_px) ** 2), 0.0)
        if np.count_nonzero(weight) < 3:
            break
        D = _kabsch(first, second, weight)
    error_px = _errors_px(D[None], first, second_px, focal_px, centre_px)[0]
    return Turn(D, error_px < near_px)


def _from_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(M, 3, 3) rotations, each of which takes a random pair of directions to where the second view has it."""
    if len(first) < 2:
        return np.empty((0, 3, 3))
    pairs = np.random.default_rng(0).integers(0, len(first), (_SAMPLES, 2))
    pairs = pairs[np.linalg.norm(np.cross(first[pairs[:, 0]], first[pairs[:, 1]]), axis=1) > 1e-2]
    return _axes_of_pairs(second[pairs]) @ _axes_of_pairs(first[pairs]).transpose(0, 2, 1)


def _axes_of_pairs(pairs: np.ndarray) -> np.ndarray:
    """(M, 3, 3) right-handed axes, in columns, tied to pairs of directions (M, 2, 3): middle, normal, across."""
    middle = pairs[:, 0] + pairs[:, 1]
    normal = np.cross(pairs[:, 0], pairs[:, 1])
    middle = middle / np.linalg.norm(middle, axis=1, keepdims=True)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    return np.stack([middle, normal, np.cross(middle, normal)], axis=-1)


def _errors_px(
    tries: np.ndarray, first: np.ndarray, second_px: np.ndarray, focal_px: float, centre_px: np.ndarray
) -> np.ndarray:
    """(M, N) px between where rotations (M, 3, 3) put the first view's directions and where they are seen."""
    predicted_px = to_pixels(first @ tries.transpose(0, 2, 1), focal_px, centre_px)
    return np.linalg.norm(predicted_px - second_px, axis=-1)


def _kabsch(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that minimises the weighted squares of second - D first."""
    U, _, Vt = np.linalg.svd((second * weight[:, None]).T @ first)
    return U @ np.diag([1.0, 1.0, np.sign(np.linalg.det(U @ Vt))]) @ Vt

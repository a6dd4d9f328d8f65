"""The whole world turned so that another plane is its ground; nothing in the picture changes. NumPy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..motion import Motion
from ..scene.rotations import matrices_from_axis_angle
from .root import moved


def levelled(motion: Motion, turn: np.ndarray, shift: np.ndarray) -> Motion:
    """Everything, people and camera, at turn @ x + shift. turn (3, 3), shift (3,) m."""
    people = {number: moved(person, turn, shift) for number, person in motion.people.items()}
    R = np.asarray(motion.R, dtype=np.float64) @ turn.T
    return replace(motion, people=people, R=R, t=motion.t - R @ shift)


def to_level(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn (3, 3) and shift (3,) m that bring a plane to z = 0 the shortest way.

    matrix (4, 4): where the plane that was z = 0 is now; its size and its turn about the upright do not count.
    """
    up, point = matrix[:3, 2] / np.linalg.norm(matrix[:3, 2]), matrix[:3, 3]
    up = -up if up[2] < 0 else up
    axis = np.cross(up, [0.0, 0.0, 1.0])
    sine = np.linalg.norm(axis)
    angle = np.arctan2(sine, up[2])
    turn = matrices_from_axis_angle(axis / sine * angle) if sine > 1e-9 else np.eye(3)
    return turn, np.array([point[0], point[1], 0.0]) - turn @ point

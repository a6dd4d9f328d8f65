"""Where a person's joints are: SMPL's kinematic chain. NumPy only."""

from __future__ import annotations

import numpy as np

from ..motion import PARENTS, Person
from ..scene.rotations import matrices_from_axis_angle
from ..scene.skeleton import pelvis_world


def joint_frames(person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Every joint's turn (N, 24, 3, 3) from SMPL's rest axes to the world, and its place (N, 24, 3) m there."""
    turns = matrices_from_axis_angle(np.asarray(person.poses, dtype=np.float64))
    places = np.empty(person.poses.shape)
    places[:, 0] = pelvis_world(person.joints, person.transl)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            turns[:, joint] = turns[:, parent] @ turns[:, joint]
            bone = np.asarray(person.joints[joint] - person.joints[parent], dtype=np.float64)
            places[:, joint] = places[:, parent] + turns[:, parent] @ bone
    return turns, places


def soles(person: Person, turns: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N, 4, 3) m: the points of the soles below ankles and balls at rest, in CONTACT_NAMES' order.

    turns, places: as joint_frames has them.
    """
    sole = float(person.vertices[:, 1].min())
    points = []
    for ankle, ball in ((7, 10), (8, 11)):
        for below in (ankle, ball):
            drop = np.array([0.0, sole - person.joints[below, 1], 0.0])
            # The ball's own joint bends the toes: its place moves with the foot, and so does the sole below it.
            points.append(places[:, below] + turns[:, ankle] @ drop)
    return np.stack(points, 1)

"""The body of a motion file, with the points that the energy looks at: the file holds its mesh without their names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.body.smpl import SHAPES, Body, make_body
from ghmr_engine.motion_file import Motion, Person
from ghmr_engine.posed import LEFT_FOOT, RIGHT_FOOT, sole_vertices

_SMPL_VERTICES = 6890
_FOOT_ENDS = [LANDMARK_NAMES.index(f"{side}_{end}") for side in ("left", "right") for end in ("heel", "foot_index")]
_JOINTS = [place for place, name in enumerate(LANDMARK_NAMES) if name in JOINT_NAMES]


def body_of(person: Person, motion: Motion, known: Body | None) -> tuple[Body, np.ndarray]:
    """A person's rest body as the file has it, in one shape that betas do not change, and which (33,) landmarks it has.

    known: the body of this machine, or None. A file with its mesh has its landmarks and foot points; SMPL's mesh has
    the published ones; of any other, joints are known and what lies under its soles (posed.py).
    """
    arrays = {
        "name": np.array("the file's body"),
        "licence": np.array(motion.meta["licence"]),
        "v_template": person.vertices,
        "shapedirs": np.zeros((*person.vertices.shape, SHAPES), np.float32),
        "J_regressor": np.zeros((24, len(person.vertices)), np.float32),
        "weights": person.weights,
        "kintree_table": motion.parents[None],
        "f": motion.faces,
    }
    has = np.ones(len(LANDMARK_NAMES), bool)
    if known is not None and np.array_equal(motion.faces, known.faces.cpu().numpy()):
        arrays |= {
            "landmark_vertices": known.points.cpu().numpy(),
            "landmark_weights": known.point_weights.cpu().numpy(),
        }
    elif len(person.vertices) != _SMPL_VERTICES:
        points = _found_points(person)
        arrays |= {"landmark_vertices": points, "landmark_weights": np.ones(points.shape, np.float32)}
        has[:] = False
        has[_JOINTS + _FOOT_ENDS] = True
    body = make_body(arrays, "The motion file's body", "")
    return replace(body, joints_template=torch.as_tensor(person.joints).to(body.v_template)), has


def _found_points(person: Person) -> np.ndarray:
    """(37, 1) vertices: the ends of the feet among the landmarks, and the four foot points; what is not known is 0."""
    soles = sole_vertices(person)
    if soles is None:  # no feet: what is nearest to ankles and foot joints
        away = np.linalg.norm(person.vertices[:, None] - person.joints[[*LEFT_FOOT, *RIGHT_FOOT]], axis=-1)
        soles = away.argmin(0)
    points = np.zeros((len(LANDMARK_NAMES) + 4, 1), np.int64)
    points[_FOOT_ENDS, 0] = points[-4:, 0] = soles
    return points

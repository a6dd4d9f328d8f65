"""From SMPL's 24 joints to bones: heads, tails, axes, and the joints' rotations as each bone's own. NumPy only.

Rest pose: T-pose, z up, facing -y (Blender's front), soles on z = 0, pelvis above the origin, the left hand at +x.
A bone's y runs along it. Rolls, mirrored between left and right so that Blender's flipped paste works:
- pelvis, spine, neck, head, hips, knees, ankles, feet: x points to the body's left, so a positive turn about x bends
  the spine forward and the knee as knees bend;
- collars, shoulders, elbows, wrists, hands: z points to the front, so a positive turn about x bends the elbow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion import JOINT_NAMES, PARENTS
from .rotations import (
    axis_angle_from_matrices,
    matrices_from_axis_angle,
    matrices_from_quaternions,
    quaternions_from_matrices,
    without_flips,
)

REST_FROM_SMPL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""SMPL's rest axes (y up, facing +z) to ours (z up, facing -y): a quarter turn about x."""

LEFT, FRONT, UP = np.array([1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])

# Where several bones start at one joint, the trunk goes on along this one.
_TRUNK_CHILD = {"pelvis": "spine1", "spine3": "neck"}
_ARM_WORDS = ("collar", "shoulder", "elbow", "wrist", "hand")
_SHORTEST_M, _LONGEST_M = 0.04, 0.4


@dataclass(frozen=True)
class RestSkeleton:
    """The 24 bones at rest, in the armature's space; order and parents are SMPL's."""

    heads: np.ndarray
    """(24, 3) m."""
    tails: np.ndarray
    """(24, 3) m."""
    axes: np.ndarray
    """(24, 3, 3): columns are a bone's x, y, z."""
    connected: np.ndarray
    """(24,) bool: the head is the parent's tail."""
    offset: np.ndarray
    """(3,) m: what REST_FROM_SMPL @ point still has to be moved by to stand on the origin."""


def rest_skeleton(joints: np.ndarray, vertices: np.ndarray, weights: np.ndarray) -> RestSkeleton:
    """Bones of a rest body. joints (24, 3), vertices (V, 3) m in SMPL's axes, weights (V, 24)."""
    joints_up, vertices_up = joints @ REST_FROM_SMPL.T, vertices @ REST_FROM_SMPL.T
    offset = np.array([-joints_up[0, 0], -joints_up[0, 1], -vertices_up[:, 2].min()])
    heads = joints_up + offset
    next_joint = [_next_joint(index) for index in range(len(JOINT_NAMES))]
    tails = np.empty_like(heads)
    for index, child in enumerate(next_joint):
        if child is not None:
            tails[index] = heads[child]
            continue
        direction = _end_direction(index, heads)
        owned = vertices_up[weights.argmax(1) == index] + offset
        reach = ((owned - heads[index]) @ direction).max(initial=0.0)
        tails[index] = heads[index] + direction * np.clip(reach, _SHORTEST_M, _LONGEST_M)
    axes = np.stack([_bone_axes(name, tails[i] - heads[i]) for i, name in enumerate(JOINT_NAMES)])
    connected = np.array([parent >= 0 and next_joint[parent] == index for index, parent in enumerate(PARENTS)])
    return RestSkeleton(heads, tails, axes, connected, offset)


def _next_joint(index: int) -> int | None:
    """The joint at which the bone of joint `index` ends; None for head, hands and toes."""
    name = JOINT_NAMES[index]
    if name in _TRUNK_CHILD:
        return JOINT_NAMES.index(_TRUNK_CHILD[name])
    return PARENTS.index(index) if index in PARENTS else None


def _end_direction(index: int, heads: np.ndarray) -> np.ndarray:
    """(3,) unit: the head's bone goes up, the toes' along the floor, the hands' as the forearm came."""
    if JOINT_NAMES[index] == "head":
        return UP
    along = heads[index] - heads[PARENTS[index]]
    if "foot" in JOINT_NAMES[index]:
        along = along - UP * (along @ UP)
    length = np.linalg.norm(along)
    return along / length if length > 1e-6 else FRONT


def _bone_axes(name: str, along: np.ndarray) -> np.ndarray:
    """(3, 3), columns x, y, z: y along the bone, the module's rule for the other two."""
    y = along / np.linalg.norm(along)
    if any(word in name for word in _ARM_WORDS):
        z = FRONT - y * (FRONT @ y)
        z = z / np.linalg.norm(z)
        return np.stack([np.cross(y, z), y, z], 1)
    x = LEFT - y * (LEFT @ y)
    x = x / np.linalg.norm(x)
    return np.stack([x, y, np.cross(x, y)], 1)


def bone_quaternions(rest: RestSkeleton, poses: np.ndarray) -> np.ndarray:
    """SMPL's poses as what the bones' rotation channels hold.

    poses (N, 24, 3) axis-angle, the root's in the world -> (N, 24, 4) w x y z, rest-relative, without flips.

    With A = REST_FROM_SMPL and B a bone's axes, a joint that turns by R from its parent in SMPL's axes turns its bone
    by B^T A R A^T B from rest; the root's R ends in the world already, so its A on the left falls away.
    """
    turns = matrices_from_axis_angle(np.asarray(poses, dtype=np.float64))
    into = REST_FROM_SMPL.T @ rest.axes
    outof = np.swapaxes(into, -1, -2).copy()
    outof[0] = rest.axes[0].T
    return without_flips(quaternions_from_matrices(outof @ turns @ into))


def poses_of_bones(rest: RestSkeleton, quaternions: np.ndarray) -> np.ndarray:
    """bone_quaternions the other way round: (N, 24, 4) of any length but 0 -> (N, 24, 3) axis-angle."""
    unit = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    into = REST_FROM_SMPL.T @ rest.axes
    outof = np.swapaxes(into, -1, -2).copy()
    outof[0] = rest.axes[0].T
    turns = np.swapaxes(outof, -1, -2) @ matrices_from_quaternions(unit) @ np.swapaxes(into, -1, -2)
    return axis_angle_from_matrices(turns)


def pelvis_world(joints: np.ndarray, transl: np.ndarray) -> np.ndarray:
    """(N, 3) m: SMPL turns the body about its pelvis and then moves it by transl, all in world axes."""
    return joints[0] + np.asarray(transl, dtype=np.float64)


def pelvis_locations(rest: RestSkeleton, pelvis: np.ndarray) -> np.ndarray:
    """Pelvis in the world (N, 3) -> the bone's location channels, which run along its rest axes."""
    return (pelvis - rest.heads[0]) @ rest.axes[0]


def pelvis_of_bone(rest: RestSkeleton, locations: np.ndarray) -> np.ndarray:
    """pelvis_locations the other way round."""
    return locations @ rest.axes[0].T + rest.heads[0]

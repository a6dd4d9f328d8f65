"""Rigs at rest made of numbers, for tests of retargeting without Blender: SMPL's joints at other lengths and poses."""

from types import SimpleNamespace

import numpy as np
from motions import rest_joints

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS

ROLES = {
    "pelvis": ("pelvis",), "spine": ("spine1", "spine2", "spine3"), "neck": ("neck",), "head": ("head",),
    **{f"{side}_{role}": (f"{side}_{joint}",) for side in ("left", "right") for role, joint in (
        ("clavicle", "collar"), ("upper_arm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist"),
        ("thigh", "hip"), ("shin", "knee"), ("foot", "ankle"), ("toe", "foot"))},
}  # fmt: skip
UP = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
"""SMPL's axes to a rig's, z up and facing -y."""


def about(axis, angle):
    """(3, 3) by Rodrigues' formula."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def bones(joints, parents=PARENTS, names=JOINT_NAMES):
    """What a RigRest is made of. joints (B, 3) m in SMPL's axes; soles at 0.98 + what motions' body has below."""
    heads = joints @ UP.T
    matrices = np.tile(np.eye(4), (len(heads), 1, 1))
    matrices[:, :3, 3] = heads
    rng = np.random.default_rng(3)
    for matrix in matrices:  # rolls and axes that tell nothing
        matrix[:3, :3] = about(rng.normal(size=3), rng.uniform(0, 3))
    return SimpleNamespace(
        names=tuple(names), parents=np.array(parents), matrices=matrices, lengths=np.full(len(heads), 0.1),
        world=np.eye(4), rotation_modes=("QUATERNION",) * len(heads), inherits=np.ones(len(heads), bool),
        local_place=np.ones(len(heads), bool), connected=np.zeros(len(heads), bool), bounds=None,
    )  # fmt: skip


def body(leg=1.0, arm=1.0, thigh=1.0, drop=0.0, wide=1.0):
    """(24, 3) m in SMPL's axes, the soles at 0: motions' body with other lengths, arms lowered by `drop` degrees."""
    rest = rest_joints()
    out = rest.copy()
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            continue
        name, way = JOINT_NAMES[joint], rest[joint] - rest[parent]
        factor = leg if any(word in name for word in ("knee", "ankle", "foot")) else 1.0
        factor *= thigh if "knee" in name else 1.0
        factor *= arm if any(word in name for word in ("elbow", "wrist", "hand")) else 1.0
        way = way * (wide, 1, 1) if "hip" in name else way
        if drop and any(word in name for word in ("elbow", "wrist", "hand")):
            sign = -1 if name.startswith("left") else 1
            way = about([0, 0, 1], sign * np.radians(drop)) @ way
        out[joint] = out[parent] + factor * way
    ankle, sole = out[7, 1], leg * (rest_joints()[7, 1] - (-0.98 - 0.22))
    return out - [0, ankle - sole, 0]

"""A motion file with known answers: a jointed figure of prisms that walks past a moving camera. NumPy only.

The feet are exactly still while planted (two-link legs solved in closed form), the pelvis moves at WALK_SPEED.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS
from ghmr_engine.motion_file import Motion, Person

WALK_SPEED = 1.2
"""m/s"""
STRIDE_SECONDS = 1.0
"""Two steps; the left foot lands at whole numbers of it, the right one at halves."""
THIGH_M, SHIN_M, HIP_ABOVE_ANKLE_M, LIFT_M = 0.42, 0.40, 0.74, 0.10
HEEL_DOWN, TOE_DOWN = (0.0, 0.4), (0.05, 0.5)
"""Parts of a stride in which heel and toe are planted; the foot stands on the floor in 0 to 0.5."""

# Rest pose in SMPL's axes: x to the body's left, y up, z forward; the middle and the left side.
_REST = {
    "pelvis": (0.0, 0.0, 0.0), "left_hip": (0.09, -0.08, 0.0), "spine1": (0.0, 0.11, -0.02),
    "left_knee": (0.09, -0.50, 0.0), "spine2": (0.0, 0.24, -0.02), "left_ankle": (0.09, -0.90, 0.0),
    "spine3": (0.0, 0.30, -0.01), "left_foot": (0.11, -0.95, 0.12), "neck": (0.0, 0.51, -0.03),
    "left_collar": (0.08, 0.42, -0.02), "head": (0.0, 0.60, 0.01), "left_shoulder": (0.19, 0.45, -0.03),
    "left_elbow": (0.45, 0.45, -0.04), "left_wrist": (0.70, 0.45, -0.03), "left_hand": (0.78, 0.44, -0.02),
}  # fmt: skip
_PELVIS_AT = np.array([0.002, -0.22, 0.03])  # SMPL's own pelvis is not at its origin either
_SOLE = -0.98
_RADIUS_M = {"pelvis": 0.12, "spine": 0.13, "neck": 0.05, "head": 0.09, "collar": 0.06, "shoulder": 0.05,
             "elbow": 0.04, "wrist": 0.04, "hand": 0.035, "hip": 0.075, "knee": 0.055, "ankle": 0.045,
             "foot": 0.04}  # fmt: skip
_REGION = {"neck": 0, "wrist": 0, "hand": 0, "elbow": 0, "hip": 3, "knee": 3, "pelvis": 3, "ankle": 4, "foot": 4}
_SIDES = 6
# Body to world for a figure that looks along world +x: y up to z up, then a quarter turn to the left.
FACING_X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def rest_joints() -> np.ndarray:
    """(24, 3) m in SMPL's axes."""
    places = []
    for name in JOINT_NAMES:
        x, y, z = _REST[name.replace("right", "left")]
        places.append((-x if name.startswith("right") else x, y, z))
    return np.array(places) + _PELVIS_AT


def walking_motion(
    frames: int = 60,
    fps: Fraction = Fraction(30),
    people: int = 1,
    image_size: tuple[int, int] = (1280, 720),
    absent: tuple[int, int] | None = None,
) -> Motion:
    """Person 1 walks along +x from above the origin, person 2 along -x at y = 1.5, and so on.

    absent: first and last frame in which the last person is out of view.
    """
    vertices, weights, faces, colors = _prisms(rest_joints())
    cast = {}
    for place in range(people):
        seen = np.arange(frames)
        if absent is not None and place == people - 1:
            seen = seen[(seen < absent[0]) | (seen > absent[1])]
        cast[str(place + 1)] = _walker(seen, fps, place, (vertices, weights))
    R, t = _camera(frames, fps)
    width, height = image_size
    focal = 1.1 * max(width, height)
    K = np.tile(
        np.array([[focal, 0, (width - 1) / 2 + 7], [0, focal, (height - 1) / 2 - 5], [0, 0, 1]]), (frames, 1, 1)
    )
    quality = {"reprojection_px": 3.5, "sliding_mm": 0.0, "penetration_mm": 0.0, "jitter": 1.0, "seen": 1.0}
    meta = {
        "format": "recover-motion", "version": 1, "engine": "0.1.0", "fps": [fps.numerator, fps.denominator],
        "frames": frames, "image_size": [width, height],
        "video": {"name": "walk past.mp4", "bytes": 1, "sha256": "0" * 64, "start": 0, "rotation": 0,
                  "constant_rate": True, "interlaced": False, "background": None},
        "options": {}, "models": [], "licence": "open", "seconds": {}, "people": list(cast), "warnings": [],
        "camera": {"focal_source": "default", "motion_source": "rotation"},
        "quality": dict.fromkeys(cast, quality),
    }  # fmt: skip
    return Motion(meta, R, t, K, np.ones(frames), cast, faces, np.array(PARENTS), colors)


def joints_world(person: Person) -> np.ndarray:
    """(N, 24, 3) m: SMPL's kinematic chain, a plain loop from the root outwards."""
    turns, offsets = _rodrigues(person.poses), person.joints.copy()
    world = np.empty((len(turns), 24, 3))
    frames = np.empty((len(turns), 24, 3, 3))
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            frames[:, joint] = turns[:, joint]
            world[:, joint] = offsets[joint] + person.transl
        else:
            frames[:, joint] = frames[:, parent] @ turns[:, joint]
            world[:, joint] = world[:, parent] + frames[:, parent] @ (offsets[joint] - offsets[parent])
    return world


def vertices_world(person: Person, frame: int) -> np.ndarray:
    """(V, 3) m: linear blend skinning of one frame, place `frame` of the person's own."""
    turns, chain = _rodrigues(person.poses[frame]), []
    for joint, parent in enumerate(PARENTS):
        chain.append(turns[joint] if parent < 0 else chain[parent] @ turns[joint])
    where = joints_world(person)[frame]
    moved = [where[j] + (person.vertices - person.joints[j]) @ chain[j].T for j in range(24)]
    return np.einsum("vj,jvk->vk", person.weights, np.array(moved))


def _walker(seen: np.ndarray, fps: Fraction, place: int, body: tuple[np.ndarray, np.ndarray]) -> Person:
    seconds = seen / float(fps)
    joints = rest_joints()
    poses = np.zeros((len(seen), 24, 3))
    heading = -1.0 if place % 2 else 1.0
    root = np.diag([heading, heading, 1.0]) @ FACING_X
    poses[:, 0] = _axis_angle(root)
    for side, sign, phase in (("left", 1.0, 0.0), ("right", -1.0, 0.5)):
        stride = (seconds / STRIDE_SECONDS + phase) % 1.0
        hip, knee, ankle = _leg(stride)
        for name, angle in (("hip", hip), ("knee", knee), ("ankle", ankle)):
            poses[:, JOINT_NAMES.index(f"{side}_{name}"), 0] = angle
        swing = 0.5 * np.cos(2 * np.pi * stride)
        poses[:, JOINT_NAMES.index(f"{side}_shoulder")] = _axis_angles(_about_x(swing) @ _about_z(-1.3 * sign))
        poses[:, JOINT_NAMES.index(f"{side}_elbow"), 1] = -0.4 * sign
    pelvis = np.zeros((len(seen), 3))
    pelvis[:, 0] = heading * WALK_SPEED * seconds
    pelvis[:, 1] = 1.5 * place
    hip_drop = joints[0, 1] - joints[1, 1]
    pelvis[:, 2] = HIP_ABOVE_ANKLE_M + hip_drop + (_REST["left_ankle"][1] - _SOLE)
    vertices, weights = body
    return Person(
        frames=seen, poses=poses, transl=pelvis - joints[0], betas=np.zeros(10), contacts=contacts(seconds),
        confidence=np.ones((len(seen), 24)), keypoints=np.zeros((len(seen), 33, 3)),
        reprojection=np.full(len(seen), 3.5), vertices=vertices, weights=weights, joints=joints,
    )  # fmt: skip


def contacts(seconds: np.ndarray) -> np.ndarray:
    """(N, 4) probability: left heel, left toe, right heel, right toe."""
    columns = []
    for phase in (0.0, 0.5):
        stride = (seconds / STRIDE_SECONDS + phase) % 1.0
        columns += [(stride >= first) & (stride < last) for first, last in (HEEL_DOWN, TOE_DOWN)]
    return np.where(np.stack(columns, 1), 0.9, 0.1)


def _leg(stride: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angles about x of hip, knee and ankle that put the ankle on its path: still on the floor for half a stride."""
    reach = WALK_SPEED * STRIDE_SECONDS / 4
    swing = np.clip(stride * 2 - 1, 0, 1)
    forward = np.where(stride < 0.5, reach - stride * 4 * reach, -reach * np.cos(np.pi * swing))
    down = HIP_ABOVE_ANKLE_M - LIFT_M * np.sin(np.pi * swing)
    cosine = (forward**2 + down**2 - THIGH_M**2 - SHIN_M**2) / (2 * THIGH_M * SHIN_M)
    knee = np.arccos(np.clip(cosine, -1, 1))
    thigh = np.arctan2(forward, down) + np.arctan2(SHIN_M * np.sin(knee), THIGH_M + SHIN_M * np.cos(knee))
    return -thigh, knee, thigh - knee


def _camera(frames: int, fps: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """Five metres in front of the scene, looking along +y, panning after the walker while it drifts up and back."""
    seconds = np.arange(frames) / float(fps)
    place = np.stack([0.3 * seconds, -5 - 0.2 * seconds, 1.4 + 0.05 * seconds], 1)
    level = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    # OpenCV's y points down: turning to the right is a positive turn about it, which R undoes.
    R = _about_x(np.full(frames, 0.06)) @ np.swapaxes(_rodrigues(np.outer(0.1 * seconds, [0, 1, 0])), 1, 2) @ level
    return R, -np.einsum("nij,nj->ni", R, place)


def _prisms(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), weights (V, 24), triangles (F, 3) and regions (V,): a prism along each bone."""
    vertices, weights, faces, colors = [], [], [], []
    for joint, name in enumerate(JOINT_NAMES):
        word = name.split("_")[-1].rstrip("123")
        start, end = joints[joint], _bone_end(joint, joints)
        side = np.cross(end - start, [0.31, 0.42, 0.85])
        side = side / np.linalg.norm(side) * _RADIUS_M[word]
        other = np.cross(end - start, side)
        other = other / np.linalg.norm(other) * _RADIUS_M[word]
        first = len(vertices)
        for place, parent_share in ((start, 0.5 if joint else 0.0), (end, 0.0)):
            for angle in np.arange(_SIDES) * 2 * np.pi / _SIDES:
                vertices.append(place + np.cos(angle) * side + np.sin(angle) * other)
                weight = np.zeros(24)
                weight[joint] = 1 - parent_share
                weight[PARENTS[joint]] += parent_share
                weights.append(weight)
        for k in range(_SIDES):
            a, b = first + k, first + (k + 1) % _SIDES
            faces += [[a, b, b + _SIDES], [a, b + _SIDES, a + _SIDES]]
            if 0 < k < _SIDES - 1:
                faces += [[first, b, a], [first + _SIDES, a + _SIDES, b + _SIDES]]
        colors += [_REGION.get(word, 2)] * (2 * _SIDES)
        if name == "head":
            colors[-_SIDES:] = [1] * _SIDES
            colors[-2 * _SIDES : -_SIDES] = [0] * _SIDES
    out = np.array(vertices)
    feet = np.isin(np.repeat(np.arange(24), 2 * _SIDES), [7, 8, 10, 11])
    out[feet, 1] = np.maximum(out[feet, 1], _SOLE + _PELVIS_AT[1])
    toes = np.isin(np.repeat(np.arange(24), 2 * _SIDES), [10, 11])
    out[toes & (out[:, 1] < _REST["left_foot"][1] + _PELVIS_AT[1]), 1] = _SOLE + _PELVIS_AT[1]
    return out, np.array(weights), np.array(faces), np.array(colors, dtype=np.uint8)


def _bone_end(joint: int, joints: np.ndarray) -> np.ndarray:
    name = JOINT_NAMES[joint]
    if name == "head":
        return joints[joint] + [0, 0.18, 0]
    if "hand" in name:
        return joints[joint] + [0.09 * np.sign(joints[joint, 0]), 0, 0]
    if "foot" in name:
        return joints[joint] + [0, 0, 0.07]
    follow = {"pelvis": "spine1", "spine3": "neck"}.get(name)
    return joints[JOINT_NAMES.index(follow) if follow else PARENTS.index(joint)]


def _rodrigues(axis_angle: np.ndarray) -> np.ndarray:
    """(..., 3) -> (..., 3, 3), through the matrix's own power series: slow, plain, and nobody else's code path."""
    x, y, z = np.moveaxis(np.asarray(axis_angle, dtype=np.float64), -1, 0)
    zero = np.zeros_like(x)
    skew = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*np.shape(axis_angle)[:-1], 3, 3)
    term = np.broadcast_to(np.eye(3), skew.shape)
    total = term.copy()
    for n in range(1, 40):
        term = term @ skew / n
        total = total + term
    return total


def _axis_angle(matrix: np.ndarray) -> np.ndarray:
    """(3,) of one matrix whose angle lies strictly between 0 and pi."""
    angle = np.arccos((np.trace(matrix) - 1) / 2)
    odd = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]])
    return odd * angle / (2 * np.sin(angle))


def _axis_angles(matrices: np.ndarray) -> np.ndarray:
    return np.stack([_axis_angle(matrix) for matrix in matrices])


def _about_x(angle: np.ndarray) -> np.ndarray:
    return _rodrigues(np.stack([angle, np.zeros_like(angle), np.zeros_like(angle)], -1))


def _about_z(angle: float) -> np.ndarray:
    return _rodrigues(np.array([0.0, 0.0, angle]))

"""A person of a motion file at one moment: body, joints, contact points, facing. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghmr_engine.motion_file import Motion, Person

LEFT_FOOT, RIGHT_FOOT = (7, 10), (8, 11)  # ankle and foot joints
LEFT_LIMBS = (1, 4, 7, 10, 16, 18, 20, 22)
RIGHT_LIMBS = (2, 5, 8, 11, 17, 19, 21, 23)


@dataclass(frozen=True)
class PosedBody:
    """One person in the world at one frame."""

    name: str
    vertices: np.ndarray
    """(V, 3) m, world."""
    joints: np.ndarray
    """(24, 3) m, world."""
    contact_points: np.ndarray
    """(4, 3) m, world: left heel, left toe, right heel, right toe on the sole."""
    contacts: np.ndarray
    """(4,) probability."""
    forward: np.ndarray
    """(3,) unit vector, world: where the pelvis faces."""


def rotation_matrices(axis_angle: np.ndarray) -> np.ndarray:
    """(..., 3) axis-angle in radians -> (..., 3, 3), by Rodrigues' formula."""
    angle = np.linalg.norm(axis_angle, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(axis_angle / np.maximum(angle[..., 0], 1e-12), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def joint_transforms(rotations: np.ndarray, joints: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Forward kinematics about the rest joints (SMPL, Loper et al. 2015, eq. 3, without translation).

    rotations (..., 24, 3, 3), joints (24, 3) m at rest -> (..., 24, 4, 4): a joint's frame, its origin in the joint.
    """
    offsets = joints.copy()
    offsets[1:] -= joints[parents[1:]]
    local = np.zeros((*rotations.shape[:-2], 4, 4))
    local[..., :3, :3] = rotations
    local[..., :3, 3] = offsets
    local[..., 3, 3] = 1
    chain = [local[..., 0, :, :]]
    for joint in range(1, len(joints)):
        chain.append(chain[parents[joint]] @ local[..., joint, :, :])
    return np.stack(chain, -3)


def skin(vertices: np.ndarray, weights: np.ndarray, joints: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Linear blend skinning: rest vertices (V, 3), weights (V, 24), joints (24, 3), frames (24, 4, 4) -> (V, 3)."""
    relative = frames.copy()
    relative[:, :3, 3] -= np.einsum("jab,jb->ja", frames[:, :3, :3], joints)
    blended = (weights @ relative[:, :3].reshape(len(joints), 12)).reshape(-1, 3, 4)
    return np.einsum("vab,vb->va", blended[..., :3], vertices) + blended[..., 3]


def sole_vertices(person: Person) -> np.ndarray | None:
    """(4,) vertices of the rest body under left heel, left toe, right heel, right toe; None where it has no feet."""
    chosen = []
    owner = person.weights.argmax(axis=1)
    for foot in (LEFT_FOOT, RIGHT_FOOT):
        own = np.flatnonzero(np.isin(owner, foot))
        if len(own) < 8:
            return None
        height = person.vertices[own, 1]
        low = own[height < height.min() + 0.03]
        # The points touching the floor, a little in from the very ends, which curve up.
        depth = person.vertices[low, 2]
        reach = depth.max() - depth.min()
        for end, at in ((depth.min() + 0.12 * reach, low), (depth.max() - 0.18 * reach, low)):
            near = at[np.abs(depth - end) < 0.08 * reach + 1e-6]
            chosen.append(near[person.vertices[near, 1].argmin()] if len(near) else at[np.abs(depth - end).argmin()])
    return np.array(chosen)


def pose_person(motion: Motion, name: str, index: int) -> PosedBody | None:
    """The body of person `name` in frame `index` of the clip; None where that person has no such frame."""
    person = motion.people[name]
    place = int(np.searchsorted(person.frames, index))
    if place == len(person.frames) or person.frames[place] != index:
        return None
    rotations = rotation_matrices(np.asarray(person.poses[place], dtype=np.float64))
    rest = np.asarray(person.joints, dtype=np.float64)
    frames = joint_transforms(rotations, rest, motion.parents)
    vertices = skin(person.vertices, person.weights, rest, frames) + person.transl[place]
    joints = frames[:, :3, 3] + person.transl[place]
    sole = sole_vertices(person)
    # A body without feet still has foot joints: ankle and foot stand in for heel and toe.
    points = joints[[7, 10, 8, 11]] if sole is None else vertices[sole]
    return PosedBody(name, vertices, joints, points, person.contacts[place], rotations[0] @ np.array([0.0, 0.0, 1.0]))


def pose_everyone(motion: Motion, index: int) -> list[PosedBody]:
    """Everybody who is there in frame `index` of the clip."""
    bodies = (pose_person(motion, name, index) for name in motion.people)
    return [body for body in bodies if body is not None]


def side_of_vertices(person: Person) -> np.ndarray:
    """(V,) 1 on left limbs, -1 on right limbs, 0 on the trunk, blended by the skinning weights."""
    return person.weights[:, LEFT_LIMBS].sum(axis=1) - person.weights[:, RIGHT_LIMBS].sum(axis=1)


def root_path(motion: Motion, name: str) -> np.ndarray:
    """(N, 3) m, world: the pelvis joint of one person over that person's frames."""
    person = motion.people[name]
    return np.asarray(person.transl, dtype=np.float64) + person.joints[0]

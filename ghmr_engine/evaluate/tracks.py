"""What the measures look at: joints, foot points and the camera of a motion file, independent of its body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.motion_file import Motion, Person
from ghmr_engine.posed import LEFT_FOOT, RIGHT_FOOT, joint_transforms, rotation_matrices, sole_vertices

_SAME_BODY_M = 0.001
"""A file whose rest joints lie nearer than this to a body's was posed with that body."""
_IN_PICTURE = 1 / 2
"""Share of the joints that must project into the picture for a person to be in view."""
_SURE, _SURE_SHARE = 0.5, 1 / 3
"""And the share of the joints that must have a larger confidence than this: who is hidden is not in view."""
_NEAR_M = 0.05
"""What is nearer to the camera's plane than this has no place in the picture."""


@dataclass(frozen=True)
class PersonTrack:
    """One person in the world (z up, metres, ground at z = 0). N frames."""

    name: str
    frames: np.ndarray
    """(N,) int, rising; places in 0..T-1."""
    joints: np.ndarray
    """(N, 24, 3) m, world: SMPL's."""
    feet: np.ndarray
    """(N, 4, 3) m, world: left heel, left toe, right heel, right toe."""
    contacts: np.ndarray | None
    """(N, 4) probability, in the order of `feet`; None where nothing is known."""
    in_view: np.ndarray
    """(N,) bool: inside the picture and not hidden."""
    mesh: Callable[[np.ndarray], np.ndarray] | None = None
    """Rows (n,) of the N frames -> (n, V, 3) m, world: a mesh is too large to be kept. None where none is known."""


@dataclass(frozen=True)
class Tracks:
    """Everybody of a clip, and its camera (OpenCV: x right, y down, z forward). T frames."""

    people: tuple[PersonTrack, ...]
    R: np.ndarray
    """(T, 3, 3) world to camera."""
    t: np.ndarray
    """(T, 3) m: x_cam = R x + t."""
    K: np.ndarray
    """(T, 3, 3) px."""
    image_size: tuple[int, int]
    """Width and height in pixels."""
    fps: float


def tracks_of(motion: Motion, body: Body | None) -> Tracks:
    """Everybody of a motion file. `body` gives the foot points of those who were posed with it."""
    R, t, K = (np.asarray(x, dtype=np.float64) for x in (motion.R, motion.t, motion.K))
    width, height = (int(side) for side in motion.meta["image_size"])
    people = []
    for name, person in motion.people.items():
        joints, feet, mesh = _places(person, motion.parents, body)
        frames = np.asarray(person.frames, dtype=np.int64)
        pixels = project(joints, R[frames], t[frames], K[frames])
        # Pixel centres are whole numbers, so the picture begins half a pixel before the first.
        inside = ((pixels >= -0.5) & (pixels < np.array([width, height]) - 0.5)).all(-1)
        sure = np.asarray(person.confidence) > _SURE
        in_view = (inside.mean(1) >= _IN_PICTURE) & (sure.mean(1) >= _SURE_SHARE - 1e-9)
        people.append(PersonTrack(name, frames, joints, feet, np.asarray(person.contacts), in_view, mesh))
    return Tracks(tuple(people), R, t, K, (width, height), float(Fraction(*motion.meta["fps"])))


def to_camera(points: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """x_cam = R x + t for points (N, M, 3) m in the world, R (N, 3, 3), t (N, 3) m."""
    return points @ np.swapaxes(R, -1, -2) + t[:, None]


def project(points: np.ndarray, R: np.ndarray, t: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Pixels (N, M, 2) of points (N, M, 3) m in the world, K (N, 3, 3); nan behind the camera."""
    seen = to_camera(points, R, t)
    depth = seen[..., 2:]
    flat = seen / np.where(depth > _NEAR_M, depth, np.nan)
    return (flat @ np.swapaxes(K, -1, -2))[..., :2]


def _places(
    person: Person, parents: np.ndarray, body: Body | None
) -> tuple[np.ndarray, np.ndarray, Callable[[np.ndarray], np.ndarray] | None]:
    """Joints (N, 24, 3) and foot points (N, 4, 3), m, world, and the mesh of some frames."""
    rest = np.asarray(person.joints, dtype=np.float64)
    rotations = rotation_matrices(np.asarray(person.poses, dtype=np.float64))
    transforms = joint_transforms(rotations, rest, parents)
    shift = np.asarray(person.transl, dtype=np.float64)[:, None]
    joints = transforms[..., :3, 3] + shift
    if body is not None and _is_posed_with(person, body):
        turns, transl, betas = (
            torch.as_tensor(x, dtype=torch.float32) for x in (rotations, person.transl, person.betas)
        )
        feet = body.forward(turns, transl, betas).contacts.numpy().astype(np.float64)
        return joints, feet, lambda rows: body.vertices(turns[rows], transl[rows], betas).numpy()
    sole = sole_vertices(person)
    if sole is None:
        return joints, joints[:, [*LEFT_FOOT, *RIGHT_FOOT]], None
    feet = _skinned(person.vertices[sole], person.weights[sole], rest, transforms) + shift
    return joints, feet, lambda rows: _skinned(person.vertices, person.weights, rest, transforms[rows]) + shift[rows]


def _is_posed_with(person: Person, body: Body) -> bool:
    rest = body.rest_joints(torch.as_tensor(person.betas, dtype=torch.float32)).numpy()
    return bool(np.abs(rest - person.joints).max() < _SAME_BODY_M)


def _skinned(vertices: np.ndarray, weights: np.ndarray, rest: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Linear blend skinning (Loper et al. 2015, eq. 2): (M, 3), (M, 24), (24, 3), (N, 24, 4, 4) -> (N, M, 3) m."""
    turns, places = transforms[..., :3, :3], transforms[..., :3, 3]
    relative = vertices[:, None] - rest
    moved = np.einsum("njab,mjb->nmja", turns, relative) + places[:, None]
    return np.einsum("mj,nmja->nma", weights, moved)

"""People, camera and scenery of one rendered clip, put into one world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import roma
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.evaluate.cameras import Filmed, film
from ghmr_engine.evaluate.mocap import Capture
from ghmr_engine.evaluate.retarget import BodyMotion, posed, retarget
from ghmr_engine.evaluate.scenery import Scenery, furnish
from ghmr_engine.evaluate.shot import Shot
from ghmr_engine.geometry import intrinsics

_BODY, _PLACES, _CAMERA, _SCENERY = range(4)
"""Streams of chance: what one draws does not change another's."""
_APART_M = 0.35
"""Joints of two people come no nearer than this, seen from above."""


@dataclass(frozen=True)
class Staged:
    """A clip before it is rendered: the world is z up, the first person's pelvis starts above the origin, and the first
    camera looks along +y."""

    shot: Shot
    people: tuple[BodyMotion, ...]
    camera: Filmed
    K: np.ndarray
    """(3, 3) px."""
    scenery: Scenery
    to_world: np.ndarray
    """(4, 4) from the stage as it was planned: the sun stands by this."""


def stage(captures: list[Capture], shot: Shot, body: Body) -> Staged:
    """Bodies drawn, motions put on them, people set apart, filmed, and the place furnished around them."""
    fps = Fraction(shot.fps)
    people = []
    for place, capture in enumerate(captures):
        start = shot.start if place == 0 else shot.second_start
        end = (len(capture.root) - 1) / float(capture.fps)
        if place == 0 and shot.end is not None:
            end = min(end, shot.end)
        people.append(retarget(capture, body, draw_shape(shot.seed, place), fps, start, end))
    count = min(len(motion.transl) for motion in people)
    people = [rows(motion, np.arange(count)) for motion in people]
    people = _set_apart(people, body, np.random.default_rng([shot.seed, _PLACES]))
    size, K = (shot.width, shot.height), camera_matrix(shot)
    joints = np.stack([posed(motion, body).joints.numpy() for motion in people], 1).astype(float)
    facing = (people[0].rotations[:, 0] @ np.array([0.0, 0, 1])).mean(0)
    camera = film(
        shot.camera, joints, float(np.arctan2(facing[1], facing[0])), shot.fps, K, size,
        np.random.default_rng([shot.seed, _CAMERA]),
    )  # fmt: skip
    scenery = furnish(
        joints[:, :, 0, :2], camera.centres[:, :2], shot.occluder, np.random.default_rng([shot.seed, _SCENERY])
    )  # fmt: skip
    return _in_world(Staged(shot, tuple(people), camera, K, scenery, np.eye(4)), joints[0, 0, 0], body)


def draw_shape(seed: int, person: int) -> np.ndarray:
    """(10,) betas of a likely body."""
    return np.clip(np.random.default_rng([seed, _BODY, person]).normal(0, 0.7, 10), -1.5, 1.5)


def camera_matrix(shot: Shot) -> np.ndarray:
    """(3, 3) px for the shot's field of view."""
    focal = max(shot.width, shot.height) / 2 / np.tan(np.radians(shot.fov) / 2)
    return intrinsics(focal, shot.width, shot.height)


def rows(motion: BodyMotion, which: np.ndarray) -> BodyMotion:
    """Some frames of a motion."""
    return replace(
        motion, rotations=motion.rotations[which], transl=motion.transl[which], contacts=motion.contacts[which]
    )


def moved(motion: BodyMotion, turn: np.ndarray, shift: np.ndarray, body: Body) -> BodyMotion:
    """Into x' = turn x + shift."""
    pelvis = body.rest_joints(torch.as_tensor(motion.betas, dtype=torch.float32))[0].numpy()
    rotations = motion.rotations.copy()
    rotations[:, 0] = turn @ rotations[:, 0]
    return replace(motion, rotations=rotations, transl=(motion.transl + pelvis) @ turn.T + shift - pelvis)


def between(motion: BodyMotion, at: np.ndarray) -> BodyMotion:
    """The motion at times between frames, `at` (n,) in frames: for motion blur."""
    before, after, share = _neighbours(at, len(motion.transl))
    a, b = (torch.as_tensor(motion.rotations[which]) for which in (before, after))
    way = roma.rotmat_to_rotvec(a.transpose(-1, -2) @ b) * torch.as_tensor(share)[:, None, None]
    transl = motion.transl[before] + share[:, None] * (motion.transl[after] - motion.transl[before])
    rotations = (a @ roma.rotvec_to_rotmat(way)).numpy()
    return BodyMotion(rotations, transl, motion.betas, motion.contacts[before])


def camera_between(camera: Filmed, at: np.ndarray) -> Filmed:
    """The camera at times between frames, `at` (n,) in frames."""
    before, after, share = _neighbours(at, len(camera.R))
    a, b = (torch.as_tensor(camera.R[which]) for which in (before, after))
    way = roma.rotmat_to_rotvec(a.transpose(-1, -2) @ b) * torch.as_tensor(share)[:, None]
    R = (a @ roma.rotvec_to_rotmat(way)).numpy()
    centres = camera.centres[before] + share[:, None] * (camera.centres[after] - camera.centres[before])
    return Filmed(R, -np.einsum("tij,tj->ti", R, centres))


def _neighbours(at: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at = np.clip(at, 0, count - 1)
    before = np.minimum(at.astype(int), max(count - 2, 0))
    return before, np.minimum(before + 1, count - 1), at - before


def _turn(radians: float) -> np.ndarray:
    c, s = np.cos(radians), np.sin(radians)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def _set_apart(people: list[BodyMotion], body: Body, rng: np.random.Generator) -> list[BodyMotion]:
    """The first where it is, each other one turned and moved to where it runs into nobody, yet near."""
    placed = people[:1]
    for motion in people[1:]:
        others = np.concatenate([posed(other, body).joints.numpy()[::3, :, :2] for other in placed], 1)
        for attempt in range(200):
            away = 1.1 + 0.02 * attempt
            angle = rng.uniform(0, 2 * np.pi)
            middle = others.mean((0, 1)) + away * np.array([np.cos(angle), np.sin(angle)])
            turn = _turn(rng.uniform(0, 2 * np.pi))
            own = posed(moved(motion, turn, np.zeros(3), body), body).joints.numpy()
            trial = moved(motion, turn, np.array([*(middle - own[..., :2].mean((0, 1))), 0]), body)
            mine = posed(trial, body).joints.numpy()[::3, :, :2]
            if np.linalg.norm(mine[:, :, None] - others[:, None], axis=-1).min() > _APART_M:
                break
        placed.append(trial)
    return placed


def _in_world(staged: Staged, pelvis: np.ndarray, body: Body) -> Staged:
    """Turned and shifted to where the design wants the world's origin: above it the first pelvis (3,) starts."""
    ahead = staged.camera.R[0, 2]
    turn = _turn(np.pi / 2 - np.arctan2(ahead[1], ahead[0]))
    shift = -turn @ (pelvis * [1, 1, 0])
    to_world = np.eye(4)
    to_world[:3, :3], to_world[:3, 3] = turn, shift
    people = tuple(moved(motion, turn, shift, body) for motion in staged.people)
    R = staged.camera.R @ turn.T
    camera = Filmed(R, staged.camera.t - R @ shift)
    sheets = tuple(replace(sheet, matrix=to_world @ sheet.matrix) for sheet in staged.scenery.sheets)
    boxes = tuple(replace(box, matrix=to_world @ box.matrix) for box in staged.scenery.boxes)
    return replace(staged, people=people, camera=camera, scenery=Scenery(sheets, boxes), to_world=to_world)

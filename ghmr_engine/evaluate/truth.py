"""What is known of a rendered clip, as a motion file: people, contacts, camera, and which joints can be seen."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import roma
import torch

from ghmr_engine import __version__
from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.evaluate.retarget import BodyMotion, posed
from ghmr_engine.evaluate.scenery import hidden
from ghmr_engine.evaluate.staging import Staged
from ghmr_engine.motion_file import Motion, Person
from ghmr_engine.options import Options

_TORSO_M, _HEAD_M = 0.16, 0.11
"""Radii of the round bodies by which one person hides another."""


def truth_of(staged: Staged, body: Body, clip: Path) -> Motion:
    """The truth of a clip that was encoded, without the mesh, which `betas` on the open body gives.

    `confidence` is 1 for a joint that can be seen and 0 for one that is outside the picture or behind something.
    """
    points = [posed(motion, body) for motion in staged.people]
    people = {}
    for place, (motion, own) in enumerate(zip(staged.people, points, strict=True), 1):
        others = [other.joints.numpy().astype(float) for k, other in enumerate(points, 1) if k != place]
        people[str(place)] = _person(motion, own, others, staged, body)
    count, data = len(staged.camera.R), clip.read_bytes()
    shot = staged.shot
    meta = {
        "engine": __version__, "fps": [shot.fps, 1], "frames": count, "image_size": [shot.width, shot.height],
        "options": Options().as_dict(), "licence": "open", "models": [], "seconds": {}, "warnings": [], "quality": {},
        "camera": {"focal_source": "truth", "motion_source": "truth"}, "cached": [],
        "video": {"name": clip.name, "path": clip.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
                  "start": 0, "rotation": 0, "constant_rate": True, "interlaced": False, "background": None},
    }  # fmt: skip
    return Motion(
        meta, staged.camera.R, staged.camera.t, np.tile(staged.K, (count, 1, 1)), np.ones(count), people,
        np.zeros((0, 3), np.int32), body.parents.numpy(), np.zeros(0, np.uint8),
    )  # fmt: skip


def _person(motion: BodyMotion, own: Posed, others: list[np.ndarray], staged: Staged, body: Body) -> Person:
    count = len(motion.transl)
    landmarks, joints = own.landmarks.numpy().astype(float), own.joints.numpy().astype(float)
    pixels, seen = _seen(landmarks, others, staged)
    betas = torch.as_tensor(motion.betas, dtype=torch.float32)
    return Person(
        frames=np.arange(count), poses=roma.rotmat_to_rotvec(torch.as_tensor(motion.rotations)).numpy(),
        transl=motion.transl, betas=motion.betas, contacts=motion.contacts.astype(np.float32),
        confidence=_seen(joints, others, staged)[1].astype(np.float32),
        keypoints=np.concatenate([pixels, seen[..., None]], -1), reprojection=np.zeros(count),
        vertices=np.zeros((0, 3), np.float32), weights=np.zeros((0, 24), np.float32),
        joints=body.rest_joints(betas).numpy(),
    )  # fmt: skip


def _seen(points: np.ndarray, others: list[np.ndarray], staged: Staged) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (T, M, 2) of world points (T, M, 3) and whether each is in the picture with nothing before it (T, M)."""
    camera = staged.camera
    cam = points @ np.swapaxes(camera.R, 1, 2) + camera.t[:, None]
    pixels = (cam @ staged.K.T)[..., :2] / np.maximum(cam[..., 2:], 0.05)
    size = np.array([staged.shot.width, staged.shot.height])
    inside = ((pixels > -0.5) & (pixels < size - 0.5)).all(-1) & (cam[..., 2] > 0.05)
    blocked = hidden(points, camera.centres, staged.scenery.boxes)
    for joints in others:
        for a, b, radius in ((0, 12, _TORSO_M), (12, 15, _HEAD_M), (1, 4, 0.07), (2, 5, 0.07)):
            blocked |= _behind(points, camera.centres, joints[:, a], joints[:, b], radius)
    return pixels, inside & ~blocked


def _behind(points: np.ndarray, eyes: np.ndarray, a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """(T, M) whether the ray from eyes (T, 3) to points (T, M, 3) passes within `radius` of the segment a b (T, 3):
    the segment's points, densely taken, are near enough to a round limb."""
    blocked = np.zeros(points.shape[:2], bool)
    way = points - eyes[:, None]
    length = (way**2).sum(-1)
    for share in np.linspace(0, 1, 6):
        centre = (a + share * (b - a) - eyes)[:, None]
        along = (centre * way).sum(-1) / length
        near = np.linalg.norm(centre - np.clip(along, 0, 1)[..., None] * way, axis=-1) < radius
        blocked |= near & (along < 0.97)
    return blocked

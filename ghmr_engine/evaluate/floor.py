"""The floor of our errors: our own lift and world stages, given the truth's keypoints and the true camera."""

from __future__ import annotations

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.evaluate.tracks import to_camera
from ghmr_engine.lift.observations import crop_to_camera
from ghmr_engine.motion_file import Motion, Person
from ghmr_engine.posed import rotation_matrices
from ghmr_engine.types import CameraMotion, People, Track

_MARGIN = 0.1
"""A box is larger than the landmarks by this share of its size, on each side."""
_SEEN = 0.25
"""A person is seen where at least this share of the landmarks is."""


def true_people(truth: Motion, body: Body) -> People:
    """Tracks as a perfect detector would find them: the truth's landmarks in the picture and in 3D."""
    tracks = tuple(
        track
        for number, person in enumerate(truth.people.values(), 1)
        if (track := _track(number, person, truth, body)) is not None
    )
    count = len(truth.R)
    return People(tracks, np.zeros((count, 1, 1), np.uint8), (1, 8))


def true_camera(truth: Motion) -> CameraMotion:
    """The truth's camera in the first camera's frame; it counts as standing, since nothing of it is to be found."""
    R, t = np.asarray(truth.R, float), np.asarray(truth.t, float)
    turns = R @ R[0].T
    return CameraMotion(
        R=turns, t=t - np.einsum("tij,j->ti", turns, t[0]), K=np.asarray(truth.K, float),
        confidence=np.ones(len(R)), moving=False, unit="metre", points=np.zeros((0, 3)), upright=np.zeros((0, 4)),
        focal_source="truth",
        motion_source="truth",
    )  # fmt: skip


def _track(number: int, person: Person, truth: Motion, body: Body) -> Track | None:
    shown = person.keypoints[..., 2] > 0.5
    rows = np.flatnonzero(shown.mean(1) >= _SEEN)
    if not len(rows):
        return None
    rows = np.arange(rows[0], rows[-1] + 1)
    frames = np.asarray(person.frames)[rows]
    pose = (rotation_matrices(np.asarray(person.poses[rows], float)), person.transl[rows], person.betas)
    landmarks = body.forward(*(torch.as_tensor(x, dtype=torch.float32) for x in pose)).landmarks.numpy().astype(float)
    keypoints = np.asarray(person.keypoints[rows], float)
    low, high = keypoints[..., :2].min(1), keypoints[..., :2].max(1)
    margin = _MARGIN * (high - low).max(1, keepdims=True)
    boxes = np.concatenate([low - margin, high + margin], 1)
    R, K = np.asarray(truth.R, float)[frames], np.asarray(truth.K, float)[frames]
    seen_3d = to_camera(landmarks, R, np.asarray(truth.t, float)[frames])
    hips = seen_3d[:, 23:25].mean(1, keepdims=True)
    # The lift turns BlazePose's 3D from its crop's axis to the camera's: here it is turned the other way before.
    seen_3d = (seen_3d - hips) @ crop_to_camera(boxes, K)
    return Track(number, frames, boxes, keypoints, seen_3d, shown[rows].mean(1) >= _SEEN)

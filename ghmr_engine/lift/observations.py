"""What the lift sees of one person: landmarks in the picture, limb directions in 3D, and how far to trust each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import roma
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.body.smpl import OPEN_BODY, Body
from ghmr_engine.energy.evidence import LANDMARK_TRUST, NOISE
from ghmr_engine.lift.predict import Prediction
from ghmr_engine.lift.wham import WhamMotion
from ghmr_engine.types import CameraMotion, Track

_LIMBS = (
    ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"), ("left_hip", "left_shoulder"),
    ("right_hip", "right_shoulder"), ("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"), ("left_wrist", "left_index"),
    ("right_wrist", "right_index"), ("left_pinky", "left_index"), ("right_pinky", "right_index"),
    ("left_hip", "left_knee"), ("right_hip", "right_knee"), ("left_knee", "left_ankle"),
    ("right_knee", "right_ankle"), ("left_heel", "left_foot_index"), ("right_heel", "right_foot_index"),
    ("left_ear", "right_ear"), ("left_ear", "nose"), ("right_ear", "nose"),
)  # fmt: skip
LIMBS = np.array([[LANDMARK_NAMES.index(a), LANDMARK_NAMES.index(b)] for a, b in _LIMBS])
"""(B, 2) landmarks at the two ends of each limb."""

# Hands, feet and the crossing lines are read less surely in 3D than long limbs are.
_LIMB_TRUST = np.array([1, 1, 1, 1, 1, 1, 1, 1, 0.3, 0.3, 0.15, 0.15, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5])

_JOINT_LANDMARK = {
    "pelvis": ("left_hip", "right_hip"), "spine1": ("left_hip", "right_hip"), "spine2": ("left_hip", "left_shoulder"),
    "spine3": ("left_shoulder", "right_shoulder"), "neck": ("left_shoulder", "right_shoulder"),
    "head": ("left_ear", "right_ear"), "left_foot": ("left_foot_index",), "right_foot": ("right_foot_index",),
    "left_collar": ("left_shoulder",), "right_collar": ("right_shoulder",), "left_hand": ("left_index",),
    "right_hand": ("right_index",),
}  # fmt: skip


@dataclass(frozen=True)
class Guess:
    """The lifting network's motion over N frames, in the world of Observations."""

    rotations: torch.Tensor
    """(N, 24, 3, 3)."""
    joints: torch.Tensor
    """(N, 24, 3) m about the pelvis."""
    spread: torch.Tensor
    """(N, 24) m: how far each joint may be off."""
    betas: torch.Tensor
    """(N, 10): the same in every row."""

    def rows(self, which: slice | np.ndarray) -> Guess:
        """A part of the frames."""
        return Guess(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Observations:
    """One person's evidence over N frames, as tensors. The world is the first camera's frame."""

    keypoints: torch.Tensor
    """(N, 33, 2) px."""
    weight: torch.Tensor
    """(N, 33) trust in each."""
    sigma_px: torch.Tensor
    """(N,) expected error in the picture."""
    limbs: torch.Tensor
    """(N, B, 3) unit directions of LIMBS in the world."""
    limb_weight: torch.Tensor
    """(N, B)."""
    landmarks: torch.Tensor
    """(N, 33, 3) m: BlazePose's 3D turned into the world; the place is its own (between the hips)."""
    R: torch.Tensor
    """(N, 3, 3) world to camera."""
    t: torch.Tensor
    """(N, 3)."""
    K: torch.Tensor
    """(N, 3, 3)."""
    offsets: torch.Tensor
    """(33, 3) m from the body's landmarks to where the detector sees them."""
    guess: Guess | None = None
    """What the lifting network says."""

    def rows(self, which: slice | np.ndarray) -> Observations:
        """A part of the frames."""
        by_frame = {
            name: getattr(self, name)[which] for name in self.__dataclass_fields__ if name not in ("offsets", "guess")
        }
        return replace(self, **by_frame, guess=None if self.guess is None else self.guess.rows(which))


def observe(track: Track, camera: CameraMotion, device: torch.device) -> Observations:
    """Evidence of one track, on a device."""
    R, K = camera.R[track.frames], camera.K[track.frames]
    # A path in another unit than people's is left out: it would tear smooth motions apart.
    t = camera.t[track.frames] * (camera.unit == "metre")
    visible = np.clip((track.keypoints[..., 2] - 0.1) / 0.6, 0, 1) * track.seen[:, None]
    size = _person_size(track)
    to_world = np.swapaxes(R, 1, 2) @ crop_to_camera(track.boxes, K)
    landmarks = track.world_landmarks @ np.swapaxes(to_world, 1, 2)
    limbs = landmarks[:, LIMBS[:, 1]] - landmarks[:, LIMBS[:, 0]]
    length = np.linalg.norm(limbs, axis=-1, keepdims=True)
    both = np.minimum(visible[:, LIMBS[:, 0]], visible[:, LIMBS[:, 1]])

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, dtype=torch.float32, device=device)

    return Observations(
        keypoints=tensor(track.keypoints[..., :2]),
        weight=tensor(visible * LANDMARK_TRUST),
        sigma_px=tensor(np.maximum(NOISE * size, 1.0)),
        limbs=tensor(limbs / np.maximum(length, 1e-6)),
        limb_weight=tensor(both * _LIMB_TRUST * (length[..., 0] > 0.01)),
        landmarks=tensor(landmarks),
        R=tensor(R), t=tensor(t), K=tensor(K),
        offsets=tensor(track.offsets),
    )  # fmt: skip


def guess_from(said: Prediction | WhamMotion, seen: Observations, body: Body) -> Guess:
    """The network's answer in the world of what is seen. The lifting network's shape counts for the open body alone:
    another body's ten numbers mean other things, so that it begins with its mean shape. WHAM's is of its own body.

    The open body's first number is its size, which no picture tells: the network's guess of it was 2 % small and went
    with the truth in nothing (correlation 0.07 over 17 rendered people), so that everybody is of middle size."""
    if isinstance(said, WhamMotion):
        betas = said.betas
    else:
        known = torch.arange(10, device=said.betas.device) > 0
        betas = said.betas * (known if body.name == OPEN_BODY else 0)
    root = seen.R.transpose(1, 2) @ said.rotations[:, 0]
    rotations = torch.cat([root[:, None], said.rotations[:, 1:]], 1)
    zero = torch.zeros(len(root), 3).to(root)
    joints = body.forward(rotations, zero, betas).joints
    return Guess(rotations, joints - joints[:, :1], said.spread, betas.expand(len(root), 10))


def joint_confidence(track: Track) -> np.ndarray:
    """(N, 24) trust in each joint: the visibility of the landmarks nearest to it, 0 where the person was hidden."""
    columns = []
    for name in JOINT_NAMES:
        near = [LANDMARK_NAMES.index(landmark) for landmark in _JOINT_LANDMARK.get(name, (name,))]
        columns.append(track.keypoints[:, near, 2].mean(1))
    return np.clip(np.stack(columns, 1), 0, 1) * track.seen[:, None]


def _person_size(track: Track) -> np.ndarray:
    """(N,) px: the larger side of the box, held steady over half a second so that it does not pump."""
    sides = (track.boxes[:, 2:] - track.boxes[:, :2]).max(1)
    padded = np.pad(sides, 7, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 15), -1)


def crop_to_camera(boxes: np.ndarray, K: np.ndarray) -> np.ndarray:
    """(N, 3, 3) shortest turns from the optical axis to the ray through each box's centre.

    BlazePose sees a crop, as if the camera looked straight at the person; its 3D is turned by that ray's angle.
    """
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    ray = np.concatenate([(centre - K[:, :2, 2]) / K[:, [0, 1], [0, 1]], np.ones((len(boxes), 1))], 1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    axis = np.cross([0.0, 0.0, 1.0], ray)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, ray[:, 2:])
    return roma.rotvec_to_rotmat(torch.as_tensor(axis / np.maximum(sine, 1e-9) * angle)).numpy()

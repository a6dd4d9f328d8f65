"""The marks of the detector: sides mirror each other, and offsets that are known are found again."""

from __future__ import annotations

import numpy as np
import roma
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES, mirror_order
from ghmr_engine.energy.marks import BLAZEPOSE_OFFSETS, JOINT_OF_LANDMARK, marks
from ghmr_engine.people.vitpose import COCO_FROM_LANDMARKS, taken_over
from ghmr_engine.train.detections import Detection
from ghmr_engine.train.marks import measure_offsets
from ghmr_engine.types import Track

FRAMES = 90


def _turning(body):
    """Somebody who turns about and swings their limbs 4 m before a camera: rotations, transl, betas."""
    chance = np.random.default_rng(5)
    swing = 0.5 * np.sin(np.linspace(0, 9, FRAMES)[:, None, None] + chance.uniform(0, 6, (24, 3)))
    rotations = roma.rotvec_to_rotmat(torch.as_tensor(swing, dtype=torch.float32))
    about = torch.zeros(FRAMES, 3)
    about[:, 1] = torch.linspace(0, 2 * np.pi, FRAMES)
    upside = torch.diag(torch.tensor([1.0, -1, -1]))  # y down, as the camera has it
    rotations[:, 0] = upside @ roma.rotvec_to_rotmat(about)
    return rotations, torch.tensor([0.0, 0, 4]).expand(FRAMES, 3).clone(), torch.zeros(10)


def test_right_marks_mirror_the_left_ones():
    order = list(mirror_order(LANDMARK_NAMES))
    assert np.allclose(BLAZEPOSE_OFFSETS[order] * [-1, 1, 1], BLAZEPOSE_OFFSETS)
    joints = [JOINT_NAMES[joint] for joint in JOINT_OF_LANDMARK]
    assert joints[LANDMARK_NAMES.index("right_heel")] == "right_ankle"
    assert joints[LANDMARK_NAMES.index("left_hip")] == "pelvis"
    assert np.abs(BLAZEPOSE_OFFSETS).max() < 0.06


def test_a_mark_turns_with_its_joint(body):
    posed = body.forward(*_turning(body))
    offsets = torch.zeros(33, 3)
    wrist = LANDMARK_NAMES.index("left_wrist")
    offsets[wrist] = torch.tensor([0.0, 0.1, 0])
    moved = marks(posed, offsets) - posed.landmarks
    assert torch.allclose(moved[:, wrist], 0.1 * posed.turns[:, JOINT_NAMES.index("left_wrist"), :, 1], atol=1e-6)
    moved[:, wrist] = 0
    assert not moved.any()
    assert torch.equal(marks(posed, torch.zeros(33, 3)), posed.landmarks)


def test_known_offsets_are_found_again(body):
    """Detections made with the table's own offsets and half a percent of noise give the table back."""
    rotations, transl, betas = _turning(body)
    K = np.tile([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]], (FRAMES, 1, 1))
    seen = (
        marks(body.forward(rotations, transl, betas), torch.as_tensor(BLAZEPOSE_OFFSETS).to(transl))
        .numpy()
        .astype(float)
    )
    px = seen @ np.swapaxes(K, 1, 2)
    px = px[..., :2] / px[..., 2:] + np.random.default_rng(0).normal(0, 1.3, (FRAMES, 33, 2))
    found = Detection(
        np.concatenate([px, np.ones((FRAMES, 33, 1))], -1), np.zeros((FRAMES, 33, 3)), np.ones(FRAMES, bool),
        rotations.numpy().astype(float), transl.numpy().astype(float), betas.numpy().astype(float),
        np.ones((FRAMES, 4)), np.ones((FRAMES, 33), bool), np.tile(np.eye(3), (FRAMES, 1, 1)), np.zeros((FRAMES, 3)), K,
    )  # fmt: skip
    measured = measure_offsets([found], body)
    assert np.abs(measured - BLAZEPOSE_OFFSETS).max() < 0.006
    nothing = Detection(**{**found.__dict__, "seen": np.zeros(FRAMES, bool)})
    assert np.array_equal(measure_offsets([nothing, found], body), measured)


def test_coco_s_points_are_the_body_s_own():
    keypoints = np.ones((2, 33, 3))
    track = Track(1, np.arange(2), np.zeros((2, 4)), keypoints, keypoints, np.ones(2, bool), BLAZEPOSE_OFFSETS)
    coco = list(COCO_FROM_LANDMARKS)
    offsets = taken_over(track, np.ones((2, 17, 3))).offsets
    assert not offsets[coco].any()
    heel = LANDMARK_NAMES.index("left_heel")
    assert np.array_equal(offsets[heel], BLAZEPOSE_OFFSETS[heel]) and BLAZEPOSE_OFFSETS[coco].any()

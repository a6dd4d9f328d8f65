"""The quality figures, against cases worked by hand and a plain loop."""

import numpy as np
import pytest

from ghmr_engine import quality
from ghmr_engine.types import WorldPerson


def test_a_foot_that_moves_3_mm_a_frame_slides_3_mm():
    feet = np.zeros((5, 4, 3))
    feet[:, 0, 0] = 0.003 * np.arange(5)
    contacts = np.tile([1.0, 0.0, 0.0, 0.0], (5, 1))
    assert quality.sliding_mm(np.arange(5), feet, contacts) == pytest.approx(3.0)


def test_only_points_that_rest_in_both_frames_slide():
    feet = np.zeros((3, 4, 3))
    feet[1:, 0] = [0.3, 0.4, 0.0]  # 500 mm in the first step, none in the second
    contacts = np.zeros((3, 4))
    contacts[:, 0] = [0.9, 0.2, 0.9]
    assert quality.sliding_mm(np.arange(3), feet, contacts) is None
    contacts[:, 0] = [0.9, 0.9, 0.9]
    assert quality.sliding_mm(np.arange(3), feet, contacts) == pytest.approx(250.0)
    contacts[:, 0] = [0.5, 0.9, 0.9]  # half is not a contact
    assert quality.sliding_mm(np.arange(3), feet, contacts) == pytest.approx(0.0)


def test_a_step_across_a_gap_is_no_slide():
    feet = np.zeros((4, 4, 3))
    feet[2:, :, 0] = 7.0
    frames = np.array([0, 1, 50, 51])
    assert quality.sliding_mm(frames, feet, np.ones((4, 4))) == pytest.approx(0.0)


def test_penetration_counts_only_what_is_below():
    feet = np.zeros((2, 4, 3))
    feet[0, 0, 2] = -0.016  # 16 mm deep in one of eight
    feet[1, 1, 2] = 0.5
    assert quality.penetration_mm(feet) == pytest.approx(2.0)


def test_jitter_of_a_cubic_path_is_its_third_derivative():
    """x = t^3 m: the third derivative is 6 m/s^3, at every frame and rate, so 0.6 in tens."""
    for fps in (10.0, 30.0, 29.97):
        joints = np.zeros((12, 24, 3))
        joints[..., 0] = ((np.arange(12) / fps) ** 3)[:, None]
        assert quality.jitter(np.arange(12), joints, fps) == pytest.approx(0.6)


def test_jitter_of_steady_and_evenly_sped_up_motion_is_zero():
    time = np.arange(8)[:, None] / 30
    joints = np.zeros((8, 24, 3))
    joints[..., 1] = 1 + 2 * time - 4.9 * time**2
    assert quality.jitter(np.arange(8), joints, 30.0) == pytest.approx(0.0, abs=1e-9)


def test_jitter_does_not_reach_across_a_gap():
    joints = np.zeros((8, 24, 3))
    joints[4:] = 3.0
    frames = np.array([0, 1, 2, 3, 20, 21, 22, 23])
    assert quality.jitter(frames, joints, 30.0) == pytest.approx(0.0)
    assert quality.jitter(np.arange(3), joints[:3], 30.0) is None


def test_the_fast_figures_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    frames = np.flatnonzero(rng.random(60) < 0.85)
    n = len(frames)
    feet, joints, contacts = rng.normal(size=(n, 4, 3)), rng.normal(size=(n, 24, 3)), rng.random((n, 4))
    slides = [
        np.linalg.norm(feet[i + 1, k] - feet[i, k]) * 1000
        for i in range(n - 1)
        for k in range(4)
        if frames[i + 1] == frames[i] + 1 and contacts[i, k] > 0.5 and contacts[i + 1, k] > 0.5
    ]
    thirds = [
        np.linalg.norm(joints[i + 3, j] - 3 * joints[i + 2, j] + 3 * joints[i + 1, j] - joints[i, j]) * 25.0**3 / 10
        for i in range(n - 3)
        for j in range(24)
        if list(frames[i : i + 4]) == list(range(frames[i], frames[i] + 4))
    ]
    assert quality.sliding_mm(frames, feet, contacts) == pytest.approx(np.mean(slides))
    assert quality.jitter(frames, joints, 25.0) == pytest.approx(np.mean(thirds))


def test_all_figures_of_a_person():
    n = 4
    person = WorldPerson(
        person=1,
        frames=np.arange(n),
        rotations=np.tile(np.eye(3), (n, 24, 1, 1)),
        transl=np.zeros((n, 3)),
        betas=np.zeros(10),
        contacts=np.zeros((n, 4)),
        confidence=np.ones((n, 24)),
        keypoints=np.zeros((n, 33, 3)),
        reprojection=np.array([2.0, np.nan, 4.0, np.nan]),
        seen=np.array([True, False, True, True]),
    )
    found = quality.figures(person, np.zeros((n, 24, 3)), np.zeros((n, 4, 3)), 30.0)
    assert found == {"reprojection_px": 3.0, "sliding_mm": None, "penetration_mm": 0.0, "jitter": 0.0, "seen": 0.75}

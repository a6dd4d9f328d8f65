"""Up, ground and contacts on cases with known answers."""

import numpy as np
import pytest

from ghmr_engine.world.contacts import find_contacts
from ghmr_engine.world.gravity import find_up, ground_level, shared_scale, world_from_camera


def _tilted(pitch_deg: float, roll_deg: float = 0.0) -> np.ndarray:
    """Up as a camera sees it that looks down by pitch and is rolled."""
    pitch, roll = np.radians([pitch_deg, roll_deg])
    return np.array([np.sin(roll), -np.cos(roll) * np.cos(pitch), -np.cos(roll) * np.sin(pitch)])


def _walk(seconds: float = 4.0, fps: float = 30.0, speed: float = 1.2) -> tuple[np.ndarray, np.ndarray]:
    """Feet (N, 4, 3) of a plain walk along x on z = 0, and which rest (N, 4): each foot half a second down, half up."""
    time = np.arange(int(seconds * fps)) / fps
    feet, down = [], []
    for offset in (0.0, 0.5):
        phase = (time + offset) % 1.0
        step = np.floor(time + offset)
        swing = np.clip((phase - 0.5) / 0.5, 0, 1)
        x = speed * (step + (3 * swing**2 - 2 * swing**3) - offset)
        z = 0.15 * np.sin(np.pi * swing)
        for along in (0.0, 0.2):
            feet.append(np.stack([x + along, np.full_like(x, offset * 0.3), z], -1))
            down.append(phase < 0.5)
    return np.stack(feet, 1), np.stack(down, 1)


def test_no_evidence_is_a_level_camera():
    up, (ground,) = find_up(np.zeros((0, 3)), [np.zeros((0, 3))], 30.0)
    assert up == pytest.approx([0, -1, 0], abs=1e-3)
    assert ground == pytest.approx(-1.5, abs=0.1)


@pytest.mark.parametrize("pitch", [-10.0, 0.0, 20.0, 35.0])
def test_upright_people_and_their_footprints_give_the_tilt(pitch):
    rng = np.random.default_rng(1)
    true_up = _tilted(pitch, 2.0)
    axes = true_up + 0.08 * rng.standard_normal((200, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    R, _ = world_from_camera(true_up, 0.0, np.zeros(3))
    on_ground = np.concatenate([rng.uniform(-2, 2, (200, 2)) + np.array([0, 5]), np.full((200, 1), -1.4)], 1)
    stance = on_ground @ R + 0.02 * rng.standard_normal((200, 3))
    up, (ground,) = find_up(axes, [stance], 30.0)
    assert np.degrees(np.arccos(up @ true_up)) < 1.5
    assert ground == pytest.approx(-1.4, abs=0.1)


def test_world_is_right_handed_with_up_up_and_the_camera_along_y():
    up = _tilted(15.0, -3.0)
    R, t = world_from_camera(up, -1.5, np.array([0.4, 0.2, 5.0]))
    assert np.linalg.det(R) == pytest.approx(1.0)
    assert R @ up == pytest.approx([0, 0, 1], abs=1e-9)
    look = R @ [0, 0, 1]
    assert look[0] == pytest.approx(0, abs=1e-9) and look[1] > 0.9 and look[2] < 0
    assert (R @ [1, 0, 0])[0] > 0.9
    assert (R @ [0.4, 0.2, 5.0] + t)[:2] == pytest.approx([0, 0], abs=1e-9)


def test_contacts_of_a_walk_are_found():
    feet, down = _walk()
    eye = np.tile([2.0, -5.0, 1.5], (len(feet), 1))
    found = find_contacts(feet, np.arange(len(feet)), eye, 30.0, camera_moves=False) > 0.5
    assert (found == down).mean() > 0.9
    middle = np.zeros(len(feet), bool)
    middle[[index for index in range(2, len(feet) - 2) if down[index - 2 : index + 3, 0].all()]] = True
    assert found[middle, 0].all()


def test_contacts_are_found_when_an_unknown_camera_walk_is_added():
    feet, down = _walk()
    drift = np.arange(len(feet))[:, None, None] / 30.0 * np.array([0.9, 0.1, 0.0])
    eye = np.tile([2.0, -5.0, 1.5], (len(feet), 1))
    found = find_contacts(feet + drift, np.arange(len(feet)), eye, 30.0, camera_moves=True) > 0.5
    assert (found == down).mean() > 0.85


def test_a_jump_is_no_contact_even_where_it_turns():
    time = np.arange(60) / 30.0
    height = np.where((time > 0.8) & (time < 1.2), 0.2 - 4.9 * (time - 1.0) ** 2, 0.0).clip(min=0)
    feet = np.zeros((60, 4, 3))
    feet[..., 2] = height[:, None]
    eye = np.tile([0.0, -5.0, 1.5], (60, 1))
    found = find_contacts(feet, np.arange(60), eye, 30.0, camera_moves=False) > 0.5
    assert not found[29:32].any()
    assert found[5:20].all() and found[40:55].all()


def test_one_on_a_roof_does_not_tilt_the_world_nor_lift_the_ground():
    rng = np.random.default_rng(2)
    up = _tilted(10.0)
    R, _ = world_from_camera(up, 0.0, np.zeros(3))
    spread = rng.uniform(-2, 2, (2, 150, 2)) + np.array([0, 6])
    low, high = (np.concatenate([spread[k], np.full((150, 1), z)], 1) @ R for k, z in ((0, -1.5), (1, 0.6)))
    found, heights = find_up(np.zeros((0, 3)), [high, low], 30.0)
    assert np.degrees(np.arccos(found @ up)) < 1.0
    assert heights == pytest.approx([0.6, -1.5], abs=0.1)
    assert ground_level(np.concatenate([low, high, high]) @ found) == pytest.approx(-1.5, abs=0.1)


def test_people_who_stand_level_are_scaled_onto_one_ground():
    none = np.zeros(2, bool)
    factors = shared_scale(np.array([-1.4, -1.6]), none)
    assert factors * [1.4, 1.6] == pytest.approx([1.49, 1.5], abs=0.03)
    assert shared_scale(np.array([-1.5, 0.6]), none).tolist() == [1, 1]
    assert shared_scale(np.array([-1.5, -3.0]), none).tolist() == [1, 1]
    known = shared_scale(np.array([-1.4, -1.6]), np.array([True, False]))
    assert known[0] == 1 and known[1] * 1.6 == pytest.approx(1.4, abs=0.04)

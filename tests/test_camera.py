"""The camera stage against scenes whose camera is known: a textured sphere seen by a turning pinhole camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from ghmr_engine.camera import track_camera
from ghmr_engine.camera.lens import TYPICAL_FOCAL
from ghmr_engine.camera.rotation import directions, find_turn, to_pixels
from ghmr_engine.errors import Cancelled
from ghmr_engine.options import Options
from ghmr_engine.progress import silent
from ghmr_engine.types import People, VideoInfo
from ghmr_engine.video import open_video

WIDTH, HEIGHT, FOCAL = 640, 360, 520.0
MASK_SIZE = 45, 80
CENTRE = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
Draw = Callable[[int], np.ndarray]


class Filmed:
    """Pictures drawn one at a time, with what the stage reads of a Video."""

    def __init__(self, draw: Draw, count: int) -> None:
        self.info = VideoInfo(
            path=Path("drawn.mp4"), name="drawn.mp4", bytes=1, sha256="0" * 64, width=WIDTH, height=HEIGHT,
            fps=Fraction(30), frames=count, start=0, rotation=0, constant_rate=True, interlaced=False, focal_px=None,
        )  # fmt: skip
        self._draw = draw

    def frames(self):
        return (self._draw(number) for number in range(self.info.frames))


def texture(seed: int, height: int, width: int) -> np.ndarray:
    """(height, width, 3) uint8: noise at several scales, so that there are corners everywhere."""
    random, total = np.random.default_rng(seed), np.zeros((height, width, 3), np.float32)
    for cell in (4, 10, 30):
        small = random.random((height // cell + 2, width // cell + 2, 3), dtype=np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(total / 3 * 255, 0, 255).astype(np.uint8)


SPHERE = texture(1, 1600, 3200)  # longitude and latitude at 1000 px a radian, straight ahead in the middle
BODY = np.ascontiguousarray(texture(2, 900, 900)[::2, ::2])  # sharper than the sphere: its corners are the best
NOISE = np.random.default_rng(4).normal(0, 1, (HEIGHT + 64, WIDTH + 64, 3)).astype(np.float32)
RAYS = directions(np.indices((HEIGHT, WIDTH))[::-1].reshape(2, -1).T, FOCAL, CENTRE).astype(np.float32)


def seen(R: np.ndarray) -> np.ndarray:
    """(360, 640, 3) uint8: the sphere through a camera with R, world to camera."""
    rays = RAYS @ R.astype(np.float32)  # R^T for each ray
    u = np.arctan2(rays[:, 0], rays[:, 2]) * 1000 + SPHERE.shape[1] / 2
    v = np.arcsin(rays[:, 1]) * 1000 + SPHERE.shape[0] / 2
    return cv2.remap(SPHERE, u.reshape(HEIGHT, WIDTH), v.reshape(HEIGHT, WIDTH), cv2.INTER_LINEAR)


def noisy(picture: np.ndarray, number: int, sigma: float = 6.0) -> np.ndarray:
    """With sensor noise, another each time, and a light that flickers by 2%."""
    y, x = np.random.default_rng(number).integers(0, 64, 2)
    light = np.float32(1 + 0.02 * np.sin(number))
    return np.clip(picture * light + sigma * NOISE[y : y + HEIGHT, x : x + WIDTH], 0, 255).astype(np.uint8)


def turned(right: float = 0.0, up: float = 0.0, clockwise: float = 0.0) -> np.ndarray:
    """R, world to camera, of a camera turned to its right, then up, then clockwise, in degrees (OpenCV's axes)."""
    a, b, c = np.radians([right, up, clockwise])
    yaw = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    roll = np.array([[np.cos(c), np.sin(c), 0], [-np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return roll @ pitch @ yaw


def apart_degrees(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T,) angles between rotations (T, 3, 3)."""
    cosine = (np.einsum("tij,tij->t", one, other) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def people_at(boxes: list[tuple[int, int, int, int] | None]) -> People:
    """Masks of boxes x0, y0, x1, y1 px, one a frame; None: nobody."""
    height, width = MASK_SIZE
    masks = np.zeros((len(boxes), height, width), bool)
    for mask, box in zip(masks, boxes, strict=True):
        if box is not None:
            x0, y0, x1, y1 = np.round(np.array(box) * width / WIDTH).astype(int)
            mask[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    return People(tracks=(), masks=np.packbits(masks, axis=-1), mask_size=MASK_SIZE)


def nobody(count: int) -> People:
    return people_at([None] * count)


def tracked(draw: Draw, count: int, people: People | None = None, **options):
    motion = track_camera(Filmed(draw, count), people or nobody(count), Options(focal=FOCAL, **options), silent)
    assert (motion.R.shape, motion.K.shape, motion.t.shape) == ((count, 3, 3), (count, 3, 3), (count, 3))
    assert np.allclose(motion.R[0], np.eye(3))
    assert np.allclose(motion.R @ motion.R.transpose(0, 2, 1), np.eye(3), atol=1e-6)
    assert np.allclose(np.linalg.det(motion.R), 1)
    assert not motion.t.any()
    assert motion.confidence.shape == (count,)
    assert motion.confidence.min() >= 0
    assert motion.confidence.max() <= 1
    return motion


# The sense of turning: known answers


def test_the_scene_drawn_here_moves_left_when_the_camera_turns_right():
    ahead = np.array([0.0, 0, 1])
    x, y = to_pixels(turned(right=5) @ ahead, FOCAL, CENTRE)
    assert x == pytest.approx(CENTRE[0] - FOCAL * np.tan(np.radians(5)))
    assert y == pytest.approx(CENTRE[1])
    assert to_pixels(turned(up=5) @ ahead, FOCAL, CENTRE)[1] > CENTRE[1]  # what was ahead sinks
    right_of_ahead = np.array([0.2, 0, 1])
    assert to_pixels(turned(clockwise=5) @ right_of_ahead, FOCAL, CENTRE)[1] < CENTRE[1]  # it rises


@pytest.mark.parametrize("way", ["right", "up", "clockwise"])
@pytest.mark.parametrize("degrees", [6.0, -6.0])
def test_each_way_of_turning_has_its_sign(way, degrees):
    truth = np.stack([turned(**{way: degrees * k / 11}) for k in range(12)])
    motion = tracked(lambda k: seen(truth[k]), 12)
    assert motion.moving
    assert motion.motion_source == "rotation"
    assert apart_degrees(motion.R, truth).max() < 0.05
    looks_along = motion.R[-1][2]  # the camera's z axis in the world
    if way == "right":
        assert np.sign(looks_along[0]) == np.sign(degrees)
    elif way == "up":
        assert np.sign(looks_along[1]) == -np.sign(degrees)  # y points down


# Known paths


def test_a_pan_of_30_degrees_with_a_shaking_hand_is_recovered():
    shake = np.random.default_rng(5).normal(0, 0.15, (60, 3)).cumsum(axis=0) * 0.6
    truth = np.stack([turned(30 * k / 59 + x, y, z) for k, (x, y, z) in enumerate(shake - shake[0])])
    motion = tracked(lambda k: noisy(seen(truth[k]), k), 60)
    error = apart_degrees(motion.R, truth)
    assert error.max() < 0.2
    assert np.median(motion.confidence) > 0.8
    assert not motion.warnings


def test_a_camera_that_sways_and_returns_does_not_drift():
    truth = np.stack([turned(22 * np.sin(2 * np.pi * k / 35), 3 * np.sin(k / 9)) for k in range(71)])
    motion = tracked(lambda k: noisy(seen(truth[k]), k), 71)
    assert apart_degrees(motion.R, truth).max() < 0.3
    assert apart_degrees(motion.R[-1:], truth[-1:])[0] < 0.1


def test_near_things_that_move_by_parallax_do_not_pull_the_far_background():
    truth = np.stack([turned(right=8 * k / 39) for k in range(40)])
    ground = texture(3, 120, 1400)

    def draw(k: int) -> np.ndarray:
        picture = seen(truth[k])
        picture[HEIGHT - 120 :] = ground[:, 300 + 5 * k : 300 + 5 * k + WIDTH]  # carried sideways, not turned
        return picture

    assert apart_degrees(tracked(draw, 40).R, truth).max() < 0.2


# People in front


def person_box(k: int) -> tuple[int, int, int, int]:
    """A big person who walks through the picture: over half of it high and a third wide."""
    x = -60 + 14 * k
    return x, 40, x + 240, HEIGHT


def with_person(picture: np.ndarray, k: int) -> np.ndarray:
    x0, y0, x1, y1 = person_box(k)
    left, right = max(x0, 0), min(x1, WIDTH)
    if right > left:
        picture[y0:y1, left:right] = BODY[y0:y1, left - x0 : right - x0]
    return picture


def test_somebody_walking_past_a_standing_camera_does_not_move_it():
    motion = tracked(
        lambda k: noisy(with_person(seen(np.eye(3)), k), k), 50, people_at([person_box(k) for k in range(50)])
    )
    assert not motion.moving
    assert motion.motion_source == "static (found)"
    assert (motion.R - np.eye(3) == 0).all()


def test_a_person_whom_the_masks_miss_does_not_move_a_standing_camera_either():
    assert not tracked(lambda k: noisy(with_person(seen(np.eye(3)), k), k), 50).moving


def test_somebody_whom_the_camera_follows_does_not_hold_it():
    truth = np.stack([turned(right=15 * k / 39) for k in range(40)])

    def draw(k: int) -> np.ndarray:
        picture = seen(truth[k])
        picture[20:, 110:530] = BODY[20:HEIGHT, :420]  # stays in the middle and covers most of the picture
        return picture

    motion = tracked(draw, 40, people_at([(110, 20, 530, HEIGHT)] * 40))
    assert motion.moving
    assert apart_degrees(motion.R, truth).max() < 0.3


# Standing still


def test_a_noisy_flickering_clip_from_a_tripod_stands_still():
    motion = tracked(lambda k: noisy(seen(np.eye(3)), k, sigma=12), 50)
    assert not motion.moving
    assert (motion.R - np.eye(3) == 0).all()
    assert motion.confidence.min() > 0.5


def test_a_drift_too_slow_for_neighbouring_frames_counts_as_motion():
    truth = np.stack([turned(right=0.005 * k) for k in range(60)])  # 0.045 px a frame, 2.7 px in all
    motion = tracked(lambda k: noisy(seen(truth[k]), k), 60)
    assert motion.moving
    assert apart_degrees(motion.R, truth).max() < 0.05


def test_one_nudge_that_stays_counts_as_motion():
    truth = np.stack([turned(up=0.4 * (k >= 20)) for k in range(30)])
    motion = tracked(lambda k: noisy(seen(truth[k]), k), 30)
    assert motion.moving
    assert apart_degrees(motion.R, truth).max() < 0.05


def test_a_camera_chosen_to_be_static_is_not_looked_for():
    class Unseen(Filmed):
        def frames(self):
            raise AssertionError("no picture is needed")

    told = []
    motion = track_camera(Unseen(seen, 20), nobody(20), Options(camera="static"), told.append)
    assert (motion.moving, motion.motion_source) == (False, "static (chosen)")
    assert (motion.R - np.eye(3) == 0).all()
    assert told == [1.0]


# When there is little or nothing to see


def test_a_blank_wall_gives_no_motion_no_confidence_and_a_warning():
    motion = tracked(lambda k: np.full((HEIGHT, WIDTH, 3), 128, np.uint8), 15)
    assert (motion.moving, motion.motion_source, motion.unit) == (False, "static (guessed)", "none")
    assert motion.confidence.max() < 0.2
    (warning,) = motion.warnings
    assert "15 of 15" in warning
    assert "taken to stand" in warning


def test_a_picture_full_of_people_gives_no_confidence():
    motion = tracked(lambda k: seen(turned(right=k)), 12, people_at([(0, 0, WIDTH, HEIGHT)] * 12))
    assert motion.confidence.max() < 0.2
    assert motion.warnings


def test_a_short_blackout_in_a_pan_is_bridged_by_going_on():
    truth = np.stack([turned(right=0.4 * k) for k in range(40)])
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    motion = tracked(lambda k: black if k in (20, 21) else seen(truth[k]), 40)
    assert motion.confidence[20:22].max() < 0.2
    assert np.delete(motion.confidence, [20, 21]).min() > 0.5
    assert apart_degrees(motion.R, truth).max() < 0.5
    assert "2 of 40" in motion.warnings[0]


def test_a_cut_ends_nothing():
    other = texture(7, HEIGHT, WIDTH)
    motion = tracked(lambda k: seen(turned(right=0.3 * k)) if k < 15 else other, 30)
    assert motion.confidence[15] < 0.2
    assert motion.confidence[17:].min() > 0.5
    assert apart_degrees(motion.R[16:], motion.R[17:18].repeat(14, axis=0)).max() < 1.0


def test_stopping_stops_at_once():
    def stop(fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        track_camera(Filmed(lambda k: seen(np.eye(3)), 10), nobody(10), Options(), stop)


# The rotation alone


def test_the_turn_of_points_is_found_among_as_many_wrong_ones():
    random = np.random.default_rng(3)
    first_px = random.uniform((0, 0), (WIDTH, HEIGHT), (200, 2))
    truth = turned(4, -2, 3)
    second_px = to_pixels(directions(first_px, FOCAL, CENTRE) @ truth.T, FOCAL, CENTRE)
    second_px[100:] = random.uniform((0, 0), (WIDTH, HEIGHT), (100, 2))
    turn = find_turn(directions(first_px, FOCAL, CENTRE), second_px, np.eye(3), FOCAL, CENTRE, 1.2)
    assert apart_degrees(turn.D[None], truth[None])[0] < 1e-3
    assert turn.agree[:100].all()
    assert turn.agree[100:].sum() <= 2


# The lens


def test_the_focal_length_comes_from_the_user_then_the_file_then_a_typical_phone():
    film, still = Filmed(seen, 12), Options(camera="static")
    told = Filmed(seen, 12)
    told.info = replace(told.info, focal_px=700.0)
    expected = [
        (film, replace(still, focal=800.0), 800.0, "user"),
        (told, replace(still, focal=800.0), 800.0, "user"),
        (told, still, 700.0, "metadata"),
        (film, still, TYPICAL_FOCAL * np.hypot(WIDTH, HEIGHT), "default"),
    ]
    for video, options, focal_px, source in expected:
        motion = track_camera(video, nobody(12), options, silent)
        assert motion.focal_source == source
        assert motion.K[5] == pytest.approx(np.array([[focal_px, 0, 319.5], [0, focal_px, 179.5], [0, 0, 1]]))


# Real clips, with masks that know of nobody: the hardest case


@pytest.mark.clips
@pytest.mark.parametrize(
    ("name", "part", "moving"),
    [
        ("sit_stand_handheld.mp4", {"end": 90}, True),
        ("two_people_occlusion.mp4", {"end": 60}, True),  # called static, but held in a hand: 4 px in 30 frames
        ("rooftop_two_people.mp4", {"end": 60}, False),
        ("one_by_one_empty_frames.mp4", {"start": 480, "end": 620}, False),
    ],
)
def test_real_cameras_move_or_stand(clips_dir, name, part, moving):
    video = open_video(clips_dir / name, Options(**part))
    motion = track_camera(video, nobody(video.info.frames), Options(), silent)
    assert motion.moving == moving
    assert not motion.warnings
    if moving:
        assert apart_degrees(motion.R[:-1], motion.R[1:]).max() < 1.5

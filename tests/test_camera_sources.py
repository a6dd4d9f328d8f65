"""Cameras from elsewhere: another program's file, and a gyroscope."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ghmr_engine import geometry
from ghmr_engine.camera import given, track_camera
from ghmr_engine.camera.given import read_camera
from ghmr_engine.camera.gyro import read_gyro, turns_of
from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options
from ghmr_engine.progress import silent
from ghmr_engine.types import People
from tests.test_camera import HEIGHT, MASK_SIZE, WIDTH, Filmed, noisy, seen, turned

FRAMES = 60
TIME = np.arange(FRAMES) / 30
R = np.stack([turned(8 * np.sin(2 * s), 3 * np.sin(5 * s), 2 * np.sin(3 * s)) for s in TIME])
EYES = np.stack([0.5 * TIME, 0.1 * np.sin(TIME), 0.3 * TIME], 1)
WORLD = Rotation.from_euler("xyz", [0.4, -1.0, 2.0]).as_matrix()  # of a file: any
NOBODY = People((), np.zeros((FRAMES, MASK_SIZE[0], -(-MASK_SIZE[1] // 8)), np.uint8), MASK_SIZE)
CLIP = Filmed(lambda number: noisy(seen(R[number]), number), FRAMES)
TRUE_R = R @ R[0].T
TRUE_T = -np.einsum("tij,tj->ti", R, EYES - EYES[0])


def camera_to_world() -> np.ndarray:
    """(T, 4, 4) in a world of its own, twice as large."""
    matrices = np.tile(np.eye(4), (FRAMES, 1, 1))
    matrices[:, :3, :3] = WORLD @ np.swapaxes(R, 1, 2)
    matrices[:, :3, 3] = 2 * EYES @ WORLD.T + 5
    return matrices


def json_file(folder: Path, **changes: object) -> Path:
    """A file in OpenCV's axes unless changed."""
    content = {"axes": "opencv", "camera_to_world": camera_to_world().tolist(), **changes}
    path = folder / "path.json"
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    return path


def npz_file(folder: Path) -> Path:
    poses = camera_to_world()
    turns = np.swapaxes(poses[:, :3, :3], 1, 2)
    K = [[700.0, 0, 0], [0, 700, 0], [0, 0, 1]]
    np.savez(folder / "path.npz", R=turns, t=-np.einsum("tij,tj->ti", turns, poses[:, :3, 3]), K=np.array(K))
    return folder / "path.npz"


def txt_file(folder: Path) -> Path:
    poses = camera_to_world()
    quaternions = Rotation.from_matrix(poses[:, :3, :3]).as_quat()
    np.savetxt(folder / "path.txt", np.column_stack([TIME, poses[:, :3, 3], quaternions]))
    return folder / "path.txt"


def blender_file(folder: Path) -> Path:
    poses = camera_to_world()
    poses[:, :3, :3] = poses[:, :3, :3] @ np.diag([1.0, -1, -1]) * 3.0  # scaled, as a parented camera's matrix may be
    return json_file(folder, axes=None, camera_to_world=poses.tolist())


def expect_true(found: given.GivenCamera) -> None:
    assert np.allclose(found.R, TRUE_R, atol=1e-6)
    assert np.allclose(found.t, 2 * TRUE_T, atol=1e-6)


@pytest.mark.parametrize("make", [json_file, npz_file, txt_file, blender_file])
def test_every_kind_of_file_gives_the_same_camera(make, tmp_path):
    found = read_camera(make(tmp_path), CLIP.info)
    expect_true(found)
    assert found.covered.all()
    assert found.focal_px == (700.0 if make is npz_file else None)


def test_frames_and_rate_say_when_a_moment_was(tmp_path):
    """Half of the moments, counted at 15 a second from a clip of which the first ten pictures are not used."""
    matrices = camera_to_world()[::2].tolist()
    frames = [5 + number for number in range(30)]  # the clip's pictures 10, 12, ...
    info = replace(CLIP.info, start=10)
    found = read_camera(json_file(tmp_path, camera_to_world=matrices, frames=frames, fps=15), info)
    assert np.allclose(found.t[::2], 2 * TRUE_T[::2], atol=1e-6)
    assert np.abs(found.t - 2 * TRUE_T)[:59].max() < 0.02  # in between
    assert np.degrees(Rotation.from_matrix(found.R @ np.swapaxes(TRUE_R, 1, 2)).magnitude())[:59].max() < 0.1


def test_where_the_file_says_nothing_the_camera_waits_and_is_marked(tmp_path):
    found = read_camera(json_file(tmp_path, camera_to_world=camera_to_world()[:40].tolist()), CLIP.info)
    assert found.covered[:41].all()
    assert not found.covered[42:].any()
    assert np.allclose(found.R[45], TRUE_R[39], atol=1e-6)


@pytest.mark.parametrize(
    ("lens", "focal_px"),
    [
        ({"focal_px": 1500.0, "picture": [1920, 1080]}, 500.0),
        ({"lens_mm": 27.0, "sensor_mm": 36.0}, 480.0),
        ({}, None),
    ],
)
def test_the_lens_of_a_file(lens, focal_px, tmp_path):
    assert read_camera(json_file(tmp_path, **lens), CLIP.info).focal_px == focal_px


@pytest.mark.parametrize("model", ["polynomial", "division"])
@pytest.mark.parametrize("k", [[-0.15, 0.02], [0.06, 0.0, 0.0]])
def test_another_programs_distortion_becomes_the_engines(model, k, tmp_path):
    """OpenCV's radial polynomial, which Blender's tracker uses too, and its division: within a quarter of a pixel."""
    changed = {"focal_px": 500.0, "distortion": {"model": model, "k": k}}
    distortion = read_camera(json_file(tmp_path, **changed), CLIP.info).distortion
    straight = np.random.default_rng(0).uniform((-310, -170), (310, 170), (1, 200, 2))
    r2 = ((straight / 500) ** 2).sum(-1, keepdims=True)
    by = 1 + k[0] * r2 + k[1] * r2**2
    bent = straight * by if model == "polynomial" else straight / by
    K = np.diag([500.0, 500.0, 1.0])
    assert np.abs(geometry.straightened(bent, K, distortion) - straight).max() < 0.25
    assert np.abs(bent - straight).max() > 3


def test_a_straightened_picture_has_points_where_straightened_points_are():
    K = geometry.intrinsics(500.0, WIDTH, HEIGHT)
    distortion = np.array([-0.15, 0.01])
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    spots = np.array([[60, 50], [320, 180], [600, 300], [500, 40]])
    for x, y in spots:
        picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    shown = geometry.straighten(picture, K, distortion)[..., 0] / 255.0
    for spot in geometry.straightened(spots[None].astype(float), K, distortion)[0]:
        x, y = np.round(spot).astype(int)
        if 8 < x < WIDTH - 8 and 8 < y < HEIGHT - 8:
            there = shown[y - 7 : y + 8, x - 7 : x + 8]
            middle = (np.indices(there.shape) * there).sum((1, 2)) / there.sum()
            assert np.abs(middle[::-1] + np.array([x - 7, y - 7]) - spot).max() < 0.3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"camera_to_world": [[1.0]]}, "4 x 4"),
        ({"camera_to_world": None}, "camera_to_world"),
        ({"axes": "maya"}, "maya"),
        ({"frames": [0, 1]}, "length"),
        ({"picture": [1080, 1920]}, "1080 x 1920"),
        ({"camera_to_world": np.zeros((60, 4, 4)).tolist()}, "no camera"),
        ({"camera_to_world": camera_to_world()[:20].tolist()}, "of the clip's 60"),
        ({"lens_mm": 0, "sensor_mm": 36}, "focal length"),
        ({"focal_px": 500, "distortion": {"model": "nuke", "k": [0.1]}}, "nuke"),
    ],
)
def test_a_file_that_is_no_camera_is_refused_in_one_line(changes, words, tmp_path):
    with pytest.raises(RecoverError, match=words) as caught:
        read_camera(json_file(tmp_path, **changes), CLIP.info)
    assert caught.value.code == "bad_camera_file"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "content"), [("a.json", "no"), ("a.txt", "1 2 3\n"), ("a.npz", "no"), ("a.fbx", "")])
def test_other_files_are_refused(name, content, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(RecoverError) as caught:
        read_camera(tmp_path / name, CLIP.info)
    assert caught.value.code == "bad_camera_file"


def test_a_file_that_is_not_there():
    for camera in ("file", "gyro", "blender"):
        with pytest.raises(RecoverError) as caught:
            track_camera(CLIP, NOBODY, Options(camera=camera, camera_file="/nowhere.json"), silent)
        assert caught.value.code == "no_camera_file"


@pytest.mark.parametrize("camera", ["file", "blender"])
def test_the_stage_takes_a_files_path_and_lens(camera, tmp_path):
    path = json_file(tmp_path, focal_px=520.0, distortion={"model": "division", "k": [-0.05]})
    found = track_camera(CLIP, NOBODY, Options(camera=camera, camera_file=str(path)), silent)
    shown = np.array([[[[0.0, 0], [300, 100]]]]) + found.K[0, :2, 2]
    straight = geometry.straightened(shown[0], found.K[0], found.distortion)[0] - found.K[0, :2, 2]
    # Blender's division model leads the other way: from the straight picture to the bent one.
    assert np.allclose(straight / (1 - 0.05 * (straight**2).sum(-1, keepdims=True) / 520**2), [[0, 0], [300, 100]])
    assert np.allclose(found.R, TRUE_R, atol=1e-6)
    assert (found.unit, found.motion_source, found.focal_source) == ("any", camera, "file")
    assert found.K[0, 0, 0] == 520


# Gyroscopes: their own axes, their own clock, a bias.

LIES = Rotation.from_euler("xyz", [10, -20, 88], degrees=True)  # device to camera
OFFSET, RATE, BIAS = 1.4, 200, np.array([0.02, -0.01, 0.015])


def gyro_rates(seed: int = 0, R_of=None) -> tuple[np.ndarray, np.ndarray]:
    """Seconds (S,) of the gyroscope's clock, and what it reports (S, 3): 1.4 s before the clip and 1 s after it."""
    seconds = np.arange(0, OFFSET + TIME[-1] + 1, 1 / RATE)
    clip = seconds - OFFSET
    path = np.stack([turned(8 * np.sin(2 * s), 3 * np.sin(5 * s), 2 * np.sin(3 * s)) for s in clip])
    rates = -Rotation.from_matrix(path[1:] @ np.swapaxes(path[:-1], 1, 2)).as_rotvec() * RATE
    noise = np.random.default_rng(seed).normal(0, 0.01, rates.shape)
    return seconds[:-1] + 0.5 / RATE, LIES.inv().apply(rates) + BIAS + noise


def gyro_file(folder: Path, names: str = "seconds_elapsed,z,y,x", unit: float = 1.0) -> Path:
    seconds, rates = gyro_rates()
    columns = [(seconds + 77) * unit, *(rates[:, "xyz".index(name[-1])] for name in names.split(",")[1:])]
    np.savetxt(folder / "gyro.csv", np.column_stack(columns), delimiter=",", header=names, comments="", fmt="%.9f")
    return folder / "gyro.csv"


def error_deg(found: np.ndarray) -> float:
    return float(np.degrees(Rotation.from_matrix(found @ np.swapaxes(TRUE_R, 1, 2)).magnitude()).max())


def guessed(noise_deg: float = 0.05) -> np.ndarray:
    """(T, 3, 3) how the picture seems to turn."""
    random = np.random.default_rng(3).normal(0, np.radians(noise_deg), (FRAMES, 3))
    return Rotation.from_rotvec(random).as_matrix() @ TRUE_R


@pytest.mark.parametrize(
    ("names", "unit"), [("seconds_elapsed,z,y,x", 1.0), ("time,gx,gy,gz", 1e3), ("timestamp,wx,wy,wz", 1e9)]
)
def test_a_gyroscope_is_laid_into_the_camera_and_its_clock_found(names, unit, tmp_path):
    confidence = np.ones(FRAMES)
    confidence[30:45] = 0.0  # the picture says nothing there, and its guess is wrong
    picture = guessed()
    picture[30:45] = picture[30]
    assert error_deg(turns_of(read_gyro(gyro_file(tmp_path, names, unit)), picture, confidence, 30.0)) < 0.5


def test_orientations_do_as_well(tmp_path):
    seconds, rates = gyro_rates()
    turns = [Rotation.identity()]
    for rate in rates:
        turns.append(turns[-1] * Rotation.from_rotvec(rate / RATE))
    quaternions = Rotation.concatenate(turns[:-1]).as_quat()
    table = np.column_stack([seconds, quaternions])
    np.savetxt(tmp_path / "turns.csv", table, delimiter=",", header="time,qx,qy,qz,qw", comments="", fmt="%.9f")
    assert error_deg(turns_of(read_gyro(tmp_path / "turns.csv"), guessed(), np.ones(FRAMES), 30.0)) < 0.5


def test_the_stage_takes_a_gyroscope(tmp_path):
    found = track_camera(CLIP, NOBODY, Options(camera="gyro", camera_file=str(gyro_file(tmp_path))), silent)
    assert found.motion_source == "gyro"
    assert error_deg(found.R) < 0.5
    assert found.unit == "none"


def test_another_clips_gyroscope_is_refused(tmp_path):
    path = gyro_file(tmp_path)
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    table[:, 1:] = np.random.default_rng(5).normal(0, 0.5, table[:, 1:].shape)
    np.savetxt(path, table, delimiter=",", header="seconds_elapsed,x,y,z", comments="")
    with pytest.raises(RecoverError, match="does not fit the clip"):
        turns_of(read_gyro(path), guessed(), np.ones(FRAMES), 30.0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "table"),
        ("time,x,y,z\n" + "1,a,2,3\n" * 20, "table"),
        ("time,x,y,z\n1,1,2,3\n", "ten lines"),
        ("when,x,y,z\n" + "1,1,2,3\n" * 20, "times"),
        ("time,a,b,c\n" + "1,1,2,3\n" * 20, "columns"),
    ],
)
def test_a_table_that_is_no_gyroscope_is_refused(content, words, tmp_path):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(RecoverError, match=words) as caught:
        read_gyro(tmp_path / "a.csv")
    assert caught.value.code == "bad_camera_file"

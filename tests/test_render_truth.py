"""From a staged clip to its pictures and its truth: what the truth says, suites, Blender that fails, real pictures."""

from __future__ import annotations

import os
import re
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from captures import (
    ARCHIVE,
    J,
    commands,
    decoded,
    is_magenta,
    middle,
    named,
    painted,
    painter,
    recolour,
    silhouettes,
    stepper,
    stood,
    walker,
)  # fmt: skip

from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.evaluate import suite
from ghmr_engine.evaluate.blender import SCRIPT, blender_command, render_frames
from ghmr_engine.evaluate.compare import compare
from ghmr_engine.evaluate.encode import encode
from ghmr_engine.evaluate.render import film_stage, write_scene
from ghmr_engine.evaluate.retarget import foot_points, posed
from ghmr_engine.evaluate.scenery import Box
from ghmr_engine.evaluate.shot import Shot
from ghmr_engine.evaluate.staging import stage
from ghmr_engine.evaluate.tracks import tracks_of
from ghmr_engine.evaluate.truth import truth_of
from ghmr_engine.motion_file import read_motion, write_motion

TORSO = [J[name] for name in ("pelvis", "spine1", "spine2", "spine3", "neck")]


# Truth


@pytest.fixture
def clip(tmp_path):
    """Truth names the clip by its bytes."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"a clip")
    return path


@pytest.fixture(scope="module")
def stepping(body):
    return stage([stepper(body)], Shot(camera="orbit", seed=3), body)


def test_the_truth_s_camera_puts_landmarks_where_its_keypoints_are(stepping, body, clip):
    truth = truth_of(stepping, body, clip)
    points = posed(stepping.people[0], body).landmarks.numpy().astype(float)
    cam = np.einsum("tij,tmj->tmi", truth.R, points) + truth.t[:, None]
    pixels = np.einsum("tij,tmj->tmi", truth.K, cam)
    keypoints = truth.people["1"].keypoints
    np.testing.assert_allclose(keypoints[..., :2], pixels[..., :2] / pixels[..., 2:], atol=1e-6)
    assert keypoints[..., 2].mean() > 0.95 and truth.people["1"].confidence.mean() > 0.95


def test_a_place_worked_out_by_hand(body, clip):
    """The landmark of a hip 5 m straight ahead: focal x offset / 5 from the middle of the picture."""
    staged = stood(body, (0, 0))
    focal = 320 / np.tan(np.radians(65 / 2))
    point = posed(staged.people[0], body).landmarks.numpy()[0, 23].astype(float)
    expected = [319.5 + focal * point[0] / (point[1] + 5), 239.5 - focal * (point[2] - 1.2) / (point[1] + 5)]
    truth = truth_of(staged, body, clip)
    np.testing.assert_allclose(truth.people["1"].keypoints[0, 23, :2], expected, atol=1e-3)
    assert truth.people["1"].keypoints[0, 23, 0] > 319.5  # who faces us has the left on the right


def test_contacts_are_yes_or_no_and_on_the_ground(stepping, body, clip):
    contacts = truth_of(stepping, body, clip).people["1"].contacts
    assert set(np.unique(contacts)) == {0.0, 1.0}
    feet = foot_points(stepping.people[0], body)
    assert np.abs(feet[contacts > 0.5, 2]).max() < 0.01
    assert feet[contacts < 0.5, 2].max() > 0.1


def test_a_box_hides_what_is_behind_it(body, clip):
    # 2 m before the person, 2.2 m wide, half a metre high: a ray to a knee 0.5 m up crosses it, one to a hip does not.
    at = np.eye(4)
    at[:3, 3] = 0, -2, 0
    told = truth_of(stood(body, (0, 0), boxes=[Box("crate_1", at, (2.2, 0.4, 0.6))]), body, clip).people["1"]
    assert not told.confidence[:, [J["left_ankle"], J["right_ankle"], J["left_foot"]]].any()
    assert told.confidence[:, [*TORSO, J["head"]]].all()
    assert not told.keypoints[:, [27, 28, 29, 30], 2].any() and told.keypoints[:, [0, 11, 12], 2].all()
    at[:3, 3] = 0, 2, 0  # behind the person it hides nothing
    clear = truth_of(stood(body, (0, 0), boxes=[Box("crate_1", at, (2.2, 0.4, 0.6))]), body, clip).people["1"]
    assert clear.confidence.all() and clear.keypoints[..., 2].all()


def test_what_is_outside_the_picture_is_not_seen(body, clip):
    # Half of the picture is 5 tan(32.5) = 3.19 m wide.
    truth = truth_of(stood(body, (0, 0), (2.4, 0), (5, 0), (0, -9)), body, clip)
    assert truth.people["1"].confidence.all() and truth.people["2"].confidence.all()
    assert not truth.people["3"].confidence.any()
    assert not truth.people["4"].confidence.any() and not truth.people["4"].keypoints[..., 2].any()  # behind the camera


def test_one_person_hides_another(body, clip):
    truth = truth_of(stood(body, (0, 0), (0, 1.5)), body, clip)
    assert truth.people["1"].confidence.all()
    behind = truth.people["2"].confidence
    assert not behind[:, [J["spine1"], J["spine2"], J["spine3"]]].any() and behind.mean() < 0.8
    beside = truth_of(stood(body, (0, 0), (1.2, 1.5)), body, clip)
    assert beside.people["2"].confidence.all()


def test_truth_is_a_motion_file_that_equals_itself(stepping, body, clip, tmp_path):
    made = truth_of(stepping, body, clip)
    write_motion(tmp_path / "a.truth.npz", made)
    truth = read_motion(tmp_path / "a.truth.npz")
    assert truth.meta["frames"] == 75 and truth.meta["image_size"] == [854, 480] and truth.meta["fps"] == [30, 1]
    np.testing.assert_allclose(truth.people["1"].poses, made.people["1"].poses, atol=1e-5)
    tracks = tracks_of(truth, body)
    expected = posed(stepping.people[0], body)
    np.testing.assert_allclose(tracks.people[0].joints, expected.joints.numpy(), atol=2e-5)
    np.testing.assert_allclose(tracks.people[0].feet, expected.contacts.numpy(), atol=2e-5)
    report = compare(tracks, tracks)
    assert report.missed == 0 and report.false_people == 0 and report.identity_switches == 0
    told = report.mean
    for name in ("pa_mpjpe_mm", "mpjpe_mm", "accel_mps2", "wa_mpjpe100_mm", "w_mpjpe100_mm", "tilt_deg"):
        assert getattr(told, name) == pytest.approx(0, abs=1e-4), name
    assert told.contact_f1 == 1 and told.foot_sliding_mm < 1.5
    camera = report.camera
    assert camera.rotation_deg == pytest.approx(0, abs=1e-5) and camera.path_percent == pytest.approx(0, abs=1e-6)
    assert camera.scale == pytest.approx(1) and camera.focal_percent == 0


# Suites


def held_by_suites():
    clips = [(name, clip) for name in suite.SUITES for clip in suite.read_suite(name)]
    return [(name, clip.name, motion) for name, clip in clips for motion in clip.motions]


def test_every_motion_of_the_suites_is_held_out():
    motions = held_by_suites()
    assert len(motions) > 15
    assert [row for row in motions if Path(row[2]).stem not in suite.held_out()] == []


@pytest.mark.parametrize("name", suite.SUITES)
def test_a_suite_s_clips_have_names_of_their_own(name):
    clips = suite.read_suite(name)
    assert len({clip.name for clip in clips}) == len(clips) >= 3
    assert all(re.fullmatch(r"[a-z_]+", clip.name) and 1 <= len(clip.motions) <= 2 for clip in clips)
    assert len({clip.shot.seed for clip in clips}) == len(clips)


def test_what_is_held_out_is_there():
    if not ARCHIVE.is_file():
        pytest.skip("the real motion capture is not here (../shared/mocap)")
    with tarfile.open(ARCHIVE) as tar:
        names = [name.removeprefix("./").removeprefix("cmu/") for name in tar.getnames()]
    stems = {Path(name).stem for name in names if name.endswith((".amc", ".txt"))}
    assert suite.held_out() - stems == set()
    assert {motion for _, _, motion in held_by_suites()} - set(names) == set()


def test_what_is_no_suite_is_one_clear_error(tmp_path, body):
    def nothing(*_):
        raise AssertionError("nothing is rendered")

    with pytest.raises(RecoverError, match="no suite 'walks'") as caught:
        suite.read_suite("walks")
    assert caught.value.code == "no_suite" and "regression" in caught.value.fix
    with pytest.raises(RecoverError, match="walking_36") as caught:
        suite.render_suite("regression", tmp_path / "gone", tmp_path / "out", body, None, nothing)
    assert caught.value.code == "no_motion" and not (tmp_path / "out").exists()
    for folder in (tmp_path / "gone", tmp_path):
        with pytest.raises(RecoverError) as caught:
            suite.find_clips(folder)
        assert caught.value.code == "no_suite"


def test_clips_are_found_with_their_truth_only(tmp_path):
    for name in ("b.mp4", "b.truth.npz", "a.mp4", "a.truth.npz", "alone.mp4", "other.truth.npz", "b.motion.npz"):
        (tmp_path / name).touch()
    found = suite.find_clips(tmp_path)
    assert list(found) == ["a", "b"]
    assert found["a"] == (tmp_path / "a.mp4", tmp_path / "a.truth.npz")


# Blender, and programs that only look like it


@pytest.fixture(scope="module")
def tiny(body):
    """Six frames."""
    return stage([walker(body, 6)], Shot(width=128, height=96, seed=1), body)


def test_without_blender_it_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOVER_MOTION_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RecoverError, match=r"--blender.*install\.py setup") as caught:
        blender_command(None)
    assert caught.value.code == "no_blender"
    with pytest.raises(RecoverError, match="/no/such/blender"):
        blender_command("/no/such/blender")


@pytest.mark.skipif(os.name == "nt", reason="a shell's program")
def test_the_module_comes_first_then_the_program(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOVER_MOTION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path))
    program, python = tmp_path / "blender", tmp_path / "home" / "bpy-4.2.23" / "bin" / "python"
    python.parent.mkdir(parents=True)
    for path in (program, python):
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    assert blender_command(None) == [str(python), "-I", str(SCRIPT)]
    command = blender_command(str(program))
    assert command[0] == str(program) and command[-2:] == [str(SCRIPT), "--"] and "--python-exit-code" in command
    python.unlink()
    assert blender_command(None) == command


@pytest.mark.parametrize("parts", [1, 2])
def test_a_blender_that_fails_is_quoted(tmp_path, parts):
    """Its first part fails; where there is a second, that one works and says something else."""
    code = (
        "import sys, pathlib\n"
        "first, last = map(int, sys.argv[2:])\n"
        "print('Read prefs', flush=True)\n"
        "if first == 0: sys.exit('Error: out of video memory')\n"
        "for k in range(first, last + 1): pathlib.Path(sys.argv[1], 'frames', f'{k:05d}.bmp').touch()\n"
        "print('frame', last)\n"
    )
    with pytest.raises(RecoverError, match="out of video memory") as caught:
        render_frames(tmp_path, 4, [sys.executable, "-c", code], parts, lambda _: None)
    assert caught.value.code == "render_failed" and f"{4 // parts} of 4" in caught.value.message
    assert "blender_0.log" in caught.value.fix


def test_a_blender_that_fails_to_start_once_is_started_again(tmp_path):
    code = (
        "import sys, pathlib\n"
        "folder, first = pathlib.Path(sys.argv[1]), int(sys.argv[2])\n"
        "again = folder / f'again_{first}'\n"
        "if not again.exists(): again.touch(); sys.exit('no display')\n"
        "(folder / 'frames' / f'{first:05d}.bmp').touch()\n"
    )
    render_frames(tmp_path, 2, [sys.executable, "-c", code], 2, lambda _: None)
    assert len(list((tmp_path / "frames").iterdir())) == 2


def test_what_report_raises_ends_blender(tmp_path):
    def cancel(_):
        raise Cancelled

    code = "import sys, time, pathlib; time.sleep(3); pathlib.Path(sys.argv[1], 'late').touch()"
    with pytest.raises(Cancelled):
        render_frames(tmp_path, 4, [sys.executable, "-c", code], 2, cancel)
    assert not (tmp_path / "late").exists()  # ended, not waited for


def test_each_frame_is_rendered_once_by_one_of_the_parts(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "scene.json").write_text('{"size": [64, 64]}')
    told = []
    render_frames(tmp_path / "work", 7, painter(tmp_path), 3, told.append)
    assert painted(tmp_path) == list(range(7))
    assert told == sorted(told) and 0 <= told[0] <= told[-1] <= 1


def test_an_interrupted_rendering_goes_on(tiny, body, tmp_path, monkeypatch):
    monkeypatch.setattr("ghmr_engine.evaluate.render.processors", lambda: 1)
    with pytest.raises(RecoverError, match="3 of 6 frames: Error: no more paint"):
        film_stage(tiny, body, tmp_path, "a", painter(tmp_path, fails=True), lambda _: None)
    assert not (tmp_path / "a.mp4").exists() and not (tmp_path / "a.truth.npz").exists()
    (tmp_path / "painted").write_text("")
    clip, truth = film_stage(tiny, body, tmp_path, "a", painter(tmp_path), lambda _: None)
    assert painted(tmp_path) == [3, 4, 5]
    assert len(decoded(clip)) == 6 and read_motion(truth).meta["frames"] == 6
    assert not (tmp_path / "a.work").exists() and not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("change", [{"seed": 2}, {"light": "low"}, {"engine": "cycles"}, {"blur": True}])
def test_frames_of_another_clip_are_not_taken(tiny, body, tmp_path, monkeypatch, change):
    monkeypatch.setattr("ghmr_engine.evaluate.render.processors", lambda: 1)
    with pytest.raises(RecoverError):
        film_stage(tiny, body, tmp_path, "a", painter(tmp_path, fails=True), lambda _: None)
    (tmp_path / "painted").write_text("")
    other = stage([walker(body, 6)], replace(tiny.shot, **change), body)
    film_stage(other, body, tmp_path, "a", painter(tmp_path), lambda _: None)
    assert painted(tmp_path) == list(range(24 if "blur" in change else 6))


def test_frames_of_another_motion_are_not_taken(body, tmp_path, monkeypatch):
    """Somebody who stands a metre further to the right: the camera and the place stay, the pictures do not."""
    monkeypatch.setattr("ghmr_engine.evaluate.render.processors", lambda: 1)
    first = stood(body, (0, 0), frames=6, shot=Shot(width=128, height=96))
    with pytest.raises(RecoverError):
        film_stage(first, body, tmp_path, "a", painter(tmp_path, fails=True), lambda _: None)
    (tmp_path / "painted").write_text("")
    other = stood(body, (1, 0), frames=6, shot=first.shot)
    film_stage(other, body, tmp_path, "a", painter(tmp_path), lambda _: None)
    assert painted(tmp_path) == list(range(6))


# Encoding


def test_blur_adds_light_and_dark_is_dark(tmp_path):
    """A white and a black picture make half of the light, which the display's curve shows as 255 x 0.5^(1 / 2.2)."""
    for name, value in (("0", 255), ("1", 0)):
        cv2.imwrite(str(tmp_path / f"{name}.bmp"), np.full((64, 64, 3), value, np.uint8))
    pictures, shot = [tmp_path / "0.bmp", tmp_path / "1.bmp"], Shot(width=64, height=64, engine="eevee")

    def mean_of(shot, each):
        encode(pictures, tmp_path / "a.mp4", shot, each, 4)
        return [float(frame.mean()) for frame in decoded(tmp_path / "a.mp4")]

    assert mean_of(shot, 2) == [pytest.approx(255 * 0.5 ** (1 / 2.2), abs=2)]
    assert mean_of(shot, 1) == [pytest.approx(255, abs=2), pytest.approx(0, abs=2)]
    assert mean_of(replace(shot, light="low"), 1)[0] == pytest.approx(255 * 0.2 ** (1 / 2.2), abs=3)


# Real pictures


needs_blender = pytest.mark.skipif(
    not commands(), reason="no Blender: set RECOVER_MOTION_BPY_PYTHONS or RECOVER_MOTION_BLENDERS"
)
SMALL = Shot(width=128, height=96, seed=4, camera="orbit")


@pytest.fixture(scope="module")
def five(body):
    """Five frames of somebody who walks, filmed from all around."""
    return stage([walker(body, 5)], SMALL, body)


@pytest.mark.slow
@needs_blender
@pytest.mark.parametrize("command", commands() or [[]], ids=named)
def test_the_picture_shows_the_person_where_the_truth_says(five, body, tmp_path, command):
    work = tmp_path / "work"
    assert write_scene(five, body, work) == 5
    recolour(work / "textures")
    render_frames(work, 5, command, 1, lambda _: None)
    pictures = np.stack([cv2.imread(str(work / "frames" / f"{k:05d}.bmp")) for k in range(5)]).astype(int)
    assert pictures.shape == (5, 96, 128, 3)
    shown = is_magenta(pictures)
    for mask, expected in zip(shown, silhouettes(five, body), strict=True):
        assert (mask & expected).sum() > 0.85 * (mask | expected).sum()
        np.testing.assert_allclose(middle(mask), middle(expected), atol=0.7)
    # The place has a picture of its own, and it changes with the camera's way around the person.
    away = ~(shown[0] | shown[-1])
    assert pictures[0][away].std() > 8
    assert np.abs(pictures[0] - pictures[-1])[away].mean() > 5
    clip = tmp_path / "a.mp4"
    encode([work / "frames" / f"{k:05d}.bmp" for k in range(5)], clip, five.shot, 1)
    assert decoded(clip).shape == (5, 96, 128, 3)
    with av.open(str(clip)) as container:
        assert container.streams.video[0].average_rate == 30


def clip_of(staged, body, folder, command):
    clip, truth = film_stage(staged, body, folder, "a", command, lambda _: None)
    assert read_motion(truth).meta["frames"] == 5 and not (folder / "a.work").exists()
    return decoded(clip).astype(float)


@pytest.mark.slow
@needs_blender
def test_low_light_is_darker_and_blur_is_softer(body, tmp_path):
    """One quick camera about one quick person: five frames of day, night and an open shutter."""
    command, captures = commands()[0], [walker(body, 5, speed=3.0)]
    day, low, blurred = (
        clip_of(stage(captures, replace(SMALL, **change), body), body, tmp_path / str(k), command)
        for k, change in enumerate([{}, {"light": "low"}, {"blur": True}])
    )
    assert day.shape == low.shape == blurred.shape == (5, 96, 128, 3)
    assert low.mean() < 0.65 * day.mean() and low.mean() > 5

    def sharpness(frames):
        return np.mean([cv2.Laplacian(frame, cv2.CV_64F).var() for frame in frames])

    assert sharpness(blurred) < 0.8 * sharpness(day)
    assert blurred.mean() == pytest.approx(day.mean(), rel=0.05)

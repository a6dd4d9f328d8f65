"""AMASS's files: what is written is what is read, here and by the reader for captures; damage is told."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from motions import walking_motion

from ghmr_engine.amass import read_amass, write_amass
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.mocap.amass import read_amass as read_capture
from ghmr_engine.export import every_frame, export_file
from ghmr_engine.motion_file import MotionFileError, write_motion
from ghmr_engine.posed import joint_transforms, pose_person, rotation_matrices

NTSC = Fraction(30000, 1001)


@pytest.fixture
def walk(tmp_path):
    motion = walking_motion(40, NTSC, people=2)
    rng = np.random.default_rng(3)
    person = motion.people["1"]
    person = replace(person, poses=person.poses + 0.3 * rng.standard_normal(person.poses.shape), betas=np.arange(10.0))
    motion = replace(motion, people={**motion.people, "1": person}, meta={**motion.meta, "names": {"2": "Jo/an Ö."}})
    path = tmp_path / "a walk.motion.npz"
    write_motion(path, motion)
    return path, motion


def test_a_body_posed_by_the_file_is_where_it_was(walk, tmp_path):
    path, motion = walk
    written = export_file(path, "amass", tmp_path / "made" / "here")
    assert [item.name for item in written] == ["a walk_person_1.npz", "a walk_Jo_an_Ö_.npz"]
    read = read_amass(written[0])
    assert read.fps == float(NTSC) and read.gender == "neutral"
    np.testing.assert_array_equal(read.betas, [*range(10), 0, 0, 0, 0, 0, 0])
    poses = np.zeros((40, 24, 3))
    poses[:, :22] = read.poses[:, :22]
    frames = joint_transforms(rotation_matrices(poses), read.joints, motion.parents)
    for index in (0, 17, 39):
        body = pose_person(motion, "1", index)
        # SMPL's two hand joints sit at the wrists' ends: their own turns, which SMPL-H lacks, move nothing below.
        np.testing.assert_allclose(frames[index, :, :3, 3] + read.trans[index], body.joints, atol=2e-6)
    assert not read.poses[:, 22:].any()


def test_the_reader_of_captures_takes_it_for_amass_s(walk, tmp_path):
    path, motion = walk
    capture = read_capture(export_file(path, "amass", tmp_path)[0])
    assert len(capture.rotations) == 40 and abs(capture.fps / NTSC - 1) < 1e-8
    turned = rotation_matrices(np.asarray(motion.people["1"].poses[:, 1:22], dtype=np.float64))
    np.testing.assert_allclose(capture.rotations[:, 1:22], turned, atol=1e-6)


def test_both_releases_are_read(tmp_path):
    rng = np.random.default_rng(0)
    body, hands, face = (rng.standard_normal((5, size, 3)) for size in (22, 30, 3))
    known = {"trans": rng.standard_normal((5, 3)), "betas": np.arange(16.0), "gender": np.array(b"female")}
    whole = np.concatenate([body, hands], 1)
    for name, joints, rate in (("h", whole, "mocap_framerate"), ("x", np.concatenate([body, face, hands], 1),
                                                                "mocap_frame_rate")):  # fmt: skip
        np.savez(tmp_path / f"{name}.npz", poses=joints.reshape(5, -1), **known, **{rate: 120.0})
        read = read_amass(tmp_path / f"{name}.npz")
        np.testing.assert_array_equal(read.poses, whole)
        assert read.fps == 120 and read.gender == "female" and read.joints is None


def test_gaps_are_bridged(walk):
    _, motion = walk
    person = motion.people["1"]
    keep = np.array([0, 1, 2, 10, 11, 12])
    gappy = replace(person, frames=person.frames[keep], poses=person.poses[keep], transl=person.transl[keep])
    poses, trans = every_frame(gappy)
    assert len(poses) == len(trans) == 13
    np.testing.assert_array_equal(poses[keep], person.poses[keep])
    np.testing.assert_allclose(trans[6], (person.transl[2] + person.transl[10]) / 2)
    a, middle, b = (rotation_matrices(values) for values in (poses[2], poses[6], poses[10]))
    np.testing.assert_allclose(middle @ np.swapaxes(a, -1, -2), b @ np.swapaxes(middle, -1, -2), atol=1e-9)


def test_what_cannot_be_written_leaves_nothing(walk, tmp_path):
    path, motion = walk
    person = motion.people["1"]
    out = tmp_path / "x.npz"
    with pytest.raises(MotionFileError, match="not finite"):
        write_amass(out, person.poses * np.nan, person.transl, person.betas, 30)
    with pytest.raises(OSError, match="No such file"):
        write_amass(tmp_path / "no" / "x.npz", person.poses, person.transl, person.betas, 30)
    (tmp_path / "file").touch()
    with pytest.raises(RecoverError, match="Cannot write into"):
        export_file(path, "amass", tmp_path / "file")
    with pytest.raises(RecoverError, match="Choose one of: amass"):
        export_file(path, "fbx", tmp_path)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a walk.motion.npz", "file"]


def test_damage_is_told(walk, tmp_path):
    path, _ = walk
    whole = export_file(path, "amass", tmp_path)[0].read_bytes()
    bad = tmp_path / "bad.npz"
    rng = np.random.default_rng(1)
    cuts = [whole[: len(whole) * tenth // 10] for tenth in range(10)]
    for content in [*cuts, b"", b"\x80\x04N.", *(_flipped(whole, rng) for _ in range(40))]:
        bad.write_bytes(content)
        try:
            read_amass(bad)
        except MotionFileError as error:
            assert "\n" not in str(error)
        else:
            assert content[:2] == b"PK"  # a flipped bit may hit what nobody reads
    for change in ({"poses": np.zeros((40, 10))}, {"trans": np.zeros((40, 2))}, {"trans": np.full((40, 3), np.inf)},
                   {"mocap_framerate": np.array(-1.0)}, {"rest_joints": np.zeros(3)}, {"poses": None}):  # fmt: skip
        with np.load(export_file(path, "amass", tmp_path)[0]) as file:
            arrays = {key: file[key] for key in file.files} | change
        np.savez(bad, **{key: value for key, value in arrays.items() if value is not None})
        with pytest.raises(MotionFileError, match="damaged or not"):
            read_amass(bad)
    with pytest.raises(MotionFileError, match="There is no file"):
        read_amass(tmp_path / "none.npz")


def _flipped(whole, rng):
    content = bytearray(whole)
    content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    return bytes(content)


def test_the_command(walk, tmp_path):
    path, _ = walk
    command = [sys.executable, "-m", "ghmr_engine.cli", "export"]
    done = subprocess.run([*command, path, "--out", tmp_path / "o"], capture_output=True, text=True, check=True)
    assert done.stdout.count("Wrote ") == 2 and len(list((tmp_path / "o").iterdir())) == 2
    done = subprocess.run([*command, path, "--format", "x", "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("Error: There is no format 'x'.")

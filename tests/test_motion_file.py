"""The motion file: what is written can be read, old versions for ever, and what is damaged says so in one line."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from motions import walking_motion
from small_disk import run_on_small_disk

from ghmr_engine.motion_file import FORMAT, VERSION, MotionFileError, Person, read_motion, write_motion

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "walk.motion.npz"
    write_motion(path, walking_motion(frames=20, people=2, absent=(5, 9)))
    return path


def rewrite(path, change):
    """Change the arrays of a file in place, as another program could."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    change(arrays)
    with path.open("wb") as file:
        np.savez(file, **arrays)


def set_meta(**values):
    def change(arrays):
        meta = json.loads(str(arrays["meta"])) | values
        arrays["meta"] = np.array(json.dumps({key: value for key, value in meta.items() if value != "absent"}))

    return change


def test_what_comes_out_is_what_went_in(written):
    motion, back = walking_motion(frames=20, people=2, absent=(5, 9)), read_motion(written)
    assert back.meta == {**motion.meta, "format": FORMAT, "version": VERSION, "people": ["1", "2"]}
    for name in ("R", "t", "K", "camera_confidence", "faces", "parents", "colors"):
        np.testing.assert_allclose(getattr(back, name), getattr(motion, name), atol=1e-6)
    for name, person in motion.people.items():
        for field in fields(Person):
            np.testing.assert_allclose(getattr(back.people[name], field.name), getattr(person, field.name), atol=1e-5)
    assert len(back.people["2"].frames) == 15
    assert back.people["1"].poses.dtype == np.float32


def test_it_reads_without_pickle_and_leaves_no_part(written):
    with np.load(written, allow_pickle=False) as file:
        assert all(file[key].dtype != object for key in file.files)
    assert [path.name for path in written.parent.iterdir()] == ["walk.motion.npz"]


@pytest.mark.parametrize("version", [1])
def test_every_version_that_was_ever_written_reads(version):
    """Made once by golden/make.py and never again: files of users are as old."""
    motion = read_motion(GOLDEN / f"version_{version}.motion.npz")
    assert motion.meta["video"]["name"] == "walk past.mp4"
    assert list(motion.people) == ["1", "2"]
    assert "names" not in motion.meta  # which came later
    assert motion.R.shape == (12, 3, 3)
    one, two = motion.people["1"], motion.people["2"]
    assert one.frames.tolist() == list(range(12))
    assert two.frames.tolist() == [0, 1, 2, 6, 7, 8, 9, 10, 11]
    pelvis = one.transl + one.joints[0]
    np.testing.assert_allclose(pelvis[:, 0], 1.2 * np.arange(12) / 30, atol=1e-5)  # 1.2 m/s along +x
    np.testing.assert_allclose(np.linalg.det(motion.R), 1, atol=1e-5)
    assert one.weights.sum(1) == pytest.approx(1)
    assert motion.faces.max() < len(one.vertices) == len(motion.colors)


DAMAGE = {
    "not there": (lambda path: path.unlink(), "There is no file"),
    "empty": (lambda path: path.write_bytes(b""), "damaged"),
    "text": (lambda path: path.write_text("hello"), "damaged"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-200]), "damaged"),
    "half": (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "damaged"),
    "flipped": (lambda path: flip(path), "damaged"),
    "an array alone": (lambda path: np.save(path.open("wb"), np.zeros(3)), "damaged|not a motion file"),
    "a zip": (lambda path: make_zip(path), "damaged"),
    "pickled": (lambda path: rewrite(path, lambda a: a.update({"camera/R": np.array([{}])})), "damaged"),
    "another npz": (lambda path: rewrite(path, lambda a: a.pop("meta")), "damaged"),
    "other format": (lambda path: rewrite(path, set_meta(format="other")), "not a motion file"),
    "newer": (lambda path: rewrite(path, set_meta(version=2)), "version 2, this program reads 1.*[Uu]pdate"),
    "no version": (lambda path: rewrite(path, set_meta(version="absent")), "version"),
    "no fps": (lambda path: rewrite(path, set_meta(fps="absent")), "damaged.*fps"),
    "no camera": (lambda path: rewrite(path, lambda a: a.pop("camera/R")), "damaged.*camera/R"),
    "person lost": (lambda path: rewrite(path, lambda a: a.pop("people/2/poses")), "damaged.*people/2/poses"),
    "other frames": (lambda path: rewrite(path, set_meta(frames=19)), "camera/R"),
    "nan": (lambda path: rewrite(path, lambda a: a["people/1/transl"].fill(np.nan)), "people/1/transl.*not finite"),
    "order": (lambda path: rewrite(path, lambda a: a.update({"people/1/frames": np.arange(20)[::-1]})), "must rise"),
    "frames in words": (lambda path: rewrite(path, set_meta(frames="many")), "damaged"),
    "people in numbers": (lambda path: rewrite(path, set_meta(people=3)), "damaged"),
    "a number for a list": (
        lambda path: rewrite(path, lambda a: a.update({"people/1/frames": np.array(3)})),
        "damaged",
    ),
    "wrong shape": (
        lambda path: rewrite(path, lambda a: a.update({"people/1/poses": np.zeros((20, 22, 3))})),
        "people/1/poses",
    ),
}


def flip(path):
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(255 - byte for byte in whole[middle : middle + 64]) + whole[middle + 64 :])


def make_zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")


@pytest.mark.parametrize("name", DAMAGE)
def test_a_file_that_is_no_good_says_so_in_one_line(written, name):
    spoil, expected = DAMAGE[name]
    spoil(written)
    with pytest.raises(MotionFileError, match=expected) as caught:
        read_motion(written)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["newer", "cut", "not there"])
def test_the_command_line_says_it_too(written, name):
    DAMAGE[name][0](written)
    command = [sys.executable, "-m", "ghmr_engine.cli", "info", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) == 1


def test_info_prints_the_meta(written):
    command = [sys.executable, "-m", "ghmr_engine.cli", "info", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == read_motion(written).meta


def test_a_reprojection_that_was_not_measured_is_no_damage(tmp_path):
    motion = walking_motion(frames=12)
    gap = replace(motion.people["1"], reprojection=np.where(np.arange(12) == 3, np.nan, 2.0))
    write_motion(tmp_path / "a.motion.npz", replace(motion, people={"1": gap}))
    assert np.isnan(read_motion(tmp_path / "a.motion.npz").people["1"].reprojection).sum() == 1


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MotionFileError, match="Cannot write"):
        write_motion(tmp_path / "file" / "a.motion.npz", walking_motion(frames=12))
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208  hidden files too


def test_a_full_disk_leaves_what_was_there_before(tmp_path):
    disk = tmp_path / "disk"
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]; from pathlib import Path; from dataclasses import replace\n"
        "import numpy as np; from motions import walking_motion\n"
        "from ghmr_engine.motion_file import read_motion, write_motion, MotionFileError\n"
        "path, small = Path(sys.argv[1], 'a.motion.npz'), walking_motion(frames=12)\n"
        "write_motion(path, small)\n"
        "noise = np.random.default_rng(0).normal(size=(300_000, 3))\n"
        "large = replace(small.people['1'], vertices=noise, weights=np.zeros((300_000, 24)))\n"
        "try: write_motion(path, replace(small, people={'1': large}))\n"
        "except MotionFileError as error: print(error)\n"
        "print(len(read_motion(path).R))"
    )
    here = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    ran = run_on_small_disk(disk, "1m", [sys.executable, "-c", code, str(disk), *here])
    assert ran.code == 0, ran.err
    message, frames = ran.out.splitlines()
    assert "No space left" in message and frames == "12"
    assert ran.left == ["a.motion.npz"]
    assert ran.err == ""

"""Solving again from file to file: whole or not at all, by the command line, the engine process, and on the demo."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from motions import walking_motion
from test_serve import Engine

from ghmr_engine import protocol
from ghmr_engine.edits import Edits, Pin, edits_from
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.motion_file import read_motion, write_motion
from ghmr_engine.options import Options
from ghmr_engine.resolve_file import read_edits, resolve_file

EDITS = {"people": ["1"], "first": 10, "last": 40, "pins": []}


def ignore(_progress):
    pass


@pytest.fixture
def take(tmp_path):
    """A walk whose right foot's false plant is marked."""
    motion = walking_motion(frames=60, people=2)
    person = motion.people["1"]
    contacts = person.contacts.copy()
    contacts[33:40, 2:] = 1
    path = tmp_path / "take 1.motion.npz"
    write_motion(path, replace(motion, people={**motion.people, "1": replace(person, contacts=contacts)}))
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_result_is_another_file_that_says_what_was_asked(take, tmp_path):
    before, out = hashlib.sha256(take.read_bytes()).digest(), tmp_path / "take 2.motion.npz"
    seen = []
    resolve_file(take, out, edits_from(EDITS), seen.append)
    assert hashlib.sha256(take.read_bytes()).digest() == before
    old, new = read_motion(take), read_motion(out)
    assert names(tmp_path) == [take.name, out.name]
    assert {progress.stage for progress in seen} == {"refine", "write"}
    (edit,) = new.meta.pop("edits")
    assert {key: edit[key] for key in EDITS} == EDITS and edit["seconds"] > 0 and edit["warnings"] == []
    quality = new.meta.pop("quality")
    was = old.meta.pop("quality")
    assert new.meta == old.meta
    assert quality["2"] == was["2"] and quality["1"]["sliding_mm"] < 1 and quality["1"]["seen"] == 1.0
    for key, value in vars(old.people["2"]).items():
        assert np.array_equal(value, getattr(new.people["2"], key))
    assert np.array_equal(old.people["1"].poses[:10], new.people["1"].poses[:10])
    again = tmp_path / "take 3.motion.npz"
    resolve_file(out, again, edits_from({**EDITS, "last": 44}), ignore)
    assert [edit["last"] for edit in read_motion(again).meta["edits"]] == [40, 44]


def test_nothing_is_written_where_something_is_wrong(take, tmp_path):
    out = tmp_path / "new.motion.npz"
    junk = tmp_path / "junk.motion.npz"
    junk.write_bytes(b"not a motion")
    edits = edits_from(EDITS)

    def stop(_progress):
        raise Cancelled

    for motion, to, what, code in (
        (take, take, edits, "bad_name"), (tmp_path / "none.motion.npz", out, edits, "bad_motion"),
        (junk, out, edits, "bad_motion"), (take, tmp_path / "no.npz", edits, "bad_name"),
        (take, tmp_path / "nowhere" / out.name, edits, "no_folder"),
        (take, out, replace(edits, people=("9",)), "unknown_person"),
    ):  # fmt: skip
        with pytest.raises(RecoverError) as caught:
            resolve_file(motion, to, what, ignore)
        assert caught.value.code == code and caught.value.fix and "\n" not in str(caught.value)
    with pytest.raises(Cancelled):
        resolve_file(take, out, edits, stop)
    assert names(tmp_path) == [junk.name, take.name]


def test_the_clip_s_copy_goes_along_into_another_folder(take, tmp_path):
    copy = tmp_path / "take 1.background.mp4"
    copy.write_bytes(b"a copy")
    motion = read_motion(take)
    write_motion(
        take, replace(motion, meta={**motion.meta, "video": {**motion.meta["video"], "background": copy.name}})
    )
    beside, other = tmp_path / "take 2.motion.npz", tmp_path / "other" / "take.motion.npz"
    other.parent.mkdir()
    for out in (beside, other):
        resolve_file(take, out, edits_from(EDITS), ignore)
        name = read_motion(out).meta["video"]["background"]
        assert (out.parent / name).read_bytes() == b"a copy"
    assert names(tmp_path) == ["other", copy.name, take.name, beside.name]


def test_edits_are_read_or_refused(tmp_path):
    path = tmp_path / "edits.json"
    pin = {"person": "1", "frame": 3, "joint": "pelvis", "x": 1, "y": 2.5}
    path.write_text(json.dumps({**EDITS, "pins": [pin]}))
    assert read_edits(path) == Edits(("1",), 10, 40, (Pin("1", 3, "pelvis", 1.0, 2.5),))
    for text in (
        "{",
        "[]",
        "{}",
        json.dumps({**EDITS, "pins": [{}]}),
        '{"people": ["1"], "first": Infinity, "last": 2}',
    ):
        path.write_text(text)
        with pytest.raises(RecoverError):
            read_edits(path)
    with pytest.raises(RecoverError):
        read_edits(tmp_path / "none.json")


def ghmr(home, *words):
    return subprocess.run(
        [sys.executable, "-m", "ghmr_engine.cli", "resolve", *map(str, words)], capture_output=True, text=True,
        check=False, timeout=120, env={**os.environ, "RECOVER_MOTION_HOME": str(home), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_the_command_line(take, tmp_path):
    edits, out = tmp_path / "edits.json", tmp_path / "take 2.motion.npz"
    edits.write_text(json.dumps(EDITS))
    done = ghmr(tmp_path / "home", take, "--edits", edits, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "take 2.motion.npz" in done.stdout and "Person 1: " in done.stdout and "Person 2" not in done.stdout
    assert read_motion(out).meta["edits"]
    wrong = ghmr(tmp_path / "home", take, "--edits", edits, "--out", take)
    assert wrong.returncode == 2 and len(wrong.stderr.splitlines()) == 1 and wrong.stderr.startswith("Error: ")


def test_the_engine_answers_with_figures_and_warnings_of_this_solve(take, tmp_path):
    engine = Engine(["-m", "ghmr_engine.serve"], tmp_path / "home")
    try:
        out = tmp_path / "take 2.motion.npz"
        engine.say(protocol.Resolve(1, str(take), str(out), {**EDITS, "people": ["5"]}))
        error, _ = engine.hear_until(protocol.Error)
        assert (error.id, error.code) == (1, "unknown_person")
        engine.say(protocol.Resolve(2, str(take), str(out), {"people": []}))
        error, _ = engine.hear_until(protocol.Error)
        assert (error.id, error.code) == (2, "bad_edit")
        far = {"person": "1", "frame": 25, "joint": "left_wrist", "x": 0, "y": 0}
        began = time.monotonic()
        engine.say(protocol.Resolve(3, str(take), str(out), {**EDITS, "pins": [far]}))
        done, _ = engine.hear_until(protocol.Done)
        assert done.id == 3 and read_motion(out).meta["edits"][0]["pins"] == [far]
        assert done.quality["1"]["sliding_mm"] < 1 and len(done.warnings) == 1 and "left wrist" in done.warnings[0]
        assert set(done.seconds) == {"refine"} and 0 < done.seconds["refine"] <= time.monotonic() - began
    finally:
        engine.process.kill()
        engine.process.wait()


def test_a_recovered_take_is_solved_again_near_a_pin_and_a_plant(body, demo_clip, tmp_path):
    """The demo's first two seconds, as the engine recovers them: what was not edited stays, what was is done."""
    from ghmr_engine.pipeline import recover

    first = tmp_path / "demo.motion.npz"
    recover(demo_clip, first, Options(device="cpu", end=59), ignore)
    motion = read_motion(first)
    person = motion.people["1"]
    contacts = person.contacts.copy()
    contacts[42:56, :2] = 1  # the left foot's second plant, whole
    write_motion(first, replace(motion, people={"1": replace(person, contacts=contacts)}))
    rotations = motion.R[30], motion.t[30], motion.K[30]
    wrist = person.keypoints[30, 15, :2] + [12, -10]
    edits = Edits(("1",), 15, 59, (Pin("1", 30, "left_wrist", *map(float, wrist)),))
    began = time.process_time()
    after = resolve_file(first, tmp_path / "again.motion.npz", edits, ignore)
    assert time.process_time() - began < 4  # half a second where nothing else runs
    assert after.meta["edits"][-1]["warnings"] == []
    import roma
    import torch

    new = after.people["1"]
    posed = body.forward(
        roma.rotvec_to_rotmat(torch.as_tensor(new.poses)), torch.as_tensor(new.transl), torch.as_tensor(new.betas)
    )
    R, t, K = rotations
    at = K @ (R @ posed.joints[30, 20].double().numpy() + t)
    assert np.linalg.norm(at[:2] / at[2] - wrist) < 1
    feet = posed.contacts.numpy()
    steps = 1000 * np.linalg.norm(np.diff(feet[42:56, :2], axis=0), axis=-1)
    assert steps.max() < 1 and np.abs(feet[42:56, :2, 2]).max() < 0.003
    assert np.array_equal(new.poses[:15], person.poses[:15]) and np.array_equal(new.transl[:15], person.transl[:15])
    assert after.meta["quality"]["1"]["sliding_mm"] < motion.meta["quality"]["1"]["sliding_mm"] + 0.05
    assert after.meta["quality"]["1"]["jitter"] < 1.5 * motion.meta["quality"]["1"]["jitter"]

"""Engines that are killed, that share a cache, or that write one file at once: the result is that of one left alone."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ghmr_engine import places
from ghmr_engine.motion_file import read_motion
from ghmr_engine.progress import STAGES

REPO = Path(__file__).resolve().parent.parent
STAND_INS = Path(__file__).with_name("stand_ins.py")
REAL = [sys.executable, "-m", "ghmr_engine.cli"]
MADE_UP = [sys.executable, str(STAND_INS), "plain"]
ENGINE = {**os.environ, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1"}
LAST = 30
"""Frame of the demo up to which it is recovered, at the quality that refines."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def start(engine, clip, out, cache, *more):
    words = [*engine, "recover", str(clip), "--out", str(out), "--cache", str(cache), "--json", *more]
    return subprocess.Popen(words, env=ENGINE, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    said, wrong = process.communicate(timeout=600)
    assert process.returncode == 0, wrong
    return said


def kill_at(process, stage):
    """SIGKILL as soon as the engine says that it is in the middle of a stage."""
    for line in process.stdout:
        reply = json.loads(line)
        if (
            reply["say"] == "progress"
            and reply["stage"] == stage
            and (reply["done"] > 0 or stage in ("video", "write"))
        ):
            process.send_signal(signal.SIGKILL)
            break
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def content(path):
    """All that a motion file holds but how long it took and what was kept."""
    motion = read_motion(path)
    arrays = {}
    for field in dataclasses.fields(motion):
        value = getattr(motion, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
    for name, person in motion.people.items():
        arrays |= {f"{name} {key}": value for key, value in vars(person).items()}
    meta = {key: value for key, value in motion.meta.items() if key not in ("seconds", "cached")}
    return meta, arrays


def assert_same(path, other):
    (meta, arrays), (other_meta, other_arrays) = content(path), content(other)
    assert meta == other_meta and arrays.keys() == other_arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(value, other_arrays[name], err_msg=name)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "turned.mp4"  # of which a copy is written too
    path.write_bytes(b"a clip")
    return path


def test_killed_while_a_copy_and_the_result_are_written(clip):
    """The next run cleans up, and gives what an undisturbed one gives."""
    folder, whole = clip.parent, clip.with_name("whole.motion.npz")
    finish(start(MADE_UP, clip, whole, folder / "other"))
    out = clip.with_name("take.motion.npz")
    for stage in ("people", "write"):
        process = start(MADE_UP, clip, out, folder / "cache")
        for line in process.stdout:
            if json.loads(line).get("stage") == stage:
                process.kill()
                break
        process.communicate(timeout=60)
    finish(start(MADE_UP, clip, out, folder / "cache"))
    meta, arrays = content(out)
    expected, other = content(whole)
    expected["video"]["background"] = "take.background.mp4"
    assert meta == expected
    for name, value in arrays.items():
        np.testing.assert_array_equal(value, other[name])
    left = {path.name for path in folder.iterdir()} - {"cache", "other"}
    assert left == {"turned.mp4", "whole.motion.npz", "whole.background.mp4", out.name, "take.background.mp4"}


@pytest.mark.slow
def test_the_real_engine_killed_in_every_stage_goes_on_to_the_same_result(tmp_path, demo_clip):
    """One cache: each kill falls into the first stage that no run before has finished."""
    if not places.body_path().is_file():
        pytest.skip("the open body is not built: run `python3 install.py setup`")
    out, whole, options = tmp_path / "take.motion.npz", tmp_path / "whole.motion.npz", ("--end", str(LAST))
    for stage in STAGES:
        kill_at(start(REAL, demo_clip, out, tmp_path / "cache", *options), stage)
        assert not out.exists() or stage == "write"
    finish(start(REAL, demo_clip, out, tmp_path / "cache", *options))
    assert read_motion(out).meta["cached"] == [stage for stage in STAGES if stage not in ("video", "write")]
    finish(start(REAL, demo_clip, whole, tmp_path / "other", *options))
    assert_same(out, whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "other", out.name, whole.name]


def test_two_engines_on_one_cache_and_one_file(clip):
    """Started together, again and again: each is right, and nothing of either is left half."""
    folder = clip.parent
    whole = folder / "whole.motion.npz"
    finish(start(MADE_UP, clip, whole, folder / "other"))
    outs = [folder / "one.motion.npz", folder / "two.motion.npz", folder / "two.motion.npz"]
    both = [start(MADE_UP, clip, out, folder / "cache") for out in outs]
    for process in both:
        finish(process)
    for out in outs:
        meta, arrays = content(out)
        assert meta["warnings"] == content(whole)[0]["warnings"]
        for name, value in content(whole)[1].items():
            np.testing.assert_array_equal(arrays[name], value)
    assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]
    assert len(list((folder / "cache").glob("stage-*.npz"))) == 5


def test_a_part_of_another_living_engine_stays(tmp_path):
    """A run into the same file cleans up after the dead only."""
    from ghmr_engine.part_files import drop_abandoned, part_of, written_whole

    path = tmp_path / "a.motion.npz"
    mine = part_of(path)
    alive = path.with_name(f"{path.name}.{os.getppid()}.part")
    dead = path.with_name(f"{path.name}.{2**22 + 1}.part")
    old = path.with_name(f"{path.name}.1.part")
    foreign = path.with_name(f"{path.name}.notes.part")
    for part in (mine, alive, dead, old, foreign):
        part.write_text("half")
    os.utime(old, (1_000, 1_000))
    drop_abandoned(path)
    assert alive.exists() and foreign.exists() and not (mine.exists() or dead.exists() or old.exists())
    with pytest.raises(ZeroDivisionError), written_whole(path) as part:
        part.write_text("half")
        1 / 0  # noqa: B018
    assert not path.exists() and not mine.exists()

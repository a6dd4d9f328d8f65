"""Motion files from anywhere: whatever is in them, the answer is one line, soon, and without much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from motion_damage import cut_and_flipped, spoilt
from motions import walking_motion

from ghmr_engine.motion_file import MotionFileError, read_motion, write_motion

resource = pytest.importorskip("resource", reason="memory is measured as POSIX does")
LONGEST_S = 5.0
MOST_MORE_MB = 300
REPO = Path(__file__).resolve().parent.parent


@pytest.fixture
def good(tmp_path) -> Path:
    path = tmp_path / "good.motion.npz"
    write_motion(path, walking_motion(frames=20, people=2, absent=(5, 9)))
    return path


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def refused(path: Path) -> bool:
    began = time.process_time()
    try:
        read_motion(path)
    except MotionFileError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000, error
        return True
    finally:
        assert time.process_time() - began < LONGEST_S
    return False


def test_nothing_that_is_wrong_is_believed(good):
    path = good.with_name("bad.motion.npz")
    believed = []
    for name, content in spoilt(good):
        path.write_bytes(content)
        before = peak_mb()
        if not refused(path):
            believed.append(name)
        assert peak_mb() - before < MOST_MORE_MB, name
    assert believed == []


@pytest.mark.parametrize("seed", range(3))
def test_cut_and_flipped_files_are_one_line_or_whole(good, seed):
    path = good.with_name("bad.motion.npz")
    results = {}
    for name, content in cut_and_flipped(good, seed, 120):
        path.write_bytes(content)
        results[name] = refused(path)
    assert all(results[f"cut {tenth}"] for tenth in range(10))
    assert sum(results.values()) > 100


def test_what_is_no_plain_file_is_not_waited_for(good):
    pipe = good.with_name("pipe.motion.npz")
    os.mkfifo(pipe)
    for path in (pipe, good.parent, Path("/dev/zero"), good.with_name("n" * 300), Path("a\0b")):
        assert refused(path)


@pytest.mark.parametrize("command", ["info", "resolve"])
def test_the_commands_say_it_in_one_line(good, command):
    edits = good.with_name("edits.json")
    edits.write_text('{"people": ["1"], "first": 0, "last": 9}')
    more = ["--edits", edits, "--out", good.with_name("out.motion.npz")] if command == "resolve" else []
    wanted = (
        {"people/1/transl nan"}
        if command == "resolve"
        else {"meta fps [1, 0]", "body/faces large", "says (10000000000000,)", "a bomb of 3 GB", "people/1/transl nan"}
    )
    for name, content in spoilt(good):
        if name not in wanted:
            continue
        bad = good.with_name("bad.motion.npz")
        bad.write_bytes(content)
        words = [sys.executable, "-m", "ghmr_engine.cli", command, bad, *more]
        done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 2 and done.stdout == "", (name, done.stderr)
        assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, done.stderr
        assert "damaged" in done.stderr
        wanted.remove(name)
    assert not wanted and not good.with_name("out.motion.npz").exists()

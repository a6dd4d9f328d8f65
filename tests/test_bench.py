"""The benchmark's table, CSV and picture; methods in processes of their own; the commands in front of them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from motions import walking_motion

from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.evaluate import bench, bench_picture
from ghmr_engine.evaluate.compare import compare
from ghmr_engine.evaluate.methods import METHODS, load_tracks, run, save_tracks
from ghmr_engine.evaluate.tracks import tracks_of
from ghmr_engine.motion_file import write_motion


@pytest.fixture(scope="module")
def tracks():
    return tracks_of(walking_motion(frames=30), None)


def shifted(tracks, metres):
    """The first person's hands and feet moved in the world, so that measures are known to be larger than 0."""
    joints = tracks.people[0].joints.copy()
    joints[:, 20:24] += [0, 0, metres]
    return replace(tracks, people=(replace(tracks.people[0], joints=joints),))


@pytest.fixture
def rows(tracks):
    """Two clips; the second method fails on one."""
    good = compare(shifted(tracks, 0.12), tracks)
    exact = compare(tracks, tracks)
    return [
        bench.Row("a", "ours", 30, 2.0, 500.0, "", exact),
        bench.Row("a", "theirs", 30, 1.0, 400.0, "", good),
        bench.Row("b", "ours", 60, 2.0, None, "", good),
        bench.Row("b", "theirs", 60, 1.0, 300.0, "it burst", None),
    ]


def test_means_leave_out_what_is_not_there(rows):
    means = bench.averages(rows)
    assert means["ours"]["frames/s"] == pytest.approx((15 + 30) / 2)
    assert means["theirs"]["frames/s"] == pytest.approx(30)
    assert means["ours"]["memory"] == 500
    # Four of 24 joints are 120 mm off: 20 mm, once; the other clip is exact.
    assert means["ours"]["MPJPE"] == pytest.approx(10, abs=1e-3)
    assert means["theirs"]["MPJPE"] == pytest.approx(20, abs=1e-3)


def test_the_table_says_what_failed_and_goes_on(rows):
    text = bench.table(rows)
    lines = text.splitlines()
    assert lines[0] == "Mean over 2 clips, 90 frames:"
    assert sum(line.startswith("| ours ") or line.startswith("| theirs ") for line in lines) == 2
    assert sum(line.startswith(("| a, ", "| b, ")) for line in lines) == 4
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    (failed,) = [line for line in lines if line.startswith("| b, theirs")]
    assert set(failed.split("|")[2].strip()) == {"-"}
    assert lines[-1] == "b, theirs failed: it burst"


def test_the_csv_has_everything(rows, tmp_path):
    bench.write_csv(rows, tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["clip"] + row["method"] for row in read] == ["aours", "atheirs", "bours", "btheirs"]
    assert float(read[1]["MPJPE [mm]"]) == pytest.approx(20, abs=1e-3)
    assert read[3]["failed"] == "it burst" and read[3]["MPJPE [mm]"] == ""
    assert len(read[0]) == 4 + len(bench.COLUMNS) + 3


def test_the_picture_is_drawn_where_matplotlib_is(rows, tmp_path, monkeypatch):
    assert bench_picture.draw(rows, tmp_path / "x.png")
    picture = cv2.imread(str(tmp_path / "x.png"))
    assert picture.shape[0] > 600 and picture.std() > 5
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert not bench_picture.draw(rows, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_tracks_survive_a_file(tracks, tmp_path):
    person = replace(tracks.people[0], contacts=None, mesh=None)
    save_tracks(tmp_path / "x.npz", replace(tracks, people=(person,)))
    back = load_tracks(tmp_path / "x.npz")
    assert back.people[0].contacts is None and back.image_size == tracks.image_size and back.fps == tracks.fps
    for key in ("frames", "joints", "feet", "in_view"):
        np.testing.assert_array_equal(getattr(back.people[0], key), getattr(person, key))
    np.testing.assert_array_equal(back.R, tracks.R)


def fake_suite(folder, body):
    """A clip that is no video, with a truth; the open body has to be there for the suite to start."""
    write_motion(folder / "a.truth.npz", walking_motion(frames=30))
    (folder / "a.mp4").write_bytes(b"not a video")


def test_a_method_that_fails_has_a_row_that_says_why(tmp_path, body):
    fake_suite(tmp_path, body)
    told = []
    (row,) = bench.run_suite(tmp_path, ("per-frame",), lambda what, done: told.append((what, done)))
    assert row.report is None and "a.mp4" in row.failed
    assert row.seconds > 0 and row.peak_mb > 20
    assert told[0] == ("a, per-frame", 0) and told[-1] == ("done", 1.0)


def test_stopping_kills_the_method(tmp_path, body):
    fake_suite(tmp_path, body)
    calls = []

    def stop(*_words):
        calls.append(time.perf_counter())
        if len(calls) > 3:
            raise Cancelled

    before = time.perf_counter()
    with pytest.raises(Cancelled):
        bench.run_suite(tmp_path, ("balanced",), stop)
    assert time.perf_counter() - before < 5


def test_unknown_methods_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(RecoverError, match="nonsense"):
        bench.run_suite(tmp_path, ("nonsense",), lambda *_: None)
    with pytest.raises(RecoverError, match="holds no clip"):
        bench.run_suite(tmp_path, METHODS, lambda *_: None)


@pytest.mark.slow
def test_the_per_frame_baseline_runs_and_trembles(tmp_path, repo, body):
    """On the shortest clip of the regression suite; its jitter is many times that of any smooth motion."""
    from ghmr_engine.motion_file import read_motion

    clip = repo / "assets" / "regression" / "walk_static.mp4"
    truth = clip.with_name("walk_static.truth.npz")
    run("per-frame", clip, truth, tmp_path / "x.npz")
    report = compare(load_tracks(tmp_path / "x.npz"), tracks_of(read_motion(truth), body))
    assert report.missed < 0.05
    assert report.mean.pa_mpjpe_mm < 100
    assert report.mean.jitter > 50
    assert report.mean.contact_f1 is None


def ghmr(*words, env=None):
    command = [sys.executable, "-m", "ghmr_engine.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=None if env is None else {**os.environ, **env})


def said_in_one_line(done, code):
    lines = done.stderr.strip().splitlines()
    return done.returncode == code and len(lines) == 1 and lines[0].startswith("Error: ")


def test_evaluate_prints_a_table_and_json(repo):
    truth = repo / "assets" / "demo.truth.npz"
    done = ghmr("evaluate", truth, truth)
    assert done.returncode == 0 and "0.0" in done.stdout and "camera: rotation 0.00 deg" in done.stdout
    told = json.loads(ghmr("evaluate", truth, truth, "--json").stdout)
    assert told["mean"]["pa_mpjpe_mm"] < 1e-2 and told["missed"] == 0


def test_bad_input_is_one_line(repo, tmp_path):
    truth, other = repo / "assets" / "demo.truth.npz", repo / "assets" / "regression" / "walk_static.truth.npz"
    (tmp_path / "no.npz").write_text("no")
    (tmp_path / "no.txt").write_text("no numbers")
    assert said_in_one_line(ghmr("evaluate", tmp_path / "none.npz", truth), 2)
    assert said_in_one_line(ghmr("evaluate", tmp_path / "no.npz", truth), 2)
    assert said_in_one_line(ghmr("evaluate", truth, other), 2)
    assert said_in_one_line(ghmr("bench", tmp_path), 2)
    assert said_in_one_line(ghmr("bench", "--out", tmp_path / "nowhere"), 2)
    assert said_in_one_line(ghmr("render-truth", tmp_path / "no.txt", "--out", tmp_path), 2)
    assert said_in_one_line(ghmr("render-truth", tmp_path / "no.txt", "--out", tmp_path, "--end", -1), 2)
    assert said_in_one_line(ghmr("render-suite", tmp_path, "--out", tmp_path), 2)


@pytest.mark.parametrize("command", ["render-truth", "render-suite", "evaluate", "bench"])
def test_help_does_not_wait_for_pytorch(command):
    code = "import sys; from typer.testing import CliRunner; from ghmr_engine.cli import app; "
    code += f"print(CliRunner().invoke(app, ['{command}', '--help']).output); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout

"""The command line: what it writes and says, how it stops, and what bad input gets. Stages are stand_ins.py's here."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_disk import run_on_small_disk

from ghmr_engine import protocol
from ghmr_engine.motion_file import read_motion
from ghmr_engine.progress import STAGES

STAND_INS = Path(__file__).with_name("stand_ins.py")
ENGINE = {**os.environ, "PYTHONPATH": str(STAND_INS.parent.parent), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "walk past.mp4"
    path.write_bytes(b"a clip")
    return path


def command(behaviour, clip, out, *more):
    return [sys.executable, str(STAND_INS), behaviour, "recover", str(clip), "--out", str(out), *more]


def run(behaviour, clip, out, *more, **environment):
    return subprocess.run(
        command(behaviour, clip, out, *more),
        env={**ENGINE, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def assert_one_line(done, code, *words):
    """Failed with `code`, one line on stderr that has all `words`, and nothing else said."""
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_run_writes_a_file_with_all_that_the_format_promises(clip, tmp_path):
    out = tmp_path / "walk.motion.npz"
    done = run("plain", clip, out, "--no-cache", "--height", "1.65", "--people", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no bars where there is no terminal
    motion = read_motion(out)
    meta = motion.meta
    assert (meta["fps"], meta["frames"], meta["image_size"]) == ([30, 1], 30, [1280, 720])
    assert meta["video"] == {
        "name": "walk past.mp4", "path": str(clip), "bytes": 6, "start": 0, "rotation": 0, "constant_rate": True,
        "sha256": hashlib.sha256(b"a clip").hexdigest(), "interlaced": False,
        "background": None,
    }  # fmt: skip
    assert meta["options"]["height"] == 1.65 and meta["options"]["people"] == "2"
    assert [model["name"] for model in meta["models"]] == ["pose_detection", "pose_landmark_full", "lift", "figure"]
    assert all(len(model["sha256"]) == 64 and model["licence"] for model in meta["models"])
    assert meta["licence"] == "open"
    assert list(meta["seconds"]) == list(STAGES) and meta["cached"] == []
    assert meta["camera"] == {"focal_source": "default", "motion_source": "rotation", "scale_deviation": None}
    assert meta["warnings"] == ["The clip is made up.", "A second warning."]
    assert meta["people"] == ["1", "2"]
    for figures in meta["quality"].values():
        assert set(figures) == {"reprojection_px", "sliding_mm", "penetration_mm", "jitter", "seen"}
        assert figures["reprojection_px"] == pytest.approx(3.5) and figures["seen"] == 1.0
    assert len(motion.people["2"].frames) == 25
    documented = (STAND_INS.parent.parent / "docs" / "motion_file.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in documented for key in meta if key != "cached")
    assert f"Wrote {out}." in done.stdout and "2 people" in done.stdout
    assert "Person 2: 3.5 px" in done.stdout and "Seconds: video" in done.stdout
    assert "Warning: A second warning." in done.stdout
    assert names(tmp_path) == ["walk past.mp4", "walk.motion.npz"]


def test_the_poses_in_the_file_are_those_of_the_scene(clip, tmp_path):
    import stand_ins

    out = tmp_path / "walk.motion.npz"
    run("plain", clip, out, "--no-cache")
    motion = read_motion(out)
    for name, person in stand_ins.WALK.people.items():
        import numpy as np

        np.testing.assert_allclose(stand_ins.rotations(motion.people[name]), stand_ins.rotations(person), atol=1e-5)
        np.testing.assert_allclose(motion.people[name].transl, person.transl, atol=1e-5)
        np.testing.assert_allclose(motion.people[name].vertices, person.vertices, atol=1e-5)


def test_a_body_for_research_makes_the_file_so(clip, tmp_path):
    run("plain", clip, tmp_path / "a.motion.npz", "--no-cache", STAND_IN_LICENCE="SMPL (research only)")
    assert read_motion(tmp_path / "a.motion.npz").meta["licence"] == "research-only"


def test_a_turned_clip_gets_an_upright_copy(tmp_path):
    clip = tmp_path / "turned.mp4"
    clip.write_bytes(b"a clip")
    assert run("plain", clip, tmp_path / "a.b.motion.npz", "--no-cache").returncode == 0
    assert read_motion(tmp_path / "a.b.motion.npz").meta["video"]["background"] == "a.b.background.mp4"
    assert (tmp_path / "a.b.background.mp4").read_bytes() == b"a copy"
    assert names(tmp_path) == ["a.b.background.mp4", "a.b.motion.npz", "turned.mp4"]


def test_a_terminal_shows_a_bar_for_each_stage(clip, tmp_path):
    pty = pytest.importorskip("pty", reason="terminals of POSIX")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("plain", clip, tmp_path / "a.motion.npz", "--no-cache"), env=ENGINE, stdout=theirs, stderr=theirs
    )
    assert process.wait(timeout=120) == 0
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # how a terminal ends
        while piece := os.read(ours, 65536):
            text += piece
    os.close(ours)
    lines = [line.split("\r")[-1] for line in text.decode().replace("\r\n", "\n").split("\n")]
    bars = [line for line in lines if "100% |" in line]
    assert [bar.split()[0] for bar in bars] == list(STAGES)


def test_json_lines_are_the_protocol_s(clip, tmp_path):
    out = tmp_path / "walk.motion.npz"
    done = run("plain", clip, out, "--no-cache", "--json")
    replies = [protocol.decode_reply(line) for line in done.stdout.splitlines()]
    assert [reply for reply in replies if type(reply) is not protocol.Progress] == [replies[-1]]
    assert replies[-1].path == str(out) and replies[-1].quality["1"]["seen"] == 1.0
    stages = list(dict.fromkeys(reply.stage for reply in replies[:-1]))
    assert stages == list(STAGES)
    assert done.stderr == ""


def test_a_failure_in_json_says_it_both_ways(clip, tmp_path):
    done = run("nobody", clip, tmp_path / "a.motion.npz", "--no-cache", "--json")
    assert done.returncode == 2
    reply = protocol.decode_reply(done.stdout.splitlines()[-1])
    assert (reply.code, reply.id) == ("nobody", 1)
    assert done.stderr == "Error: There is nobody in the clip. Choose another.\n"
    assert names(tmp_path) == ["walk past.mp4"]


def test_the_second_run_repeats_only_what_follows_the_change(clip, tmp_path):
    log, cache, out = tmp_path / "log", tmp_path / "cache", tmp_path / "a.motion.npz"

    def ran(*more):
        log.unlink(missing_ok=True)
        done = run("plain", clip, out, "--cache", str(cache), *more, STAND_IN_LOG=str(log))
        assert done.returncode == 0, done.stderr
        return log.read_text().split() if log.exists() else []

    assert ran() == ["people", "camera", "lift", "world", "refine"]
    first = read_motion(out)
    assert ran() == []
    second = read_motion(out)
    assert second.meta["cached"] == ["people", "camera", "lift", "world", "refine"]
    assert second.meta["warnings"] == first.meta["warnings"] and second.meta["quality"] == first.meta["quality"]
    assert ran("--height", "1.7") == ["lift", "world", "refine"]
    assert ran("--focal", "900") == ["camera", "lift", "world", "refine"]
    assert read_motion(out).meta["camera"]["focal_source"] == "user"
    assert ran("--no-cache") == ["people", "camera", "lift", "world", "refine"]
    clip.write_bytes(b"another clip of the same name")
    assert ran() == ["people", "camera", "lift", "world", "refine"]


def find(behaviour, clip, out, *more):
    arguments = [sys.executable, str(STAND_INS), behaviour, "find", str(clip), "--out", str(out), *more]
    return subprocess.run(arguments, env=ENGINE, capture_output=True, text=True, check=False, timeout=120)


def test_finding_writes_the_people_file(clip, tmp_path):
    out = tmp_path / "walk.people.json"
    done = find("plain", clip, out, "--no-cache", "--start", "2")
    assert done.returncode == 0, done.stderr
    assert names(tmp_path) == ["walk past.mp4", "walk.people.json", "walk.person1.jpg", "walk.person2.jpg"]
    content = json.loads(out.read_text(encoding="utf-8"))
    assert content["start"] == 2
    assert f"Wrote {out}." in done.stdout and "Person 2: seen in 83% of the frames." in done.stdout
    documented = (STAND_INS.parent.parent / "docs" / "people_file.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in documented for key in {**content, **content["people"][0]})
    done = find("plain", clip, out, "--no-cache", "--json")
    assert protocol.decode_reply(done.stdout.splitlines()[-1]) == protocol.Found(1, str(out), content["warnings"])


def test_finding_fails_in_one_line(clip, tmp_path):
    assert_one_line(find("nobody", clip, tmp_path / "a.people.json", "--no-cache"), 2, "nobody in the clip")
    assert_one_line(find("plain", clip, tmp_path / "a.json", "--no-cache"), 2, ".people.json")
    assert names(tmp_path) == ["walk past.mp4"]


def test_identities_are_applied_to_everybody_that_find_kept(clip, tmp_path):
    who, out = tmp_path / "who.json", tmp_path / "a.motion.npz"
    parts = [{"person": 2, "first": 0, "last": 9}]
    who.write_text(json.dumps({
        "format": "recover-motion identities", "version": 1, "people": [{"name": "Anna", "parts": parts}],
    }))  # fmt: skip
    cache = ["--cache", str(tmp_path / "cache")]
    find("plain", clip, tmp_path / "a.people.json", *cache)
    assert run("plain", clip, out, *cache, "--identities", str(who)).returncode == 0
    meta = read_motion(out).meta
    assert meta["cached"] == ["people"] and meta["names"] == {"1": "Anna"}
    assert meta["options"]["identities"] == str(who)
    out.unlink()
    assert_one_line(run("plain", clip, out, *cache, "--identities", "nowhere.json"), 2, "Cannot read nowhere.json")
    who.write_text(who.read_text().replace('"person": 2', '"person": 3'))
    assert_one_line(run("plain", clip, out, *cache, "--identities", str(who)), 2, "no person 3")
    assert not out.exists()


def test_by_itself_the_cache_lies_at_home(clip, tmp_path):
    home = tmp_path / "home"
    run("plain", clip, tmp_path / "a.motion.npz", RECOVER_MOTION_HOME=str(home))
    assert len(list((home / "cache").glob("stage-*.npz"))) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("behaviour", ["slow", "native", "slow_background"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_stopping_takes_under_a_second_and_leaves_nothing(tmp_path, behaviour, name):
    clip, out, cache = tmp_path / "turned.mp4", tmp_path / "a.motion.npz", tmp_path / "cache"
    clip.write_bytes(b"a clip")
    out.write_bytes(b"an older result")
    process = subprocess.Popen(
        command(behaviour, clip, out, "--cache", str(cache), "--json"),
        env=ENGINE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    stage = "write" if behaviour == "slow_background" else "people"
    for line in process.stdout:
        if protocol.decode_reply(line).stage == stage:
            break
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(getattr(signal, name))
    out_text, err_text = process.communicate(timeout=20)
    took = time.monotonic() - began
    assert took < 1.0
    assert process.returncode == 130
    assert err_text == "Error: Stopped; nothing was written. Start again when you like.\n"
    assert protocol.decode_reply(out_text.splitlines()[-1]).code == "cancelled"
    assert names(tmp_path) == (
        ["a.motion.npz", "cache", "turned.mp4"] if cache.exists() else ["a.motion.npz", "turned.mp4"]
    )
    assert out.read_bytes() == b"an older result"
    assert not list(cache.glob("*.part"))


def test_an_error_of_the_program_says_where_and_leaves_nothing(clip, tmp_path):
    done = run("failing", clip, tmp_path / "a.motion.npz", "--no-cache")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: The engine failed (ValueError: a broken stage).")
    assert "stand_ins.py" in done.stderr
    assert names(tmp_path) == ["walk past.mp4"]


BAD_OUT = {
    "no such folder": ("nowhere/a.motion.npz", 2, "There is no folder"),
    "a file for a folder": ("walk past.mp4/a.motion.npz", 2, "There is no folder"),
    "another ending": ("a.npz", 2, ".motion.npz"),
    "no name": (".motion.npz", 2, ".motion.npz"),
    "a folder of that name": ("folder.motion.npz", 2, "is a folder"),
    "not writable": ("/proc/a.motion.npz", 1, "Cannot write"),
}


@pytest.mark.parametrize("name", BAD_OUT)
def test_a_place_that_cannot_be_written_is_said_before_any_work(clip, tmp_path, name):
    (tmp_path / "folder.motion.npz").mkdir()
    out, code, word = BAD_OUT[name]
    before = names(tmp_path)
    assert_one_line(run("failing", clip, tmp_path / out, "--no-cache"), code, word)
    assert names(tmp_path) == before


def test_the_copy_never_replaces_the_clip(tmp_path):
    clip = tmp_path / "take.background.mp4"
    clip.write_bytes(b"a clip")
    assert_one_line(run("plain", clip, tmp_path / "take.motion.npz", "--no-cache"), 2, "would replace the clip")
    assert clip.read_bytes() == b"a clip"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--people", "0"], "Option people cannot be '0'"),
        (["--end", "-4"], "Option end cannot be"),
        (["--quality", "good"], "'good'"),
        (["--start", "soon"], "'--start'"),
        (["--poeple", "all"], "--poeple"),
        (["--device", "cuda"], "no CUDA device"),
    ],
    ids=str,
)
def test_a_wrong_option_is_one_line(clip, tmp_path, more, word):
    import torch

    if "cuda" in more and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    assert_one_line(run("plain", clip, tmp_path / "a.motion.npz", *more), 1 if "cuda" in more else 2, word)
    assert names(tmp_path) == ["walk past.mp4"]


def test_a_full_disk_is_said_before_any_work(clip, tmp_path):
    disk = tmp_path / "disk"
    ran = run_on_small_disk(disk, "2m", command("failing", clip, disk / "a.motion.npz", "--no-cache"), ENGINE)
    assert (ran.code, ran.out, ran.left) == (1, "", [])
    assert ran.err.startswith("Error: The disk of ") and len(ran.err.splitlines()) == 1


def test_a_disk_that_fills_up_meanwhile_is_one_line_and_leaves_nothing(tmp_path):
    clip = tmp_path / "turned.mp4"
    clip.write_bytes(b"a clip")
    assert_one_line(run("background_fails", clip, tmp_path / "a.motion.npz", "--no-cache"), 1, "is full", "Free some")
    assert names(tmp_path) == ["turned.mp4"]


def test_the_version():
    done = subprocess.run([sys.executable, "-m", "ghmr_engine.cli", "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("ghmr 0.") and done.returncode == 0


def test_a_person_without_measures_is_said_without_them():
    from ghmr_engine.cli import _summary

    figures = {"reprojection_px": 2.25, "sliding_mm": None, "penetration_mm": 0.0, "jitter": None, "seen": 0.5}
    lines = _summary({
        "fps": [30000, 1001], "frames": 12, "people": ["1"], "licence": "open", "quality": {"1": figures},
        "seconds": {"video": 1.0, "people": 0.02}, "cached": ["people"], "warnings": ["Cut short."],
        "camera": {"motion_source": "path", "focal_source": "background", "scale_deviation": 0.057},
    })  # fmt: skip
    assert lines == [
        "12 frames at 29.97 a second, 1 people, licence: open.",
        "Person 1: 2.2 px from the landmarks, and sink in 0.0 mm, seen in 50% of its frames.",
        "Camera: path found (its length within 6 %), focal length from the background.",
        "Seconds: video 1.0, people 0.0 (kept).",
        "Warning: Cut short.",
    ]
    assert json.dumps(lines)

"""`blender -b --command recover_motion CLIPS --out FOLDER`: scenes, characters, exports; killed in the middle too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from batches import FAKE
from extension_tree import REPO
from test_blender_addon import Installed, installed, needs_program

from ghmr_engine.batch import manifest
from ghmr_engine.batch.lock import locked

__all__ = ["installed"]
pytestmark = [needs_program, pytest.mark.skipif(os.name == "nt", reason="the fake engine is a shell script")]


@pytest.fixture(scope="module")
def rig(installed, tmp_path_factory) -> Path:
    """A .blend with a character: Unreal's names, A-posed, legs of its own length."""
    out = tmp_path_factory.mktemp("rig") / "my hero.blend"
    done = installed.run("--factory-startup", "--python-exit-code", "1", "--python",
                         REPO / "tests" / "blender" / "save_rig.py", "--", "unreal", out)  # fmt: skip
    assert done.returncode == 0 and out.is_file(), done.stdout
    return out


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Path:
    """A Python whose `ghmr batch` has the fake engine."""
    program = tmp_path_factory.mktemp("engine") / "engine python"
    quoted = " ".join(f'"{word}"' for word in FAKE)
    program.write_text(f'#!/bin/sh\nshift 2\nPYTHONPATH="{REPO}" exec {quoted} "$@"\n')
    program.chmod(0o755)
    return program


def shoot(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / f"{name}.mp4").write_bytes((REPO / "assets" / "demo.mp4").read_bytes())
    return folder


def scenes(folder: Path) -> dict[str, dict]:
    """The last record of each scene, by the clip's name."""
    found = manifest.latest(manifest.read(folder), manifest.SCENE)
    return {Path(clip).stem: record for clip, record in found.items()}


def test_every_clip_becomes_a_scene_a_character_and_files(installed: Installed, rig, engine, tmp_path):
    clips, out = shoot(tmp_path / "a shoot", "walk", "it's walk 2", "nobody"), tmp_path / "night"
    arguments = (clips, "--out", out, "--retarget", rig, "--export", "fbx", "--export", "bvh", "--engine", engine)
    done = installed.recover(*arguments, "--max-sliding", "0.3")
    assert done.returncode == 1, done.stdout  # nobody's clip failed
    made = {path.name for path in out.iterdir()}
    for name in ("walk", "it's walk 2"):
        files = {f"{name}_person{number}.{suffix}" for number in (1, 2) for suffix in ("fbx", "bvh")}
        assert files | {f"{name}.blend", f"{name}.motion.npz"} <= made
        record = scenes(out)[name]
        assert record["state"] == "done" and set(record["exports"]) == files
        for figures in record["retarget"].values():
            assert figures["feet slide a frame, mm"] < 1 and figures["limbs off, degrees"] < 3
    assert "nobody" not in scenes(out) and "nobody.blend" not in made
    takes = manifest.latest(manifest.read(out), manifest.MOTION)
    assert {Path(clip).stem: record["state"] for clip, record in takes.items()} == {
        "walk": "review", "it's walk 2": "review", "nobody": "failed"
    }  # fmt: skip
    sheet = (out / "index.html").read_text()
    assert "walk_person1.fbx" in sheet and "on the character" in sheet and "There is nobody in the clip." in sheet
    assert installed.holds(out / "walk.blend").startswith("HOLDS [91, 91, 24, 24] ")
    # Once more: all that is there stays.
    before = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.suffix in {".blend", ".fbx", ".npz"}}
    again = installed.recover(*arguments, "--max-sliding", "9")
    assert again.returncode == 1 and again.stdout.count("its scene is there") == 2, again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_what_somebody_did_with_a_scene_since_is_kept(installed: Installed, rig, engine, tmp_path):
    clips, out = shoot(tmp_path / "shoot [1]", "walk", "talk"), tmp_path / "night"
    out.mkdir()
    (out / "talk.blend").write_bytes(b"somebody's own")
    done = installed.recover("*.mp4", "--out", out, "--engine", engine, folder=clips)
    assert done.returncode == 0 and (out / "walk.blend").is_file(), done.stdout
    assert (out / "talk.kept1.blend").read_bytes() == b"somebody's own"
    (out / "walk.blend").write_bytes(b"worked on")
    again = installed.recover(clips, "--out", out, "--engine", engine)
    assert again.stdout.count("its scene is there") == 2 and (out / "walk.blend").read_bytes() == b"worked on"
    other = installed.recover(clips, "--out", out, "--engine", engine, "--export", "bvh")
    assert other.returncode == 0 and (out / "walk.kept1.blend").read_bytes() == b"worked on", other.stdout
    assert (out / "walk.blend").stat().st_size > 1000 and not (out / "talk.kept2.blend").exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_it_goes_on_where_it_was(installed: Installed, engine, tmp_path, how):
    clips, out = shoot(tmp_path / "shoot", "first", "second", "third"), tmp_path / "night"
    process = subprocess.Popen(
        [*installed.program, "-b", "--command", "recover_motion", clips, "--out", out, "--engine", engine],
        cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "BLENDER_USER_RESOURCES": str(installed.folder / "user"),
             "RECOVER_MOTION_HOME": str(installed.home)},
    )  # fmt: skip
    until = time.monotonic() + 120
    while not any(record["state"] == "done" for record in scenes(out).values() if out.is_dir()):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    os.killpg(process.pid, how)
    assert process.wait(60) == (-signal.SIGKILL if how == signal.SIGKILL else 130)
    assert len(scenes(out)) < 3 and (how == signal.SIGKILL or (out / "index.html").is_file())
    first = out / "first.blend"
    made = first.stat().st_mtime_ns
    done = installed.recover(clips, "--out", out, "--engine", engine)
    assert done.returncode == 0, done.stdout
    assert {name: record["state"] for name, record in scenes(out).items()} == dict.fromkeys(
        ("first", "second", "third"), "done"
    )
    assert first.stat().st_mtime_ns == made
    assert not list(out.glob("*part*"))


def test_where_another_batch_works_its_log_is_left(installed: Installed, engine, tmp_path):
    clips, out = shoot(tmp_path / "shoot", "walk"), tmp_path / "night"
    out.mkdir()
    (out / "batch.log").write_text("the other's")
    with locked(out):
        done = installed.recover(clips, "--out", out, "--engine", engine)
    assert done.returncode == 2 and f"Another batch works in {out} (process {os.getpid()})" in done.stdout
    assert (out / "batch.log").read_text() == "the other's"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{clips}", "--out", "{out}", "--export", "abc"), "There is no format abc."),
        (("{clips}", "--out", "{out}", "--retarget", "{out}/none.blend"), "There is no file"),
        (("{clips}", "--out", "{out}", "--rig-map", "{clips}"), "There is no file"),
        (("{clips}", "--out", "{clips}", "--retarget", "{clips}/walk.mp4"), "could replace the rig"),
        (("{clips}/walk.mp4", "--out", "{clips}/x.blend", "--retarget", "{clips}/x.blend"), "There is no file"),
        (("{clips}/none.mp4", "--out", "{out}"), "There is no clip"),
        (("{clips}", "--out", "{out}", "--min-seen", "7"), "min_seen"),
        (("{clips}/a.mp4", "{clips}/b.mp4", "--out", "{out}/x.blend"), "A .blend takes one clip"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(installed: Installed, engine, tmp_path, arguments, message):
    clips, out = shoot(tmp_path / "shoot", "walk"), tmp_path / "out"
    words = (word.format(clips=clips, out=out) for word in arguments)
    done = installed.recover(*words, "--engine", engine)
    errors = [line for line in done.stdout.splitlines() if line.startswith("Error: ")]
    assert done.returncode == 2, done.stdout
    assert len(errors) == 1 and message in errors[0], done.stdout


def test_a_bone_of_the_map_that_the_rig_lacks_is_a_warning(installed: Installed, rig, engine, tmp_path):
    clips, out, rig_map = shoot(tmp_path / "shoot", "walk"), tmp_path / "out", tmp_path / "map.json"
    roles = json.loads((REPO / "assets" / "rig_maps" / "unreal.json").read_text())["bones"]
    bones = {role: roles[role] for role in ("root", "pelvis", "spine", "neck", "head")}
    for side in ("left", "right"):
        for role in ("upper_arm", "forearm", "thigh", "shin", "foot"):
            bones[f"{side}_{role}"] = [name.format(side=side[0]) for name in roles[role]]
    bones["left_hand"] = ["no such bone"]
    head = {"format": "recover-motion-rig-map", "version": 1, "name": "hero", "kind": "bones"}
    rig_map.write_text(json.dumps({**head, "bones": bones}))
    done = installed.recover(clips, "--out", out, "--retarget", rig, "--rig-map", rig_map, "--engine", engine)
    text = "The rig has no bone no such bone for Left Hand."
    assert done.returncode == 0 and done.stdout.count(text) == 1, done.stdout
    assert scenes(out)["walk"]["warnings"] == [text] and text in (out / "index.html").read_text()


def test_a_rig_that_is_none_fails_the_scene_and_not_the_rest(installed: Installed, engine, tmp_path):
    clips, out, rig = shoot(tmp_path / "shoot", "walk", "walk 2"), tmp_path / "out", tmp_path / "rig.blend"
    rig.write_bytes(b"no blend")
    done = installed.recover(clips, "--out", out, "--retarget", rig, "--engine", engine)
    assert done.returncode == 1, done.stdout
    assert {record["error"]["code"] for record in scenes(out).values()} == {"cannot_read"} and len(scenes(out)) == 2
    assert len(list(out.glob("*.motion.npz"))) == 2 and not list(out.glob("*.blend"))

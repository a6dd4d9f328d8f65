"""The extension in every Blender that is here: registered, and in programs built, installed and run as a command."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import fake_engine
import pytest
from extension_tree import REPO
from test_blender_scene import INNER, _commands, _listed, _named, needs_blender, package, run_inside

from ghmr_engine import places
from ghmr_engine.motion_file import read_motion
from installer.addon import build_zip

__all__ = ["package"]

PROGRAMS = [shlex.split(command) for command in _listed("RECOVER_MOTION_BLENDERS")]
needs_program = pytest.mark.skipif(not PROGRAMS, reason="no Blender program: set RECOVER_MOTION_BLENDERS")
CHECK = """
import bpy, os
armatures = [item for item in bpy.data.objects if item.type == "ARMATURE"]
clips = [os.path.realpath(bpy.path.abspath(clip.filepath)) for clip in bpy.data.movieclips]
print("HOLDS", [len(item.data.bones) for item in armatures], bpy.context.scene.frame_end, clips)
"""


def engine_home(folder: Path) -> Path:
    """A home whose engine is the fake one."""
    (folder / "env" / "bin").mkdir(parents=True)
    fake_engine.wrapper(folder / "env" / "bin").rename(folder / "env" / "bin" / "python")
    return folder


def make_clips(folder: Path) -> Path:
    folder.mkdir()
    for name in ("walk", "nobody", "crash", "slow", "damaged"):
        shutil.copy(REPO / "assets" / "demo.mp4", folder / f"{name}.mp4")
    return folder


@needs_blender
@pytest.mark.skipif(os.name == "nt", reason="the fake engine is a shell script")
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_the_addon_in_blender(command, package, tmp_path):
    home, clips = engine_home(tmp_path / "home"), make_clips(tmp_path / "clips")
    said = run_inside(
        command, package,
        INNER / "test_addon.py", INNER / "test_people.py", INNER / "test_import.py", INNER / "test_overnight.py",
        RECOVER_MOTION_HOME=str(home), RECOVER_MOTION_CLIPS=str(clips), BLENDER_USER_RESOURCES=str(tmp_path / "user"),
    )  # fmt: skip
    assert " 0 failed" in said


class Installed:
    """One Blender program with the built zip installed, in user folders of its own."""

    def __init__(self, program: list[str], folder: Path) -> None:
        self.program, self.folder = program, folder
        self.home = engine_home(folder / "home")
        self.engine = self.home / "env" / "bin" / "python"
        self.clips = make_clips(folder / "clips")
        self.zip = build_zip(folder / "recover_motion.zip")

    def run(self, *arguments: object, home: Path | None = None) -> subprocess.CompletedProcess:
        environment = {
            **os.environ,
            "BLENDER_USER_RESOURCES": str(self.folder / "user"),
            "RECOVER_MOTION_HOME": str(home or self.home),
        }
        return subprocess.run(
            [*self.program, "-b", *map(str, arguments)], cwd=REPO, env=environment, text=True, timeout=300,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip

    def recover(
        self, *arguments: object, home: Path | None = None, folder: Path | None = None
    ) -> subprocess.CompletedProcess:
        """The command, in `folder`: gone to inside Blender, as a Blender in a root folder of its own sees what it is
        started in, and the project must be seen."""
        there = ("--python-expr", f"import os; os.chdir({str(folder)!r})") if folder else ()
        return self.run(*there, "--command", "recover_motion", *arguments, home=home)

    def holds(self, blend: Path) -> str:
        """What a saved file holds, opened without any add-on."""
        said = self.run("--factory-startup", blend, "--python-expr", CHECK).stdout
        return next(line for line in said.splitlines() if line.startswith("HOLDS"))


@pytest.fixture(scope="module", params=PROGRAMS, ids=_named)
def installed(request, tmp_path_factory) -> Installed:
    blender = Installed(request.param, tmp_path_factory.mktemp("blender"))
    done = blender.run("--command", "extension", "install-file", "-r", "user_default", "-e", blender.zip)
    assert done.returncode == 0 and 'Installed "recover_motion"' in done.stdout, done.stdout
    return blender


@needs_program
def test_the_zip_is_valid(installed):
    done = installed.run("--command", "extension", "validate", installed.zip)
    assert done.returncode == 0 and "Success" in done.stdout, done.stdout


@needs_program
def test_the_command_writes_a_scene_and_its_motion(installed, tmp_path):
    out = tmp_path / "shot one.blend"
    done = installed.recover(installed.clips / "walk.mp4", "--out", out, "--engine", installed.engine, "--people", "2")
    assert done.returncode == 0, done.stdout
    assert f"Wrote {out}" in done.stdout and "Warning: The clip is made up." in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shot one.blend", "shot one.motion.npz"]
    assert read_motion(tmp_path / "shot one.motion.npz").meta["options"]["people"] == "2"
    assert installed.holds(out) == f"HOLDS [24, 24] 30 ['{installed.clips / 'walk.mp4'}']"


@needs_program
def test_the_camera_s_options_reach_the_engine_which_runs_in_another_folder(installed, tmp_path):
    arguments = ("--camera", "file", "--camera-file", "some/camera.json", "--lens", "35", "--sensor", "23.5")
    done = installed.recover(installed.clips / "walk.mp4", "--out", tmp_path / "x.blend", *arguments)
    assert done.returncode == 0, done.stdout
    options = read_motion(tmp_path / "x.motion.npz").meta["options"]
    assert Path(options["camera_file"]) == REPO / "some" / "camera.json"  # Blender runs in REPO
    assert (options["camera"], options["lens"], options["sensor"]) == ("file", 35, 23.5)


@needs_program
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{clips}/nobody.mp4", "--out", "{out}/x.blend"), "There is nobody in the clip. Choose another."),
        (("{clips}/none.mp4", "--out", "{out}/x.blend"), "There is no file"),
        (("{clips}/walk.mp4", "--out", "{out}/x.mp4"), "Give --out a name that ends with .blend, or a folder."),
        (("{clips}/walk.mp4", "--out", "{out}/no/x.blend"), "There is no folder"),
        (("{clips}/walk.mp4", "--out", "{out}/x.blend", "--quality", "superb"), "fast or balanced or best"),
        (("{clips}/walk.mp4", "--out", "{out}/x.blend", "--start", "soon"), "'soon'"),
        (("{clips}/walk.mp4", "--out", "{out}/x.blend", "--camera", "file"), "a file with --camera"),
        (("{clips}/walk.mp4", "--out", "{out}/x.blend", "--camera-file", "a.json"), "and none otherwise"),
        (("{clips}/walk.mp4", "--out", "{out}/x.blend", "--engine", "{out}/python"), "No engine was found."),
        (("{clips}/walk.mp4",), "--out"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(installed, tmp_path, arguments, message):
    done = installed.recover(*(word.format(clips=installed.clips, out=tmp_path) for word in arguments))
    errors = [line for line in done.stdout.splitlines() if line.startswith("Error: ")]
    assert done.returncode == 2, done.stdout
    assert len(errors) == 1 and message in errors[0], done.stdout
    assert "cli.py" not in done.stdout  # no traceback of ours
    assert list(tmp_path.iterdir()) == []


@needs_program
def test_an_engine_that_dies_is_exit_code_1(installed, tmp_path):
    done = installed.recover(installed.clips / "crash.mp4", "--out", tmp_path / "x.blend")
    assert done.returncode == 1 and "Error: The engine ended unexpectedly (exit code 139)" in done.stdout, done.stdout
    assert list(tmp_path.iterdir()) == []


@needs_program
@pytest.mark.skipif(not places.engine_python().is_file(), reason="no engine: run `python3 install.py setup`")
def test_the_real_engine_recovers_a_second_of_the_demo(installed, tmp_path):
    out = tmp_path / "demo.blend"
    clip = shutil.copy(REPO / "assets" / "demo.mp4", tmp_path)
    done = installed.recover(clip, "--out", out, "--start", "20", "--end", "49", home=places.home())
    assert done.returncode == 0, done.stdout
    assert installed.holds(out) == f"HOLDS [24] 30 ['{clip}']"
    motion = read_motion(tmp_path / "demo.motion.npz")
    assert motion.meta["frames"] == 30 and motion.meta["quality"]["1"]["reprojection_px"] < 10


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_which_clip_is_meant_in_blender(command, package, tmp_path):
    clips = make_clips(tmp_path / "clips")
    assert " 0 failed" in run_inside(command, package, INNER / "test_sources.py", RECOVER_MOTION_CLIPS=str(clips))


@needs_blender
@pytest.mark.skipif(os.name == "nt", reason="the fake engine is a shell script")
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_every_panel_is_drawn_in_blender(command, package, tmp_path):
    home, clips = engine_home(tmp_path / "home"), make_clips(tmp_path / "clips")
    said = run_inside(
        command, package, INNER / "test_panels.py",
        RECOVER_MOTION_HOME=str(home), RECOVER_MOTION_CLIPS=str(clips), BLENDER_USER_RESOURCES=str(tmp_path / "user"),
    )  # fmt: skip
    assert " 0 failed" in said

"""install.py as the add-on runs it: JSON lines, an end with its listener, and an engine that outlives the extension."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from test_install import REPO, fresh_home, home

from ghmr_engine import installed, places
from installer import addon, child, follow, setup, show, stamps

__all__ = ["fresh_home", "home"]

WORK = """
import sys
from installer import child, for_program
from installer.show import Step
def work():
    with Step("Packages") as step:
        child.run_logged([sys.executable, "-c", "import time; print('child', flush=True); time.sleep(600)"],
                         lambda line: step.update(0.5, line), step.tick)
sys.exit(for_program.run(work, ("Environment", "Packages")))
"""


def started(*command: str) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *command], cwd=REPO, text=True, **pipes)


def said_by(process: subprocess.Popen[str]) -> list[dict]:
    """What it said to its end, a line an object."""
    out, errors = process.communicate(timeout=60)
    assert errors == "", errors
    return [json.loads(line) for line in out.splitlines()]


def wait_for_the_child(process: subprocess.Popen[str]) -> None:
    while '"child"' not in process.stdout.readline():
        assert process.poll() is None


def end_by_closing(process: subprocess.Popen[str]) -> None:
    process.stdin.close()
    process.stdin = None  # communicate would write to it


@pytest.mark.parametrize("end", [end_by_closing, subprocess.Popen.terminate])
@pytest.mark.skipif(os.name == "nt", reason="terminate is a kill there")
def test_it_ends_with_what_it_started_when_nobody_listens(home, end):
    process = started("-c", WORK)
    wait_for_the_child(process)
    began = time.monotonic()
    end(process)
    *_, last = said_by(process)
    assert last["error"]["code"] == "cancelled" and process.returncode == 130
    assert time.monotonic() - began < 10
    assert f"{sys.executable} -c import time; print('child'" not in _all_commands()


CLEANS_UP = """
import sys, time
from installer import for_program
def work():
    try:
        print('"child"', flush=True)
        time.sleep(600)
    finally:
        print('"cleaning up"', flush=True)
        time.sleep(1)
        print('"clean"', flush=True)
sys.exit(for_program.run(work, ("Environment",)))
"""


@pytest.mark.skipif(os.name == "nt", reason="terminate is a kill there")
def test_what_ends_it_a_second_time_does_not_meet_the_first_one_s_cleaning_up():
    process = started("-c", CLEANS_UP)
    wait_for_the_child(process)
    process.terminate()
    assert "cleaning up" in process.stdout.readline()
    process.terminate()
    end_by_closing(process)
    clean, last = said_by(process)
    assert clean == "clean" and last["error"]["code"] == "cancelled" and process.returncode == 130


def _all_commands() -> str:
    """Commands of all processes, where the system shows them."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(command for command in commands if "for_program" not in command)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_listener_that_dies_leaves_nothing_behind(home):
    process = started("-c", WORK)
    wait_for_the_child(process)
    process.stdout.close()
    process.stdin.close()
    assert process.wait(20) in (130, -signal.SIGPIPE)
    process.stderr.close()
    assert f"{sys.executable} -c import time; print('child'" not in _all_commands()


def test_steps_are_numbered_and_what_fails_is_one_line(home, tmp_path):
    (tmp_path / "wheels").mkdir()
    process = started("install.py", "setup", "--json", "--engine-only", "--wheels", str(tmp_path / "wheels"))
    said = said_by_open(process)
    steps = [line for line in said if "step" in line]
    assert {(line["step"], line["number"], line["of"]) for line in steps} == {("Environment", 1, 7), ("Packages", 2, 7)}
    assert str(home) in next(line["say"] for line in said if "say" in line)
    error = said[-1]["error"]
    assert error["code"] == "not_available" and error["fix"] and process.returncode == 1
    assert stamps.stamp("env environment") == "made" and installed.finished() is False
    assert not (home / "downloads").exists()


def said_by_open(process: subprocess.Popen[str]) -> list[dict]:
    """What it said to its end, with somebody listening all the time."""
    said = [json.loads(line) for line in process.stdout]
    process.wait(60)
    process.communicate()
    return said


def test_every_step_that_is_needed_is_one_that_set_up_finishes():
    if not installed.finished():
        pytest.skip("nothing is set up here: run `python3 install.py setup`")
    assert installed.NEEDED and all(stamps.stamp(name) for name in installed.NEEDED)


@pytest.fixture
def extension(tmp_path) -> Path:
    """The extension as Blender unpacks its zip."""
    folder = tmp_path / "extensions" / "recover_motion"
    zipfile.ZipFile(addon.build_zip(tmp_path / "x.zip")).extractall(folder)
    return folder


def test_the_engine_outlives_the_extension_that_installed_it(home, fresh_home, extension):
    shutil.copytree(fresh_home, home, symlinks=True, dirs_exist_ok=True)
    point = "from ghmr_engine import places; from installer import setup; "
    point += "print(setup._point_at_source(places.env_dir()))"
    done = subprocess.run(
        [sys.executable, "-B", "-c", point], cwd=extension, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    source = Path(done.stdout.splitlines()[-1])
    assert source.is_relative_to(home / "engine") and installed.code_key(source) == installed.code_key(extension)
    assert not list(extension.rglob("__pycache__"))
    shutil.rmtree(extension)
    found = child.ask(
        [places.engine_python(), "-P", "-c", "import ghmr_engine.models as m; print(m.__file__, m.LIFT.is_file())"]
    )
    assert found == f"{source / 'ghmr_engine' / 'models.py'} True"


def test_a_checkout_is_used_where_it_lies(home, fresh_home):
    shutil.copytree(fresh_home, home, symlinks=True, dirs_exist_ok=True)
    assert setup._point_at_source(places.env_dir()) == REPO
    assert not (home / "engine").exists()


def test_the_code_s_key_changes_with_the_code_alone(extension):
    before, packages = installed.code_key(extension), installed.packages_key(extension)
    (extension / "panel.py").write_text("")
    (extension / "ghmr_engine" / "__pycache__").mkdir()
    assert installed.code_key(extension) == before
    (extension / "ghmr_engine" / "pipeline.py").write_text("")
    assert installed.code_key(extension) != before and installed.packages_key(extension) == packages
    (extension / "assets" / "requirements-engine.txt").write_text("")
    assert installed.packages_key(extension) != packages


def test_megabytes_are_counted_while_a_large_file_comes_down(home, tmp_path, capsys):
    lock = tmp_path / "lock.txt"
    lock.write_text("small==1 \\\n    --hash=sha256:0\ntorch==2 \\\n    --hash=sha256:0\n")
    with show.for_a_program(["Packages"]), show.Step("Packages") as step, follow.following(step, [lock]) as pip:
        step._told = float("-inf")
        for line in ("Collecting small==1", "  Downloading small-1-py3-none-any.whl (20 kB)", "Collecting torch==2"):
            pip.line(line)
        part = Path(pip.environment["TMPDIR"]) / "pip-unpack-x"
        part.mkdir()
        (part / "torch.whl").write_bytes(b"0" * 3_000_000)
        pip.line("  Downloading https://index/torch-2+cpu-cp311.whl (12.0 MB)")
        step._told = float("-inf")
        pip.tick()
        folder = Path(pip.environment["TMPDIR"])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["text"] == "torch, 3 of 12 MB" and last["share"] == pytest.approx(0.9 * (0.5 + 0.25 / 2), abs=1e-3)
    assert not folder.exists()

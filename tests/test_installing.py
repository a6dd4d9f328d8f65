"""Installing the engine from the add-on, its parts without bpy, with a real process: fake_install.py."""

from __future__ import annotations

import ast
import importlib
import json
import os
import shutil
import stat
import sys
import time
from pathlib import Path

import pytest
from extension_tree import REPO, assemble_extension

from ghmr_engine import installed

LONGEST_POLL_S = 0.2
"""A poll never waits; this much only because the machine may be busy."""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The extension's folder as a package, without its __init__, which needs bpy."""
    folder = tmp_path_factory.mktemp("tree")
    package = assemble_extension(folder)
    package.joinpath("__init__.py").write_text("")
    shutil.copytree(
        REPO / "assets", package / "assets", ignore=shutil.ignore_patterns("*.mp4", "regression"), dirs_exist_ok=True
    )
    package = package.rename(folder / "installing_under_test")
    sys.path.insert(0, str(folder))
    yield package
    sys.path.remove(str(folder))


@pytest.fixture
def part(package):
    return lambda name: importlib.import_module(f"{package.name}.{name}")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOVER_MOTION_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def root(tmp_path, home):
    """A folder with an install.py that is the fake."""
    folder = tmp_path / "an extension"
    folder.mkdir()
    shutil.copy(REPO / "tests" / "fake_install.py", folder / "install.py")
    return folder


@pytest.fixture
def job(part):
    job = part("installing").InstallJob()
    yield job
    job.stop()


def start(job, root, behaviour, pythons=(sys.executable,), arguments=("setup", "--json")):
    (root / "behaviour").write_text(behaviour)
    job.start([Path(python) for python in pythons], root, arguments, root.parent / "logs" / "install.log")


def follow(job, until=lambda job: False, timeout=20):
    """Poll until the job ends or `until` holds. No poll may wait."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        began = time.perf_counter()
        running = job.poll()
        assert time.perf_counter() - began < LONGEST_POLL_S or not running
        if not running or until(job):
            return
        time.sleep(0.02)
    raise AssertionError(f"still {job.state}: {job.text}")


def runs(root):
    path = root / "runs"
    return path.read_text().splitlines() if path.is_file() else []


def test_it_installs_and_says_what_it_does(job, root, part, home):
    assert part("engine_state").engine_state().kind == "missing"
    start(job, root, "well")
    assert job.running and job.text == "Looking for a Python"
    follow(job)
    assert (job.state, job.share, job.failure) == ("done", 1.0, None) and runs(root) == ["setup --json"]
    assert part("engine_state").engine_state().kind == "ready"


def test_progress_is_over_all_steps(job, root):
    start(job, root, "slow")
    follow(job, lambda job: "torch" in job.text)
    assert job.text == "3/7 PyTorch (CPU): torch, 95 of 190 MB" and job.share == pytest.approx(2.5 / 7)


def test_cancel_is_an_end_without_an_error_and_retry_goes_on(job, root):
    start(job, root, "slow")
    follow(job, lambda job: "torch" in job.text)
    began = time.monotonic()
    job.cancel()
    assert job.running and job.state == "stopping"
    follow(job)
    assert (job.state, job.failure) == ("idle", None) and time.monotonic() - began < 3
    start(job, root, "well")
    follow(job)
    assert job.state == "done" and len(runs(root)) == 2


def test_cancel_while_a_python_is_looked_for(job, root):
    start(job, root, "well")
    job.cancel()
    follow(job)
    assert job.state == "idle" and runs(root) == []


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX's")
def test_what_hears_nothing_is_ended_with_its_children(job, root, part, monkeypatch):
    monkeypatch.setattr(part("installing"), "_PATIENCE_S", 0.3)
    start(job, root, "stuck")
    follow(job, lambda _job: (root / "child").is_file() and (root / "child").read_text())
    child = int((root / "child").read_text())
    job.cancel()
    follow(job)
    assert job.state == "idle" and not _alive(child)


def _alive(number):
    """Whether a process runs; a dead one that nobody has asked after counts as gone."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.05)
    return True


def test_an_error_is_told_with_what_to_do(job, root):
    start(job, root, "fails")
    follow(job)
    assert job.state == "failed" and job.failure.code == "no_network"
    assert (job.failure.message, job.failure.fix) == ("The index cannot be reached.", "Check the connection.")
    start(job, root, "well")
    assert job.failure is None and job.running
    follow(job)
    assert job.state == "done"


def test_a_crash_shows_the_last_words_and_the_report_has_them_all(job, root, tmp_path):
    start(job, root, "crash")
    follow(job)
    assert job.state == "failed" and job.failure.code == "died"
    assert "exit code 139" in job.failure.message and "MemoryError: all gone" in job.failure.message
    (tmp_path / "setup.log").write_text("pip said this\n")
    report = job.report(tmp_path / "setup.log")
    assert report.startswith("died: ") and "many words" in report and report.endswith("pip said this")


def test_lines_that_are_no_messages_are_left_out(job, root):
    start(job, root, "garbage")
    follow(job)
    assert job.state == "done" and job.failure is None


def test_pythons_are_tried_in_turn_and_none_is_said(job, root, part, tmp_path):
    if os.name == "nt":
        pytest.skip("shell scripts")
    made = {"old": "exit 3", "without": "exit 4", "broken": "exit 127"}
    for name, line in made.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(stat.S_IRWXU)
    bad = [tmp_path / name for name in made] + [tmp_path / "nothing"]
    start(job, root, "well", [*bad, sys.executable])
    follow(job)
    assert job.state == "done"
    start(job, root, "well", bad)
    follow(job)
    assert job.state == "failed" and job.failure.code == "no_python" and "Retry" in job.failure.fix
    assert f"python3.{sys.version_info.minor}-venv" in job.failure.fix or sys.platform == "darwin"
    assert part("pythons").none_found([3, None])[1].startswith("Install Python 3.11")


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
def test_a_python_that_never_answers_is_passed_over(job, root, part, tmp_path, monkeypatch):
    monkeypatch.setattr(part("installing"), "_PROBE_S", 0.3)
    (tmp_path / "hangs").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "hangs").chmod(stat.S_IRWXU)
    start(job, root, "well", [tmp_path / "hangs", tmp_path / "nothing"])
    follow(job)
    assert job.state == "failed" and job.failure.code == "no_python"


def test_variables_of_another_python_do_not_reach_it(job, root, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    start(job, root, "well")
    follow(job)
    assert job.state == "done" and "PYTHONPATH" not in job.log.read_text()


def test_removing(job, root, part, home):
    start(job, root, "well")
    follow(job)
    start(job, root, "well", arguments=part("installing").REMOVE_ARGUMENTS)
    assert job.removing
    follow(job)
    assert job.state == "done" and runs(root)[-1] == "uninstall --yes" and not (home / "setup.json").exists()


def test_the_pythons_are_those_of_install_py(part):
    tree = ast.parse((REPO / "install.py").read_text())
    (values,) = (node.value for node in tree.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(values) == (part("pythons").OLDEST, part("pythons").NEWEST)


def test_blender_s_own_python_comes_first(part, tmp_path):
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (tmp_path / "python" / "bin").mkdir(parents=True)
    (tmp_path / "python" / "bin" / name).write_text("")
    found = part("pythons").candidates(tmp_path / "python", os.environ.get("PATH"))
    assert found[0] == tmp_path / "python" / "bin" / name and len(found) == len(set(found))
    assert part("pythons").candidates(tmp_path / "none", "") == []


def made_home(home, part, **changes):
    """A home after set-up, its record changed."""
    env = home / "env" / "bin"
    env.mkdir(parents=True)
    (env / "python").write_text("")
    (home / "setup.json").write_text(json.dumps(dict.fromkeys(installed.NEEDED, "done")))
    source = home / "engine" / "key" / "recover_motion"
    (source / "ghmr_engine").mkdir(parents=True)
    root = part("engine_state").ROOT
    values = {
        "version": "0.1.0", "code": installed.code_key(root), "packages": installed.packages_key(root),
        "source": str(source), "copied": True, "torch": "2.13.0+cpu", "device": "cpu", "landmarks_ms": 14.3,
    }  # fmt: skip
    record = installed.Installed(**{**values, **changes})
    (home / "engine.json").write_bytes(installed.encode(record))
    return env / "python"


def test_a_ready_engine_says_where_it_runs(home, part):
    python = made_home(home, part)
    state = part("engine_state").engine_state()
    assert (state.kind, state.python) == (
        "ready",
        python,
    ) and state.text == "Engine 0.1.0 on the CPU, 14 ms a person in a frame"


@pytest.mark.parametrize(
    ("changes", "says", "downloads"),
    [
        ({"code": "other"}, "another build of version 0.1.0", False),
        ({"version": "0.0.9", "code": "other"}, "version 0.0.9, the add-on 0.1.0", False),
        ({"version": "0.0.9", "code": "other", "packages": "other"}, "version 0.0.9, the add-on 0.1.0", True),
        ({"source": "/gone/extension"}, "code is gone from /gone/extension", False),
    ],
)
def test_an_engine_of_another_code_is_to_be_updated(home, part, changes, says, downloads):
    made_home(home, part, **changes)
    state = part("engine_state").engine_state()
    assert (state.kind, state.python, state.downloads) == ("outdated", None, downloads) and says in state.text


def test_a_checkout_may_change_under_its_environment(home, part):
    python = made_home(home, part, code="other", copied=False)
    assert part("engine_state").engine_state().python == python


def test_what_was_cut_off_is_unfinished(home, part):
    python = made_home(home, part)
    state_of = part("engine_state").engine_state
    (home / "setup.json").write_text(json.dumps({**dict.fromkeys(installed.NEEDED, "done"), "env torch": None}))
    assert state_of().kind == "unfinished" and state_of().python is None
    (home / "setup.json").write_text("{half")
    assert state_of().kind == "unfinished"
    (home / "setup.json").write_text(json.dumps(dict.fromkeys(installed.NEEDED, "done!")))
    assert state_of().kind == "ready"
    (home / "env" / "pyvenv.cfg").write_text(f"home = {home / 'blender' / 'python'}\nversion = 3.11\n")
    assert state_of().kind == "unfinished" and "is gone" in state_of().text
    (home / "blender" / "python").mkdir(parents=True)
    assert state_of().kind == "ready"
    python.unlink()
    assert state_of().kind == "unfinished"


def test_an_environment_of_one_s_own(home, part):
    state = part("engine_state").engine_state(Path(sys.executable))
    assert (state.kind, state.python) == ("ready", Path(sys.executable))
    state = part("engine_state").engine_state(home / "no" / "python")
    assert (state.kind, state.python, state.installs) == ("missing", None, False)


def test_the_state_is_cheap(home, part):
    made_home(home, part)
    part("engine_state").engine_state()
    began = time.perf_counter()
    for _ in range(100):
        part("engine_state").engine_state()
    assert time.perf_counter() - began < 0.5

"""The add-on's side of the engine's process, with a real process: fake_engine.py."""

from __future__ import annotations

import importlib
import os
import re
import sys
import time
from pathlib import Path

import fake_engine
import pytest
from extension_tree import assemble_extension

from ghmr_engine.motion_file import read_motion

LONGEST_POLL_S = 0.2
"""A poll never waits; this much only because the machine may be busy."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """jobs and engine_client as the built extension has them, without the package's __init__, which needs bpy."""
    folder = tmp_path_factory.mktemp("tree")
    package = assemble_extension(folder)
    package.joinpath("__init__.py").write_text("")
    package.rename(folder / "client_under_test")
    sys.path.insert(0, str(folder))
    yield (
        importlib.import_module("client_under_test.jobs"),
        importlib.import_module("client_under_test.ghmr_engine.engine_client"),
    )
    sys.path.remove(str(folder))


@pytest.fixture
def client(parts, tmp_path):
    client = parts[1].EngineClient(fake_engine.wrapper(tmp_path), tmp_path / "logs" / "engine.log")
    yield client
    client.close(0.1)


@pytest.fixture
def job(parts):
    job = parts[0].Job()
    yield job
    job.stop()


def start(job, folder: Path, name: str) -> Path:
    out = folder / "take.motion.npz"
    clip, protocol = str(folder / f"{name}.mp4"), sys.modules[type(job).__module__].protocol
    job.start(
        fake_engine.wrapper(folder), folder / "engine.log",
        lambda number: protocol.Recover(number, clip, str(out), {"quality": "fast"}),
    )  # fmt: skip
    return out


def follow(job, until=lambda job: False, timeout: float = 20) -> list[tuple[str, float]]:
    """Poll until the job ends or `until` holds; the stages seen. No poll may wait."""
    seen, end = [], time.monotonic() + timeout
    while True:
        began = time.monotonic()
        running = job.poll()
        assert time.monotonic() - began < LONGEST_POLL_S
        seen.append((job.stage, job.ahead.whole))
        if not running or until(job):
            return seen
        assert time.monotonic() < end, f"still {job.stage} after {timeout} s"
        time.sleep(0.005)


def hear(client, kind: type, timeout: float = 20):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        for reply in client.poll():
            if type(reply).__name__ == kind:
                return reply
        time.sleep(0.01)
    raise AssertionError(f"no {kind} in {timeout} s")


def gone(process: int) -> bool:
    """Whether a process has ended; one that waits to be collected has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1][0] == "Z"
    except FileNotFoundError:
        return True


def test_it_greets_by_itself_and_when_asked(parts, client):
    assert hear(client, "Welcome").device == "cpu"
    client.send(parts[1].protocol.Hello())
    assert hear(client, "Welcome").version == "0.1.0"


def test_a_take_is_written_and_its_progress_told(job, tmp_path):
    out = start(job, tmp_path, "walk")
    assert job.running and job.stage == "starting"
    seen = follow(job)
    assert job.error is None and job.done.path == str(out) and job.done.warnings == ["The clip is made up."]
    assert seen[-1] == ("lift", pytest.approx(0.64))  # what comes before it, and half of it
    assert read_motion(out).meta["options"] == {"quality": "fast"}


def test_the_engine_stays_warm_between_jobs(job, tmp_path):
    start(job, tmp_path, "walk")
    follow(job)
    first = job.client
    start(job, tmp_path, "nobody")
    follow(job)
    assert job.client is first and job.number == 2
    assert job.done is None and job.error.code == "nobody"
    assert f"{job.error.message} {job.error.fix}" == "There is nobody in the clip. Choose another."


def test_what_is_no_message_is_left_out_and_a_message_may_come_in_pieces(job, tmp_path):
    start(job, tmp_path, "garbage")
    follow(job)
    assert job.done is not None and job.error is None


def test_a_death_is_an_error_with_the_log_s_last_line(job, tmp_path):
    start(job, tmp_path, "crash")
    follow(job)
    assert job.error.code == "engine_died"
    assert "139" in job.error.message and "RuntimeError: the card fell out" in job.error.message
    assert job.client.log_tail(2) == "many words\nRuntimeError: the card fell out"
    assert not job.poll() and job.client.poll() == []  # said once
    start(job, tmp_path, "walk")  # and the next job gets a new engine
    follow(job)
    assert job.done is not None


def test_a_python_without_the_engine_says_so(parts, tmp_path):
    client = parts[1].EngineClient(Path(sys.executable), tmp_path / "engine.log", ("-S", "-m", "no_such_engine"))
    error = hear(client, "Error")
    client.send(parts[1].protocol.Hello())  # to nobody: no exception
    client.close()
    assert error.code == "engine_died" and "No module named no_such_engine" in error.message


def test_what_cannot_be_run_is_an_os_error(job, tmp_path):
    plain = tmp_path / "python"
    plain.write_text("no program")
    with pytest.raises(OSError, match="python"):
        job.start(plain, tmp_path / "engine.log", sys.modules[type(job).__module__].protocol.Cancel)
    assert not job.running


def test_cancelling_is_answered_and_leaves_the_engine_warm(job, tmp_path):
    out = start(job, tmp_path, "slow")
    follow(job, lambda job: job.ahead.whole > 0.01)
    job.cancel()
    assert job.stage == "stopping"
    began = time.monotonic()
    follow(job)
    assert time.monotonic() - began < 1
    assert job.error.code == "cancelled" and job.client.alive and not out.exists()


def test_an_engine_that_does_not_stop_when_asked_is_ended(job, tmp_path):
    start(job, tmp_path, "stuck")
    follow(job, lambda job: job.stage == "lift")
    process = job.client.process_id
    job.cancel(patience_s=0.3)
    began = time.monotonic()
    while job.poll():
        assert job.stage == "stopping"
        time.sleep(0.01)
    assert time.monotonic() - began < 3
    assert job.error.code == "cancelled" and gone(process)


def test_closing_ends_a_stuck_engine_and_its_children(job, tmp_path):
    start(job, tmp_path, "stuck")
    follow(job, lambda job: job.stage == "lift")
    process, client = job.client.process_id, job.client
    child = int(re.search(r"child (\d+)", client.log_tail()).group(1))
    assert not gone(process) and not gone(child)
    began = time.monotonic()
    job.stop()
    assert time.monotonic() - began < 3
    wait_until(lambda: gone(process) and gone(child), 2)
    assert not job.running and client.poll() == []
    job.stop()  # again: nothing happens


def test_a_well_engine_ends_with_its_stdin(client):
    hear(client, "Welcome")
    began = time.monotonic()
    client.close(wait_s=10)
    assert time.monotonic() - began < 5 and gone(client.process_id)


def test_the_environment_is_cleaned(parts, tmp_path, monkeypatch):
    unwanted = {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "VIRTUAL_ENV", "PYTHONSTARTUP"}
    for name in unwanted:
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("RECOVER_MOTION_HOME", "/somewhere")
    client = parts[1].EngineClient(fake_engine.wrapper(tmp_path), tmp_path / "engine.log")
    hear(client, "Welcome")
    client.close()
    names = set(client.log_tail().split())
    assert "RECOVER_MOTION_HOME" in names and "PATH" in names and not unwanted & names
    assert os.environ["PYTHONPATH"] == "/nowhere"


def wait_until(holds, timeout: float) -> None:
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)

"""`ghmr batch` with the real engine, and on a Ray cluster of this machine: no kill in the middle changes a take."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from batches import REAL, REPO, begin, children, end, environment, hear, records, run, wait_until
from clip_files import write_clip

from ghmr_engine import places
from ghmr_engine.models import known_models
from ghmr_engine.motion_file import read_motion
from ghmr_engine.result import NETWORKS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes and signals of POSIX")
OPTIONS = ("--quality", "fast")
FAKE_FARM = (sys.executable, str(REPO / "tests" / "fake_farm.py"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory, demo_clip):
    """Two short clips of the demo, and a file between them that is none."""
    if not all(known_models()[name].path.is_file() for name in NETWORKS) or not places.body_path().is_file():
        pytest.skip("models or body are not installed: run `python3 install.py setup`")
    folder = tmp_path_factory.mktemp("clips")
    with av.open(str(demo_clip)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), 84)]
    for name, first in (("a", 6), ("c d", 60)):
        write_clip(folder / f"{name}.mp4", range(16), size=(854, 480), draw=lambda k, first=first: pictures[first + k])
    (folder / "b.mp4").write_text("Dear diary")
    return folder


@pytest.fixture
def fresh():
    """Makes an environment with the models and an empty cache."""

    def make(folder: Path) -> dict[str, str]:
        (folder / "home").mkdir(parents=True)
        (folder / "home" / "models").symlink_to(places.models_dir())
        return environment(RECOVER_MOTION_HOME=str(folder / "home"))

    return make


@pytest.fixture(scope="module")
def undisturbed(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "home").mkdir()
    (folder / "home" / "models").symlink_to(places.models_dir())
    env = environment(RECOVER_MOTION_HOME=str(folder / "home"))
    ran = run(REAL, clips, "--out", folder / "out", *OPTIONS, env=env)
    assert ran.code == 1 and ran.states() == {"a.mp4": "done", "b.mp4": "failed", "c d.mp4": "done"}, ran.err
    return folder / "out"


def assert_same(out: Path, other: Path) -> None:
    """The same clips came to the same, number by number."""
    ours, theirs = records(out), records(other)
    assert {name: record["state"] for name, record in ours.items()} == {
        name: record["state"] for name, record in theirs.items()
    }
    for name, record in ours.items():
        assert record["quality"] == theirs[name]["quality"] and record["error"] == theirs[name]["error"]
        assert record["pictures"].keys() == theirs[name]["pictures"].keys()
        for what, picture in record["pictures"].items():
            assert (out / picture).read_bytes() == (other / theirs[name]["pictures"][what]).read_bytes()
        if record["out"]:
            a, b = read_motion(out / record["out"]), read_motion(other / theirs[name]["out"])
            for key in ("poses", "transl", "betas", "contacts"):
                np.testing.assert_array_equal(getattr(a.people["1"], key), getattr(b.people["1"], key))
            np.testing.assert_array_equal(a.R, b.R)


@pytest.mark.slow
def test_kills_at_several_moments_change_no_take(clips, undisturbed, tmp_path, fresh):
    out, env = tmp_path / "out", fresh(tmp_path)
    process = begin(REAL, clips, "--out", out, *OPTIONS, env=env)
    hear(process, lambda line: line.get("stage") == "camera")
    os.kill(children(process.pid)[0], signal.SIGKILL)  # tried once more, by itself
    hear(process, lambda line: line.get("name") == "c d" and line.get("stage") == "people")
    (engine,) = children(process.pid)
    os.kill(engine, signal.SIGKILL)
    process.kill()
    process.wait()
    again = begin(REAL, clips, "--out", out, *OPTIONS, env=env)
    ran = end(again)
    assert ran.before() == {"a.mp4"} and ran.states() == {"a.mp4": "done", "b.mp4": "failed", "c d.mp4": "done"}
    assert_same(out, undisturbed)
    assert not list(out.glob("*.part*"))
    page = (out / "index.html").read_text("utf-8")
    assert page.count("data:image/jpeg") == 6 and "b.mp4 is not a video." in page


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a Ray cluster with two processors, and the environment to ask it from."""
    pytest.importorskip("ray", reason="Ray is not installed")
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "home").mkdir()
    (folder / "home" / "models").symlink_to(places.models_dir())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
    short = Path("/tmp") / f"rm-ray-{os.getpid()}"  # names of sockets may have 107 characters
    env = environment(RECOVER_MOTION_HOME=str(folder / "home"), RAY_USAGE_STATS_ENABLED="0", **token)
    process = subprocess.Popen(
        [Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--num-cpus=2", f"--port={port}",
         "--include-dashboard=false", "--node-ip-address=127.0.0.1", f"--temp-dir={short}", "--num-gpus=0"],
        env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_until(lambda: _listens(port), 60)
    yield f"127.0.0.1:{port}", env
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    shutil.rmtree(short, ignore_errors=True)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def workers(task: str) -> list[int]:
    """Processes that do a Ray task."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().startswith(f"ray::{task}".encode()):
                found.append(int(path.parent.name))
    return found


def kill_one(task: str) -> bool:
    for worker in workers(task):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
            return True
    return False


@pytest.mark.slow
def test_on_a_cluster_whose_workers_die(cluster, tmp_path):
    (address, env), folder, out = cluster, tmp_path / "clips", tmp_path / "out"
    folder.mkdir()
    for name in ("a", "crash", "nobody", "once", "raises", "z"):
        (folder / f"{name}.mp4").write_text(name)
    ran = run(FAKE_FARM, folder, "--out", out, "--ray", address, "--max-sliding", "0.3", env=env)
    assert ran.code == 1 and set(ran.states().values()) == {"review", "failed"}, ran.err
    found = records(out)
    assert {name for name, record in found.items() if record["state"] == "review"} == {"a.mp4", "once.mp4", "z.mp4"}
    codes = {name: record["error"]["code"] for name, record in found.items() if record["error"]}
    assert codes == {"crash.mp4": "worker_died", "nobody.mp4": "nobody", "raises.mp4": "internal"}
    assert "the worker's log" in (out / "logs" / "nobody.log").read_text()
    assert "a broken task" in (out / "logs" / "raises.log").read_text()
    assert all(read_motion(out / found[f"{name}.mp4"]["out"]) for name in ("a", "once", "z"))


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_changes_no_take(cluster, clips, undisturbed, tmp_path):
    address, env = cluster
    process = begin(REAL, clips, "--out", tmp_path, "--ray", address, *OPTIONS, env=env)
    wait_until(lambda: len(workers("recover_away")) > 1, 60)
    time.sleep(2)
    wait_until(lambda: kill_one("recover_away"), 60)
    ran = end(process)
    assert ran.code == 1 and ran.states()["a.mp4"] == ran.states()["c d.mp4"] == "done", ran.err
    assert_same(tmp_path, undisturbed)
    assert not list(tmp_path.glob("*.part*"))

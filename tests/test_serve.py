"""The engine as Blender runs it, over real pipes: it greets, works, stops, bears nonsense and ends with its stdin."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ghmr_engine import protocol
from ghmr_engine.motion_file import read_motion
from ghmr_engine.progress import STAGES

STAND_INS = Path(__file__).with_name("stand_ins.py")


class Engine:
    """An engine process: `say` a message, `hear` the next reply."""

    def __init__(self, command: list[str], home: Path) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(STAND_INS.parent.parent),
            "RECOVER_MOTION_HOME": str(home),
            "OMP_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, *command], env=environment, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._replies: queue.Queue = queue.Queue()
        self.log: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self._logging = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self._logging.start()

    def _read(self) -> None:
        with contextlib.suppress(ValueError):  # a test closed the pipe
            for line in self.process.stdout:
                self._replies.put(protocol.decode_reply(line))  # a line that is no message fails the test by silence
        self._replies.put(None)

    def say(self, line) -> None:
        self.process.stdin.write((line if isinstance(line, str) else protocol.encode(line)) + "\n")
        self.process.stdin.flush()

    def hear(self, timeout: float = 60):
        return self._replies.get(timeout=timeout)

    def whole_log(self) -> list[str]:
        """Every line of an engine that ends: its log comes by another pipe than its replies, so maybe later."""
        self._logging.join(timeout=30)
        return self.log

    def hear_until(self, kind):
        """The next reply of a kind, and those before it."""
        before = []
        while not isinstance(reply := self.hear(), kind):
            assert reply is not None, "".join(self.log)
            before.append(reply)
        return reply, before


@pytest.fixture
def start(tmp_path):
    engines = []

    def start_one(*command):
        engines.append(Engine(list(command), tmp_path / "home"))
        return engines[-1]

    yield start_one
    for engine in engines:
        engine.process.kill()
        engine.process.wait()


@pytest.fixture
def job(tmp_path):
    clip = tmp_path / "Łódź é.mp4"
    clip.write_bytes(b"a clip")

    def make(number=1, **options):
        return protocol.Recover(number, str(clip), str(tmp_path / f"{number}.motion.npz"), options)

    return make


def test_it_greets_before_anything_heavy_is_loaded(start):
    engine = start("-X", "importtime", "-m", "ghmr_engine.serve")
    hello = engine.hear()
    assert isinstance(hello, protocol.Welcome)
    assert hello.version and hello.device.split()[0] in ("cpu", "cuda")
    assert {model["name"] for model in hello.models} >= {"pose_detection", "pose_landmark_full"}
    assert {model["state"] for model in hello.models} == {"missing"}  # this home is empty
    engine.say('{"do": "hello"}')
    assert engine.hear() == hello
    engine.process.stdin.close()
    assert engine.process.wait(timeout=10) == 0
    loaded = {line.split("|")[-1].strip() for line in engine.whole_log()}
    assert "json" in loaded and not loaded & {"torch", "numpy", "cv2", "av"}


@pytest.mark.parametrize("goodbye", ["quit", "closed"])
def test_it_ends_when_told_or_left_alone(start, goodbye):
    engine = start("-m", "ghmr_engine.serve")
    engine.hear()
    if goodbye == "quit":
        engine.say('{"do": "quit"}')
    else:
        engine.process.stdin.close()
    assert engine.hear() is None
    assert engine.process.wait(timeout=10) == 0


def test_nonsense_ends_nothing(start):
    engine = start("-m", "ghmr_engine.serve")
    engine.hear()
    for line, code in (
        ("nonsense", "not_json"),
        ("\ufffd\x00", "not_json"),
        ('{"do": "dance", "id": 3}', "unknown_message"),
        ('{"do": "recover", "id": 3}', "bad_message"),
    ):
        engine.say(line)
        assert engine.hear().code == code
    engine.say('{"do": "cancel", "id": 99}')  # a job that has just ended: no answer
    engine.say('{"do": "hello", "why": "unknown fields are ignored"}')
    assert isinstance(engine.hear(), protocol.Welcome)


def test_jobs_follow_each_other_in_one_process(start, job):
    engine = start(str(STAND_INS), "noisy", "serve")
    engine.hear()
    for number in (1, 2):
        engine.say(job(number, height=1.7 + number / 100))
    for number in (1, 2):
        done, before = engine.hear_until(protocol.Done)
        assert done.id == number and Path(done.path).name == f"{number}.motion.npz"
        progress = [reply for reply in before if isinstance(reply, protocol.Progress)]
        assert list(dict.fromkeys(reply.stage for reply in progress)) == list(STAGES)
        assert read_motion(Path(done.path)).meta["options"]["height"] == 1.7 + number / 100
        assert done.quality["1"]["seen"] == 1.0 and done.licence == "open" and len(done.warnings) == 2
    engine.process.stdin.close()
    engine.process.wait(timeout=20)
    # What a stage or a library prints goes to the log and never between the messages.
    log = engine.whole_log()
    assert "a print\n" in log and "a C library's write\n" in log


def find_job(job, number=1, **options):
    """The same clip, its people only."""
    asked = job(number)
    return protocol.Find(number, asked.video, asked.out.replace(".motion.npz", ".people.json"), options)


def test_people_are_found_between_recoveries(start, job):
    engine = start(str(STAND_INS), "plain", "serve")
    engine.hear()
    for request in (job(1), find_job(job, 2, start=3, quality="best"), job(3)):
        engine.say(request)
    assert engine.hear_until(protocol.Done)[0].id == 1
    found, before = engine.hear_until(protocol.Found)
    assert found.id == 2 and found.warnings == ["The clip is made up.", "A second warning."]
    progress = [reply for reply in before if isinstance(reply, protocol.Progress)]
    assert list(dict.fromkeys(reply.stage for reply in progress)) == ["video", "people", "write"]
    content = json.loads(Path(found.path).read_text(encoding="utf-8"))
    assert content["start"] == 3 and [len(each["frames"]) for each in content["people"]] == [30, 25]
    assert all((Path(found.path).parent / each["thumbnail"]).is_file() for each in content["people"])
    assert engine.hear_until(protocol.Done)[0].id == 3


def test_finding_can_be_stopped_or_fail_and_leaves_nothing(start, job, tmp_path):
    engine = start(str(STAND_INS), "slow", "serve")
    engine.hear()
    engine.say(find_job(job, 1))
    engine.say(find_job(job, 2, colour="red"))
    engine.say(find_job(job, 3))
    engine.say(protocol.Cancel(3))
    while engine.hear().stage != "people":
        pass
    engine.say(protocol.Cancel(1))
    errors = [engine.hear_until(protocol.Error)[0] for _ in range(3)]
    assert [(error.id, error.code) for error in errors] == [(1, "cancelled"), (2, "bad_option"), (3, "cancelled")]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["Łódź é.mp4"]


@pytest.mark.parametrize("how", ["stopped", "done"])
def test_previews_come_while_a_job_runs_and_are_gone_afterwards(start, job, tmp_path, how):
    turned = tmp_path / "turned.mp4"  # which gets a copy at the end, slowly
    turned.write_bytes(b"a clip")
    engine = start(str(STAND_INS), "slow_background" if how == "stopped" else "plain", "serve")
    engine.hear()
    engine.say(protocol.Recover(1, str(turned), str(tmp_path / "a.motion.npz"), {}))
    previews = [engine.hear_until(protocol.Preview)[0] for _ in range(2)]  # the people, then the bodies
    assert {preview.id for preview in previews} == {1} and len({preview.path for preview in previews}) == 1
    if how == "stopped":
        picture = Path(previews[0].path).read_bytes()
        assert picture[:2] == b"\xff\xd8" and picture[-2:] == b"\xff\xd9"
        engine.say(protocol.Cancel(1))
    engine.hear_until(protocol.Error if how == "stopped" else protocol.Done)
    assert not Path(previews[0].path).parent.exists()


def test_a_running_job_can_be_stopped_and_the_next_one_goes_on(start, job, tmp_path):
    engine = start(str(STAND_INS), "slow", "serve")
    engine.hear()
    engine.say(job(1))
    engine.say(job(2))
    engine.say(job(2))
    error, _ = engine.hear_until(protocol.Error)
    assert (error.id, error.code) == (2, "id_in_use")
    while engine.hear().stage != "people":
        pass
    began = time.monotonic()
    engine.say(protocol.Cancel(1))
    error, _ = engine.hear_until(protocol.Error)
    assert (error.id, error.code) == (1, "cancelled") and time.monotonic() - began < 1
    while engine.hear().stage != "people":
        pass
    engine.say(protocol.Hello())  # answered while a job runs
    engine.hear_until(protocol.Welcome)
    engine.say(protocol.Cancel(2))
    assert engine.hear_until(protocol.Error)[0].code == "cancelled"
    assert not list(tmp_path.glob("*.motion.npz*"))


def test_a_job_that_waits_can_be_stopped(start, job):
    engine = start(str(STAND_INS), "slow", "serve")
    engine.hear()
    engine.say(job(1))
    engine.say(job(2))
    engine.say(protocol.Cancel(2))
    engine.say(protocol.Cancel(1))
    assert [engine.hear_until(protocol.Error)[0].id for _ in range(2)] == [1, 2]


def test_progress_comes_about_ten_times_a_second(start, job):
    engine = start(str(STAND_INS), "slow", "serve")
    engine.hear()
    engine.say(job(1))
    while engine.hear().stage != "people":
        pass
    began, count = time.monotonic(), 0
    while time.monotonic() - began < 2:
        engine.hear()
        count += 1
    assert 5 <= count <= 22


def test_a_failed_job_leaves_the_engine_warm(start, job):
    engine = start(str(STAND_INS), "failing", "serve")
    engine.hear()
    engine.say(job(1, people="nobody"))
    engine.say(job(2, colour="red"))
    engine.say(job(3))
    errors = [engine.hear_until(protocol.Error)[0] for _ in range(3)]
    assert [(error.id, error.code) for error in errors] == [(1, "bad_option"), (2, "bad_option"), (3, "internal")]
    assert all(error.message and error.fix for error in errors)
    engine.say('{"do": "hello"}')
    assert isinstance(engine.hear(), protocol.Welcome)
    engine.process.stdin.close()
    assert any("a broken" in line for line in engine.whole_log())  # the log has the traceback


@pytest.mark.parametrize("behaviour", ["slow", "native"])
def test_no_orphan_stays_when_blender_dies(start, job, behaviour):
    """`native` does not come back from its library: then the engine ends itself after some seconds."""
    engine = start(str(STAND_INS), behaviour, "serve")
    engine.hear()
    request = job(1)
    engine.say(request)
    while engine.hear().stage != "people":
        pass
    time.sleep(0.5)
    Path(request.out).touch()  # so the add-on takes a name
    engine.process.stdin.close()
    engine.process.stdout.close()
    began = time.monotonic()
    engine.process.wait(timeout=30)
    assert time.monotonic() - began < 10 and not Path(request.out).exists()


def test_messages_are_json_lines_in_ascii(start):
    engine = subprocess.run(
        [sys.executable, "-m", "ghmr_engine.serve"], input=b"", capture_output=True, check=True, timeout=60
    )
    (line,) = engine.stdout.splitlines()
    assert json.loads(line)["say"] == "hello" and line.isascii()

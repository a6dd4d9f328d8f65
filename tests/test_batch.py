"""`ghmr batch` with an engine that recovers nothing (fake_engine.py): names, failures, limits, resuming, stopping."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from batches import FAKE, begin, children, end, environment, hear, records, run, wait_until

from ghmr_engine.batch import manifest
from ghmr_engine.batch.run import made_folder, open_batch, run_here
from ghmr_engine.batch.said import Said
from ghmr_engine.batch.warm_engine import WarmEngine
from ghmr_engine.batch.work import Limits
from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import read_motion
from ghmr_engine.options import Options

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes and signals of POSIX")


@pytest.fixture
def clips(tmp_path):
    """Makes clips of these names in a folder, each with a content of its own."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / "clips" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"clip " + os.fsencode(name))
        return tmp_path / "clips"

    return make


@pytest.fixture
def out(tmp_path):
    return tmp_path / "takes"


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


ODD = [
    "-dash.mp4", "it's \"quoted\".mp4", "a b.MOV", "<b>&amp;.mp4", "Łódź é.mkv", "$(touch x).mp4",
    "no\udcff unicode.mp4",
    "line\nbreak.mp4", "x" * 230 + ".mp4"]  # fmt: skip


def test_odd_names_and_two_of_one_name(clips, out):
    folder = clips(*ODD, "walk.mp4", "walk.mov", "deeper/WALK.mp4", "notes.txt", ".hidden.mp4", "old.background.mp4")
    ran = run(FAKE, folder, "--out", out)
    assert ran.code == 0, ran.err
    found = records(out)
    names = [record["name"] for record in found.values()]
    assert len({name.casefold() for name in names}) == len(names) == len(ODD) + 3
    for clip, record in manifest.latest(manifest.read(out), "motion").items():
        assert record["state"] == "done" and record["out"] == record["name"] + ".motion.npz"
        assert read_motion(out / record["out"]).meta["video"]["name"] == Path(clip).name
    assert found["-dash.mp4"]["name"] == "-dash" and found["a b.MOV"]["name"] == "a b"
    assert sorted(name for name in names if name.lower().startswith("walk"))[-1].startswith("walk-")
    assert (out / "index.html").is_file() and not (out / "x").exists()
    assert len(ran.err.splitlines()) == len(names) + 1 and "12 clips: 12 done" in ran.err
    again = run(FAKE, folder / "deeper", folder / "walk.mp4", "--out", out)  # another order, same names
    assert again.code == 0 and len(again.before()) == 2 and records(out) == found


def test_what_fails_stops_nothing(clips, out):
    folder = clips("a.mp4", "crash.mp4", "nobody.mp4", "once.mp4", "z.mp4")
    ran = run(FAKE, folder, "--out", out)
    assert ran.code == 1
    assert ran.states() == {
        "a.mp4": "done", "crash.mp4": "failed", "nobody.mp4": "failed", "once.mp4": "done", "z.mp4": "done",
    }  # fmt: skip
    found = records(out)
    died = found["crash.mp4"]
    assert died["error"]["code"] == "engine_died" and died["error"]["fix"] and died["out"] is None
    log = (out / died["log"]).read_text()
    assert log.count("the card fell out") == 3  # the error's own line, and both tries
    assert found["nobody.mp4"]["error"] == {
        "code": "nobody", "message": "There is nobody in the clip.", "fix": "Choose another."
    }  # fmt: skip
    assert found["nobody.mp4"]["pictures"] == {"frame": "pictures/nobody.frame.jpg"}
    assert "failed: There is nobody in the clip. Choose another." in ran.err
    assert ran.lines[-1] == {
        "state": "end", "code": 1, "done": 3, "review": 0, "failed": 2, "left": 0, "sheet": str(out / "index.html")
    }  # fmt: skip
    again = run(FAKE, folder, "--out", out)  # failed ones are tried again, and those alone
    assert again.before() == {"a.mp4", "once.mp4", "z.mp4"} and again.code == 1


def test_an_engine_that_hangs_is_ended_with_its_children(clips, out):
    folder = clips("stuck.mp4", "walk.mp4")
    ran = run((*FAKE[:2], "1"), folder, "--out", out)
    assert ran.states() == {"stuck.mp4": "failed", "walk.mp4": "done"}
    record = records(out)["stuck.mp4"]
    assert record["error"]["code"] == "engine_hangs"
    child = (out / record["log"]).read_text().split("child ")[1].split()[0]
    wait_until(lambda: not Path(f"/proc/{child}").exists(), 3)


def test_limits_mark_for_review_and_judge_anew_without_work(clips, out):
    folder = clips("walk.mp4")
    strict = run(FAKE, folder, "--out", out, "--max-sliding", "0.3", "--min-seen", "0.5")
    assert strict.code == 3 and strict.states() == {"walk.mp4": "review"}
    assert records(out)["walk.mp4"]["review"] == [
        "Person 1: feet slide 0.40 mm a frame, more than 0.3.", "Person 2: feet slide 0.40 mm a frame, more than 0.3."
    ]  # fmt: skip
    assert "for review: Person 1" in strict.err
    lax = run(FAKE, folder, "--out", out, "--max-sliding", "0.5", "--min-seen", "1")
    assert lax.code == 0 and lax.before() == {"walk.mp4"}
    assert records(out)["walk.mp4"]["state"] == "done" and len(manifest.read(out)) == 2


def test_it_goes_on_where_anything_is_not_as_it_was(clips, out):
    folder = clips(*(f"{letter}.mp4" for letter in "abcdef"))
    first = run(FAKE, folder, "--out", out)
    assert first.code == 0 and not first.before()
    (folder / "a.mp4").write_bytes(b"clip B.mp4")  # as long as before
    (out / "b.motion.npz").unlink()
    (out / "c.motion.npz").write_bytes((out / "c.motion.npz").read_bytes()[:-1])
    part = (out / manifest.NAME).read_bytes()
    (out / manifest.NAME).write_bytes(part[:-40])  # f's line, torn
    (out / "d.motion.npz.part").write_bytes(b"half")
    again = run(FAKE, folder, "--out", out)
    assert again.code == 0 and again.before() == {"d.mp4", "e.mp4"}
    assert all(read_motion(out / f"{letter}.motion.npz") for letter in "abcdef")
    assert len(manifest.read(out)) == 5 + 4
    assert len(run(FAKE, folder, "--out", out).before()) == 6
    assert not run(FAKE, folder, "--out", out, "--quality", "best").before()
    assert len(run(FAKE, folder, "--out", out, "--quality", "best", "--device", "cpu").before()) == 6
    assert read_motion(out / "a.motion.npz").meta["options"]["quality"] == "best"


def test_records_that_others_wrote_do_not_break_it(clips, out):
    folder = clips("a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4")
    assert run(FAKE, folder, "--out", out).code == 0
    good = {Path(clip).name: record for clip, record in manifest.latest(manifest.read(out), "motion").items()}
    manifest.append(out, {**good["a.mp4"], "quality": {"1": 3}})
    manifest.append(out, {**good["b.mp4"], "quality": {"1": {"sliding_mm": "much"}}})
    manifest.append(out, {key: value for key, value in good["c.mp4"].items() if key not in ("review", "warnings")})
    manifest.append(out, {**good["d.mp4"], "files": {"d.motion.npz": 3}, "name": "../d"})
    again = run(FAKE, folder, "--out", out, "--max-sliding", "5")
    assert again.code == 0 and again.before() == {"e.mp4"}, again.err


@pytest.mark.parametrize("whom", ["batch", "engine", "both"])
def test_killed_in_the_middle_it_goes_on(clips, out, whom):
    folder = clips("a.mp4", "wait.mp4", "z.mp4")
    (folder / "WAIT").touch()
    process = begin(FAKE, folder, "--out", out)
    hear(process, lambda line: line.get("stage") == "lift" and line["name"] == "wait")
    (engine,) = children(process.pid)
    if whom != "batch":
        os.kill(engine, signal.SIGKILL)
    if whom != "engine":
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert records(out).keys() == {"a.mp4"}
        process.stdout.close()
        wait_until(lambda: not Path(f"/proc/{engine}").exists(), 10)  # no orphan
        (folder / "WAIT").unlink()
        process = begin(FAKE, folder, "--out", out)
    else:
        (folder / "WAIT").unlink()
    ran = end(process)
    assert ran.code == 0, ran.err
    assert {name: record["state"] for name, record in records(out).items()} == dict.fromkeys(
        ["a.mp4", "wait.mp4", "z.mp4"], "done"
    )
    assert ran.before() == (set() if whom == "engine" else {"a.mp4"})


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "nobody reads"])
def test_stopping_keeps_what_is_done(clips, out, name):
    folder = clips("a.mp4", "slow.mp4", "z.mp4")
    process = begin(FAKE, folder, "--out", out)
    hear(process, lambda line: line.get("stage") == "people" and line["name"] == "slow")
    (engine,) = children(process.pid)
    if name == "nobody reads":
        process.stdout.close()
        process.stdout = None
    else:
        process.send_signal(getattr(signal, name))
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"3 clips: 1 done, 0 for review, 0 failed, 2 not begun or not finished." in err
    assert err.endswith(b"Error: Stopped. What is done stays; the same command goes on from there.\n")
    assert records(out).keys() == {"a.mp4"} and (out / "index.html").is_file()
    assert not Path(f"/proc/{engine}").exists() and "slow.motion.npz" not in files(out)


_STOPPED_AT_THE_SHEET = f"""
import os, runpy, signal
from ghmr_engine.batch import command
write = command.write_sheet
def write_sheet(folder):
    os.kill(os.getpid(), signal.SIGTERM)
    return write(folder)
command.write_sheet = write_sheet
runpy.run_path({FAKE[1]!r}, run_name="__main__")
"""


def test_who_is_stopped_at_the_end_still_writes_the_sheet(clips, out):
    ran = run((sys.executable, "-c", _STOPPED_AT_THE_SHEET, FAKE[2]), clips("a.mp4"), "--out", out)
    assert ran.code == 0 and records(out).keys() == {"a.mp4"} and (out / "index.html").is_file(), ran.err


def test_of_two_batches_in_a_folder_the_second_says_so(clips, out):
    folder = clips("wait.mp4")
    (folder / "WAIT").touch()
    first = begin(FAKE, folder, "--out", out)
    hear(first, lambda line: line.get("stage") == "lift")
    second = run(FAKE, folder, "--out", out)
    assert second.code == 2 and f"Another batch works in {out} (process {first.pid})" in second.err
    assert [line["error"]["code"] for line in second.lines] == ["batch_runs"]
    (folder / "WAIT").unlink()
    assert end(first).code == 0
    assert run(FAKE, folder, "--out", out).code == 0  # the lock's file stays and locks nobody out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.mp4"], "There is no clip nowhere.mp4"),
        (["none*.mp4"], "There is no clip none*.mp4"),
        (["walk.mp4", "--min-seen", "80"], "min_seen"),
        (["walk.mp4", "--max-sliding", "-1"], "max_sliding"),
        (["walk.mp4", "--people", "nobody"], "people"),
        (["walk.mp4", "--ray", "nowhere:1"], "Ray"),
        ([], "clips"),
    ],
)
def test_bad_input_begins_nothing(clips, tmp_path, arguments, words):
    folder = clips("walk.mp4")
    arguments = [str(folder / each) if each.endswith("walk.mp4") else each for each in arguments]
    done = subprocess.run(
        [*FAKE, "batch", *arguments, "--out", str(tmp_path / "out")],
        env=environment(), capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2 and done.stdout == "", done.stderr
    assert done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) == 1 and words in done.stderr
    assert not (tmp_path / "out" / "manifest.jsonl").exists()


def test_an_engine_that_cannot_start_is_no_clip_s_fault(clips, out):
    folder, out = clips("a.mp4"), made_folder(out)
    batch = open_batch([folder / "a.mp4"], out, Options(), Limits())
    for command, words in (
        ((sys.executable, "-c", "raise SystemExit('no torch')"), "no torch"), (("/no/python",), "cannot be started"),
    ):  # fmt: skip
        engine = WarmEngine(out, command=command)
        with pytest.raises(RecoverError, match=words):
            run_here(batch, engine, Said(out, batch.clips, json_lines=False))
        engine.close()
    assert manifest.read(out) == []


def test_two_programs_append_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from ghmr_engine.batch import manifest\n"
        "for n in range(150): manifest.append(Path(sys.argv[1]), {'clip': f'{sys.argv[2]}{n}', 'kind': 'scene',"
        " 'state': 'done', 'long': 'x' * 5000})"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], env=environment()) for name in ("a", "b")
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    found = manifest.read(tmp_path)
    assert len(found) == 300 and len(manifest.latest(found, "scene")) == 300


def test_a_disk_that_is_full_leaves_a_line_that_is_overlooked(tmp_path):
    code = (
        "import resource, signal, sys; from pathlib import Path; from ghmr_engine.batch import manifest\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "for n in range(9): manifest.append(Path(sys.argv[1]), {'clip': str(n), 'kind': 'motion', 'state': 'done'})"
    )
    full = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment(), capture_output=True, text=True, check=False
    )
    assert "RecoverError: Cannot write" in full.stderr
    assert not (tmp_path / manifest.NAME).read_bytes().endswith(b"\n")
    whole = manifest.read(tmp_path)
    assert [record["clip"] for record in whole] == ["0", "1", "2"]
    manifest.append(tmp_path, {"clip": "next", "kind": "motion", "state": "done"})
    assert [record["clip"] for record in manifest.read(tmp_path)] == ["0", "1", "2", "next"]
    (tmp_path / manifest.NAME).unlink()
    (tmp_path / manifest.NAME).mkdir()
    with pytest.raises(RecoverError, match="Cannot read"):
        manifest.read(tmp_path)

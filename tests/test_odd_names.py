"""Names as users have them, through real processes: nothing is taken for an option, a pattern, a protocol or a shell's
word, and the result has the name that was asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ghmr_engine import output
from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import read_motion
from ghmr_engine.options import Options

STAND_INS = Path(__file__).with_name("stand_ins.py")
NAMES = [
    "a b", "it's", 'say "hi"', "$(touch ran)", "`touch ran`", "a;touch ran", "-dash", "--help", "Łódź é 日本",
    "new\nline", "100%d %s", "a[1]*?", "~home", "concat:a", "a&b|c>d<e", "a\\b", "!x #y", " lead",
    "trail ", ".hidden", "x" * 200, os.fsdecode(b"bytes\xff"),
]  # fmt: skip
"""The last one is no UTF-8."""


def ghmr(folder: Path, *words: str, behaviour: str = "plain") -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(STAND_INS.parent.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(STAND_INS), behaviour, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_clip_and_its_result(tmp_path, name, monkeypatch):
    """Relative to the folder that they lie in, where a leading dash is the first letter."""
    from stand_ins import pipeline, stand_in  # loads PyTorch

    stand_in("plain", monkeypatch.setattr)
    monkeypatch.chdir(tmp_path)
    clip, out = Path(f"{name}.mp4"), Path(f"{name}.motion.npz")
    clip.write_bytes(b"a clip")
    pipeline.recover(clip, out, Options(), lambda _: None, Path("cache"))
    assert sorted(os.listdir()) == sorted([clip.name, out.name, "cache"])  # noqa: PTH208  as the system has them
    assert os.fsencode(read_motion(out).meta["video"]["name"]) == os.fsencode(clip)


@pytest.mark.parametrize("name", ["-$(touch ran)", "new\nline", os.fsdecode(b"bytes\xff")], ids=ascii)
def test_a_clip_and_its_result_by_a_real_process(tmp_path, name):
    (tmp_path / f"{name}.mp4").write_bytes(b"a clip")
    out = f"{name}.motion.npz"
    done = ghmr(tmp_path, "recover", "--no-cache", "--out", out, "--", f"{name}.mp4")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"" and b"Wrote " in done.stdout
    assert sorted(os.listdir(tmp_path)) == sorted([f"{name}.mp4", out])  # noqa: PTH208  as the system has them


def test_a_name_that_is_too_long_is_said_before_any_work(tmp_path):
    """With what is written beside it, and while it grows, it would be longer than 255 bytes."""
    for place in ("o" * 233, "é" * 122, "o" * 290):
        with pytest.raises(RecoverError, match="too long"):
            output.check_place(tmp_path / f"{place}{output.SUFFIX}", output.SUFFIX)
    with pytest.raises(RecoverError, match="too long"):
        output.check_place(tmp_path / ("o" * 240 + output.PEOPLE_SUFFIX), output.PEOPLE_SUFFIX)
    with pytest.raises(RecoverError, match="no name"):
        output.check_place(tmp_path / f"a\0b{output.SUFFIX}", output.SUFFIX)
    output.check_place(tmp_path / ("o" * 190 + output.SUFFIX), output.SUFFIX)
    assert list(tmp_path.iterdir()) == []
    done = ghmr(tmp_path, "recover", "--no-cache", "--out", "a.motion.npz", "b" * 300 + ".mp4")
    assert done.returncode in (1, 2) and done.stderr.startswith(b"Error: ") and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("name", ["-dash", "$(touch ran)", "new\nline", "a b"], ids=ascii)
def test_install_py_hands_names_on_that_are_no_options(tmp_path, name, monkeypatch):
    """To the engine and to Blender, which are played here by what they are asked."""
    from installer import child, commands, recover

    asked = []
    monkeypatch.chdir(tmp_path)
    Path(f"{name}.mp4").write_bytes(b"a clip")
    monkeypatch.setattr(recover, "prepare", lambda *_: None)
    monkeypatch.setattr(recover, "_show", lambda command: asked.append(command) or 0)
    monkeypatch.setattr(recover, "_blender_starter", lambda _: lambda *files: (["blender", *files], {}))

    def built(command, *_):
        asked.append(command)
        for path in (f"{name}.blend", f"{name}.motion.npz"):
            Path(path).write_bytes(b"x")
        return 0, []

    monkeypatch.setattr(child, "run_logged", built)
    assert commands.main(["recover", f"--out={name}.blend", "--", f"{name}.mp4"]) == 0
    clip, out = tmp_path / f"{name}.mp4", tmp_path / f"{name}.blend"
    motion = out.with_suffix(".motion.npz")
    assert asked[0][3:] == ["recover", clip, "--out", motion] and asked[1] == ["blender", motion, clip, out]


def test_install_py_says_that_a_name_is_too_long(tmp_path, capsys):
    from installer import commands

    assert commands.main(["recover", "x" * 300 + ".mp4"]) != 0
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out and "too long" in said.err + said.out

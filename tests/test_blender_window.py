"""Whole sessions in the windows of the real Blender programs that are here."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest
from extension_tree import REPO
from test_blender_addon import PROGRAMS, engine_home, make_clips, needs_program
from test_blender_scene import _named, package
from windows import INNER, needs_screen, run_session

from ghmr_engine import places

__all__ = ["package"]

pytestmark = [needs_program, needs_screen, pytest.mark.skipif(os.name == "nt", reason="the fake engine is a script")]


def _runs(process: int) -> bool:
    """Whether a process works; one that ended and that nobody asked about yet does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize("program", PROGRAMS or [[]], ids=_named)
def test_blender_is_used_while_the_engine_works(program, package, tmp_path):
    home, clips = engine_home(tmp_path / "home"), make_clips(tmp_path / "clips")
    run_session(
        program, package, INNER / "session_running.py", tmp_path / "user",
        RECOVER_MOTION_HOME=str(home), RECOVER_MOTION_CLIPS=str(clips),
    )  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS or [[]], ids=_named)
def test_quitting_in_the_middle_ends_the_engine_and_leaves_nothing(program, package, tmp_path):
    home, clips = engine_home(tmp_path / "home"), make_clips(tmp_path / "clips")
    said = run_session(
        program, package, INNER / "session_quit.py", tmp_path / "user", last="engine ",
        RECOVER_MOTION_HOME=str(home), RECOVER_MOTION_CLIPS=str(clips),
    )  # fmt: skip
    engine = int(re.search(r"engine (\d+)", said).group(1))
    end = time.monotonic() + 10
    while _runs(engine) and time.monotonic() < end:
        time.sleep(0.1)
    assert not _runs(engine)
    assert not list(tmp_path.rglob("*.motion.npz*"))


@pytest.mark.parametrize("program", PROGRAMS or [[]], ids=_named)
def test_people_are_found_shown_and_picked(program, package, tmp_path):
    home, clips = engine_home(tmp_path / "home"), make_clips(tmp_path / "clips")
    run_session(
        [*program, "--enable-event-simulate"], package, INNER / "session_people.py", tmp_path / "user",
        RECOVER_MOTION_HOME=str(home), RECOVER_MOTION_CLIPS=str(clips),
    )  # fmt: skip


@pytest.mark.skipif(not places.engine_python().is_file(), reason="no engine: run `python3 install.py setup`")
@pytest.mark.parametrize("program", PROGRAMS or [[]], ids=_named)
def test_a_whole_session_with_the_real_engine(program, package, tmp_path):
    clips = make_clips(tmp_path / "clips")
    shutil.copy(REPO / "assets" / "demo.mp4", clips)
    run_session(program, package, INNER / "session_whole.py", tmp_path / "user", RECOVER_MOTION_CLIPS=str(clips))


@pytest.mark.parametrize("program", PROGRAMS or [[]], ids=_named)
def test_takes_are_corrected(program, package, tmp_path):
    home = engine_home(tmp_path / "home")
    run_session(
        [*program, "--enable-event-simulate"], package, INNER / "session_fix.py", tmp_path / "user",
        RECOVER_MOTION_HOME=str(home),
    )  # fmt: skip

"""Whole sessions in the windows of the real Blender programs that are here."""

import os

import pytest
from test_blender_addon import PROGRAMS, engine_home, make_clips, needs_program
from test_blender_scene import _named, package
from windows import INNER, needs_screen, run_session

__all__ = ["package"]

pytestmark = [needs_program, needs_screen, pytest.mark.skipif(os.name == "nt", reason="the fake engine is a script")]


@pytest.mark.parametrize("program", PROGRAMS or [[]], ids=_named)
def test_blender_is_used_while_the_engine_works(program, package, tmp_path):
    home, clips = engine_home(tmp_path / "home"), make_clips(tmp_path / "clips")
    run_session(
        program, package, INNER / "session_running.py", tmp_path / "user",
        RECOVER_MOTION_HOME=str(home), RECOVER_MOTION_CLIPS=str(clips),
    )  # fmt: skip

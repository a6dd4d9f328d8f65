"""What only a real window shows: drawing, clicks and undo in every Blender program that is here."""

import os

import pytest
from test_blender_addon import PROGRAMS, engine_home, make_clips, needs_program
from test_blender_scene import _named
from windows import run_session


@needs_program
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the fake engine is a shell script")
@pytest.mark.parametrize("program", PROGRAMS or [[]], ids=_named)
def test_people_are_found_shown_and_picked(program, tmp_path):
    home, clips = engine_home(tmp_path / "home"), make_clips(tmp_path / "clips")
    said = run_session(
        program, "session_people.py", tmp_path, RECOVER_MOTION_HOME=str(home), RECOVER_MOTION_CLIPS=str(clips)
    )
    assert "session over, 0" in said

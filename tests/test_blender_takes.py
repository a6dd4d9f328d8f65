"""The list of takes, the overlay and the worst frames, in every Blender that is here."""

import pytest
from test_blender_addon import PROGRAMS, make_clips, needs_program
from test_blender_scene import _commands, _named, needs_blender, package, run_inside
from windows import INNER, needs_screen, run_session

__all__ = ["package"]


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_takes_in_blender(command, package, tmp_path):
    clips = make_clips(tmp_path / "clips")
    said = run_inside(
        command, package, INNER / "test_takes.py", INNER / "test_result.py",
        RECOVER_MOTION_CLIPS=str(clips), BLENDER_USER_RESOURCES=str(tmp_path / "user"),
    )  # fmt: skip
    assert " 0 failed" in said


@needs_program
@needs_screen
@pytest.mark.parametrize("program", PROGRAMS or [[]], ids=_named)
def test_takes_in_a_window(program, package, tmp_path):
    clips = make_clips(tmp_path / "clips")
    run_session(program, package, INNER / "session_takes.py", tmp_path / "user", RECOVER_MOTION_CLIPS=str(clips))

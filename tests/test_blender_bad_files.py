"""Files from anywhere in every Blender that is here."""

import pytest
from test_blender_addon import engine_home, make_clips
from test_blender_scene import _commands, _named, needs_blender, package, run_inside
from windows import INNER

__all__ = ["package"]


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_bad_files_in_blender(command, package, tmp_path):
    home, clips = engine_home(tmp_path / "home"), make_clips(tmp_path / "clips")
    said = run_inside(
        command, package, INNER / "test_bad_files.py",
        RECOVER_MOTION_CLIPS=str(clips), RECOVER_MOTION_HOME=str(home), BLENDER_USER_RESOURCES=str(tmp_path / "user"),
    )  # fmt: skip
    assert " 0 failed" in said

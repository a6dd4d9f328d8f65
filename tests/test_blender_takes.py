"""The list of takes, the overlay and the worst frames, in every Blender that is here."""

import pytest
from test_blender_addon import make_clips
from test_blender_scene import INNER, _commands, _named, needs_blender, package, run_inside

__all__ = ["package"]


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_takes_in_blender(command, package, tmp_path):
    clips = make_clips(tmp_path / "clips")
    said = run_inside(
        command, package, INNER / "test_takes.py",
        RECOVER_MOTION_CLIPS=str(clips), BLENDER_USER_RESOURCES=str(tmp_path / "user"),
    )  # fmt: skip
    assert " 0 failed" in said

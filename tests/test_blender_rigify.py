"""Rigify's controls, in every Blender that is here: the rig is generated once in each."""

import pytest
from test_blender_scene import INNER, _commands, _named, needs_blender, package, run_inside

__all__ = ["package"]


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_rigify_s_controls_in_blender(command, package, tmp_path):
    said = run_inside(command, package, INNER / "test_rigify.py", BLENDER_USER_RESOURCES=str(tmp_path / "user"))
    assert " 0 failed" in said

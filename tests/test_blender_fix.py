"""Correcting takes, in every Blender that is here: contacts, layers, pins, people, ground."""

import os

import pytest
from test_blender_addon import engine_home
from test_blender_scene import INNER, _commands, _named, needs_blender, package, run_inside

__all__ = ["package"]

pytestmark = [
    needs_blender,
    pytest.mark.skipif(os.name == "nt", reason="the fake engine is a shell script"),
]
FILES = sorted(INNER.glob("test_fix_*.py"))


@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_correcting_in_blender(command, package, tmp_path):
    home = engine_home(tmp_path / "home")
    said = run_inside(
        command, package, *FILES, RECOVER_MOTION_HOME=str(home), BLENDER_USER_RESOURCES=str(tmp_path / "user")
    )
    assert " 0 failed" in said

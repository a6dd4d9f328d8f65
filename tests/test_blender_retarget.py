"""Retargeting onto rigs, in every Blender that is here."""

import pytest
from test_blender_scene import INNER, _commands, _named, needs_blender, package, run_inside

__all__ = ["package"]

pytestmark = needs_blender
FILES = sorted(INNER.glob("test_retarget_*.py"))


@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_retargeting_in_blender(command, package):
    said = run_inside(command, package, *FILES)
    assert " 0 failed" in said

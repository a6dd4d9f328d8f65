"""Exports, in every Blender that is here."""

import pytest
from test_blender_scene import INNER, _commands, _named, needs_blender, package, run_inside

__all__ = ["package"]


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_exports_in_blender(command, package, tmp_path):
    files = [INNER / f"test_export{more}.py" for more in ("", "_rigs", "_safely")]
    said = run_inside(command, package, *files, BLENDER_USER_RESOURCES=str(tmp_path / "user"))
    assert " 0 failed" in said

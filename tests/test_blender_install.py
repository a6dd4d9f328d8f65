"""Starts every Blender that is here and installs the engine from inside it; the install.py is a fake."""

import os
import shutil

import pytest
from extension_tree import REPO, assemble_extension
from test_blender_scene import INNER, _commands, _named, needs_blender, run_inside


@needs_blender
@pytest.mark.skipif(os.name == "nt", reason="the fake set-up makes an engine that is a plain file")
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_installing_in_blender(command, tmp_path):
    package = assemble_extension(tmp_path / "tree")
    shutil.copy(REPO / "tests" / "fake_install.py", package / "install.py")
    said = run_inside(
        command, package, INNER / "test_install_engine.py",
        RECOVER_MOTION_HOME=str(tmp_path / "home"), BLENDER_USER_RESOURCES=str(tmp_path / "user"),
    )  # fmt: skip
    assert " 0 failed" in said

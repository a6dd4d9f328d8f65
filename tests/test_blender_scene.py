"""Starts every Blender that is here and runs the tests of the scene in tests/blender/ in it.

RECOVER_MOTION_BPY_PYTHONS: interpreters that have the bpy module; RECOVER_MOTION_BLENDERS: commands that start Blender.
Both are lists separated as PATH is, the oldest Blender first; `install.py test` sets the first one.
"""

import os
import re
import shlex
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clip_files import write_clip
from extension_tree import REPO, assemble_extension

from ghmr_engine.camera.given import read_camera
from ghmr_engine.geometry import straightened
from ghmr_engine.types import VideoInfo

INNER = REPO / "tests" / "blender"


def _listed(variable: str) -> list[str]:
    return [item for item in os.environ.get(variable, "").split(os.pathsep) if item]


def _commands() -> list[list[str]]:
    """How to run a Python file in each Blender."""
    pythons = [[python] for python in _listed("RECOVER_MOTION_BPY_PYTHONS")]
    start = ["-b", "--factory-startup", "--python-exit-code", "1", "--python"]
    return pythons + [[*shlex.split(command), *start] for command in _listed("RECOVER_MOTION_BLENDERS")]


def _named(command: list[str]) -> str:
    """For the test's name: the word with the version in it, where there is one."""
    return next((word for word in command if re.search(r"\d\.\d", word)), "blender")


needs_blender = pytest.mark.skipif(
    not _commands(), reason="no Blender: set RECOVER_MOTION_BPY_PYTHONS or RECOVER_MOTION_BLENDERS"
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble_extension(tmp_path_factory.mktemp("extension"))


def run_inside(command: list[str], package: Path, *files: Path, **environment: str) -> str:
    """Run the tests of some files in one Blender; the output, or a failure that shows it."""
    done = subprocess.run(
        [*command, str(INNER / "run_in_blender.py"), "--", str(package), str(REPO), *map(str, files)],
        cwd=REPO,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{shlex.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_the_scene_in_blender(command: list[str], package: Path) -> None:
    assert " 0 failed" in run_inside(command, package, INNER / "test_scene.py", INNER / "test_scene_camera.py")


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_foot_ik_in_blender(command: list[str], package: Path) -> None:
    assert " 0 failed" in run_inside(command, package, INNER / "test_foot_ik.py")


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_labels_and_languages_in_blender(command: list[str], package: Path) -> None:
    said = run_inside(command, package, INNER / "test_labels.py")
    assert " 0 failed" in said
    sys.stdout.write(said)  # shown by pytest -s: it lists what lacks German


def _squares(number: int) -> np.ndarray:
    """(240, 320, 3) uint8: a column of squares with a corner in them, around x = 20 + 10 number."""
    picture, x = np.full((240, 320, 3), 40, np.uint8), 20 + 10 * number
    for y in range(30, 220, 40):
        picture[y - 5 : y + 6, x - 5 : x + 6] = 230
        picture[y - 5 : y, x - 5 : x] = 10
    return picture


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_the_tracked_camera_in_blender(command: list[str], package: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "moving.mp4", range(24), size=(320, 240), draw=_squares)
    said = run_inside(command, package, INNER / "test_tracked_camera.py", RECOVER_MOTION_CLIPS=str(tmp_path))
    assert " 0 failed" in said
    # Pictures 15 to 44 are those that the camera was solved for.
    info = VideoInfo(Path("x.mp4"), "x.mp4", 1, "", 854, 480, Fraction(30), 30, 15, 0, True, False, None)
    given, truth = read_camera(tmp_path / "solved.json", info), read_camera(tmp_path / "truth.npz", info)
    assert given.covered.all() and abs(given.focal_px - 1.17 * 854) < 0.01
    np.testing.assert_allclose(given.R, truth.R, atol=1e-3)
    size = np.linalg.norm(truth.t[-1]) / np.linalg.norm(given.t[-1])
    np.testing.assert_allclose(size * given.t, truth.t, atol=1e-3)
    # All of Blender's models bend the straight picture; the engine's division model straightens the bent one.
    with np.load(tmp_path / "lens.npz") as lens:
        middle = np.array([[given.focal_px, 0, 0], [0, given.focal_px, 0], [0, 0, 1]])
        straight = straightened(lens["bent"] * given.focal_px, middle, given.distortion)
        np.testing.assert_allclose(straight, lens["straight"] * given.focal_px, rtol=0, atol=0.2)


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_a_failing_test_inside_blender_is_seen_outside(command: list[str], package: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def test_wrong():\n    assert False\n")
    with pytest.raises(pytest.fail.Exception, match="FAILED wrong"):
        run_inside(command, package, wrong)
    wrong.write_text("import no_such_module\n")
    with pytest.raises(pytest.fail.Exception, match="no_such_module"):
        run_inside(command, package, wrong)


@pytest.mark.skipif(len(_commands()) < 2, reason="a file can be handed on only where there are two Blenders")
@pytest.mark.parametrize("newer", _commands()[1:] or [[]], ids=_named)
def test_a_file_of_the_oldest_blender_opens_in_newer_ones(newer: list[str], package: Path, tmp_path: Path) -> None:
    blend = str(tmp_path / "take.blend")
    run_inside(_commands()[0], package, INNER / "save_take.py", RECOVER_MOTION_BLEND=blend)
    run_inside(newer, package, INNER / "open_take.py", RECOVER_MOTION_BLEND=blend)

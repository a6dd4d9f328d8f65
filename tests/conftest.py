"""What tests share: the demo clip, the real clips, the body. Each says why a test that needs it cannot run here."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from ghmr_engine import places

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell's background jobs ignore Ctrl-C and hand that on: what tests start, and interrupt, shall not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def rigs_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rigify takes its time: each Blender generates its rig once in a run, and the tests after that find it there."""
    os.environ.setdefault("RECOVER_MOTION_RIGS", str(tmp_path_factory.mktemp("rigs")))


@pytest.fixture(scope="session")
def repo() -> Path:
    """The project's folder."""
    return REPO


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    """The project's own clip; without it the project is broken, so nothing is skipped."""
    return REPO / "assets" / "demo.mp4"


@pytest.fixture(scope="session")
def clips_dir() -> Path:
    """The folder of real clips beside the project."""
    folder = REPO.parent / "shared" / "clips"
    if not folder.is_dir():
        pytest.skip("the real clips are not here (../shared/clips)")
    return folder


@pytest.fixture(scope="session")
def body():
    """The open body, on the CPU."""
    if not places.body_path().is_file():
        pytest.skip("the open body is not built: run `python3 install.py setup`")
    from ghmr_engine.body.smpl import load_body

    return load_body(places.body_path(), "cpu")


@pytest.fixture(scope="session")
def parity():
    """Numbers recorded from a published program, by their file's name, on weights that a rule draws."""

    def read(name: str) -> dict[str, np.ndarray]:
        path = REPO.parent / "shared" / "parity" / f"{name}.npz"
        if not path.is_file():
            pytest.skip("the published program's numbers are not here (../shared/parity)")
        with np.load(path) as file:
            return {name: file[name] for name in file.files}

    return read

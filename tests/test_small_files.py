"""Cameras, gyroscopes' tables, identities and edits of any content: taken where they can be, else one line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ghmr_engine.camera.given import read_camera
from ghmr_engine.camera.gyro import read_gyro
from ghmr_engine.errors import RecoverError
from ghmr_engine.people.identities import read_identities
from ghmr_engine.resolve_file import read_edits
from ghmr_engine.types import VideoInfo

INFO = VideoInfo(Path("a.mp4"), "a.mp4", 1, "0", 640, 360, Fraction(30), 20, 0, 0, False, True, None, ())
READERS: dict[str, Callable[[Path], object]] = {
    "camera.json": lambda path: read_camera(path, INFO),
    "camera.npz": lambda path: read_camera(path, INFO),
    "camera.txt": lambda path: read_camera(path, INFO),
    "gyro.csv": read_gyro,
    "identities.json": read_identities,
    "edits.json": read_edits,
}
CAMERA = {
    "camera_to_world": [np.eye(4).tolist()] * 20, "fps": 30, "picture": [640, 360], "lens_mm": 35, "sensor_mm": 36,
    "distortion": {"model": "brown", "k": [0.1, 0]}, "axes": "blender", "frames": list(range(20)),
}  # fmt: skip
IDENTITIES = {
    "format": "recover-motion identities", "version": 1,
    "people": [{"name": "A", "parts": [{"person": 1, "first": 0, "last": 9}]}],
}  # fmt: skip
EDITS = {
    "people": ["1"], "first": 0, "last": 5,
    "pins": [{"person": "1", "frame": 1, "joint": "left_wrist", "x": 1, "y": 2}],
}  # fmt: skip
TABLE = "time,x,y,z\n" + "".join(f"{k / 100},0,0,1\n" for k in range(100))
WEIRD = [
    None, True, -1, 0, float("inf"), float("nan"), "x", [], {}, [1], [1, 0], [0, 0], ["a"], [[1]], {"a": 1}, 10**400,
    [10**400, 1], [None, None], "\ud800",
]  # fmt: skip


def taken(name: str, path: Path) -> bool:
    try:
        READERS[name](path)
    except RecoverError as error:
        assert "\n" not in str(error) and error.fix
        return False
    return True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "good", "most"),
    [("camera.json", CAMERA, 12), ("identities.json", IDENTITIES, 2), ("edits.json", EDITS, 40)],
)
def test_every_entry_of_every_kind(tmp_path, name, good, most):
    path, count = tmp_path / name, 0
    path.write_text(json.dumps(good))
    assert taken(name, path)
    for key in good:
        for value in WEIRD:
            path.write_text(json.dumps({**good, key: value}))
            count += taken(name, path)
    assert count <= most  # what remains can be read that way, and is checked against the motion later


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", READERS)
def test_what_is_none_at_all(tmp_path, name):
    path = tmp_path / name
    rng = np.random.default_rng(5)
    for content in (b"", b"[", b"null", b"3", b'"x"', b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000, b"\x00" * 50,
                    b"NaN", b"a,b\n", rng.bytes(3000), b"\xff\xfe" * 50, b"PK\x03\x04" + rng.bytes(500)):  # fmt: skip
        path.write_bytes(content)
        assert not taken(name, path)
    path.unlink()
    assert not taken(name, path)
    for other in (Path("/dev/zero"), tmp_path / ("n" * 300 + name), Path(f"a\0{name}")):
        assert not taken(name, other)
    path.mkdir()
    assert not taken(name, path)
    path.rmdir()
    os.mkfifo(path)
    assert not taken(name, path)


@pytest.mark.filterwarnings("ignore")
def test_arrays_that_are_no_camera(tmp_path):
    path, R, t = tmp_path / "camera.npz", np.tile(np.eye(3), (20, 1, 1)), np.zeros((20, 3))
    bad = {
        "objects": np.array([None]), "none": np.zeros((0, 3, 3)), "zeros": np.zeros((20, 3, 3)), "flat": np.zeros(3),
        "words": np.array("x"), "nan": np.full((20, 3, 3), np.nan), "huge": np.full((20, 3, 3), 1e300),
        "mirrored": -R, "few": R[:5],
    }  # fmt: skip
    np.savez(path, R=R, t=t)
    assert taken("camera.npz", path)
    for value in bad.values():
        for arrays in ({"R": value, "t": t}, {"R": R, "t": value}):
            np.savez(path, **arrays)
            assert not taken("camera.npz", path)
    for name in ("objects", "zeros", "words", "nan", "huge"):
        np.savez(path, R=R, t=t, K=bad[name])
        assert not taken("camera.npz", path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("camera.txt", "1 2 3\n"),
        ("camera.txt", "1 2 3 0 0 0 0 0\n" * 20),
        ("camera.txt", "".join(f"{k} nan 0 0 0 0 0 1\n" for k in range(20))),
        ("camera.txt", "".join(f"{k} 1e400 0 0 0 0 0 1\n" for k in range(20))),
        ("camera.txt", "1 2 3 4 5 6 7 8\n1 2\n"),
        ("gyro.csv", "time,x,y,z\n" + "nan,1,1,1\n" * 50),
        ("gyro.csv", "time,x,y,z\n" + "1,1,1,1\n" * 50),
        ("gyro.csv", "time,x,y,z\n" + "".join(f"{k},nan,inf,1e400\n" for k in range(50))),
        ("gyro.csv", "time,x,y,z\n" + "".join(f"{k}e300,1e300,1,1\n" for k in range(50))),
        ("gyro.csv", "time,qx,qy,qz,qw\n" + "".join(f"{k},0,0,0,0\n" for k in range(50))),
        ("gyro.csv", "time,x,y,z\n" + "1,1\n" * 50),
        ("gyro.csv", '"' + "a" * 200_000 + "\n"),
        ("gyro.csv", TABLE.replace("0.5,", "0.5,1,")),
    ],
)
def test_tables_that_are_none(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert not taken(name, tmp_path / name)


def test_a_good_table_is_taken(tmp_path):
    (tmp_path / "gyro.csv").write_text(TABLE)
    assert taken("gyro.csv", tmp_path / "gyro.csv")

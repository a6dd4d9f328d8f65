"""The cache: what comes out is what went in, damage is a miss, and trouble with the disk never fails a run."""

import dataclasses
import logging
import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from small_disk import run_on_small_disk

from ghmr_engine import types
from ghmr_engine.cache import Cache, key_of

KEY = key_of({"stage": "people"})


def make_people(seed: int = 0) -> types.People:
    rng = np.random.default_rng(seed)
    tracks = tuple(
        types.Track(
            person=person,
            frames=np.arange(5) * person,
            boxes=rng.normal(size=(5, 4)),
            keypoints=rng.normal(size=(5, 33, 3)).astype(np.float32),
            world_landmarks=rng.normal(size=(5, 33, 3)),
            seen=np.array([True, False, True, True, False]),
        )
        for person in (1, 2)
    )
    masks = rng.integers(0, 256, size=(10, 4, 1), dtype=np.uint8)
    return types.People(tracks, masks, (4, 7), ("Ein Schatten – kein Mensch.",))


def make_info() -> types.VideoInfo:
    return types.VideoInfo(
        Path("/clips/a b.mp4"), "a b.mp4", 12, "00ff", 640, 360, Fraction(30000, 1001), 10, 0, 90, False, True, None, ()
    )


def assert_same(left: object, right: object) -> None:
    assert type(left) is type(right)
    if dataclasses.is_dataclass(left):
        for field in dataclasses.fields(left):
            assert_same(getattr(left, field.name), getattr(right, field.name))
    elif isinstance(left, tuple):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


@pytest.mark.parametrize(
    "value",
    [make_people(), make_info(), (make_info(), make_people()), (), np.zeros((0, 3)), np.array([np.nan, np.inf])],
    ids=["people", "video", "tuple", "empty tuple", "empty array", "not finite"],
)
def test_what_comes_out_is_what_went_in(tmp_path, value):
    cache = Cache(tmp_path)
    cache.store("people", KEY, value)
    assert_same(cache.load("people", KEY), value)


def test_every_record_of_the_stages_can_be_kept(tmp_path):
    array = np.zeros((2, 3))
    for name, kind in vars(types).items():
        if dataclasses.is_dataclass(kind):
            record = kind(**{field.name: array for field in dataclasses.fields(kind)})
            Cache(tmp_path).store("any", key_of({"name": name}), record)
            assert_same(Cache(tmp_path).load("any", key_of({"name": name})), record)


def test_nothing_is_pickled(tmp_path):
    for value in (np.array([object()]), object(), {"a": 1}, [1]):
        with pytest.raises(TypeError):
            Cache(tmp_path).store("people", KEY, value)
    assert not list(tmp_path.iterdir())


def test_a_miss(tmp_path):
    assert Cache(tmp_path / "nowhere").load("people", KEY) is None


def test_a_key_changes_with_every_part():
    parts = {"stage": "people", "version": 1, "options": {"people": "main"}, "input": "00"}
    keys = {key_of(parts)}
    for change in ({"stage": "camera"}, {"version": 2}, {"options": {"people": "all"}}, {"input": "01"}):
        keys.add(key_of({**parts, **change}))
    assert len(keys) == 5
    assert key_of(dict(reversed(parts.items()))) == key_of(parts)


@pytest.mark.parametrize("damage", ["cut", "emptied", "text", "flipped", "another npz"])
def test_a_damaged_entry_is_a_miss_and_is_rewritten(tmp_path, damage, caplog):
    cache, people = Cache(tmp_path), make_people()
    cache.store("people", KEY, people)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    if damage == "flipped":
        middle = len(whole) // 2
        path.write_bytes(
            whole[:middle] + bytes(255 - byte for byte in whole[middle : middle + 40]) + whole[middle + 40 :]
        )
    elif damage == "another npz":
        with path.open("wb") as file:
            np.savez(file, value=np.array('{"record": "os", "fields": {}}'))
    else:
        path.write_bytes({"cut": whole[: len(whole) // 2], "emptied": b"", "text": b"no zip at all"}[damage])
    with caplog.at_level(logging.WARNING):
        assert cache.load("people", KEY) is None
    assert "damaged" in caplog.text
    cache.store("people", KEY, people)
    assert_same(cache.load("people", KEY), people)


def test_what_was_not_used_for_longest_goes_first_and_foreign_files_stay(tmp_path):
    foreign = tmp_path / "my own.npz"
    foreign.write_bytes(b"x" * 10_000)
    one = np.random.default_rng(0).bytes(4000)
    value = np.frombuffer(one, dtype=np.uint8)
    cache = Cache(tmp_path, max_bytes=13_500)
    keys = [key_of({"n": n}) for n in range(4)]
    for age, key in enumerate(keys[:3]):
        cache.store("lift", key, value)
        os.utime(tmp_path / f"stage-lift-{key}.npz", (1_000 + age, 1_000 + age))
    assert cache.load("lift", keys[0]) is not None  # used now, so that the second is the oldest
    cache.store("lift", keys[3], value)
    assert [cache.load("lift", key) is not None for key in keys] == [True, False, True, True]
    assert foreign.stat().st_size == 10_000


def test_an_entry_larger_than_the_bound_is_kept_alone(tmp_path):
    cache = Cache(tmp_path, max_bytes=1)
    for n in range(3):
        cache.store("lift", key_of({"n": n}), np.zeros(10))
    assert [path.name for path in tmp_path.iterdir()] == [f"stage-lift-{key_of({'n': 2})}.npz"]


def test_what_killed_processes_left_goes(tmp_path):
    old, other, own = (
        tmp_path / name for name in ("stage-1-old.part", "stage-1-new.part", f"stage-{os.getpid()}-x.part")
    )
    for path in (old, other, own):
        path.write_bytes(b"half")
    os.utime(old, (1_000, 1_000))
    cache = Cache(tmp_path)
    cache.store("lift", KEY, np.zeros(3))
    assert not old.exists() and other.exists() and own.exists()
    cache.drop_unfinished()
    assert other.exists() and not own.exists()


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    with caplog.at_level(logging.WARNING):
        cache.store("people", KEY, make_people())
        assert cache.load("people", KEY) is None
    assert "could not be kept" in caplog.text


def test_a_full_disk_is_no_failure_and_leaves_nothing(tmp_path):
    """In a process of its own, because a half-closed zip must not say anything at exit either."""
    code = (
        "import sys, numpy as np; from pathlib import Path; from ghmr_engine.cache import Cache, key_of\n"
        "value = np.random.default_rng(0).integers(0, 255, 4_000_000, dtype=np.uint8)\n"
        "Cache(Path(sys.argv[1])).store('people', key_of({}), value); print('goes on')"
    )
    ran = run_on_small_disk(tmp_path / "disk", "1m", [sys.executable, "-c", code, str(tmp_path / "disk")])
    assert (ran.code, ran.out, ran.left) == (0, "goes on\n", [])
    assert "could not be kept" in ran.err and len(ran.err.splitlines()) == 1

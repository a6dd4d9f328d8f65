"""Results of other programs are read as data: what a pickle wants to run is refused, and what would grow is stopped."""

import pickle
import subprocess
import sys
import tracemalloc
from collections import OrderedDict, defaultdict
from pathlib import Path

import bad_pickles
import joblib_files
import numpy as np
import pytest
import torch

from ghmr_engine.errors import RecoverError
from ghmr_engine.others import bounded
from ghmr_engine.others.content import read_content
from ghmr_engine.others.unpickling import LARGEST_ARRAY, LeftOut

GOLDEN = Path(__file__).resolve().parent / "golden"
PLAIN = {
    "numbers": [1, -5, 2**40, -(2**70), 1.5, True, None], "text": "ä\n", "bytes": b"\x00\xff" * 300,
    "tuple": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), "sets": [{1, 2}, frozenset({3})], 5: {"deep": {}},
    "ordered": OrderedDict(a=1), "default": defaultdict(dict, {0: {"x": 1}}), "bytearray": bytearray(b"abc"),
}  # fmt: skip
ARRAYS = {
    "f": np.arange(6.0, dtype=np.float32).reshape(2, 3), "turned": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "big": np.arange(4, dtype=">f8"), "none": np.zeros((0, 3)), "flags": np.array([True, False]),
    "words": np.array(["a", "bcd"]), "single": np.array(3.5), "part": np.arange(20.0).reshape(4, 5)[::2, 1:3],
}  # fmt: skip
READ_ALL = """
import pathlib, sys
from ghmr_engine.errors import RecoverError
from ghmr_engine.others.content import read_content
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        print(path.name, read_content(path))
    except RecoverError as error:
        print(path.name, error.code, flush=True)
"""


def same(a, b):
    if isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return a == b


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_out_as_python_reads_them(tmp_path, protocol):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(PLAIN, protocol))
    assert read_content(path) == PLAIN
    path.write_bytes(pickle.dumps({"arrays": ARRAYS, "scalars": [np.float32(1.5), np.int64(7)]}, protocol))
    read = read_content(path)
    assert all(same(read["arrays"][key], value) for key, value in ARRAYS.items())
    assert read["scalars"] == [1.5, 7] and isinstance(read["scalars"][0], np.float32)


def test_arrays_of_objects_in_numpy_s_files(tmp_path):
    np.save(tmp_path / "x.npy", PLAIN)
    assert read_content(tmp_path / "x.npy") == PLAIN
    np.savez_compressed(tmp_path / "x.npz", results=PLAIN, plain=ARRAYS["f"])
    read = read_content(tmp_path / "x.npz")
    assert read["results"] == PLAIN and same(read["plain"], ARRAYS["f"])
    rows = np.empty(2, object)
    rows[0], rows[1] = np.arange(3), np.ones(3, dtype=int)
    np.save(tmp_path / "rows.npy", rows)
    read = read_content(tmp_path / "rows.npy")
    assert read.shape == (2,) and all(same(a, b) for a, b in zip(read, rows, strict=True))


@pytest.mark.parametrize("name", ["joblib.pkl", "joblib_packed.pkl"])
def test_files_that_joblib_itself_wrote(name, tmp_path):
    read = read_content(GOLDEN / name)[3]
    assert same(read["pose"], np.arange(36, dtype=np.float32).reshape(2, 18))
    assert same(read["turned"], np.arange(6.0).reshape(2, 3)) and same(read["frame_ids"], np.arange(2))
    assert read["empty"].shape == (0, 3) and read["one"] == 2.5 and read["text"] == "ä"
    # The tests' own writer says the same in the same layout.
    joblib_files.dump({3: {**read, "turned": np.asfortranarray(read["turned"])}}, tmp_path / "x", "packed" in name)
    again = read_content(tmp_path / "x")[3]
    assert all(same(again[key], value) for key, value in read.items())


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_in_pytorch_s_files_and_in_pickles(tmp_path, zipped):
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    tensors = {"a": base, "turned": base.t()[1:3], "frames": torch.arange(3), "half": base.half(), "flag": base > 3}
    torch.save({"pred": tensors}, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    np.save(tmp_path / "x.npy", tensors)
    pickled = read_content(tmp_path / "x.npy")
    read = read_content(tmp_path / "x.pt")["pred"]
    for key, value in tensors.items():
        assert np.array_equal(read[key], value.numpy()) and same(pickled[key], value.numpy()), key


def test_an_array_too_large_to_be_of_use_is_passed_over(tmp_path):
    large = np.zeros(LARGEST_ARRAY // 8 + 1)
    joblib_files.dump({"verts": large, "pose": np.ones(3)}, tmp_path / "x.pkl", packed=True)
    np.savez_compressed(tmp_path / "x.npz", verts=large, pose=np.ones(3))
    for path in tmp_path.iterdir():
        read = read_content(path)
        assert isinstance(read["verts"], LeftOut) and same(read["pose"], np.ones(3))


def refused(path, mark):
    with pytest.raises(RecoverError) as error:
        read_content(path)
    assert not mark.exists()
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize("protocol", range(6))
def test_calls_are_refused_and_not_made(tmp_path, protocol):
    mark = tmp_path / "mark"
    for name, value in bad_pickles.calls(mark).items():
        path = tmp_path / "x.pkl"
        path.write_bytes(bad_pickles.dumped({"fine": 1, "bad": [value]}, protocol))
        error = refused(path, mark)
        assert error.code == "unsafe_file" and "nothing of it was run" in error.message, name


def test_python_itself_would_have_made_them(tmp_path):
    mark = tmp_path / "mark"
    pickle.loads(bad_pickles.dumped(bad_pickles.calls(mark)["os.system"], 4))  # noqa: S301  our own
    assert mark.exists()


def test_opcodes_by_hand_are_refused(tmp_path):
    mark = tmp_path / "mark"
    for name, data in bad_pickles.by_hand(mark).items():
        path = tmp_path / "x.pkl"
        path.write_bytes(data)
        assert refused(path, mark).code in ("unsafe_file", "damaged_file"), name


def test_calls_inside_of_other_containers_are_refused(tmp_path):
    (tmp_path / "files").mkdir()
    names = set()
    for path in bad_pickles.nested(tmp_path / "mark", tmp_path / "files"):
        assert refused(path, tmp_path / "mark").code == "unsafe_file", path.name
        names.add(path.suffix)
    assert names == {".pkl", ".npy", ".npz", ".pt"}


def test_bombs_do_not_eat_the_memory(tmp_path):
    for path in bad_pickles.bombs(tmp_path):
        tracemalloc.start()
        try:
            error = refused(path, tmp_path / "mark")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert error.code in ("too_large", "damaged_file"), (path.name, error)
        assert peak < 150e6, (path.name, peak)


def test_nothing_that_is_asked_for_again_and_again_eats_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "MOST_BYTES", 1 << 23)
    for name, data in bad_pickles.copies().items():
        path = tmp_path / "x.pkl"
        path.write_bytes(data)
        tracemalloc.start()
        try:
            error = refused(path, tmp_path / "mark")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert error.code == "too_large", name
        assert peak < 100e6, (name, peak)


def test_an_array_of_less_than_nothing_is_not_read(tmp_path):
    bad_pickles.backwards(tmp_path / "x.npz")
    tracemalloc.start()
    try:
        assert refused(tmp_path / "x.npz", tmp_path / "mark").code == "damaged_file"
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_no_file_makes_the_reader_itself_crash(tmp_path):
    crashes = bad_pickles.crashes()
    for name, data in crashes.items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run([sys.executable, "-c", READ_ALL, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name} damaged_file" for name in sorted(crashes)]


def test_what_is_no_result_is_one_line(tmp_path):
    for name, data in {"empty": b"", "text": b"hello\n", "zeros": bytes(100), "zip": b"PK\x03\x04" + bytes(50)}.items():
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name, tmp_path / "mark").code == "damaged_file", name
    assert refused(tmp_path / "none", tmp_path / "mark").code == "no_file"
    assert refused(tmp_path, tmp_path / "mark").code == "no_file"


def test_the_stack_cannot_be_brought_out_of_order(tmp_path):
    rng = np.random.default_rng(1)
    data = bytearray(pickle.dumps({"plain": PLAIN, "arrays": ARRAYS}, 4))
    for _ in range(300):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            broken[place] = rng.integers(0, 256)
        path = tmp_path / "x.pkl"
        path.write_bytes(broken)
        try:
            read_content(path)
        except RecoverError as error:
            assert error.code in ("unsafe_file", "damaged_file", "too_large")

"""A disk that is full, at each thing that is written: one line or no failure, what was there stays, nothing is half."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from small_disk import run_on_small_disk

HERE = Path(__file__).resolve().parent
_CODE = """
import errno, json, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
import numpy as np
disk = Path(sys.argv[1])
old = disk / {name!r}
old.write_bytes(b"an older one")
(disk / "ballast").write_bytes(b"x" * 1_000_000)
def fill(path=disk / "rest"):
    try:
        with path.open("wb") as file:
            while file.write(b"x" * 4096): pass
    except OSError as error: assert error.errno == errno.ENOSPC
fill()
try:
{what}
    print("done")
except Exception as error: print(type(error).__name__, str(error).replace(chr(10), " NEWLINE "))
(disk / "rest").unlink()
print(old.read_bytes() == b"an older one")
"""
_WRITES = {
    "motion file": ("a.motion.npz", """
    from motions import walking_motion
    from ghmr_engine.motion_file import write_motion
    write_motion(old, walking_motion(frames=30))"""),
    "people file": ("a.people.json", """
    from ghmr_engine.output import whole_or_nothing
    from ghmr_engine.part_files import part_of
    with whole_or_nothing(old):
        part_of(old).write_text(json.dumps(list(range(100_000))))"""),
    "picture": ("a.png", """
    from ghmr_engine.picture import save_picture
    save_picture(old, np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8))"""),
    "identities": ("a.identities.json", """
    from ghmr_engine.part_files import written_whole
    with written_whole(old) as part: part.write_text("x" * 100_000)"""),
    "installer's stamp": ("stamp", """
    from installer.stamps import write_whole
    write_whole(old, b"x" * 100_000)"""),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(_WRITES))
def test_what_was_there_stays(tmp_path, what):
    name, body = _WRITES[what]
    code, disk = _CODE.format(name=name, what=body), tmp_path / "disk"
    ran = run_on_small_disk(disk, "2m", [sys.executable, "-c", code, str(disk), str(HERE), str(HERE.parent)])
    assert ran.code == 0, ran.err
    said, kept = ran.out.splitlines()
    assert "No space left" in said or "full" in said, said
    assert "NEWLINE" not in said and kept == "True"
    assert sorted(ran.left) == sorted([name, "ballast"])


def test_a_run_whose_cache_has_no_room_gives_its_result(tmp_path):
    """And previews neither: both can be done without."""
    clip, out, disk = tmp_path / "walk.mp4", tmp_path / "a.motion.npz", tmp_path / "disk"
    clip.write_bytes(b"a clip")
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "TMPDIR": str(disk), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "stand_ins.py"), "plain", "recover", str(clip), "--out", str(out),
               "--cache", str(disk / "cache")]  # fmt: skip
    ran = run_on_small_disk(disk, "600k", command, environment)
    assert ran.code == 0, ran.err
    assert out.is_file() and "Traceback" not in ran.err
    assert set(ran.left) <= {"cache", "torchinductor_root"}  # PyTorch's own folder


@pytest.mark.skipif(not os.environ.get("RECOVER_MOTION_BPY_PYTHONS"), reason="no Blender: RECOVER_MOTION_BPY_PYTHONS")
def test_a_scene_that_does_not_fit_leaves_the_older_one(tmp_path, demo_clip):
    from extension_tree import assemble_extension
    from motions import walking_motion

    from ghmr_engine.motion_file import write_motion

    python = os.environ["RECOVER_MOTION_BPY_PYTHONS"].split(os.pathsep)[0]
    package, motion, disk = assemble_extension(tmp_path), tmp_path / "a.motion.npz", tmp_path / "disk"
    write_motion(motion, walking_motion(frames=30))
    script = (
        "import os, sys, runpy, errno; from pathlib import Path\n"
        "old = Path(sys.argv[3]); old.write_bytes(b'an older one')\n"
        "from recover_motion.headless import main\n"
        "code = main(sys.argv[1:]); print(code, old.read_bytes() == b'an older one'); sys.stdout.flush(); os._exit(0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    ran = run_on_small_disk(
        disk, "40k", [python, "-c", script, str(motion), str(demo_clip), str(disk / "take.blend")], environment
    )
    assert ran.out.splitlines()[-1] == "1 True", ran.out + ran.err
    assert ran.left == ["take.blend"] and "Traceback" not in ran.err

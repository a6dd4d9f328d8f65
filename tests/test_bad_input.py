"""What bad input gets from the real engine: one line that says what is wrong and what to do, and nothing written."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from small_disk import run_on_small_disk

from ghmr_engine import places
from ghmr_engine.models import known_models
from ghmr_engine.motion_file import read_motion
from ghmr_engine.result import NETWORKS


def make_clip(path, frames):
    """A grey wall with a moving shade, 320 x 240 at 30 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for place in range(frames):
            shade = (np.add.outer(np.arange(240), np.arange(320)) // 4 + place) % 128
            picture = np.repeat(shade[..., None], 3, axis=2).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def make_sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 44100
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))


def recover(clip, out, *more):
    command = [sys.executable, "-m", "ghmr_engine.cli", "recover", str(clip), "--out", str(out), "--no-cache", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def assert_refused(done, folder, *words):
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert not list(folder.glob("out*"))


@pytest.fixture
def installed():
    if not all(known_models()[name].path.is_file() for name in NETWORKS) or not places.body_path().is_file():
        pytest.skip("models or body are not installed: run `python3 install.py setup`")


CLIPS = {
    "no such file": (lambda path: None, "There is no file"),
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "not a video": (lambda path: path.write_text("Dear diary,\n" * 500), "a.mp4"),
    "an empty file": (lambda path: path.write_bytes(b""), "a.mp4"),
    "zero frames": (lambda path: make_clip(path, 0), "a.mp4"),
    "sound alone": (make_sound, "a.mp4"),
    "too short": (lambda path: make_clip(path, 9), "9 frames"),
}


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_that_is_none(tmp_path, name):
    make, word = CLIPS[name]
    make(tmp_path / "a.mp4")
    assert_refused(recover(tmp_path / "a.mp4", tmp_path / "out.motion.npz"), tmp_path, word)


def test_a_part_that_is_not_there(tmp_path):
    make_clip(tmp_path / "a.mp4", 30)
    out = tmp_path / "out.motion.npz"
    assert_refused(recover(tmp_path / "a.mp4", out, "--start", "300"), tmp_path, "30")
    assert_refused(recover(tmp_path / "a.mp4", out, "--start", "5", "--end", "9"), tmp_path, "5 frames")


def test_a_disk_that_fills_up_under_the_encoder(tmp_path):
    make_clip(tmp_path / "wall.mp4", 120)
    code = (
        "import sys; from pathlib import Path; from ghmr_engine import output, video\n"
        "from ghmr_engine.errors import RecoverError; from ghmr_engine.options import Options\n"
        "clip, out = video.open_video(Path(sys.argv[1]), Options()), Path(sys.argv[2], 'out.motion.npz')\n"
        "try:\n"
        "    with output.whole_or_nothing(out): video.write_background(clip, output.background_part(out))\n"
        "except RecoverError as error: print(error.code)"
    )
    disk = tmp_path / "disk"
    ran = run_on_small_disk(disk, "16k", [sys.executable, "-c", code, str(tmp_path / "wall.mp4"), str(disk)])
    assert (ran.code, ran.out, ran.err, ran.left) == (0, "disk_full\n", "", [])


def test_nobody_on_a_wall(tmp_path, installed):
    make_clip(tmp_path / "wall.mp4", 20)
    assert_refused(recover(tmp_path / "wall.mp4", tmp_path / "out.motion.npz"), tmp_path, "Nobody", "wall.mp4")


@pytest.mark.slow
@pytest.mark.clips
def test_nobody_but_a_bear(tmp_path, installed, clips_dir):
    assert_refused(recover(clips_dir / "no_person.mp4", tmp_path / "out.motion.npz"), tmp_path, "Nobody")


@pytest.mark.slow
@pytest.mark.clips
def test_of_a_truncated_clip_what_decodes_is_used_with_a_warning(tmp_path, installed, clips_dir):
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    with av.open(str(clips_dir / "two_people_occlusion.mp4")) as source, av.open(str(whole), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 4])
    out = tmp_path / "out.motion.npz"
    done = recover(cut, out, "--quality", "fast", "--people", "1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    motion = read_motion(out)
    assert 10 <= motion.meta["frames"] < 50
    assert any("cut" in text or "damaged" in text or "truncated" in text for text in motion.meta["warnings"])
    assert "Warning: " in done.stdout

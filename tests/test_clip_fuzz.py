"""Clips from anywhere: cut, flipped and emptied containers, and files that want others opened for them."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import numpy as np
import pytest
from clip_files import HEIGHT, WIDTH, write_clip

from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options
from ghmr_engine.video import open_video

FRAMES = 40
LONGEST_S = 20.0
KINDS = {
    "index last": ("a.mp4", {}),
    "index first": ("a.mp4", {"container_options": {"movflags": "faststart"}}),
    "matroska": ("a.mkv", {}),
    "motion jpeg": ("a.mov", {"codec": "mjpeg", "pixels": "yuvj420p"}),
    "avi": ("a.avi", {"codec": "mpeg4"}),
}


def read(path: Path) -> int | str:
    """How many pictures come, or the code of what is said instead. Nothing else may happen."""
    began, count = time.process_time(), 0
    try:
        video = open_video(path, Options())
        assert video.info.frames < 100_000  # times in a damaged file may say anything
        for picture in video.frames():
            count += 1
            assert picture.shape == (video.info.height, video.info.width, 3) and picture.nbytes < 1e8
            if count > 300:
                return count
    except RecoverError as error:
        assert "\n" not in str(error) and error.fix
        return error.code
    finally:
        assert time.process_time() - began < LONGEST_S
    assert count == video.info.frames
    return count


@pytest.mark.parametrize("kind", KINDS)
def test_a_container_cut_at_every_tenth(tmp_path, kind):
    name, how = KINDS[kind]
    path = write_clip(tmp_path / name, range(FRAMES), **how)
    whole = path.read_bytes()
    results = []
    for tenth in range(10):
        path.write_bytes(whole[: len(whole) * tenth // 10])
        results.append(read(path))
    assert results[0] == "no_frames" and all(isinstance(result, str) or result <= FRAMES for result in results)
    if kind not in ("index last", "motion jpeg"):  # whose index is gone
        assert results[9] > FRAMES // 2
    path.write_bytes(whole)
    assert read(path) == FRAMES


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_flipped_in_headers_and_spans_emptied(tmp_path, kind):
    name, how = KINDS[kind]
    path = write_clip(tmp_path / name, range(FRAMES), **how)
    whole, rng = path.read_bytes(), np.random.default_rng(len(kind))
    heads = [0, max(whole.find(b"moov"), 0), len(whole) - 1500]
    for number in range(24):
        content = bytearray(whole)
        if number % 3 == 2:
            begin = int(rng.integers(len(content)))
            end = min(begin + int(rng.integers(1, 3000)), len(content))
            content[begin:end] = bytes(end - begin)
        else:
            begin = max(heads[number % len(heads)], 0)
            for place in rng.integers(begin, min(begin + 1500, len(content)), rng.integers(1, 6)):
                content[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)
        read(path)


def test_what_is_no_plain_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert read(tmp_path / "pipe.mp4") == "no_frames"
    assert read(Path("/dev/zero")) == "no_frames"
    assert read(tmp_path) == "not_a_file"
    assert read(tmp_path / "a\0b.mp4") == read(tmp_path / "\ud800.mp4") == "no_such_file"


@pytest.mark.parametrize("ending", ["m3u8", "mp4", "ts", "sdp", "mpd", "ffconcat"])
def test_a_list_of_other_files_opens_none_of_them(tmp_path, ending):
    """A playlist reaches into the network, or to files that its sender may not read."""
    clip = write_clip(tmp_path / "other.ts", range(FRAMES))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        port = server.getsockname()[1]
        for there in (f"http://127.0.0.1:{port}/a.ts", f"tcp://127.0.0.1:{port}", clip.name, str(clip)):
            for text in (
                f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n{there}\n#EXT-X-ENDLIST\n",
                f"ffconcat version 1.0\nfile '{there}'\n",
                f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
            ):
                path = tmp_path / f"list.{ending}"
                path.write_text(text)
                assert read(path) in ("not_a_video", "no_frames")
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "name", ["concat:a.mp4", "http:a.mp4", "pipe:0", "take:1.mp4", "a%03d.mp4", "-a.mp4", "data:,x"]
)
def test_a_name_is_a_name(tmp_path, name, monkeypatch):
    """Relative, as users give it: what stands before the colon is no protocol."""
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", range(FRAMES)).rename(tmp_path / name)
    assert read(Path(name)) == FRAMES


def test_a_picture_of_giant_size_takes_no_giant_memory(tmp_path):
    """A header that says 65535 x 65535: the decoder's word counts, and there is none."""
    path = write_clip(tmp_path / "a.mp4", range(FRAMES))
    content = path.read_bytes()
    place = content.find(b"avc1", content.find(b"stsd")) + 28
    assert content[place : place + 4] == bytes([0, WIDTH, 0, HEIGHT])
    path.write_bytes(content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :])
    assert read(path) in (FRAMES, "not_a_video", "no_frames")

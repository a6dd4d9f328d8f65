"""What damaged videos, and files that are no video, get from the video stage."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from clip_files import HEIGHT, WIDTH, number_in, numbered, write_clip

from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options
from ghmr_engine.video import open_video


def opened(path: Path, **options):
    return open_video(path, Options(**options))


def numbers(video) -> list[int]:
    shown = [number_in(picture) for picture in video.frames()]
    assert len(shown) == video.info.frames
    return shown


def refusal(path: Path, **options) -> RecoverError:
    with pytest.raises(RecoverError) as caught:
        opened(path, **options)
    assert "\n" not in str(caught.value)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(("codec", "pixels"), [("libx264", "yuv420p"), ("mjpeg", "yuvj420p")])
def test_a_cut_mp4_gives_what_decodes_and_a_warning(tmp_path, codec, pixels):
    path = write_clip(
        tmp_path / "clip.mp4", times=range(300), codec=codec, pixels=pixels, container_options={"movflags": "faststart"}
    )
    kept = int(path.stat().st_size * 0.7)
    with av.open(str(path)) as container:
        whole = sum(packet.size > 0 and packet.pos + packet.size <= kept for packet in container.demux(video=0))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[:kept])
    video = opened(cut)
    (warning,) = video.info.warnings
    assert f"{whole} of 300" in warning
    assert 60 < video.info.frames == whole < 295
    assert numbers(video) == list(range(whole))
    *_, last = video.frames()
    assert np.abs(last.astype(int) - numbered(whole - 1)).mean() < 4  # no half grey picture


def test_a_cut_mkv_gives_what_decodes_and_a_warning(tmp_path):
    path = write_clip(tmp_path / "clip.mkv", times=range(300))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])
    video = opened(cut)
    (warning,) = video.info.warnings
    assert "of 10.0 seconds" in warning
    assert numbers(video) == list(range(video.info.frames))


def test_damage_in_the_middle_still_gives_every_frame(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", times=range(90), codec_options={"g": "15"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    video = opened(path)
    assert len(list(video.frames())) == video.info.frames > 60


def test_the_picture_before_stands_in_for_a_lost_one(tmp_path):
    path = write_clip(tmp_path / "clip.mkv", codec="mjpeg", pixels="yuvj420p")
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][20]
        content, picture = bytearray(path.read_bytes()), bytes(packet)
    begin = content.find(picture)
    content[begin : begin + len(picture)] = bytes(len(picture))
    path.write_bytes(content)
    assert numbers(opened(path)) == [*range(20), 19, *range(21, 30)]
    assert numbers(opened(path, start=20)) == [19, *range(21, 30)]


def test_an_mp4_without_its_index_is_no_video(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", times=range(100))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(path).code == "not_a_video"


def test_what_is_not_there_or_not_a_file_is_said(tmp_path):
    assert refusal(tmp_path / "none.mp4").code == "no_such_file"
    assert refusal(tmp_path).code == "not_a_file"


@pytest.mark.parametrize("name", ["text.txt", "text.mp4", "noise.mov"])
def test_other_files_are_not_videos(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(1).bytes(5000) if name == "noise.mov" else b"hello world\n" * 100)
    error = refusal(path)
    assert error.code == "not_a_video"
    assert name in error.message


@pytest.mark.parametrize("name", ["picture.jpg", "picture.png", "picture.mp4"])
def test_a_picture_is_not_a_video(tmp_path, name):
    from cv2 import imencode

    path = tmp_path / name
    path.write_bytes(imencode(".png" if name.endswith("png") else ".jpg", numbered(3))[1].tobytes())
    assert refusal(path).code == "not_a_video"


def test_sound_alone_is_not_a_video(tmp_path):
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        for _ in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 44100
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert refusal(path).code == "not_a_video"


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4", "empty.mp4"])
def test_a_video_without_pictures_is_said(tmp_path, name):
    path = tmp_path / name
    if name == "empty.mp4":
        path.write_bytes(b"")
    else:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=30)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            container.start_encoding()
    assert refusal(path).code == "no_frames"


def test_too_few_frames_are_said(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", times=range(9))
    assert refusal(path).code == "too_short"
    assert refusal(write_clip(tmp_path / "more.mp4"), start=25).code == "too_short"
    assert opened(write_clip(tmp_path / "ten.mp4", times=range(10))).info.frames == 10


def test_a_start_beyond_the_end_is_said(tmp_path):
    error = refusal(write_clip(tmp_path / "clip.mp4"), start=30)
    assert error.code == "start_beyond_end"
    assert "29" in error.message

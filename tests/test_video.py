"""The video stage on clips made here: which picture is shown when, and which way up."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clip_files import HEIGHT, WIDTH, number_in, numbered, red_corner, write_clip

from ghmr_engine.errors import Cancelled
from ghmr_engine.options import Options
from ghmr_engine.video import open_video, write_background

NTSC = Fraction(30000, 1001)
PHONE_MS = [0, 33, 67, 100, 200, 233, 267, 300, 433, 467, 500, 533, 567, 600, 633, 667]
"""A phone at 30 frames a second that lost two frames after 100 ms and three after 300 ms."""


def opened(path: Path, **options):
    return open_video(path, Options(**options))


def numbers(video) -> list[int]:
    shown = [number_in(picture) for picture in video.frames()]
    assert len(shown) == video.info.frames
    return shown


# Constant rate: one to one


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "avi", "ts"])
@pytest.mark.parametrize("rate", [NTSC, Fraction(30), Fraction(10), Fraction(24000, 1001)])
def test_a_constant_clip_passes_one_to_one_at_its_own_rate(tmp_path, ending, rate):
    video = opened(write_clip(tmp_path / f"clip.{ending}", rate=rate))
    assert (video.info.fps, video.info.frames, video.info.start) == (rate, 30, 0)
    assert video.info.constant_rate
    assert video.info.warnings == ()
    assert numbers(video) == list(range(30))


def test_pictures_are_upright_rgb_of_the_stated_size_as_often_as_asked(tmp_path):
    video = opened(write_clip(tmp_path / "clip.mp4"))
    assert (video.info.width, video.info.height) == (WIDTH, HEIGHT)
    for _ in range(2):
        pictures = list(video.frames())
        assert all(picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8 for picture in pictures)
        assert np.abs(pictures[5].astype(int) - numbered(5)).mean() < 4
        pictures[0][:] = 0  # a caller may draw into what it gets


def test_the_first_picture_is_time_zero_wherever_the_container_begins(tmp_path):
    for ending in ("mp4", "mkv", "ts"):
        video = opened(write_clip(tmp_path / f"late.{ending}", times=range(100, 130)))
        assert numbers(video) == list(range(30)), ending
        assert video.info.warnings == (), ending


def test_the_file_is_named_measured_and_hashed(tmp_path):
    path = write_clip(tmp_path / "clip.mp4")
    info = opened(path).info
    assert (info.name, info.bytes) == ("clip.mp4", path.stat().st_size)
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


# Variable rate


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_uneven_times_are_resampled_to_the_nearest_picture(tmp_path, ending):
    video = opened(write_clip(tmp_path / f"phone.{ending}", times=PHONE_MS, time_base=Fraction(1, 1000)))
    assert video.info.fps == 30
    assert not video.info.constant_rate
    # frame 4 is at 133 ms (100 is nearer than 200), 5 at 167 (200); 10 at 333 (300), 11 at 367 (300 and 433: 433)
    assert numbers(video) == [0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 7, 8, 8, 8, 9, 10, 11, 12, 13, 14, 15]


def test_jitter_is_not_resampled_but_told(tmp_path):
    jitter_ms = [0, 4, -5, 3, -2]
    times = [round(1000 * k / 30) + jitter_ms[k % 5] + 5 for k in range(40)]
    video = opened(write_clip(tmp_path / "clip.mp4", times=times, time_base=Fraction(1, 1000)))
    assert video.info.fps == 30
    assert not video.info.constant_rate
    assert numbers(video) == list(range(40))


def test_an_odd_but_constant_rate_is_kept(tmp_path):
    rate = Fraction(2983, 100)
    video = opened(write_clip(tmp_path / "clip.mp4", times=range(60), rate=rate))
    assert video.info.constant_rate
    assert abs(video.info.fps - rate) < 1e-3
    assert numbers(video) == list(range(60))


# start, end, fps


def test_start_and_end_choose_frames_both_included(tmp_path):
    path = write_clip(tmp_path / "clip.mp4")
    video = opened(path, start=5, end=19)
    assert (video.info.start, video.info.frames) == (5, 15)
    assert numbers(video) == list(range(5, 20))
    assert numbers(opened(path, start=12, end=500)) == list(range(12, 30))


@pytest.mark.parametrize(("fps", "shown"), [(15, range(0, 30, 2)), (60, [k // 2 for k in range(59)])])
def test_another_rate_takes_the_nearest_pictures(tmp_path, fps, shown):
    video = opened(write_clip(tmp_path / "clip.mp4"), fps=float(fps))
    assert video.info.fps == fps
    assert numbers(video) == list(shown)


def test_start_counts_at_the_clip_s_rate_and_is_told_at_the_result_s(tmp_path):
    video = opened(write_clip(tmp_path / "clip.mp4", times=range(60)), start=20, end=49, fps=15.0)
    assert video.info.start == 10
    assert numbers(video) == list(range(20, 50, 2))


def test_29_97_means_the_broadcast_rate(tmp_path):
    assert opened(write_clip(tmp_path / "clip.mp4", times=range(60), rate=60), fps=29.97).info.fps == NTSC


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_late_start_is_found_exactly(tmp_path, ending):
    path = write_clip(tmp_path / f"clip.{ending}", times=range(200), codec_options={"g": "37", "bf": "3"})
    for start in (61, 111, 148, 189):
        assert numbers(opened(path, start=start)) == list(range(start, 200))


# Which way up, and pixels of all kinds


@pytest.mark.parametrize(
    ("turn", "rotation", "corner"),
    [(0, 0, "top left"), (-90, 90, "top right"), (180, 180, "bottom right"), (90, 270, "bottom left")],
)
def test_a_turned_clip_stands_upright(tmp_path, turn, rotation, corner):
    video = opened(write_clip(tmp_path / "clip.mp4", turn=turn))
    size = (HEIGHT, WIDTH) if rotation in (90, 270) else (WIDTH, HEIGHT)
    assert (video.info.rotation, (video.info.width, video.info.height)) == (rotation, size)
    picture = next(video.frames())
    assert picture.shape == (size[1], size[0], 3)
    assert red_corner(picture) == corner


def test_a_mirrored_clip_is_told(tmp_path):
    (warning,) = opened(write_clip(tmp_path / "clip.mp4", mirror=True)).info.warnings
    assert "mirrored" in warning


@pytest.mark.parametrize(
    ("ending", "codec", "pixels"),
    [
        ("mp4", "libx264", "yuv420p10le"),
        ("mp4", "libx265", "yuv420p10le"),
        ("mkv", "ffv1", "yuv420p10le"),
        ("mkv", "ffv1", "yuv444p16le"),
        ("webm", "libvpx-vp9", "yuv420p"),
        ("webm", "libvpx", "yuv420p"),
        ("avi", "mjpeg", "yuvj420p"),
        ("mov", "prores_ks", "yuv422p10le"),
    ],
)
def test_every_kind_of_pixel_becomes_8_bit_rgb(tmp_path, ending, codec, pixels):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")
    video = opened(write_clip(tmp_path / f"clip.{ending}", codec=codec, pixels=pixels))
    pictures = list(video.frames())
    assert [number_in(picture) for picture in pictures] == list(range(30))
    assert np.abs(pictures[7][4:24, 4:40].astype(int) - (220, 30, 30)).max() < 40


def test_odd_sizes_stay_odd(tmp_path):
    video = opened(write_clip(tmp_path / "odd.mkv", codec="ffv1", pixels="yuv444p", size=(97, 65)))
    assert (video.info.width, video.info.height) == (97, 65)
    assert all(picture.shape == (65, 97, 3) for picture in video.frames())


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (128, 64)), (Fraction(1, 2), (96, 128))])
def test_pixels_become_square(tmp_path, aspect, size):
    video = opened(write_clip(tmp_path / "clip.mp4", pixel_aspect=aspect))
    assert (video.info.width, video.info.height) == size
    assert next(video.frames()).shape == (size[1], size[0], 3)


def combed(number: int) -> np.ndarray:
    """A white bar that moves 6 px a field: odd lines show the first field, even lines the second."""
    picture = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    for field in (0, 1):
        x = 4 + 6 * ((2 * number + field) % 12)
        picture[1 - field :: 2, x : x + 12] = 235
    return picture


def test_interlaced_frames_lose_their_comb_one_for_one(tmp_path):
    path = write_clip(
        tmp_path / "clip.mpg", rate=25, codec="mpeg2video", draw=combed,
        codec_options={"flags": "+ildct+ilme", "qmin": "2", "qmax": "3"},
    )  # fmt: skip
    video = opened(path)
    assert video.info.interlaced
    assert video.info.frames == 30
    comb = []
    for number, picture in enumerate(video.frames()):
        grey = picture[..., 0].astype(int)
        comb.append(np.abs(grey[8:-8:2] - (grey[7:-9:2] + grey[9:-7:2]) / 2).mean())
        bright = np.flatnonzero(grey[30] > 128)
        assert abs(bright.mean() - (4 + 6 * (2 * number % 12) + 5.5)) < 2, number  # the first field's moment
    stored = combed(0)[..., 0].astype(int)
    before = np.abs(stored[8:-8:2] - (stored[7:-9:2] + stored[9:-7:2]) / 2).mean()
    assert max(comb) < before / 4


# Lens


def test_the_focal_length_of_apple_s_phones_is_read(tmp_path):
    key = "com.apple.quicktime.camera.focal_length.35mm_equivalent"
    options = {"movflags": "use_metadata_tags"}
    path = write_clip(tmp_path / "clip.mov", metadata={key: "26"}, container_options=options)
    assert opened(path).info.focal_px == pytest.approx(26 / 43.27 * np.hypot(WIDTH, HEIGHT))
    assert opened(write_clip(tmp_path / "plain.mov")).info.focal_px is None


# The upright copy


@pytest.mark.parametrize("size", [(96, 64), (97, 65)])
def test_the_upright_copy_shows_the_same_frames_at_the_same_rate(tmp_path, size):
    path = write_clip(
        tmp_path / "phone.mkv", times=PHONE_MS, time_base=Fraction(1, 1000), codec="ffv1", pixels="yuv444p", size=size
    )
    video = opened(path)
    copy, told = tmp_path / "copy.mp4", []
    write_background(video, copy, told.append)
    again = opened(copy)
    assert again.info.constant_rate
    assert (again.info.fps, again.info.frames, again.info.rotation) == (video.info.fps, video.info.frames, 0)
    assert (again.info.width, again.info.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert numbers(again) == numbers(video)
    assert (told[-1], told) == (1.0, sorted(told))
    assert sorted(tmp_path.iterdir()) == sorted([path, copy])


def test_the_copy_of_a_turned_clip_is_upright(tmp_path):
    write_background(opened(write_clip(tmp_path / "clip.mp4", turn=-90)), tmp_path / "copy.mp4")
    again = opened(tmp_path / "copy.mp4")
    assert (again.info.width, again.info.height, again.info.rotation) == (HEIGHT, WIDTH, 0)
    assert red_corner(next(again.frames())) == "top right"


def test_a_stopped_copy_leaves_nothing(tmp_path):
    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    path = write_clip(tmp_path / "clip.mp4")
    with pytest.raises(Cancelled):
        write_background(opened(path), tmp_path / "copy.mp4", stop)
    assert list(tmp_path.iterdir()) == [path]


# Streaming

_WATCH = """
import resource, sys
from pathlib import Path
from ghmr_engine.options import Options
from ghmr_engine.video import open_video
peaks = []
for index, _ in enumerate(open_video(Path(sys.argv[1]), Options()).frames()):
    if index in (99, 549):
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.stderr.write(f"peaks {peaks[0]} {peaks[1]}")
"""


def test_memory_does_not_grow_and_nothing_is_printed(tmp_path, repo):
    pytest.importorskip("resource", reason="peak memory is read through a Unix module")
    path = write_clip(tmp_path / "long.mkv", times=range(620), size=(480, 320), codec_options={"preset": "ultrafast"})
    path.write_bytes(path.read_bytes()[:-2000])  # cut, so that the decoder has something to say
    done = subprocess.run([sys.executable, "-c", _WATCH, str(path)], cwd=repo, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    early, late = (int(peak) for peak in done.stderr.split("peaks ")[1].split())
    unit = 1 if sys.platform == "darwin" else 1024
    assert (late - early) * unit < 15e6  # 450 pictures would be 207 MB


# Real clips


@pytest.mark.clips
def test_real_clips_open_as_they_are(clips_dir):
    expected = {
        "sit_stand_handheld.mp4": (720, 1280, 30, 254),
        "two_people_occlusion.mp4": (1280, 720, 30, 101),
        "rooftop_two_people.mp4": (1768, 994, 30, 230),
        "one_by_one_empty_frames.mp4": (768, 432, 10, 1394),
    }
    for name, facts in expected.items():
        info = opened(clips_dir / name).info
        assert (info.width, info.height, info.fps, info.frames) == facts
        assert info.constant_rate
        assert not info.warnings

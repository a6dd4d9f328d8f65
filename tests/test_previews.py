"""Previews: small pictures of what is there, drawn where it is, and the file that holds them while a job runs."""

import numpy as np
import pytest

from ghmr_engine import jpeg as jpeg_module
from ghmr_engine import previews
from ghmr_engine.jpeg import ReplacedPicture
from ghmr_engine.options import Options
from ghmr_engine.pipeline import find, recover
from ghmr_engine.previews import LONGEST_SIDE, telling_frame
from ghmr_engine.types import People
from ghmr_engine.video import open_video


def people_of(*frames):
    """People who are seen in these frames."""
    from test_find import standing

    tracks = []
    for number, each in enumerate(frames, 1):
        track = standing(number, np.full(len(each), 100.0))
        track.frames[:] = each
        tracks.append(track)
    return People(tuple(tracks), np.zeros((40, 1, 1), np.uint8), (1, 8))


def test_the_telling_frame_shows_most_people_near_the_middle():
    assert telling_frame(people_of(range(40)), range(40)) in (19, 20)
    assert telling_frame(people_of(range(40), range(5, 10)), range(40)) == 9
    assert telling_frame(people_of(range(40), range(5, 10)), [0, 8, 16, 24]) == 8
    assert telling_frame(people_of(range(40), range(5, 8)), [0, 9, 18, 27]) in (9, 18)


@pytest.fixture(scope="module")
def shown(demo_clip, body, tmp_path_factory):
    """Pictures of a recovery of the demo, and of another one that uses its people again."""
    folder = tmp_path_factory.mktemp("previews")
    runs = []
    for height in (None, 1.7):
        pictures = []
        options = Options(end=39, quality="fast", height=height)
        recover(demo_clip, folder / "a.motion.npz", options, lambda _: None, folder / "cache", pictures.append)
        runs.append(pictures)
    return runs


def test_a_recovery_shows_people_then_bodies(demo_clip, shown):
    pictures = shown[0]
    assert len(pictures) >= 3
    assert all(picture.shape == (180, 320, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert max(pictures[0].shape) == LONGEST_SIDE
    frames = list(open_video(demo_clip, Options(end=39)).frames())
    plain = [previews._shrunk(frame).astype(int) for frame in frames]
    for picture in (pictures[-2], pictures[-1]):
        changed = [(abs(picture - each).max(-1) > 40) for each in plain]
        nearest = int(np.argmin([each.mean() for each in changed]))
        assert 15 < nearest < 25  # the middle
        assert 0.003 < changed[nearest].mean() < 0.15
    # Both draw over the same person, the second a grid on the ground besides.
    people, bodies = (picture.astype(int) for picture in pictures[-2:])
    drawn = np.argwhere(abs(people - plain[nearest]).max(-1) > 40)
    (y0, x0), (y1, x1) = drawn.min(0), drawn.max(0)
    assert 60 < y1 - y0 < 130 and 15 < x1 - x0 < 60
    over = abs(bodies - plain[nearest]).max(-1) > 40
    assert over[y0:y1, x0:x1].mean() > 0.25 > 0.05 > over[:, : x0 - 10].mean()


def test_kept_people_are_shown_too(shown):
    first, again = shown
    assert len(again) == 2
    np.testing.assert_array_equal(again[0], first[-2])


def test_who_is_seen_between_the_kept_moments_only_is_shown(demo_clip):
    pictures, clip = [], open_video(demo_clip, Options())
    frames = [frame for frame in range(100) if frame not in previews._moments(clip)][:3]
    previews.Previews(pictures.append).people(clip, people_of(frames))
    plain = previews._shrunk(clip.frame(frames[-1])).astype(int)
    assert (abs(pictures[0] - plain).max(-1) > 0).any() and np.median(abs(pictures[0] - plain)) == 0


def test_while_people_are_looked_for_pictures_come_now_and_then(demo_clip, tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "EVERY_S", 0.0)
    pictures = []
    find(demo_clip, tmp_path / "a.people.json", Options(end=19), lambda _: None, show=pictures.append)
    assert len(pictures) == 20 + 1
    monkeypatch.setattr(previews, "EVERY_S", 1e6)
    pictures.clear()
    find(demo_clip, tmp_path / "a.people.json", Options(end=19), lambda _: None, show=pictures.append)
    assert len(pictures) == 1 + 1


def test_nothing_is_drawn_for_nobody(demo_clip, tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "_shrunk", lambda picture: pytest.fail("a picture was drawn"))
    find(demo_clip, tmp_path / "a.people.json", Options(end=19), lambda _: None)


def test_a_picture_is_replaced_and_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(jpeg_module.tempfile, "tempdir", str(tmp_path))
    told = []
    show = ReplacedPicture(told.append)
    assert list(tmp_path.iterdir()) == []  # a job that shows nothing leaves nothing anyway
    for grey in (10, 200):
        show(np.full((180, 320, 3), grey, np.uint8))
        import cv2

        assert abs(cv2.imread(str(told[-1])).mean() - grey) < 2
        assert [path.name for path in told[-1].parent.iterdir()] == ["preview.jpg"]
    assert told[0] == told[1] and told[0].is_relative_to(tmp_path)
    show.close()
    show.close()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(jpeg_module.tempfile, "tempdir", str(tmp_path / "nowhere"))
    told = []
    show = ReplacedPicture(told.append)
    show(np.zeros((180, 320, 3), np.uint8))
    show.close()
    assert told == []

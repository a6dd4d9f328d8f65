"""How bad a frame is, which frames are shown next, and the strip's bars: known answers, outside Blender."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from addon_parts import addon_parts
from motions import walking_motion

from ghmr_engine.body.skeleton import JOINT_NAMES

FPS = 30.0
NAN = np.nan


@pytest.fixture(scope="module")
def strip(tmp_path_factory):
    with addon_parts(tmp_path_factory.mktemp("tree"), "strip_under_test") as part:
        yield part("quality_strip")


def changed(**changes):
    """A walk of 60 frames, its person changed."""
    motion = walking_motion(60)
    return replace(motion, people={"1": replace(motion.people["1"], **changes)})


def height_px(frame):
    """By hand: the figure is 1.8 m tall or so, the focal length 1.1 times 1280 px."""
    motion = walking_motion(60)
    person = motion.people["1"]
    pelvis = person.joints[0] + person.transl[frame]
    depth = (motion.R[frame] @ pelvis + motion.t[frame])[2]
    return 1.1 * 1280 * np.ptp(person.vertices[:, 1]) / depth


def test_a_good_walk_is_good(strip):
    rating = strip.rate(walking_motion(60), "1")
    assert rating.bad.max() < 1e-6 and not len(strip.worst_frames(rating, FPS))
    assert rating.sliding.max() < 1e-3  # its feet stand still


def test_off_the_picture_counts_by_the_body_s_height_there(strip):
    pixels = np.full(60, 3.0)
    pixels[20], pixels[40] = 0.0375 * height_px(20), 0.1 * height_px(40)
    rating = strip.rate(changed(reprojection=pixels), "1")
    np.testing.assert_allclose(rating.bad[[20, 40]], [0.5, 1.0], atol=1e-6)
    assert strip.worst_frames(rating, FPS).tolist() == [20, 40]
    assert strip.why(rating, 20) == [f"{pixels[20]:.0f} px off the picture"]


def test_guessed_joints_count_by_their_share(strip):
    confidence = np.ones((60, 24))
    confidence[10, :9] = 0.3  # 9 of 24
    confidence[30, JOINT_NAMES.index("left_wrist")] = 0.3
    rating = strip.rate(changed(confidence=confidence), "1")
    np.testing.assert_allclose(rating.bad[[10, 30]], [0.5, 0.0], atol=1e-6)
    assert strip.why(rating, 10) == ["9 of 24 joints hidden"]
    assert strip.hidden_words(rating.guessed[30]) == "left wrist hidden"


def test_sliding_counts_by_the_fastest_planted_point(strip):
    walk = walking_motion(60).people["1"]
    transl = walk.transl.copy()
    transl[25:] += [0.01, 0, 0]  # 1 cm within a frame: 0.3 m/s
    rating = strip.rate(changed(transl=transl), "1")
    np.testing.assert_allclose(rating.sliding[[24, 25]], 0.3, atol=1e-3)
    np.testing.assert_allclose(rating.bad[[23, 24, 25, 26]], [0, 0.4, 0.4, 0], atol=5e-3)
    assert strip.why(rating, 25) == ["a planted foot slides 0.3 m/s"]


def test_the_worst_of_the_three_counts_and_is_said_first(strip):
    pixels, confidence = np.full(60, 0.0375 * height_px(7)), np.ones((60, 24))
    confidence[7, :20] = 0
    rating = strip.rate(changed(reprojection=pixels, confidence=confidence), "1")
    assert rating.bad[7] == 1.0
    assert strip.why(rating, 7) == ["20 of 24 joints hidden", f"{pixels[7]:.0f} px off the picture"]


def test_what_was_not_seen_is_hidden_and_what_is_not_there_absent(strip):
    motion = walking_motion(60, people=2, absent=(0, 9))
    person = motion.people["2"]
    pixels = np.where(person.frames < 15, NAN, 3.5)
    rating = strip.rate(replace(motion, people={"2": replace(person, reprojection=pixels)}), "2")
    row = rating.row(60)
    assert np.isnan(row[:10]).all() and (row[10:15] == strip.HIDDEN).all() and (row[15:] >= 0).all()
    assert strip.why(rating, 5) == [] and strip.why(rating, 12) == ["not seen"]
    assert not len(strip.worst_frames(rating, FPS))


def test_nobody_s_frames_and_one_frame(strip):
    keys = ("frames", "poses", "transl", "contacts", "confidence", "reprojection")
    person = walking_motion(10).people["1"]
    rating = strip.rate(changed(**{key: getattr(person, key)[:0] for key in keys}), "1")
    assert len(rating.bad) == 0 == len(strip.worst_frames(rating, FPS)) and strip.why(rating, 3) == []
    assert len(strip.rate(walking_motion(1), "1").bad) == 1


def test_worst_frames_are_peaks_apart_from_each_other(strip):
    bad = np.zeros(100)
    bad[10:13], bad[18], bad[25], bad[60] = [0.5, 0.9, 0.6], 0.8, 0.4, 0.29
    rating = strip.Rating(np.arange(100), bad, bad, bad, np.zeros((100, 24), bool), bad)
    # 18 is within 9 frames of the worse 11, 60 is too good.
    assert strip.worst_frames(rating, FPS).tolist() == [11, 25]
    assert strip.worst_frames(rating, 10.0).tolist() == [11, 18, 25]


def test_a_long_bad_stretch_is_looked_at_once(strip):
    bad = np.zeros(200)
    bad[20:120] = 0.6 + 0.04 * np.sin(np.arange(100))  # it trembles
    bad[60], bad[80], bad[70] = 0.9, 0.85, 0.4  # two peaks with a valley between
    bad[150:190] = 0.5
    rating = strip.Rating(np.arange(200), bad, bad, bad, np.zeros((200, 24), bool), bad)
    worst = strip.worst_frames(rating, FPS)
    assert worst.tolist() == [60, 80, 150]


def test_a_row_on_the_scene_s_frames(strip):
    row = np.array([0.0, 1.0, 0.2, strip.HIDDEN])
    same = strip.on_scene_frames(row, np.array([5.0, 6, 7, 8]), 4, 9)
    np.testing.assert_array_equal(same, [NAN, 0, 1, 0.2, strip.HIDDEN, NAN])
    slow = strip.on_scene_frames(row, np.array([1.0, 3, 5, 7]), 1, 7)
    np.testing.assert_array_equal(slow[[0, 2, 4, 6]], row)
    fast = strip.on_scene_frames(np.array([0, 0, 0.9, 0, 0, 0.0]), 1 + np.arange(6) * 0.4, 1, 3)
    assert fast.max() == 0.9  # nothing bad falls between two frames
    assert np.isnan(strip.on_scene_frames(np.zeros(0), np.zeros(0), 1, 3)).all()


def test_bars_are_no_more_than_pixels_and_lose_nothing_bad(strip):
    values = np.zeros(1000)
    values[517], values[:10] = 0.95, NAN
    spans, worst = strip.bars(values, 100)
    assert len(spans) <= 100
    place = np.flatnonzero(worst == 0.95)
    assert len(place) == 1 and spans[place[0], 0] <= 517 < spans[place[0], 1]
    assert spans[0, 0] == 10 and spans[-1, 1] == 1000
    np.testing.assert_array_equal(spans[1:, 0], spans[:-1, 1])


def test_equal_neighbours_are_one_bar(strip):
    spans, worst = strip.bars(np.array([0.2, 0.2, NAN, NAN, -1, 0.5]), 50)
    assert spans.tolist() == [[0, 2], [4, 5], [5, 6]] and worst.tolist() == [0.2, -1, 0.5]
    assert len(strip.bars(np.zeros(0), 10)[0]) == 0


def test_colours_go_from_green_over_yellow_to_red(strip):
    good, middle, bad, hidden = strip.colors(np.array([0.0, 0.5, 1.0, strip.HIDDEN]))
    assert good[1] > 2 * good[0] and bad[0] > 2 * bad[1]
    assert min(middle[:2]) > 2 * middle[2]
    assert np.ptp(hidden[:3]) == 0

"""Who is who: tracks cut and joined as a file says, each mistake in one line, and a recovery by it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import read_motion
from ghmr_engine.options import Options
from ghmr_engine.people.bridging import bridged_track
from ghmr_engine.people.identities import Identities, Identity, Part, identified, read_identities
from ghmr_engine.pipeline import find, recover
from ghmr_engine.types import People

FPS = 10.0
OFFSETS = np.full((33, 3), 0.01)


def track(person, frames):
    """Somebody whose landmarks all lie at 1000 * person + frame px."""
    frames = np.asarray(frames)
    keypoints = np.ones((len(frames), 33, 3))
    keypoints[..., :2] = (1000 * person + frames)[:, None, None]
    return bridged_track(person, frames, keypoints, keypoints / 2, FPS, OFFSETS, main=person == 1)


@pytest.fixture
def everybody():
    """1 is hidden in 20 to 24; 2 is there in the first half, 3 in the second."""
    tracks = track(1, [*range(20), *range(25, 40)]), track(2, range(18)), track(3, range(22, 40))
    return People(tracks, np.full((40, 2, 1), 7, np.uint8), (2, 8), ("A warning.",))


def who(*people):
    return Identities(tuple(Identity(name, tuple(Part(*part) for part in parts)) for name, parts in people))


def test_whole_tracks_stay_as_they_are(everybody):
    people = identified(everybody, who(("", [(3, 0, 99)]), ("", [(1, 0, 39)])), FPS)
    for got, was in zip(people.tracks, (everybody.tracks[2], everybody.tracks[0]), strict=True):
        for name in ("frames", "boxes", "keypoints", "world_landmarks", "seen", "offsets"):
            np.testing.assert_array_equal(getattr(got, name), getattr(was, name))
    assert [each.person for each in people.tracks] == [1, 2] and all(each.main for each in people.tracks)
    np.testing.assert_array_equal(people.masks, everybody.masks)
    assert people.warnings == everybody.warnings


def test_parts_of_two_tracks_become_one_with_the_gap_bridged(everybody):
    (one,) = identified(everybody, who(("Anna", [(3, 22, 39), (2, 0, 17)])), FPS).tracks
    assert one.frames.tolist() == list(range(40))
    assert np.flatnonzero(~one.seen).tolist() == [18, 19, 20, 21]
    np.testing.assert_allclose(one.keypoints[[17, 22], 0, 0], [2017, 3022])
    np.testing.assert_allclose(np.diff(one.keypoints[17:23, 0, 0]), 1005 / 5)
    np.testing.assert_allclose(np.diff(one.world_landmarks[17:23, 0, 0]), 1005 / 10)
    assert (one.keypoints[~one.seen, :, 2] == 0).all() and (one.keypoints[one.seen, :, 2] == 1).all()


def test_a_long_gap_between_parts_stays(everybody):
    (one,) = identified(everybody, who(("Anna", [(2, 0, 10), (3, 30, 39)])), FPS).tracks
    assert one.frames.tolist() == [*range(11), *range(30, 40)] and one.seen.all()


def test_a_track_that_changed_over_is_cut_in_two(everybody):
    first, second = identified(everybody, who(("Anna", [(1, 0, 22)]), ("Ben", [(1, 23, 39)])), FPS).tracks
    # The bridge over 20 to 24 led from one of them to the other: it is nobody's.
    assert first.frames.tolist() == list(range(20)) and second.frames.tolist() == list(range(25, 40))
    assert first.seen.all() and second.seen.all()


def test_somebody_may_fill_another_s_gap(everybody):
    """Ranges overlap, sightings do not."""
    tracks = (track(1, [*range(10), *range(30, 40)]), track(2, range(12, 28)))
    (one,) = identified(replace(everybody, tracks=tracks), who(("", [(1, 0, 39), (2, 0, 39)])), FPS).tracks
    assert one.frames.tolist() == list(range(40)) and np.flatnonzero(~one.seen).tolist() == [10, 11, 28, 29]


@pytest.mark.parametrize(
    ("people", "code", "words"),
    [
        ([("Anna", [(4, 0, 39)])], "no_such_person", "person 4, only 1 to 3"),
        ([("Anna", [(0, 0, 39)])], "no_such_person", "person 0"),
        ([("Anna", [(1, 0, 20), (2, 10, 17)])], "parts_overlap", "Anna would be in two places in frame 10"),
        ([("Anna", [(1, 0, 10), (1, 10, 39)])], "parts_overlap", "Anna takes person 1's frame 10"),
        ([("", [(1, 0, 10)]), ("", [(1, 5, 39)])], "parts_overlap", "Person 2 takes person 1's frame 5"),
        ([("Anna", [(1, 0, 39)]), ("Ben", [(2, 30, 39)])], "nobody", "Ben is seen in none"),
        ([("Ben", [(1, 21, 23)])], "nobody", "Ben is seen in none"),
    ],
    ids=str,
)
def test_what_cannot_be_is_one_line(everybody, people, code, words):
    with pytest.raises(RecoverError) as caught:
        identified(everybody, who(*people), FPS)
    assert caught.value.code == code and words in caught.value.message and "\n" not in str(caught.value)


GOOD = {
    "format": "recover-motion identities",
    "version": 1,
    "people": [
        {"name": "Łucja", "parts": [{"person": 3, "first": 0, "last": 120}, {"person": 1, "first": 130, "last": 140}]},
        {"name": "", "parts": [{"person": 2, "first": 0, "last": 9}]},
    ],
}


def written(folder, content):
    path = folder / "who.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_file_is_read(tmp_path):
    read = read_identities(written(tmp_path, GOOD))
    assert read == who(("Łucja", [(3, 0, 120), (1, 130, 140)]), ("", [(2, 0, 9)]))
    assert read.names == {"1": "Łucja"}


def test_what_is_kept_depends_on_the_parts_and_not_on_the_names():
    anna, ben = who(("Anna", [(1, 0, 9)])), who(("Ben", [(1, 0, 9)]))
    assert anna.sha256 == ben.sha256 != who(("Anna", [(1, 0, 8)])).sha256
    assert who(("", [(1, 0, 9), (2, 10, 19)])).sha256 != who(("", [(1, 0, 9)]), ("", [(2, 10, 19)])).sha256


def with_part(**values):
    return {**GOOD, "people": [{"name": "", "parts": [{"person": 1, "first": 0, "last": 9, **values}]}]}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "bad_identities"),
        ("{", "bad_identities"),
        ("[" * 100_000, "bad_identities"),
        ([1], "bad_identities"),
        ({**GOOD, "format": "recover-motion people"}, "bad_identities"),
        ({**GOOD, "version": 2}, "bad_identities"),
        ({"format": GOOD["format"], "version": 1}, "bad_identities"),
        ({**GOOD, "people": 3}, "bad_identities"),
        ({**GOOD, "people": [3]}, "bad_identities"),
        ({**GOOD, "people": [{"parts": []}]}, "bad_identities"),
        ({**GOOD, "people": [{"name": "Anna", "parts": []}]}, "bad_identities"),
        ({**GOOD, "people": [{"name": 3, "parts": GOOD["people"][0]["parts"]}]}, "bad_identities"),
        (with_part(person="1"), "bad_identities"),
        (with_part(person=True), "bad_identities"),
        (with_part(last=9.5), "bad_identities"),
        (with_part(first=10), "bad_identities"),
        ({**GOOD, "people": []}, "nobody"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_file_that_is_no_good_says_so_in_one_line(tmp_path, content, code):
    with pytest.raises(RecoverError) as caught:
        read_identities(written(tmp_path, content))
    assert caught.value.code == code and "who.json" in caught.value.message and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_a_file_that_cannot_be_read_says_so(tmp_path, name):
    with pytest.raises(RecoverError, match="Cannot read") as caught:
        read_identities(tmp_path / name)
    assert caught.value.code == "no_identities"


def test_a_recovery_after_find_cuts_the_demo_s_person_in_two(demo_clip, body, tmp_path):
    cache, out = tmp_path / "cache", tmp_path / "a.motion.npz"

    def run(who_is_who, **more):
        path = written(tmp_path, {**GOOD, "people": who_is_who})
        options = Options(end=59, identities=str(path), quality="fast", **more)
        recover(demo_clip, out, options, lambda _: None, cache)
        return read_motion(out)

    find(demo_clip, tmp_path / "a.people.json", Options(end=59), lambda _: None, cache)
    halves = [
        {"name": "Anna", "parts": [{"person": 1, "first": 35, "last": 59}]},
        {"name": "", "parts": [{"person": 1, "first": 0, "last": 29}]},
    ]
    motion = run(halves, people="1")  # which is not looked at
    assert motion.meta["cached"] == ["people"] and motion.meta["names"] == {"1": "Anna"}
    assert [person.frames[[0, -1]].tolist() for person in motion.people.values()] == [[35, 59], [0, 29]]
    halves[0]["name"] = "Berta"
    motion = run(halves)
    assert motion.meta["cached"] == ["people", "camera", "lift", "world"] and motion.meta["names"] == {"1": "Berta"}
    whole = [{"name": "", "parts": [part for half in halves for part in half["parts"]]}]
    motion = run(whole)
    assert motion.meta["cached"] == ["people"] and motion.meta["names"] == {}
    assert motion.people["1"].frames.tolist() == list(range(60))
    assert (motion.people["1"].keypoints[30:35, :, 2] == 0).all() and (motion.people["1"].keypoints[29, :, 2] > 0).any()
    motion = run(whole, start=2)  # another range is another clip
    assert motion.meta["cached"] == []


@pytest.mark.clips
@pytest.mark.slow
def test_two_who_swap_seats_can_be_exchanged_where_they_meet(clips_dir, body, tmp_path):
    clip, cache, out = clips_dir / "two_people_occlusion.mp4", tmp_path / "cache", tmp_path / "a.motion.npz"
    found = find(clip, tmp_path / "a.people.json", Options(), lambda _: None, cache)
    assert [each["person"] for each in found["people"]] == [1, 2]
    parts = [
        [{"person": 1, "first": 0, "last": 45}, {"person": 2, "first": 46, "last": 100}],
        [{"person": 2, "first": 0, "last": 45}, {"person": 1, "first": 46, "last": 100}],
    ]
    people = [{"name": name, "parts": part} for name, part in zip(("Anna", "Ben"), parts, strict=True)]
    path = written(tmp_path, {**GOOD, "people": people})
    recover(clip, out, Options(identities=str(path), quality="fast"), lambda _: None, cache)
    motion = read_motion(out)
    assert motion.meta["names"] == {"1": "Anna", "2": "Ben"} and motion.meta["cached"] == ["people"]
    for person, (before, after) in zip(motion.people.values(), ((0, 1), (1, 0)), strict=True):
        for frame, number in ((0, before), (100, after)):
            row = found["people"][number]["frames"].index(frame)
            box = found["people"][number]["boxes"][row]
            points = person.keypoints[person.frames.tolist().index(frame), :, :2]
            np.testing.assert_allclose(np.r_[points.min(0), points.max(0)], box, atol=0.1)

"""People who come back: what joins them, what keeps them apart, and that nothing is invented while they are away."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ghmr_engine.crops import Crop
from ghmr_engine.evaluate.suite import REGRESSION
from ghmr_engine.options import Options
from ghmr_engine.people import _track, find_people
from ghmr_engine.people.appearance import PARTS, part_colours_of
from ghmr_engine.people.landmarks import Sighting
from ghmr_engine.people.memory import build_of, rejoin
from ghmr_engine.people.selection import Chosen
from ghmr_engine.people.tracking import Tracklet
from ghmr_engine.progress import silent
from ghmr_engine.video import open_video

FPS = 30.0
FIGURE = np.random.default_rng(3).uniform([-30, -100], [30, 100], (33, 2))
BODY = np.random.default_rng(4).uniform(-0.8, 0.8, (33, 3))
RED, BLUE = 0, 30


def _stay(start, colours=(RED,) * 6, place=(400.0, 200.0), world=BODY, frames=40, looks=8, size=1.0):
    """A chain of one tracklet: somebody who stands still. colours: the one bin that each part of the body has."""
    parts = np.zeros((6, 60))
    parts[range(6), colours] = 1
    crop = Crop(np.array(place), 250.0, 0.0)
    keypoints = np.concatenate([FIGURE * size + place, np.ones((33, 1))], 1)
    one = Sighting(1.0, keypoints, world, crop, crop, np.zeros((64, 64)), 1.0)
    return [Tracklet(start, [one] * frames, [], parts=[parts] * looks)]


def _starts(chains):
    return sorted([part.start for part in chain] for chain in chains)


def _mixed(share):
    """Colours (6, 60) that are `share` blue and red otherwise."""
    parts = np.zeros((6, 60))
    parts[:, RED], parts[:, BLUE] = 1 - share, share
    return parts


def _in(chain, colours):
    return [Tracklet(part.start, part.sightings, [], parts=[colours] * 8) for part in chain]


def test_who_comes_back_after_a_minute_elsewhere_in_the_picture_is_the_same_person():
    assert _starts(rejoin([_stay(0), _stay(1800, place=(1500.0, 300.0), size=2.0)], FPS)) == [[0, 1800]]


def test_who_comes_and_goes_is_one_person_each_time():
    """And who comes in between in other clothes is another."""
    chains = [_stay(0), _stay(300), _stay(600, colours=(BLUE,) * 6), _stay(900)]
    assert _starts(rejoin(chains, FPS)) == [[0, 300, 900], [600]]


@pytest.mark.parametrize(
    "after",
    [
        _stay(1800, colours=(RED, RED, RED, BLUE, RED, RED)),  # sleeves
        _stay(1800, world=BODY * [1.0, 2.0, 1.0]),  # build
        _stay(43, place=(1500.0, 300.0)),  # across the picture within a tenth of a second
        _stay(43, size=3.0),  # three times as near in that time
        _stay(30),  # in the picture at the same time
        _stay(1800, looks=2),  # too few looks to tell
        _stay(1800, frames=10),  # a third of a second
    ],
    ids=["a part's colours", "build", "place", "nearness", "same time", "looks", "short"],
)
def test_a_wrong_join_is_refused(after):
    assert len(rejoin([_stay(0), after], FPS)) == 2


def test_of_two_in_the_same_clothes_it_is_not_known_which_has_come_back():
    """Both have been in view at once, before or after."""
    first, second = _stay(0), _stay(0, place=(900.0, 200.0))
    assert len(rejoin([first, second, _stay(900)], FPS)) == 3
    assert len(rejoin([_stay(0), _stay(900), _stay(900, place=(900.0, 200.0))], FPS)) == 3


def test_the_clearly_nearer_one_of_two_has_come_back():
    near = rejoin([_in(_stay(0), _mixed(0.02)), _in(_stay(0), _mixed(0.4)), _in(_stay(900), _mixed(0.0))], FPS)
    assert len(near) == 2
    assert _starts(near) == [[0], [0, 900]]
    assert next(chain for chain in near if len(chain) == 2)[0].parts[0][0, BLUE] == pytest.approx(0.02)


def test_nobody_becomes_somebody_else_by_small_steps():
    """Each of four is like the two next to them, but the first is not like the last."""
    chains = [_in(_stay(300 * place), _mixed(np.sin(0.12 * place) ** 2)) for place in range(4)]
    for first, second in ((0, 1), (1, 2), (2, 3), (0, 2), (1, 3)):
        assert len(rejoin([chains[first], chains[second]], FPS)) == 1
    assert len(rejoin([chains[0], chains[3]], FPS)) == 2
    for person in rejoin(chains, FPS):
        assert {0, 900} - {part.start for part in person}


def test_short_absences_are_bridged_and_long_ones_stay_empty():
    chain = [*_stay(0), *_stay(60), *_stay(1800)]
    track = _track(1, Chosen(chain, main=True), FPS, 1.0, (1920.0, 1080.0))
    assert track.frames.tolist() == [*range(100), *range(1800, 1840)]
    assert not track.seen[40:60].any() and track.seen[:40].all() and track.seen[60:].all()


def test_parts_of_the_body_have_their_own_colours():
    """A figure whose arms are blue below the elbows; what is too small to be seen has no colours."""
    points = np.zeros((33, 2))
    points[:11] = 128, 30
    points[[11, 12]] = (90, 60), (166, 60)
    points[[13, 14]], points[[15, 16]] = ((50, 90), (206, 90)), ((20, 140), (236, 140))
    points[[23, 24]], points[[25, 26]] = ((105, 140), (151, 140)), ((105, 190), (151, 190))
    points[27:] = 128, 235
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[:] = 220, 30, 30
    for side in (0, 1):
        ends = points[[13 + side, 15 + side]].astype(int).tolist()
        cv2.line(picture, *map(tuple, ends), (30, 30, 220), 16)
    mask = np.zeros((256, 256), np.uint8)
    for lines in PARTS[1:]:
        for a, b in lines:
            cv2.line(mask, tuple(points[a].astype(int).tolist()), tuple(points[b].astype(int).tolist()), 1, 14)
    small = cv2.resize(mask, (64, 64), interpolation=cv2.INTER_AREA).astype(float)
    keypoints = np.concatenate([points, np.ones((33, 1))], 1)
    crop = Crop(np.full(2, 127.5), 256.0, 0.0)
    parts = part_colours_of(picture, Sighting(1.0, keypoints, BODY, crop, crop, small, 1.0))
    assert np.allclose(parts.sum(1), [0, 1, 1, 1, 1, 1])
    bins = parts[1:, :40].argmax(1)
    assert bins[0] == bins[1] == bins[3] == bins[4] != bins[2]


def test_build_is_the_body_s_whatever_its_size_and_pose():
    def one(world):
        return replace(_stay(0)[0].sightings[0], world=world)

    turned = BODY @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    assert np.allclose(build_of([one(BODY)]), build_of([one(1.3 * turned)]))
    assert not np.allclose(build_of([one(BODY)]), build_of([one(BODY * [1.0, 2.0, 1.0])]), atol=0.1)


class _Cut:
    """Pictures of several clips of one size one after another."""

    def __init__(self, *pictures):
        self._pictures = [picture for part in pictures for picture in part]
        self.info = replace(_clip("walk_static").info, frames=len(self._pictures))

    def frames(self):
        return iter(self._pictures)


def _clip(name, **options):
    return open_video(REGRESSION / f"{name}.mp4", Options(**options))


def _pictures(name, **options):
    return [np.array(picture) for picture in _clip(name, **options).frames()]


def test_a_person_who_was_away_for_four_seconds_has_one_track_with_a_gap():
    pictures = _pictures("walk_static")
    # The camera stands still: what is there in most frames is the scene without the person.
    empty = np.median(pictures[::6], axis=0).astype(np.uint8)
    people = find_people(_Cut(pictures[:46], [empty] * 120, pictures[46:]), Options(), silent)
    assert [track.person for track in people.tracks] == [1]
    frames = people.tracks[0].frames
    gap = int(np.diff(frames).argmax())
    assert frames[gap] <= 46 and frames[gap + 1] >= 165
    assert np.delete(np.diff(frames), gap).max() == 1
    assert people.tracks[0].seen.all()
    assert not people.masks[60:150].any()


@pytest.mark.slow
def test_another_person_who_comes_later_is_another():
    clips = [_pictures(name) for name in ("walk_static", "basketball_walk")]
    people = find_people(_Cut(clips[0], [np.full_like(clips[0][0], 90)] * 60, clips[1]), Options(), silent)
    assert len(people.tracks) == 2
    assert {track.frames[0] > 120 for track in people.tracks} == {True, False}


@pytest.mark.clips
@pytest.mark.slow
def test_six_who_come_in_turn_are_six(clips_dir):
    """Two of them in black: the one's sleeves are short."""
    people = find_people(open_video(clips_dir / "one_by_one_empty_frames.mp4", Options()), Options(), silent)
    assert len(people.tracks) == 6

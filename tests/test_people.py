"""The people stage: crops, tiles, joining, choosing, sides; and the real models on the demo and the real clips."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from ghmr_engine.body.skeleton import LANDMARK_NAMES, mirror_order
from ghmr_engine.crops import Crop, carry, upright_crop
from ghmr_engine.errors import RecoverError
from ghmr_engine.models import model_file
from ghmr_engine.options import Options
from ghmr_engine.people import find_people
from ghmr_engine.people.appearance import colours_of
from ghmr_engine.people.detector import Detector, anchors, suppress, tiles_of
from ghmr_engine.people.joining import join
from ghmr_engine.people.landmarks import LandmarkModel, Sighting
from ghmr_engine.people.selection import Chosen, Evidence, believable, choose
from ghmr_engine.people.swaps import set_right, swapped_frames
from ghmr_engine.people.tracking import Tracker, Tracklet
from ghmr_engine.progress import silent
from ghmr_engine.video import open_video

FPS = 30.0
FIGURE = np.random.default_rng(3).uniform([-30, -100], [30, 100], (33, 2))


def _tracklet(start, places, size=1.0, colour=0):
    """Sightings of a fixed figure at places (N, 2)."""
    crop = Crop(np.zeros(2), 100.0, 0.0)
    colours = np.zeros((2, 60))
    colours[:, colour] = 1
    sightings = [
        Sighting(1.0, np.concatenate([FIGURE * size + place, np.ones((33, 1))], 1), np.zeros((33, 3)), crop, crop,
                 np.ones((64, 64)), 1.0)
        for place in np.asarray(places, float)
    ]  # fmt: skip
    return Tracklet(start, sightings, [colours])


def _line(x0, x1, count):
    return np.stack([np.linspace(x0, x1, count), np.full(count, 200.0)], 1)


def test_points_go_from_a_crop_to_the_picture_and_back():
    affine = Crop(np.array([300.0, 200.0]), 150.0, 0.7).to_picture(256)
    points = np.random.default_rng(0).uniform(0, 255, (20, 2))
    back = (carry(affine, points) - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
    assert np.allclose(back, points)
    assert np.allclose(carry(affine, np.full(2, 127.5)), [300, 200])


def test_a_lying_person_stands_in_the_crop():
    picture = np.zeros((400, 600, 3), np.uint8)
    cv2.circle(picture, (200, 200), 8, (255, 0, 0), -1)  # the head, to the left of the hips
    crop = upright_crop(np.array([300.0, 200.0]), np.array([200.0, 200.0]))
    patch = crop.cut(picture, 256)
    y, x = np.argwhere(patch[..., 0] > 100).mean(0)
    assert y < 60 and abs(x - 127.5) < 2


def test_anchors_are_the_detectors():
    places = anchors()
    assert places.shape == (2254, 2)
    assert np.allclose(places[0], 0.5 / 28) and np.allclose(places[-1], 6.5 / 7)


def test_of_two_detections_of_one_person_the_surer_stays():
    person = np.array([[100, 100], [200, 300], [150, 200], [150, 90]], float)
    other = person + np.array([300, 0])
    assert suppress(np.array([0.6, 0.9, 0.7]), np.stack([person, person + 5, other])) == [1, 2]


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 640)])
def test_tiles_cover_the_picture(size):
    covered = np.zeros(size[::-1], bool)
    for x, y, side in tiles_of(*size, small=True)[1:]:
        assert x >= 0 and y >= 0 and x + side <= size[0] and y + side <= size[1]
        covered[y : y + side, x : x + side] = True
    assert covered.all()
    assert len(tiles_of(*size, small=False)) < len(tiles_of(*size, small=True))


def test_two_who_cross_keep_who_they_are():
    right = [_tracklet(0, _line(0, 400, 20)), _tracklet(26, _line(520, 900, 20))]
    left = [_tracklet(0, _line(1000, 0, 50), colour=30)]
    chains = join([*right, *left], FPS)
    assert sorted([part.start for part in chain] for chain in chains) == [[0], [0, 26]]
    assert next(chain for chain in chains if len(chain) == 2)[0] is right[0]


class _SlidesOver:
    """A landmark model that follows a red figure until frame 40, and the blue one that passes it from then on."""

    def __init__(self):
        self.frame = -1

    def look(self, picture, crop):
        return _standing(_red(self.frame) if self.frame < 40 else _blue(self.frame), crop)


class _FindsNobody:
    def find(self, picture, tiles):
        return []


def _red(frame):
    return np.array([300.0 + 2 * frame, 200.0])


def _blue(frame):
    return np.array([460.0 - 2 * frame, 200.0])


def _standing(place, crop):
    there = Crop(place, 250.0, 0.0)
    keypoints = np.concatenate([FIGURE + place, np.ones((33, 1))], 1)
    return Sighting(1.0, keypoints, np.zeros((33, 3)), there, there, np.ones((64, 64)), 1.0)


def test_a_tracklet_that_slides_over_to_who_passes_by_ends_before_it_does():
    """Seen in a rendered clip: from the frame in which they met, the one in front was taken for the one behind."""

    def picture(frame, blue_in_front):
        drawn = np.zeros((400, 640, 3), np.uint8)
        colour, place = ((20, 20, 220), _blue(frame)) if blue_in_front else ((220, 20, 20), _red(frame))
        cv2.circle(drawn, tuple(place.astype(int).tolist()), 190, colour, -1)
        return drawn

    model = _SlidesOver()
    tracker = Tracker(_FindsNobody(), model, FPS)
    blue = [_standing(_blue(frame), None) for frame in range(38)]  # then hidden behind the other
    looks = [colours_of(picture(0, blue_in_front=True), blue[0])] * 3
    tracker.finished = [Tracklet(0, blue, looks)]
    tracker._live = [Tracklet(-1, [_standing(_red(-1), None)])]
    for frame in range(60):
        model.frame = frame
        tracker.read(picture(frame, blue_in_front=frame >= 40))
    red = next(tracklet for tracklet in tracker.finish() if tracklet.start == -1)
    assert red.end == 39


@pytest.mark.parametrize("why", ["colour", "place", "time", "size"])
def test_a_wrong_join_is_refused(why):
    after = {
        "colour": _tracklet(26, _line(520, 900, 20), colour=30),
        "place": _tracklet(26, _line(1500, 1900, 20)),
        "time": _tracklet(200, _line(520, 900, 20)),
        "size": _tracklet(26, _line(520, 900, 20), size=3.0),
    }[why]
    assert len(join([_tracklet(0, _line(0, 400, 20)), after], FPS)) == 2


def test_who_was_lost_bent_down_and_stands_up_at_once_is_the_same_person():
    """In a clip with a man behind a box, 65 px high when lost, 74 px when found again and 177 px ten frames later."""
    before = _tracklet(0, _line(400, 400, 20), size=0.33)
    grown = [_tracklet(0, [(400, 200)], size=size).sightings[0] for size in np.linspace(0.37, 1.0, 8)]
    after = Tracklet(22, [*grown, *_tracklet(0, _line(400, 400, 20)).sightings], before.colours)
    assert len(join([before, after], FPS)) == 1


@pytest.mark.parametrize(("x", "least", "most"), [(300, 0.0, 0.0), (0, 0.9, 1.0), (640, 0.9, 1.0)])
def test_a_body_half_outside_is_cut_off_along_its_height(x, least, most):
    """In a real clip somebody comes in at the right edge, and the network squeezes them into the picture."""
    crop = Crop(np.array([float(x), 200.0]), 250.0, 0.0)
    across = np.arange(64)
    columns = carry(crop.to_picture(64), np.stack([across, across], 1))[:, 0]
    mask = np.zeros((64, 64))
    mask[8:56] = (abs(across - 31.5) < 10) & (columns >= 0) & (columns <= 639)
    sighting = Sighting(1.0, np.zeros((33, 3)), np.zeros((33, 3)), crop, crop, mask, 1.0)
    assert least <= sighting.cut(640) <= most


def test_a_ghost_between_two_people_is_joined_to_nobody():
    """In a rendered clip of two, one is lost for three frames, and a ghost that jumps about lies nearer."""
    before, after = _tracklet(0, _line(0, 400, 20)), _tracklet(23, _line(520, 900, 20))
    jumping = _line(440, 600, 20) + np.random.default_rng(0).normal(0, 25, (20, 2))
    chains = join([before, _tracklet(21, jumping), after], FPS)
    assert chains == [[before, after]]


def test_who_is_believed_and_who_matters():
    person = Evidence(frames=60, presence=1.0, visibility=0.95, jitter=0.02, agreement=0.9, size=300.0)
    assert believable(person, FPS)
    for field, value in (("frames", 5), ("presence", 0.5), ("visibility", 0.8), ("jitter", 0.17), ("agreement", 0.3)):
        assert not believable(Evidence(**{**person.__dict__, field: value}), FPS)
    near, far = [_tracklet(0, _line(0, 60, 60), size=2.0)], [_tracklet(0, _line(500, 520, 60), size=0.3)]
    assert choose([far, near], "main", FPS) == [Chosen(near, main=True)]
    assert choose([far, near], "all", FPS) == [Chosen(near, main=True), Chosen(far, main=False)]
    assert choose([far, near], "1", FPS) == [Chosen(near, main=True)]
    assert choose([], "main", FPS) == []


def test_frames_with_sides_exchanged_are_set_right():
    points = np.stack([FIGURE + place for place in _line(0, 100, 40)])
    spoiled = points.copy()
    spoiled[10:14] = spoiled[10:14][:, list(mirror_order(LANDMARK_NAMES))]
    swapped = swapped_frames(np.arange(40), spoiled, np.full(40, 200.0))
    assert np.flatnonzero(swapped).tolist() == [10, 11, 12, 13]
    assert np.allclose(set_right(swapped, spoiled)[0], points)


def test_the_demo_has_one_person_all_along(demo_clip):
    video = open_video(demo_clip, Options(end=29))
    people = find_people(video, Options(), silent)
    assert len(people.tracks) == 1
    track = people.tracks[0]
    assert len(track.frames) == 30 and track.seen.all()
    hips = track.keypoints[15, 23:25, :2].mean(0)
    height, width = people.mask_size
    mask = people.mask(15)
    assert mask[int(hips[1] / video.info.height * height), int(hips[0] / video.info.width * width)]
    assert 0.005 < mask.mean() < 0.3


def test_in_a_mirrored_picture_left_is_right(demo_clip):
    picture = next(open_video(demo_clip, Options(start=130)).frames())  # facing the camera
    detector, model = Detector(model_file("pose_detection")), LandmarkModel(model_file("pose_landmark_full"))

    def look(image):
        crop = detector.find(image, tiles_of(image.shape[1], image.shape[0], small=False))[0]
        return model.look(image, model.look(image, crop).following)

    plain, turned = look(picture), look(np.ascontiguousarray(picture[:, ::-1]))
    mirrored = turned.keypoints[list(mirror_order(LANDMARK_NAMES)), :2]
    mirrored[:, 0] = picture.shape[1] - 1 - mirrored[:, 0]
    body = slice(11, 29)
    same = np.linalg.norm(mirrored[body] - plain.keypoints[body, :2], axis=1).mean()
    unswapped = turned.keypoints[:, :2] * [-1, 1] + [picture.shape[1] - 1, 0]
    other = np.linalg.norm(unswapped[body] - plain.keypoints[body, :2], axis=1).mean()
    assert same < 0.05 * plain.size and same < other


@pytest.mark.clips
def test_nobody_is_seen_in_a_bear(clips_dir):
    with pytest.raises(RecoverError, match="Nobody") as caught:
        find_people(open_video(clips_dir / "no_person.mp4", Options()), Options(), silent)
    assert caught.value.code == "nobody"


@pytest.mark.clips
@pytest.mark.slow
def test_two_who_swap_seats_keep_who_they_are(clips_dir):
    people = find_people(open_video(clips_dir / "two_people_occlusion.mp4", Options()), Options(), silent)
    assert len(people.tracks) == 2
    first, last = ([track.keypoints[end, 23, 0] for track in people.tracks] for end in (0, -1))
    assert all(len(track.frames) > 95 for track in people.tracks)
    assert (first[0] < first[1]) and (last[0] > last[1])
    assert not all(track.seen.all() for track in people.tracks)


@pytest.mark.clips
@pytest.mark.slow
def test_people_who_come_in_turn_are_different_people_with_nobody_between(clips_dir):
    options = Options(start=150, end=560)
    people = find_people(open_video(clips_dir / "one_by_one_empty_frames.mp4", options), options, silent)
    spans = sorted((int(track.frames[0]), int(track.frames[-1])) for track in people.tracks)
    assert len(spans) == 3
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert not people.mask(spans[0][1] + 20).any()

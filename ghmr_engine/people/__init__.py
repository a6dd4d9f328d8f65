"""Stage 2, people: who is in the clip, where their joints are in every frame, and a mask of everybody."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ghmr_engine.energy.marks import BLAZEPOSE_OFFSETS
from ghmr_engine.errors import RecoverError
from ghmr_engine.models import model_file
from ghmr_engine.options import Options
from ghmr_engine.people.bridging import BRIDGE_S, bridged_track
from ghmr_engine.people.detector import Detector
from ghmr_engine.people.joining import join
from ghmr_engine.people.landmarks import LandmarkModel, Sighting
from ghmr_engine.people.masks import mask_size, union_masks
from ghmr_engine.people.memory import rejoin
from ghmr_engine.people.selection import Chosen, choose
from ghmr_engine.people.swaps import set_right, swapped_frames
from ghmr_engine.people.tracking import Tracker
from ghmr_engine.progress import Report
from ghmr_engine.types import People, Track
from ghmr_engine.video import Video

VERSION = 9
LONGEST_SIDE = 1920
"""Pictures are searched at this size at the most: a person's crop has 256 pixels in any case."""
_BODY, _FEWEST = slice(11, 29), 7
"""Shoulders to ankles, and how many of these 18 landmarks a track's first and last frame show at least."""
_KNEES = slice(25, 27)
_CUT = 0.5
"""Nor is it cut off at so much of its height: people at the edge have 0.6 to 0.8, others under 0.4."""

Watch = Callable[[np.ndarray, list[np.ndarray]], None]
"""Called with each picture (H, W, 3), maybe smaller than the clip's, and the landmarks (33, 3) px, visibility of
everybody who is followed in it."""


def find_people(video: Video, options: Options, report: Report, watch: Watch | None = None) -> People:
    """Find and follow everybody, join what belongs together, know again who comes back, and keep those who matter
    (options.people).

    Reads the clip once, a frame at a time. Raises RecoverError 'nobody' where there is no person, and what `report`
    raises.
    """
    info = video.info
    fps = float(info.fps)
    shrink = min(LONGEST_SIDE / max(info.width, info.height), 1.0)
    tracker = Tracker(Detector(model_file("pose_detection")), LandmarkModel(model_file("pose_landmark_full")), fps)
    for place, picture in enumerate(video.frames()):
        if shrink < 1:
            picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        tracker.read(picture)
        if watch is not None:
            watch(picture, tracker.followed())
        report((place + 1) / info.frames)
    tracklets = tracker.finish()
    wanted = choose(rejoin(join(tracklets, fps), fps), options.people, fps)
    if not wanted:
        raise RecoverError(
            "nobody",
            f"Nobody was found in {info.name}.",
            "Choose a clip in which a whole person is seen for half a second or more.",
        )
    size = shrink * info.width, shrink * info.height
    tracks = tuple(_track(number, one, fps, shrink, size) for number, one in enumerate(wanted, 1))
    return People(
        tracks=tracks,
        masks=union_masks(tracklets, tracks, info.frames, round(info.width * shrink), round(info.height * shrink)),
        mask_size=mask_size(info.width, info.height),
    )


def _track(number: int, one: Chosen, fps: float, shrink: float, picture_size: tuple[float, float]) -> Track:
    """One person's track: short gaps bridged by straight lines, in full-size pixels. picture_size: width, height of
    what the tracklets were seen in."""
    sighted: dict[int, Sighting] = {}
    for tracklet in one.chain:
        for place, sighting in enumerate(tracklet.sightings):
            # Where two tracklets overlap by a few frames, the later one has just been looked for and is fresher.
            sighted[tracklet.start + place] = sighting
    have = np.array(sorted(sighted))
    stays = np.split(have, np.flatnonzero(np.diff(have) > BRIDGE_S * fps) + 1)
    have = np.concatenate([_enough_in_view(stay, sighted, round(fps), picture_size) for stay in stays])
    keypoints = np.stack([sighted[frame].keypoints for frame in have])
    world = np.stack([sighted[frame].world for frame in have])
    size = np.ptp(keypoints[..., :2], axis=1).max(1)
    keypoints, world = set_right(swapped_frames(have, keypoints[..., :2], size), keypoints, world)
    keypoints[..., :2] = (keypoints[..., :2] + 0.5) / shrink - 0.5
    return bridged_track(number, have, keypoints, world, fps, offsets=BLAZEPOSE_OFFSETS, main=one.main)


def _enough_in_view(
    have: np.ndarray, sighted: dict[int, Sighting], most: int, picture_size: tuple[float, float]
) -> np.ndarray:
    """Frames (M,) without up to `most` at either end in which most of the body is hidden, both knees are outside the
    picture, or its edge cuts the body off along its height: who comes in there is guessed from a shoulder until then,
    who stands behind something is not."""
    points = np.stack([sighted[frame].keypoints for frame in have])
    inside = ((points[..., :2] >= 0) & (points[..., :2] < picture_size)).all(-1)
    enough = ((points[:, _BODY, 2] > 0.5).sum(1) >= _FEWEST) & inside[:, _KNEES].any(1)
    for place in {*range(min(most, len(have))), *range(max(len(have) - most, 0), len(have))}:
        enough[place] &= sighted[have[place]].cut(picture_size[0]) < _CUT
    if not enough.any():
        return have
    whole = np.flatnonzero(enough)
    return have[min(whole[0], most) : max(whole[-1] + 1, len(have) - most)]

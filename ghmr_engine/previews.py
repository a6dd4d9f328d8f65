"""Small pictures of what a running job has found so far, for who waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from itertools import count

import cv2
import numpy as np

from ghmr_engine import result
from ghmr_engine.body.smpl import Body
from ghmr_engine.geometry import straighten
from ghmr_engine.people import Watch
from ghmr_engine.raster import Colour, words_width, write_words
from ghmr_engine.scene_views import PEOPLE_COLOURS, WHITE, camera_of, overlay_through
from ghmr_engine.types import People, WorldPerson, WorldScene
from ghmr_engine.video import Video

Show = Callable[[np.ndarray], None]
"""Called with each new picture (h, w, 3) uint8 RGB."""

LONGEST_SIDE = 320
EVERY_S = 2.0
"""While people are looked for."""
_KEPT = 17
"""Moments of the clip that are kept to choose from."""
_VISIBLE = 0.3
_OVERLAY = 0.8
_LABEL = 14
"""Pixels of a number's height."""
_LINES = (
    (7, 0), (0, 8), (11, 12), (23, 24), (11, 23), (12, 24), (11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27),
    (24, 26), (26, 28), (27, 31), (28, 32),
)  # fmt: skip
"""Between BlazePose's landmarks: face, trunk, arms, legs, feet."""


class Previews:
    """Draws for one job, and hands each picture to `show`; without it nothing is drawn."""

    def __init__(self, show: Show | None) -> None:
        self._show = show
        self._kept: dict[int, np.ndarray] = {}
        self._frame = 0

    def watch(self, clip: Video) -> Watch | None:
        """For the people stage: shows the current picture with everybody's landmarks now and then, and keeps some small
        pictures, so that none has to be decoded again."""
        show = self._show
        if show is None:
            return None
        wanted = _moments(clip)
        frames, due = count(), 0.0

        def look(picture: np.ndarray, landmarks: list[np.ndarray]) -> None:
            nonlocal due
            frame, now = next(frames), time.monotonic()
            if frame in wanted:
                self._kept[frame] = _shrunk(picture)
            if now < due:
                return
            due = now + EVERY_S
            small = _shrunk(picture)
            for points in landmarks:
                _draw_skeleton(small, points, small.shape[1] / picture.shape[1], PEOPLE_COLOURS[0])
            show(small)

        return look

    def people(self, clip: Video, people: People) -> None:
        """The people that were found, each with box, landmarks and number, in a frame that shows most of them."""
        if self._show is None:
            return
        moments = _moments(clip)
        missed = not any(np.isin(moments, track.frames[track.seen]).any() for track in people.tracks)
        self._frame = telling_frame(people, range(clip.info.frames) if missed else moments)
        if self._frame not in self._kept:
            self._kept = {self._frame: _shrunk(clip.frame(self._frame))}
        small = self._kept[self._frame].copy()
        scale = small.shape[1] / clip.info.width
        there = [track for track in people.tracks if self._frame in track.frames]
        for place, track in enumerate(there):
            colour = PEOPLE_COLOURS[place % len(PEOPLE_COLOURS)]
            row = int(np.searchsorted(track.frames, self._frame))
            _draw_skeleton(small, track.keypoints[row], scale, colour)
            _draw_box(small, track.boxes[row], scale, colour, str(track.person))
        self._show(small)

    def scene(self, clip: Video, scene: WorldScene, body: Body) -> None:
        """The bodies and the ground over the frame that `people` showed."""
        if self._show is None:
            return
        small, size = self._kept[self._frame], (clip.info.width, clip.info.height)
        motion = result.make_motion(_moment(scene, self._frame), body, {"fps": [1, 1], "image_size": size})
        view = camera_of(motion, 0).cropped(0.0, 0.0, small.shape[1] / clip.info.width, small.shape[1::-1])
        self._show(overlay_through(straighten(small, view.K, scene.distortion), view, motion, 0, _OVERLAY))


def _moments(clip: Video) -> list[int]:
    """Frames of which one is shown, rising."""
    return np.unique(np.linspace(0, clip.info.frames - 1, _KEPT).round().astype(int)).tolist()


def telling_frame(people: People, frames: Sequence[int]) -> int:
    """Of `frames`, rising, the one nearest their middle among those in which most people are seen."""
    heads = np.zeros(max(frames) + 1)
    for track in people.tracks:
        seen = track.frames[track.seen]
        heads[seen[seen < len(heads)]] += 1
    frames = np.asarray(frames)
    most = frames[heads[frames] == heads[frames].max()]
    return int(most[np.abs(most - (frames[0] + frames[-1]) / 2).argmin()])


def _moment(scene: WorldScene, frame: int) -> WorldScene:
    """One frame of a scene, and who is there in it."""
    at = slice(frame, frame + 1)
    people = tuple(_at_moment(person, frame) for person in scene.people if frame in person.frames)
    return replace(
        scene, people=people, R=scene.R[at], t=scene.t[at], K=scene.K[at], camera_confidence=scene.camera_confidence[at]
    )


def _at_moment(person: WorldPerson, frame: int) -> WorldPerson:
    row = int(np.searchsorted(person.frames, frame))
    constant = ("person", "frames", "betas")
    own = {
        field.name: getattr(person, field.name)[row : row + 1] for field in fields(person) if field.name not in constant
    }
    return replace(person, **own, frames=np.zeros(1, int))


def _shrunk(picture: np.ndarray) -> np.ndarray:
    """A copy at the size of a preview."""
    height, width = picture.shape[:2]
    scale = min(LONGEST_SIDE / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _draw_skeleton(canvas: np.ndarray, points: np.ndarray, scale: float, colour: Colour) -> None:
    """Landmarks (33, 3) px of the full picture, visibility, on a preview, in place."""
    places = _pixels(points[:, :2], scale)
    for a, b in _LINES:
        if min(points[a, 2], points[b, 2]) > _VISIBLE:
            cv2.line(canvas, places[a], places[b], colour, 2, cv2.LINE_AA)


def _draw_box(canvas: np.ndarray, box: np.ndarray, scale: float, colour: Colour, words: str) -> None:
    """A box (4,) px of the full picture with words on its upper edge, in place."""
    low, high = _pixels(box.reshape(2, 2), scale)
    cv2.rectangle(canvas, low, high, colour, 1, cv2.LINE_AA)
    x, y = max(low[0], 0), max(low[1], _LABEL)
    cv2.rectangle(canvas, (x, y - _LABEL), (x + words_width(words, _LABEL) + 5, y), colour, -1)
    write_words(canvas, words, (x + 3, y - 4), _LABEL, WHITE)


def _pixels(points: np.ndarray, scale: float) -> list[tuple[int, int]]:
    """Points (M, 2) px of the full picture as OpenCV wants those of a preview."""
    return [(int(x), int(y)) for x, y in np.round((points + 0.5) * scale - 0.5).clip(-9999, 9999)]

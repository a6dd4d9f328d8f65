"""Following people through a clip: tracklets, each of which ends as soon as it is in doubt."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from ghmr_engine.crops import Crop
from ghmr_engine.people.appearance import apart, colours_of, mean_colours, part_colours_of
from ghmr_engine.people.detector import Detector, tiles_of
from ghmr_engine.people.landmarks import LandmarkModel, Sighting

_BODY = slice(11, 29)
"""Landmarks by which two sightings are compared: shoulders to ankles."""
_BIRTH, _ALIVE = 0.7, 0.5
"""Presence at which a tracklet begins, and under which it ends."""
_SAME, _CLOSE = 0.13, 0.25
"""Mean distance of landmarks, in body sizes: two sightings of one person; two that begin to mix."""
_JUMP = 0.3
"""Body sizes that a body may be away from where it was expected, in a thirtieth of a second."""
_LOOK_AGAIN_S, _SEARCH_S = 0.6, 0.2
"""Seconds between looks for new people: always, and for a second after somebody was lost."""

_MEET, _MEMORY_S = 0.7, 1.0
"""Two people meet whose regions' middles are nearer than this share of the larger region's side; somebody who was lost
may stand there unseen for so many seconds."""
_LOOKS = 6
"""Newest looks at somebody's colours that tell what they look like now."""
_TAKEN_OVER, _FRAMES_TO_TELL = 0.15, 3
"""By how much a body looks more like the other one (Bhattacharyya, mean of its halves), and in how many frames, where a
tracklet has slid over to them. Between neighbouring looks at one person there is 0.05, at two different people 0.3."""
_SMALL_EVERY = 4
"""Small tiles take three times as long as the others, and who is small stays in view longer: every fourth look."""


@dataclass
class Tracklet:
    """Sightings of one person in frames that follow each other."""

    start: int
    sightings: list[Sighting] = field(default_factory=list)
    colours: list[np.ndarray] = field(default_factory=list)
    """One look in five frames, (2, 60) each."""
    doubts: int = 0
    """Newest frames in a row in which the body looked like somebody else's."""
    parts: list[np.ndarray] = field(default_factory=list)
    """Colours of the parts of the body, (6, 60) each, as often."""

    @property
    def end(self) -> int:
        """The last frame."""
        return self.start + len(self.sightings) - 1

    @property
    def last(self) -> Sighting:
        """The newest sighting."""
        return self.sightings[-1]

    def expected(self) -> np.ndarray:
        """(33, 2) px: landmarks of the next frame at constant speed."""
        now = self.last.keypoints[:, :2]
        return now if len(self.sightings) < 2 else now + 0.7 * (now - self.sightings[-2].keypoints[:, :2])

    def at(self, frame: int) -> Sighting:
        """The sighting of one frame."""
        return self.sightings[frame - self.start]


def distance(a: np.ndarray, b: np.ndarray, size: float) -> float:
    """Mean distance of two sets of landmarks (33, 2+), in body sizes."""
    return float(np.linalg.norm(a[_BODY, :2] - b[_BODY, :2], axis=1).mean() / size)


class Tracker:
    """Reads frames one by one and keeps the tracklets."""

    def __init__(self, detector: Detector, model: LandmarkModel, fps: float) -> None:
        self.finished: list[Tracklet] = []
        self._live: list[Tracklet] = []
        self._detector, self._model, self._fps = detector, model, fps
        self._frame = -1
        self._search_until = 0
        self._next_look = 0
        self._looks = 0
        # Frames since the last look, so that a new person is followed back to where they came in.
        self._past: deque[np.ndarray] = deque(maxlen=max(round(_LOOK_AGAIN_S * fps), 1))

    def read(self, picture: np.ndarray) -> None:
        """The next frame, (H, W, 3) uint8 RGB."""
        self._frame += 1
        before = len(self._live)
        self._live = [tracklet for tracklet in self._live if self._follow(tracklet, picture)]
        self._end_mixed()
        self._end_taken_over(picture)
        if len(self._live) < before:
            self._search_until = self._frame + round(self._fps)
            self._next_look = min(self._next_look, self._frame + 1)
        if self._frame >= self._next_look:
            self._find_new(picture)
            pause = _SEARCH_S if self._frame < self._search_until or not self._live else _LOOK_AGAIN_S
            self._next_look = self._frame + max(round(pause * self._fps), 1)
        self._past.append(picture)

    def followed(self) -> list[np.ndarray]:
        """Landmarks (33, 3) px, visibility, of everybody who is followed in the newest frame."""
        return [tracklet.last.keypoints for tracklet in self._live]

    def finish(self) -> list[Tracklet]:
        """All tracklets, by their first frames."""
        self.finished += self._live
        self._live = []
        return sorted(self.finished, key=lambda tracklet: tracklet.start)

    def _follow(self, tracklet: Tracklet, picture: np.ndarray) -> bool:
        """Extend a tracklet by one frame; False (and it is finished) where that is in doubt."""
        sighting = self._model.look(picture, tracklet.last.following)
        if self._doubtful(sighting, tracklet.last, tracklet.expected()):
            self.finished.append(tracklet)
            return False
        tracklet.sightings.append(sighting)
        if len(tracklet.sightings) % 5 == 0 and not tracklet.doubts:
            tracklet.colours.append(colours_of(picture, sighting))
            tracklet.parts.append(part_colours_of(picture, sighting))
        return True

    def _doubtful(self, sighting: Sighting, before: Sighting, expected: np.ndarray) -> bool:
        grown = sighting.size / before.size
        jump = _JUMP * max(30 / self._fps, 1.0)
        return (
            sighting.presence < _ALIVE
            or not 0.6 < grown < 1.6
            or distance(sighting.keypoints, expected, max(before.size, sighting.size)) > jump
        )

    def _end_mixed(self) -> None:
        """Where two tracklets show the same person, end the one that had to jump, back to before they mixed."""
        for one in list(self._live):
            for other in list(self._live):
                if one is other or one not in self._live or other not in self._live:
                    continue
                if distance(one.last.keypoints, other.last.keypoints, min(one.last.size, other.last.size)) < _SAME:
                    loser = one if _strain(one) > _strain(other) else other
                    self._live.remove(loser)
                    _trim(loser, other if loser is one else one)
                    if loser.sightings:
                        self.finished.append(loser)

    def _end_taken_over(self, picture: np.ndarray) -> None:
        """End tracklets that slid over to somebody else while two people passed each other, back to before they did."""
        for tracklet in list(self._live):
            others = [other.colours for other in self._met(tracklet) if other.colours]
            own = tracklet.colours[-_LOOKS:]
            if not others or len(own) < 2:
                tracklet.doubts = 0
                continue
            now = colours_of(picture, tracklet.last)
            like_other = min(apart(now, mean_colours(colours[-_LOOKS:])).mean() for colours in others)
            slid = apart(now, mean_colours(own)).mean() > like_other + _TAKEN_OVER
            tracklet.doubts = tracklet.doubts + 1 if slid else 0
            if tracklet.doubts >= _FRAMES_TO_TELL:
                del tracklet.sightings[-tracklet.doubts :]
                self._live.remove(tracklet)
                if tracklet.sightings:
                    self.finished.append(tracklet)

    def _met(self, tracklet: Tracklet) -> list[Tracklet]:
        """Who else is, or was a moment ago, in the same place of the picture."""
        memory = self._frame - round(_MEMORY_S * self._fps)
        region = tracklet.last.following
        return [
            other
            for other in (*self._live, *self.finished[-12:])
            if other is not tracklet and other.start < tracklet.end and other.end >= memory
            and np.hypot(*(other.last.following.centre - region.centre))
            < _MEET * max(other.last.following.side, region.side)
        ]  # fmt: skip

    def _find_new(self, picture: np.ndarray) -> None:
        height, width = picture.shape[:2]
        tiles = tiles_of(width, height, small=self._looks % _SMALL_EVERY == 0)
        self._looks += 1
        for crop in self._detector.find(picture, tiles):
            if any(_covers(tracklet.last.following, crop) for tracklet in self._live):
                continue
            sighting = self._model.look(picture, self._model.look(picture, crop).following)
            if sighting.presence < _BIRTH or sighting.keypoints[_BODY, 2].mean() < 0.3:
                continue
            if any(
                distance(sighting.keypoints, tracklet.last.keypoints, min(sighting.size, tracklet.last.size)) < _CLOSE
                for tracklet in self._live
            ):
                continue
            self._live.append(self._born(sighting, picture))

    def _born(self, sighting: Sighting, picture: np.ndarray) -> Tracklet:
        """A new tracklet, followed back through the frames that are still at hand."""
        back = [sighting]
        for frame in reversed(self._past):
            place = self._frame - len(back)
            seen = self._model.look(frame, back[-1].following)
            if self._doubtful(seen, back[-1], back[-1].keypoints[:, :2]) or self._taken(seen, place):
                break
            back.append(seen)
        colours, parts = [colours_of(picture, sighting)], [part_colours_of(picture, sighting)]
        return Tracklet(self._frame - len(back) + 1, back[::-1], colours, parts=parts)

    def _taken(self, sighting: Sighting, frame: int) -> bool:
        """Whether some tracklet has this person in that frame."""
        return any(
            tracklet.start <= frame <= tracklet.end
            and distance(sighting.keypoints, tracklet.at(frame).keypoints, sighting.size) < _CLOSE
            for tracklet in (*self._live, *self.finished[-12:])
        )


def _covers(crop: Crop, other: Crop) -> bool:
    """Whether two regions are about the same person."""
    apart = np.hypot(*(crop.centre - other.centre))
    return bool(apart < 0.12 * max(crop.side, other.side) and 0.6 < crop.side / other.side < 1.7)


def _strain(tracklet: Tracklet) -> float:
    """How far the newest sighting is from where the ones before it pointed."""
    if len(tracklet.sightings) < 3:
        return np.inf
    past = Tracklet(0, tracklet.sightings[-6:-3] or tracklet.sightings[:1])
    step = past.expected() - past.last.keypoints[:, :2]
    return distance(tracklet.last.keypoints, past.last.keypoints[:, :2] + 3 * step, tracklet.last.size)


def _trim(loser: Tracklet, winner: Tracklet) -> None:
    """Take back what a tracklet saw since it began to mix with another."""
    while loser.sightings and loser.end >= winner.start:
        frame = loser.end
        apart = distance(loser.last.keypoints, winner.at(frame).keypoints, loser.last.size)
        if apart > _CLOSE:
            return
        loser.sightings.pop()

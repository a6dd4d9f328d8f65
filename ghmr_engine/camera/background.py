"""Following the background: points outside people, tracked from key frames, and the camera's turn in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ghmr_engine.camera.rotation import Turn, directions, find_turn, to_pixels
from ghmr_engine.progress import Report
from ghmr_engine.types import People
from ghmr_engine.video import Video

WORKING_SIDE = 640
"""Pixels of the longer side at which the background is followed; pixels below are at this size."""

_CORNERS = 1200
_CELLS = 8  # a side; corners are taken from all over the picture, else one sharp thing in front has them all
_CORNERS_A_CELL = 5
_CORNER_QUALITY = 0.003  # of the best one's
_CORNER_SPACING_PX = 10
_PERSON_MARGIN_PX = 11  # masks are rough, and hair and shadows move too
_WINDOW = (17, 17)
_LEVELS = 3
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)
_RETURN_PX = 0.6  # tracked there and back, a point that lands further off was not the same one
_AGREE_PX = 1.0
_ENOUGH = 30  # points; fewer agree by chance
_KEEP_SHARE = 0.25  # of a key frame's points. Low: from far apart, near things give themselves away by parallax
_BACK_SHARE = 0.4  # an older key frame is taken up again with at least these in view
_BACK_EVERY = 4  # frames
_BACK_REACH = 0.25  # of the longer side: an older key frame's picture that has moved further is not tried
_KEY_FRAMES = 16  # remembered
_FADING = 0.8  # a frame: how a turn goes on while nothing can be seen


@dataclass(frozen=True)
class CameraPath:
    """How the camera turned. T frames; world: the first frame's camera."""

    R: np.ndarray
    """(T, 3, 3) world to camera."""
    confidence: np.ndarray
    """(T,) 0 to 1: how many points agree, and what share."""
    stray_px: np.ndarray
    """(T,) how far the background is from where it was in the first frame, at the working size."""


@dataclass(frozen=True, eq=False)
class _View:
    """One frame at the working size."""

    grey: np.ndarray  # (h, w) uint8
    free: np.ndarray  # (h, w) uint8, 0 where people are


@dataclass(frozen=True, eq=False)
class _Key:
    """A frame that others are compared with. N points."""

    view: _View
    R: np.ndarray  # (3, 3)
    points_px: np.ndarray  # (N, 2)
    rays: np.ndarray  # (N, 3) directions in this frame's camera


@dataclass(frozen=True, eq=False)
class _Match:
    """What a frame has in common with a key frame."""

    key: _Key
    turn: Turn
    flow_px: float  # a quarter of the tracked points moved less

    @property
    def agreeing(self) -> int:
        return int(np.count_nonzero(self.turn.agree))

    @property
    def R(self) -> np.ndarray:
        return self.turn.D @ self.key.R

    def keeps(self, share: float) -> bool:
        """Whether that share of the key frame's points is still in view, and enough of them."""
        return self.agreeing >= max(_ENOUGH, share * len(self.key.rays))

    @property
    def confidence(self) -> float:
        tracked = len(self.turn.agree)
        return min(1.0, self.agreeing / (2 * _ENOUGH)) * self.agreeing / tracked if tracked else 0.0


def follow(video: Video, people: People, focal_px: float, report: Report) -> CameraPath:
    """The camera's turn in every frame, from one pass over the pictures. focal_px: of the full picture."""
    info = video.info
    scale = min(1.0, WORKING_SIDE / max(info.width, info.height))
    size = round(info.width * scale), round(info.height * scale)
    follower = _Follower(focal_px * scale, size)
    for index, picture in enumerate(video.frames()):
        follower.add(_view(picture, people.mask(index), size))
        report((index + 1) / info.frames)
    return CameraPath(np.stack(follower.R), np.array(follower.confidence), np.array(follower.stray_px))


class _Follower:
    """Takes frames in order. Key frames, not neighbours, are compared, so that errors do not add up frame by frame."""

    def __init__(self, focal_px: float, size: tuple[int, int]) -> None:
        self.R: list[np.ndarray] = []
        self.confidence: list[float] = []
        self.stray_px: list[float] = []
        self._focal_px = focal_px
        self._centre_px = (np.array(size) - 1) / 2
        self._grid = directions(_grid(size), focal_px, self._centre_px)
        self._keys: list[_Key] = []  # oldest first
        self._current: _Key | None = None
        self._last: _View | None = None

    def add(self, view: _View) -> None:
        """Find the next frame's turn."""
        if not self.R:
            enough = len(self._new_key(view, np.eye(3)).rays) >= _ENOUGH
            self._note(view, np.eye(3), float(enough), 0.0)
            return
        guess = self._going_on()
        match = self._best_match(view, guess)
        if match is None:
            self._note(view, guess, 0.0, self._shift_px(guess))
        else:
            R = _orthonormal(match.R)
            self._note(view, R, match.confidence, max(self._shift_px(R), match.flow_px))

    def _best_match(self, view: _View, guess: np.ndarray) -> _Match | None:
        """With an older key frame where one is in view again, else with the current one, else with the frame before.

        Going back is what keeps a swaying camera from drifting, and a standing one, in front of which people pass.
        """
        match = self._match(self._current, view, guess)
        good = match.keeps(_KEEP_SHARE)
        if not good or len(self.R) % _BACK_EVERY == 0:
            older = self._older_in_reach(guess)
            if older is not None and (back := self._match(older, view, guess)).keeps(_BACK_SHARE):
                self._current = older
                return back
        if good:
            return match
        fresh = self._match(self._new_key(self._last, self.R[-1]), view, guess)
        best = max(match, fresh, key=lambda found: found.agreeing)
        return best if best.agreeing >= _ENOUGH else None

    def _match(self, key: _Key, view: _View, guess: np.ndarray) -> _Match:
        D = guess @ key.R.T
        expected_px = to_pixels(key.rays @ D.T, self._focal_px, self._centre_px)
        found_px, kept = _track(key, view, expected_px)
        turn = find_turn(key.rays[kept], found_px, D, self._focal_px, self._centre_px, _AGREE_PX)
        flow_px = np.linalg.norm(found_px - key.points_px[kept], axis=1)
        return _Match(key, turn, float(np.percentile(flow_px, 25)) if len(flow_px) else 0.0)

    def _older_in_reach(self, guess: np.ndarray) -> _Key | None:
        """The oldest key frame, older than the current one, that shows much of the same."""
        reach_px = _BACK_REACH * 2 * self._centre_px.max()
        for key in self._keys:
            if key is self._current:
                return None
            if self._shift_px(guess @ key.R.T) < reach_px:
                return key
        return None

    def _new_key(self, view: _View, R: np.ndarray) -> _Key:
        points_px = _corners(view)
        self._current = _Key(view, R, points_px, directions(points_px, self._focal_px, self._centre_px))
        self._keys.append(self._current)
        if len(self._keys) > _KEY_FRAMES:
            del self._keys[1]  # the first one stays: it is the world
        return self._current

    def _going_on(self) -> np.ndarray:
        """The next R if the last frame's turn goes on, ever slower while nothing is seen."""
        if len(self.R) < 2:
            return self.R[-1]
        turn, _ = cv2.Rodrigues(self.R[-1] @ self.R[-2].T)
        seen = self.confidence[-1] > 0
        return cv2.Rodrigues(turn * (1.0 if seen else _FADING))[0] @ self.R[-1]

    def _shift_px(self, R: np.ndarray) -> float:
        """Pixels by which a rotation (3, 3) moves a picture, median over a grid."""
        before = to_pixels(self._grid, self._focal_px, self._centre_px)
        after = to_pixels(self._grid @ R.T, self._focal_px, self._centre_px)
        return float(np.median(np.linalg.norm(after - before, axis=1)))

    def _note(self, view: _View, R: np.ndarray, confidence: float, stray_px: float) -> None:
        self._last = view
        self.R.append(R)
        self.confidence.append(confidence)
        self.stray_px.append(stray_px)


def _view(picture: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> _View:
    """picture (H, W, 3) uint8 RGB, mask (h, w) bool: where people are, size: width, height to work at."""
    grey = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    people = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    grow = np.ones((2 * _PERSON_MARGIN_PX + 1,) * 2, np.uint8)
    return _View(grey, 1 - cv2.dilate(people, grow))


def _corners(view: _View) -> np.ndarray:
    """(N, 2) float32 px: the best corners of each cell of the picture, outside people."""
    found = cv2.goodFeaturesToTrack(view.grey, _CORNERS, _CORNER_QUALITY, _CORNER_SPACING_PX, mask=view.free)
    if found is None:
        return np.empty((0, 2), np.float32)
    points_px = found.reshape(-1, 2)
    height, width = view.grey.shape
    cells = (points_px / (width, height) * _CELLS).astype(int) @ (1, _CELLS)
    order = np.argsort(cells, kind="stable")  # within a cell they stay sorted, best first
    rank = np.arange(len(order)) - np.searchsorted(cells[order], cells[order])
    return points_px[np.sort(order[rank < _CORNERS_A_CELL])]


def _track(key: _Key, view: _View, expected_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the key frame's points are in a view: (M, 2) px, and (N,) bool which M of the points these are.

    Pyramidal Lucas and Kanade, there and back; points that land on people or outside are left out.
    """
    if not len(key.rays):
        return np.empty((0, 2)), np.zeros(0, bool)
    start = np.clip(expected_px, -WORKING_SIDE, 2 * WORKING_SIDE).astype(np.float32)
    flow = {"winSize": _WINDOW, "criteria": _STOP, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
    found, seen, _ = cv2.calcOpticalFlowPyrLK(key.view.grey, view.grey, key.points_px, start, maxLevel=_LEVELS, **flow)
    # The way back begins where it should end, so the finest level is enough.
    again, seen_again, _ = cv2.calcOpticalFlowPyrLK(
        view.grey, key.view.grey, found, key.points_px.copy(), maxLevel=0, **flow
    )
    returned = np.linalg.norm(again - key.points_px, axis=1) < _RETURN_PX
    x, y = np.round(found).astype(int).T
    height, width = view.free.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    free = view.free[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] > 0
    kept = seen.ravel().astype(bool) & seen_again.ravel().astype(bool) & returned & inside & free
    return found[kept].astype(np.float64), kept


def _grid(size: tuple[int, int]) -> np.ndarray:
    """(25, 2) px all over a picture of width, height."""
    x, y = np.meshgrid(*(np.linspace(0, side - 1, 5) for side in size))
    return np.column_stack([x.ravel(), y.ravel()])


def _orthonormal(R: np.ndarray) -> np.ndarray:
    """The rotation nearest to R (3, 3): rounding must not add up over key frames."""
    U, _, Vt = np.linalg.svd(R)
    return U @ Vt

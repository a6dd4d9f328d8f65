"""Following the background: points outside people, tracked from key frames, and the camera's turn in every frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ghmr_engine.camera.corners import WORKING_SIDE, View, find_again, find_corners, make_view
from ghmr_engine.camera.lines import straight_lines
from ghmr_engine.camera.rotation import Turn, directions, find_turn, to_pixels
from ghmr_engine.progress import Report
from ghmr_engine.types import People, VideoInfo
from ghmr_engine.video import Video

_AGREE_PX = 1.0
_ENOUGH = 30  # points; fewer agree by chance
_KEEP_SHARE = 0.45  # of a key frame's points
_BACK_SHARE = 0.4  # an older key frame is taken up again with at least these in view
_BACK_EVERY = 4  # frames
_BACK_REACH = 0.25  # of the longer side: an older key frame's picture that has moved further is not tried
_KEY_FRAMES = 16  # remembered
_SEARCHED = 8  # frames, for lines
_FADING = 0.8  # a frame: how a turn goes on while nothing can be seen


@dataclass(frozen=True)
class Background:
    """What was followed. T frames; L points; O sightings; px at the working size, from the picture's centre."""

    R: np.ndarray
    """(T, 3, 3) world to camera, the first frame's camera being the world: a first guess of how the camera turned."""
    confidence: np.ndarray
    """(T,) 0 to 1: how many points agree with that turn, and what share."""
    stray_px: np.ndarray
    """(T,) how far the background is from where it was in the first frame."""
    frame: np.ndarray
    """(O,) int: where a point is seen."""
    point: np.ndarray
    """(O,) int, 0 to L-1."""
    px: np.ndarray
    """(O, 2)."""
    home: np.ndarray
    """(L,) int: the frame in which a point was chosen and to which others were compared. No sighting of its own."""
    home_px: np.ndarray
    """(L, 2)."""
    line_frame: np.ndarray
    """(S,) int: the frame that a line was found in; a few frames of the clip were searched."""
    line_px: np.ndarray
    """(S, 4) both ends of a straight line."""
    size: tuple[int, int]
    """Width and height of the working size."""


@dataclass(eq=False)
class _Key:
    """A frame that others are compared with. N points."""

    frame: int
    view: View
    R: np.ndarray  # (3, 3)
    ids: np.ndarray  # (N,) int
    points_px: np.ndarray  # (N, 2)
    rays: np.ndarray  # (N, 3) directions in this frame's camera
    parallax_px: np.ndarray  # (N, 2) how far from where the turn alone would have it each point was seen last
    alive: np.ndarray  # (N,) bool: seen in every frame since this one, or since it was taken up again


@dataclass(frozen=True, eq=False)
class _Match:
    """What a frame has in common with a key frame."""

    key: _Key
    turn: Turn
    found_px: np.ndarray  # (M, 2)
    kept: np.ndarray  # (N,) bool, which of the key frame's points are found

    @property
    def agreeing(self) -> int:
        return int(np.count_nonzero(self.turn.agree))

    @property
    def R(self) -> np.ndarray:
        return self.turn.D @ self.key.R

    @property
    def flow_px(self) -> float:
        """A quarter of the points moved less."""
        flow = np.linalg.norm(self.found_px - self.key.points_px[self.kept], axis=1)
        return float(np.percentile(flow, 25)) if len(flow) else 0.0

    def keeps(self, share: float) -> bool:
        """Whether that share of the key frame's points is still in view, and enough of them."""
        return len(self.found_px) >= max(_ENOUGH, share * len(self.key.ids))

    @property
    def confidence(self) -> float:
        tracked = len(self.turn.agree)
        return min(1.0, self.agreeing / (2 * _ENOUGH)) * self.agreeing / tracked if tracked else 0.0


def straightened(background: Background, k1: float, k2: float, focal_px: float) -> Background:
    """As a straight lens would show it; k1, k2 of docs/camera.md, focal_px at the working size."""

    def straight(px: np.ndarray) -> np.ndarray:
        r2 = ((px / focal_px) ** 2).sum(-1, keepdims=True)
        return px / (1 + k1 * r2 + k2 * r2**2)

    lines = straight(background.line_px.reshape(-1, 2)).reshape(-1, 4)
    return replace(background, px=straight(background.px), home_px=straight(background.home_px), line_px=lines)


def working_scale(info: VideoInfo) -> float:
    """Working size over the clip's own."""
    return min(1.0, WORKING_SIDE / max(info.width, info.height))


def follow(video: Video, people: People, focal_px: float, report: Report) -> Background:
    """Points of the background through the clip, from one pass over the pictures. focal_px: of the full picture."""
    info = video.info
    scale = working_scale(info)
    size = round(info.width * scale), round(info.height * scale)
    follower = _Follower(focal_px * scale, size)
    searched = set(np.linspace(0, info.frames - 1, _SEARCHED).round().astype(int).tolist())
    lines = []
    for index, picture in enumerate(video.frames()):
        view = make_view(picture, people.mask(index), size)
        follower.add(view)
        if index in searched:
            lines.append((index, straight_lines(view)))
        report((index + 1) / info.frames)
    return follower.result(size, lines)


class _Follower:
    """Takes frames in order. Key frames, not neighbours, are compared, so that errors do not add up frame by frame."""

    def __init__(self, focal_px: float, size: tuple[int, int]) -> None:
        self._R: list[np.ndarray] = []
        self._confidence: list[float] = []
        self._stray_px: list[float] = []
        self._sightings: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._homes: list[tuple[int, np.ndarray]] = []
        self._count = 0  # of points
        self._focal_px = focal_px
        self._centre_px = (np.array(size) - 1) / 2
        self._grid = directions(_grid(size), focal_px, self._centre_px)
        self._keys: list[_Key] = []  # oldest first
        self._current: _Key | None = None
        self._last: View | None = None
        self._last_match: _Match | None = None

    def add(self, view: View) -> None:
        """Find the next frame's turn."""
        if not self._R:
            enough = len(self._new_key(view, 0, np.eye(3)).ids) >= _ENOUGH
            self._note(view, np.eye(3), float(enough), 0.0)
            return
        guess = self._going_on()
        match = self._best_match(view, guess)
        if match is None:
            self._note(view, guess, 0.0, self._shift_px(guess))
        else:
            self._see(match)
            R = _orthonormal(match.R)
            self._note(view, R, match.confidence, max(self._shift_px(R), match.flow_px))
        self._last_match = match

    def result(self, size: tuple[int, int], lines: list[tuple[int, np.ndarray]]) -> Background:
        """All that was seen."""
        frame = [np.full(len(ids), number) for number, ids, _ in self._sightings]
        return Background(
            R=np.stack(self._R),
            confidence=np.array(self._confidence),
            stray_px=np.array(self._stray_px),
            frame=np.concatenate([np.zeros(0, int), *frame]),
            point=np.concatenate([np.zeros(0, int), *(ids for _, ids, _ in self._sightings)]),
            px=np.concatenate([np.zeros((0, 2)), *(px for _, _, px in self._sightings)]) - self._centre_px,
            home=np.concatenate([np.zeros(0, int), *(np.full(len(px), number) for number, px in self._homes)]),
            home_px=np.concatenate([np.zeros((0, 2)), *(px for _, px in self._homes)]) - self._centre_px,
            line_frame=np.concatenate([np.full(len(found), number) for number, found in lines]),
            line_px=np.concatenate([found for _, found in lines]) - np.tile(self._centre_px, 2),
            size=size,
        )

    def _best_match(self, view: View, guess: np.ndarray) -> _Match | None:
        """With an older key frame where one is in view again, else with the current one, else with the frame before.

        Going back is what keeps a swaying camera from drifting, and a standing one, in front of which people pass.
        """
        match = self._match(self._current, view, guess)
        good = match.keeps(_KEEP_SHARE)
        if not good or len(self._R) % _BACK_EVERY == 0:
            older = self._older_in_reach(guess)
            if older is not None:
                older.alive[:] = True
                older.parallax_px[:] = 0
                back = self._match(older, view, guess)
                if back.agreeing >= max(_ENOUGH, _BACK_SHARE * len(older.ids)):
                    self._current = older
                    return back
        if good:
            return match
        fresh = self._match(self._new_key(self._last, len(self._R) - 1, self._R[-1]), view, guess)
        best = max(match, fresh, key=lambda found: found.agreeing)
        return best if best.agreeing >= _ENOUGH else None

    def _match(self, key: _Key, view: View, guess: np.ndarray) -> _Match:
        D = guess @ key.R.T
        expected_px = to_pixels(key.rays @ D.T, self._focal_px, self._centre_px) + key.parallax_px
        kept = key.alive.copy()
        found_px, found = find_again(key.view, key.points_px[kept], view, expected_px[kept])
        kept[kept] = found
        turn = find_turn(key.rays[kept], found_px, D, self._focal_px, self._centre_px, _AGREE_PX)
        return _Match(key, turn, found_px, kept)

    def _older_in_reach(self, guess: np.ndarray) -> _Key | None:
        """The oldest key frame, older than the current one, that shows much of the same."""
        reach_px = _BACK_REACH * 2 * self._centre_px.max()
        for key in self._keys:
            if key is self._current:
                return None
            if self._shift_px(guess @ key.R.T) < reach_px:
                return key
        return None

    def _new_key(self, view: View, frame: int, R: np.ndarray) -> _Key:
        """The points that the last frame still had, and new ones where it lacks them."""
        ids, points_px = np.zeros(0, int), np.zeros((0, 2))
        if self._last_match is not None:
            ids, points_px = self._last_match.key.ids[self._last_match.kept], self._last_match.found_px
        fresh_px = find_corners(view, points_px)
        self._homes.append((frame, fresh_px))
        ids = np.concatenate([ids, self._count + np.arange(len(fresh_px))])
        self._count += len(fresh_px)
        points_px = np.concatenate([points_px, fresh_px])
        rays = directions(points_px, self._focal_px, self._centre_px)
        self._current = _Key(frame, view, R, ids, points_px, rays, np.zeros_like(points_px), np.ones(len(ids), bool))
        self._keys.append(self._current)
        if len(self._keys) > _KEY_FRAMES:
            del self._keys[1]  # the first one stays: it is the world
        return self._current

    def _see(self, match: _Match) -> None:
        """Note where points are seen, and how that differs from where the turn alone would have them."""
        key = match.key
        self._sightings.append((len(self._R), key.ids[match.kept], match.found_px))
        turned_px = to_pixels(key.rays[match.kept] @ match.turn.D.T, self._focal_px, self._centre_px)
        key.parallax_px[match.kept] = match.found_px - turned_px
        key.alive = match.kept  # a point that is found again later, among bricks, is another one

    def _going_on(self) -> np.ndarray:
        """The next R if the last frame's turn goes on, ever slower while nothing is seen."""
        if len(self._R) < 2:
            return self._R[-1]
        turn, _ = cv2.Rodrigues(self._R[-1] @ self._R[-2].T)
        seen = self._confidence[-1] > 0
        return cv2.Rodrigues(turn * (1.0 if seen else _FADING))[0] @ self._R[-1]

    def _shift_px(self, R: np.ndarray) -> float:
        """Pixels by which a rotation (3, 3) moves a picture, median over a grid."""
        before = to_pixels(self._grid, self._focal_px, self._centre_px)
        after = to_pixels(self._grid @ R.T, self._focal_px, self._centre_px)
        return float(np.median(np.linalg.norm(after - before, axis=1)))

    def _note(self, view: View, R: np.ndarray, confidence: float, stray_px: float) -> None:
        self._last = view
        self._R.append(R)
        self._confidence.append(confidence)
        self._stray_px.append(stray_px)


def _grid(size: tuple[int, int]) -> np.ndarray:
    """(25, 2) px all over a picture of width, height."""
    x, y = np.meshgrid(*(np.linspace(0, side - 1, 5) for side in size))
    return np.column_stack([x.ravel(), y.ravel()])


def _orthonormal(R: np.ndarray) -> np.ndarray:
    """The rotation nearest to R (3, 3): rounding must not add up over key frames."""
    U, _, Vt = np.linalg.svd(R)
    return U @ Vt

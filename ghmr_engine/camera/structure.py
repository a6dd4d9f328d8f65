"""Structure from motion: where the camera was in some views of a clip, and how far away the background's points are.

Grown from one pair of views (Snavely, Seitz and Szeliski 2006) in the order of time, adjusted every few views.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import torch

from ghmr_engine import lie
from ghmr_engine.camera.background import Background
from ghmr_engine.camera.bundle import (
    Bundle,
    Freedom,
    Sightings,
    adjust,
    in_view,
    lens_deviations,
    residuals,
    robust_cost,
    straight,
)
from ghmr_engine.camera.pose import locate
from ghmr_engine.camera.rotation import directions, find_turn, to_pixels

_MOST_VIEWS_APART, _FEWEST_VIEWS_APART = 8, 2  # frames
_COMMON = 50  # points that a first pair shares
_PARALLAX_PX = 2.5
"""Of a first pair: beyond any turn, half of the points must have moved by more."""
_PAIRS = 8  # of the largest parallax, that are looked at closely
_EPIPOLAR_PX = 1.0
_SEEN = 20  # points with known depth that a view needs to be placed
_FITS_PX = 3.0
_ADJUST_EVERY, _ADJUST_STEPS, _LAST_STEPS = 6, 3, 15
_TURN_STEPS = 12
LENS_TURN_PX = 64.0
"""A turn that moves the picture by less tells nothing of the lens: the hand's own path would pass for its doing."""
_FOCAL_VIEWS = 8
"""From which on a focal length is solved for: two views fit almost any."""
_BEND_SHOWS, _BEND_SURE, _BEND_MATTERS = 0.015, 8.0, 0.01
"""Deviation up to which a lens's bend is believed, reckoned from independent errors; how many deviations it must be
(neighbouring sightings err alike: in truth a deviation is some four times as large); and how much: 0.01 moves what is
at the picture's sides by 3 px of 640."""
_TELLS = 0.01
"""Of robust_cost, a sighting: 0.1 px, where it is nearly straight."""
_STRAIGHT = torch.zeros(()).double()


@dataclass(frozen=True)
class Views:
    """The chosen frames and what they see. V views; px from the picture's centre."""

    frames: np.ndarray
    """(V,) int, rising."""
    R: np.ndarray
    """(V, 3, 3) a first guess of their turn."""
    seen: Sightings
    """In chosen views, home views included."""
    points: int
    """L."""


def choose_views(background: Background) -> Views:
    """Home frames of points, and as many in between as keep steps short: what was chosen in a home must be seen again
    before it is lost, but not at once, which would show next to no parallax."""
    count = len(background.R)
    step = int(np.clip(count // 30, _FEWEST_VIEWS_APART, _MOST_VIEWS_APART))
    ends = np.union1d(background.home, [0, count - 1])
    steps = [np.linspace(a, b, -(-(b - a) // step) + 1) for a, b in pairwise(ends)]
    frames = np.unique(np.concatenate([ends, *steps]).round().astype(int))
    every = sightings_of(background, np.arange(len(background.home)))
    chosen = np.isin(every.view.numpy(), frames)
    view = np.searchsorted(frames, every.view.numpy()[chosen])
    order = np.flatnonzero(chosen)[np.lexsort((every.point.numpy()[chosen], view))]
    seen = Sightings(torch.as_tensor(np.sort(view)), every.point[order], every.px[order])
    return Views(frames, background.R[frames], seen, len(background.home))


def sightings_of(background: Background, points: np.ndarray) -> Sightings:
    """All sightings of some points; views are the clip's frames."""
    chosen = np.isin(background.point, points)
    at_home = points
    frame = np.concatenate([background.home[at_home], background.frame[chosen]])
    point = np.concatenate([at_home, background.point[chosen]])
    px = np.concatenate([background.home_px[at_home], background.px[chosen]])
    return Sightings(torch.as_tensor(frame), torch.as_tensor(point), torch.as_tensor(px).double())


def turning(views: Views, focal_px: float, log_focal: float | None) -> Bundle:
    """The bundle of a camera that only turns. log_focal: the expected deviation of the focal length's logarithm,
    None where it is known. The lens bends lines where that shows."""
    pose = lie.from_rotation_and_translation(torch.as_tensor(views.R), torch.zeros(len(views.frames), 3).double())
    every = np.ones(len(views.frames), bool)
    start = _bundle(views, pose, torch.zeros(views.points).double(), every, focal_px, _STRAIGHT)
    bend = turned_px(views, focal_px) > LENS_TURN_PX
    free = Freedom(turn_only=True, log_focal=log_focal, expected_px=focal_px, bend=bend)
    return _adjusted(start, without_anchors(start, views.seen), free, _TURN_STEPS)


def turned_px(views: Views, focal_px: float) -> float:
    """How far a camera that turns as guessed moves what lies in the picture's middle, at the most."""
    axes = views.R[:, 2]
    return focal_px * float(np.tan(np.arccos(np.clip((axes @ axes.T).min(), 0.2, 1))))


def moving(views: Views, focal_px: float, log_focal: float | None, bend_views: int) -> tuple[Bundle, np.ndarray] | None:
    """The same for a camera that is carried about, and which views (V,) could be placed; None where no pair of views
    shows any parallax. bend_views: with so many placed the lens's bend is solved for too."""
    pair = _first_pair(views, focal_px)
    if pair is None:
        return None
    (first, second), relative = pair
    placed = np.zeros(len(views.frames), bool)
    placed[[first, second]] = True
    pose = lie.identity(len(views.frames))
    pose[second] = relative
    bundle = _bundle(views, pose, torch.zeros(views.points).double(), placed, focal_px, _STRAIGHT)

    def refine(steps: int) -> Bundle:
        free = Freedom(
            log_focal=log_focal if placed.sum() >= _FOCAL_VIEWS else None, expected_px=focal_px,
            bend=placed.sum() >= bend_views, fixed=int(placed[:first].sum()),
        )  # fmt: skip
        return _refined(views, bundle, placed, free, steps)

    bundle = refine(_ADJUST_STEPS * 3)

    known = placed.copy()  # whose points have depths
    for view in _outward(first, second, len(views.frames)):
        found = _place(views, bundle, known, view)
        if found is None and (placed != known).any():
            bundle, known = refine(_ADJUST_STEPS), placed.copy()
            found = _place(views, bundle, known, view)
        if found is None:
            continue
        bundle = replace(bundle, pose=torch.cat([bundle.pose[:view], found[None], bundle.pose[view + 1 :]]))
        placed[view] = True
        if (placed != known).sum() >= _ADJUST_EVERY:
            bundle, known = refine(_ADJUST_STEPS), placed.copy()
    bundle = refine(_LAST_STEPS)
    return bundle, placed


def seen_from(views: Views, pose: torch.Tensor, focal_px: float) -> Bundle:
    """The bundle of known poses (V, 7): points where the sightings put them."""
    bundle = _bundle(views, pose, torch.zeros(views.points).double(), np.ones(len(pose), bool), focal_px, _STRAIGHT)
    return replace(bundle, depth=triangulated(bundle, without_anchors(bundle, views.seen)))


def _outward(first: int, second: int, count: int) -> list[int]:
    """All other views: those between, then after, then before."""
    return [*range(first + 1, second), *range(second + 1, count), *range(first - 1, -1, -1)]


def _first_pair(views: Views, focal_px: float) -> tuple[tuple[int, int], torch.Tensor] | None:
    """Two views with much parallax and the second's pose (7,) seen from the first, the way between them being 1."""
    ids, px = _by_view(views)
    pairs = []
    for first in range(0, len(ids), 3):
        for second in range(first + 1, len(ids), 2):
            common, at, to = np.intersect1d(ids[first], ids[second], assume_unique=True, return_indices=True)
            if len(common) < _COMMON:
                break
            parallax = _parallax_px(px[first][at], px[second][to], views.R[second] @ views.R[first].T, focal_px)
            pairs.append((min(parallax, 25.0) * min(len(common) / 100, 1.0), parallax, first, second))
    best = None
    for _, parallax, first, second in sorted(pairs, reverse=True)[:_PAIRS]:
        if parallax < _PARALLAX_PX:
            continue
        _, at, to = np.intersect1d(ids[first], ids[second], assume_unique=True, return_indices=True)
        found = _two_views(px[first][at], px[second][to], focal_px)
        if found is not None and (best is None or found[0] > best[0]):
            best = (found[0], (first, second), found[1])
    return None if best is None else best[1:]


def _by_view(views: Views) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Point numbers, rising, and px of each view."""
    view = views.seen.view.numpy()
    starts = np.searchsorted(view, np.arange(1, len(views.frames)))
    return np.split(views.seen.point.numpy(), starts), np.split(views.seen.px.numpy(), starts)


def _parallax_px(first_px: np.ndarray, second_px: np.ndarray, guess: np.ndarray, focal_px: float) -> float:
    """Median distance of points from where the best turn would have them."""
    centre = np.zeros(2)
    rays = directions(first_px, focal_px, centre)
    turn = find_turn(rays, second_px, guess, focal_px, centre, 2.0)
    return float(np.median(np.linalg.norm(to_pixels(rays @ turn.D.T, focal_px, centre) - second_px, axis=1)))


def _two_views(first_px: np.ndarray, second_px: np.ndarray, focal_px: float) -> tuple[float, torch.Tensor] | None:
    """How good a pair is (points in front of both, weighed by the angle between their rays) and the second's pose."""
    K = np.diag([focal_px, focal_px, 1.0])
    cv2.setRNGSeed(0)
    E, inliers = cv2.findEssentialMat(
        first_px, second_px, K, method=cv2.USAC_MAGSAC, prob=0.999, threshold=_EPIPOLAR_PX, maxIters=2000
    )
    if E is None or E.shape != (3, 3):
        return None
    good, R, t, mask = cv2.recoverPose(E, first_px, second_px, K, mask=inliers.copy())
    share = good / len(first_px)
    if share < 0.5:
        return None
    kept = mask.ravel() > 0
    a = directions(first_px[kept], focal_px, np.zeros(2)) @ R.T
    b = directions(second_px[kept], focal_px, np.zeros(2))
    angle = np.median(np.arccos(np.clip((a * b).sum(1), -1, 1)))
    pose = lie.from_rotation_and_translation(torch.as_tensor(R)[None], torch.as_tensor(t.reshape(1, 3)))[0]
    return good * min(float(np.degrees(angle)), 6.0), pose


def _bundle(
    views: Views, pose: torch.Tensor, depth: torch.Tensor, placed: np.ndarray, focal_px: float, bend: torch.Tensor
) -> Bundle:
    """Points anchored in their first placed view."""
    usable = np.flatnonzero(placed[views.seen.view.numpy()])
    point, first = np.unique(views.seen.point.numpy()[usable], return_index=True)
    anchor = torch.zeros(views.points, dtype=torch.long)
    ray_px = torch.zeros(views.points, 2).double()
    anchor[point] = views.seen.view[usable[first]]
    ray_px[point] = views.seen.px[usable[first]]
    return Bundle(pose, depth, anchor, ray_px, torch.tensor(focal_px, dtype=torch.float64), bend)


def without_anchors(bundle: Bundle, seen: Sightings) -> Sightings:
    """Sightings that say something: in its anchor a point is where it is by definition."""
    return _some(seen, seen.view != bundle.anchor[seen.point])


def _some(seen: Sightings, which: torch.Tensor) -> Sightings:
    return Sightings(seen.view[which], seen.point[which], seen.px[which])


def _refined(views: Views, bundle: Bundle, placed: np.ndarray, free: Freedom, steps: int) -> Bundle:
    """Depths found anew from the poses of the placed views, then everything adjusted."""
    bundle = _bundle(views, bundle.pose, bundle.depth * 0, placed, float(bundle.focal_px), bundle.bend)
    seen = _some(views.seen, torch.as_tensor(placed)[views.seen.view])
    seen = without_anchors(bundle, seen)
    bundle = replace(bundle, depth=triangulated(bundle, seen))
    change = _adjusted if steps == _LAST_STEPS else adjust
    solved = change(_subset(bundle, placed), _renumbered(seen, placed), free, steps)
    pose = bundle.pose.clone()
    pose[torch.as_tensor(placed)] = solved.pose
    return replace(bundle, pose=pose, depth=solved.depth, focal_px=solved.focal_px, bend=solved.bend)


def _adjusted(bundle: Bundle, seen: Sightings, free: Freedom, steps: int) -> Bundle:
    """Adjusted; once more with a straight lens, which is kept where a bend does not show."""
    bent = adjust(bundle, seen, free, steps)
    if not free.bend:
        return bent
    plain = adjust(replace(bent, bend=torch.zeros_like(bent.bend)), seen, replace(free, bend=False), steps)
    _, deviation = lens_deviations(bent, seen, free)
    shows = deviation < _BEND_SHOWS and abs(float(bent.bend)) > max(_BEND_MATTERS, _BEND_SURE * deviation)
    return bent if shows and _explains_more(bent, plain, seen) else plain


def _explains_more(fuller: Bundle, plain: Bundle, seen: Sightings) -> bool:
    """Whether what the fuller one solves for is worth a part of a pixel to what is seen: what it gains beneath that are
    errors that many sightings have in common, a rolling shutter or a car that drives by."""
    gain = robust_cost(residuals(plain, seen)) - robust_cost(residuals(fuller, seen))
    return len(gain) > 0 and float(gain.mean()) > _TELLS


def _subset(bundle: Bundle, placed: np.ndarray) -> Bundle:
    number = torch.as_tensor(np.maximum(np.cumsum(placed) - 1, 0))
    return replace(bundle, pose=bundle.pose[torch.as_tensor(placed)], anchor=number[bundle.anchor])


def _renumbered(seen: Sightings, placed: np.ndarray) -> Sightings:
    number = torch.as_tensor(np.cumsum(placed) - 1)
    return replace(seen, view=number[seen.view])


def triangulated(bundle: Bundle, seen: Sightings) -> torch.Tensor:
    """(L,) inverse depths that fit the sightings best, in closed form: with y = R ray + d t, each sighting (x, 1) asks
    that x y_z = y_x, which is linear in d. Robust by a second round; 0 where nothing tells."""
    _, R, t, ray = in_view(bundle, seen)
    far = torch.einsum("oij,oj->oi", R, ray)
    x = straight(seen.px, bundle.bend) / bundle.focal_px
    a = t[:, :2] - x * t[:, 2:]
    b = x * far[:, 2:] - far[:, :2]
    weight = torch.ones(len(seen.view)).double()
    for _ in range(3):
        top = torch.zeros(len(bundle.depth)).double().index_add_(0, seen.point, weight * (a * b).sum(-1))
        bottom = torch.zeros(len(bundle.depth)).double().index_add_(0, seen.point, weight * a.square().sum(-1))
        depth = (top / bottom.clamp(min=1e-12)).clamp(0, 50)
        off = residuals(replace(bundle, depth=depth), seen).norm(dim=-1)
        weight = 1 / (1 + (off / 2).square())
    return depth


def _place(views: Views, bundle: Bundle, placed: np.ndarray, view: int) -> torch.Tensor | None:
    """(7,) the pose of one more view, from points that two placed ones see; None where too few fit.

    A point that one view sees has no depth: taken for infinitely far away, such points would hold the view in place.
    """
    near = int(np.flatnonzero(placed)[np.abs(np.flatnonzero(placed) - view).argmin()])
    seen = _some(views.seen, views.seen.view == view)
    times = torch.bincount(views.seen.point[torch.as_tensor(placed)[views.seen.view]], minlength=views.points)
    seen = _some(seen, times[seen.point] >= 2)
    if len(seen.view) < _SEEN:
        return None
    turn = torch.as_tensor(views.R[view] @ views.R[near].T)
    R, t = lie.rotation_and_translation(bundle.pose[near][None])
    start = lie.from_rotation_and_translation((turn @ R[0])[None], (turn @ t[0])[None])
    pose, fits = locate(start, bundle, replace(seen, view=torch.zeros_like(seen.view)))
    return pose[0] if int(fits.sum()) >= _SEEN else None

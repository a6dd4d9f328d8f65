"""The camera's path from what was followed: whether it only turned or was carried, and its pose in every frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ghmr_engine import lie
from ghmr_engine.camera.background import Background, straightened
from ghmr_engine.camera.bundle import (
    BEND_PX,
    Bundle,
    Freedom,
    Sightings,
    lens_deviations,
    points,
    residuals,
    robust_cost,
    straight,
)
from ghmr_engine.camera.lens import LOG_FOCAL
from ghmr_engine.camera.pose import locate
from ghmr_engine.camera.structure import (
    LENS_TURN_PX,
    Views,
    choose_views,
    moving,
    seen_from,
    sightings_of,
    turned_px,
    turning,
    without_anchors,
)

_NEAR_PX = (4.0, 2.0, 1.0, 0.7, 0.7)
"""Cauchy's scales where the guess is a neighbouring view's pose."""
_ENOUGH = 20  # points that fit; fewer fit by chance
_PLACED_SHARE = 0.8  # of the views that see anything: with fewer placed, the structure fell to pieces
_FITS_PX, _FITTING = 1.5, 0.5
"""The share of sightings that must fit: with less, most points move by themselves."""
_BEND_VIEWS = 20, 8  # from which on a bend is solved for
_TURN_FITTING = 0.9
"""A turn that explains so many leaves no parallax to find a path from."""
_FOCAL_SHOWS = 0.015
"""Deviation of the focal length's logarithm, reckoned from independent errors, up to which it is taken from a camera
that only turns. Neighbouring sightings err alike, so in truth it is some four times that."""
_STEADY_PX, _TRIPOD_TURN_PX = 0.2, 12.0
_ANY = 10.0
"""Deviation of that logarithm where nothing is known beforehand."""
_GOOD_PX, _GOOD_SIGHTINGS = 1.0, 4
"""Of points that are handed on as the shape of the background."""


@dataclass(frozen=True)
class CameraPath:
    """The camera through the clip, in the first frame's camera. T frames."""

    R: np.ndarray
    """(T, 3, 3) world to camera."""
    confidence: np.ndarray
    """(T,) 0 to 1."""
    t: np.ndarray | None = None
    """(T, 3) in a unit of its own; None: the camera stayed where it was, or nothing is known."""
    points: np.ndarray | None = None
    """(M, 3) the background, in that unit."""
    focal_px: float = 0.0
    """At the working size, where it was solved for."""
    k1: float = 0.0
    """The lens's distortion (docs/camera.md), where it was solved for."""
    known: bool = True
    """Whether it is known how the camera was carried."""

    @property
    def carried(self) -> bool:
        """Whether the camera moved through space."""
        return self.t is not None


def find_path(background: Background, focal_px: float, log_focal: float | None) -> CameraPath | None:
    """Bundle adjustment with and without a path through space, and the better of both; None where neither fits.

    focal_px: of the working size, log_focal: the expected deviation of its logarithm, None where it is known.
    Where the lens bends lines, what was seen is straightened.
    """
    if not len(background.frame):
        return None
    views = choose_views(background)
    found = _solved(views, focal_px, log_focal)
    if found is None:
        return None
    bundle, placed, carried = found
    k1 = float(bundle.bend * (bundle.focal_px / BEND_PX) ** 2)
    if k1:
        background = straightened(background, k1, 0.0, float(bundle.focal_px))
        views = choose_views(background)
        bundle = replace(bundle, ray_px=straight(bundle.ray_px, bundle.bend), bend=torch.zeros_like(bundle.bend))
    return replace(_path(background, views, bundle, placed, carried), k1=k1)


def _solved(views: Views, focal_px: float, log_focal: float | None) -> tuple[Bundle, np.ndarray, bool] | None:
    """The bundle, which views (V,) have a place in it, and whether the camera was carried.

    The simpler model is kept unless the other lowers the Bayesian information criterion (Schwarz 1978) of the same
    sightings.
    """
    turned = turning(views, focal_px, log_focal)
    found = None if _fitting(turned, views.seen) > _TURN_FITTING else _moving(views, focal_px, log_focal)
    if found is not None and _carried(views, turned, *found):
        return *found, True
    if log_focal is not None:
        seen = without_anchors(turned, views.seen)
        deviation, _ = lens_deviations(turned, seen, Freedom(True, _ANY, focal_px))
        if deviation > _FOCAL_SHOWS or not _lens_shown(turned, seen, turned_px(views, focal_px), focal_px, log_focal):
            turned = turning(views, focal_px, None)
    if _fitting(turned, views.seen) < _FITTING:
        return None
    return turned, np.ones(len(views.frames), bool), False


def _lens_shown(turned: Bundle, seen: Sightings, shift_px: float, focal_px: float, log_focal: float) -> bool:
    """Whether a camera that turns shows its focal length: on a tripod, whose points fit as exactly as they are tracked,
    by little; in a hand, whose own path would count for as much, by more; and never one that no lens has."""
    steady = float(residuals(turned, seen).norm(dim=-1).median()) < _STEADY_PX
    off = abs(float(torch.log(turned.focal_px / focal_px)))
    return shift_px > (_TRIPOD_TURN_PX if steady else LENS_TURN_PX) and off < 2 * max(log_focal, LOG_FOCAL)


def _moving(views: Views, focal_px: float, log_focal: float | None) -> tuple[Bundle, np.ndarray] | None:
    """Once; a second time, with the bend solved for sooner, where the lens bends lines: that can lead astray."""
    late, soon = _BEND_VIEWS
    first = moving(views, focal_px, log_focal, late)
    if first is None or not first[0].bend:
        return first
    again = moving(views, focal_px, log_focal, soon)
    return max(first, again, key=lambda found: _fitting_placed(views, *found))


def shape_seen_from(background: Background, R: np.ndarray, t: np.ndarray, focal_px: float) -> np.ndarray:
    """(M, 3) points of the background in the unit of a path that is known already, R (T, 3, 3) and t (T, 3)."""
    views = choose_views(background)
    pose = lie.from_rotation_and_translation(torch.as_tensor(R[views.frames]), torch.as_tensor(t[views.frames]))
    bundle = seen_from(views, pose, focal_px)
    return _good_points(bundle, views, np.ones(len(views.frames), bool), points(bundle).numpy())


def _fitting(bundle: Bundle, seen: Sightings) -> float:
    """Share of the sightings that fit."""
    off = residuals(bundle, without_anchors(bundle, seen)).norm(dim=-1)
    return float((off < _FITS_PX).double().mean()) if len(off) else 0.0


def _fitting_placed(views: Views, bundle: Bundle, placed: np.ndarray) -> float:
    """Share of the placed views' sightings that fit."""
    both = torch.as_tensor(placed)[views.seen.view]
    return _fitting(bundle, Sightings(views.seen.view[both], views.seen.point[both], views.seen.px[both]))


def _carried(views: Views, turned: Bundle, moved: Bundle, placed: np.ndarray) -> bool:
    """Whether a path through space is needed to explain what is seen, and explains it.

    A depth is paid for by what its own point was seen, not by all sightings: else a quick camera, which sees each point
    for a moment only, could never afford its path.
    """
    seen = views.seen
    sees = np.bincount(seen.view.numpy(), minlength=len(placed)) >= _ENOUGH
    if placed[sees].mean() < _PLACED_SHARE:
        return False
    if _fitting_placed(views, moved, placed) < _FITTING:
        return False
    both = torch.as_tensor(placed)[seen.view]
    cost = [robust_cost(residuals(bundle, seen))[both].sum() for bundle in (turned, moved)]
    times = np.bincount(seen.point.numpy()[both.numpy()])
    price = 3 * placed.sum() * np.log(2 * times.sum()) + np.log(2 * times[times > 0]).sum()
    return bool(cost[0] - cost[1] > 0.5 * price)


def _path(background: Background, views: Views, bundle: Bundle, placed: np.ndarray, carried: bool) -> CameraPath:
    """The pose of every frame, from its own sightings, with points held."""
    frames = views.frames[placed]
    nearest = np.abs(np.arange(len(background.R))[:, None] - frames[None]).argmin(1)
    near = torch.as_tensor(np.flatnonzero(placed)[nearest])
    turn = torch.as_tensor(background.R @ np.swapaxes(background.R[views.frames[near.numpy()]], 1, 2))
    R, t = lie.rotation_and_translation(bundle.pose[near])
    start = lie.from_rotation_and_translation(turn @ R, torch.einsum("tij,tj->ti", turn, t))
    if carried:  # a depth comes from a second view
        linked = without_anchors(bundle, views.seen)
        known = np.unique(linked.point.numpy()[placed[linked.view.numpy()]])
    else:
        known = np.arange(views.points)
    seen = sightings_of(background, known)
    pose, fits = locate(start, bundle, seen, _NEAR_PX, turn_only=not carried)
    # In its home a point is where it is by definition: only the others tell that a frame hangs together with the rest.
    linked = seen.view != torch.as_tensor(background.home)[seen.point]
    fits = torch.bincount(seen.view[linked & fits], minlength=len(start)).numpy()
    total = torch.bincount(seen.view[linked], minlength=len(start)).numpy()
    fits[0] = total[0] = np.count_nonzero(background.home == 0)
    confidence = fits / np.maximum(total, 1) * np.minimum(fits / (2 * _ENOUGH), 1)
    R, t = (part.numpy() for part in lie.rotation_and_translation(pose))
    R, t = _bridged(R, t, background.R, fits >= _ENOUGH)
    # The world is the first frame's camera.
    R0, t0 = R[0], t[0]
    R = R @ R0.T
    if not carried:
        return CameraPath(R, confidence, focal_px=float(bundle.focal_px))
    shape = _good_points(bundle, views, placed, points(bundle).numpy())
    return CameraPath(R, confidence, t - R @ t0, shape @ R0.T + t0, float(bundle.focal_px))


def _bridged(R: np.ndarray, t: np.ndarray, guess: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames in which too little is seen: turned on as the first guess turned, carried along straight lines."""
    if known.all() or not known.any():
        return R, t
    frames = np.arange(len(R))
    have = frames[known]
    near = have[np.abs(frames[:, None] - have[None]).argmin(1)]
    eye = -np.einsum("tji,tj->ti", R, t)
    eye = np.stack([np.interp(frames, have, eye[known, axis]) for axis in range(3)], 1)
    turned = guess @ np.swapaxes(guess[near], 1, 2) @ R[near]
    R = np.where(known[:, None, None], R, turned)
    return R, np.where(known[:, None], t, -np.einsum("tij,tj->ti", R, eye))


def _good_points(bundle: Bundle, views: Views, placed: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """(M, 3) points near enough to have a place, which several views agree on. shape (L, 4): all of them."""
    chosen = torch.as_tensor(placed)[views.seen.view] & (views.seen.view != bundle.anchor[views.seen.point])
    seen = Sightings(views.seen.view[chosen], views.seen.point[chosen], views.seen.px[chosen])
    fits = residuals(bundle, seen).norm(dim=-1) < _GOOD_PX
    good = np.bincount(seen.point.numpy()[fits.numpy()], minlength=len(shape)) >= _GOOD_SIGHTINGS
    good &= shape[:, 3] > 1e-3
    return shape[good, :3] / shape[good, 3:]

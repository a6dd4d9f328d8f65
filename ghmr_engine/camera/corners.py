"""Corners of a background outside people, and where they are found again in another picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

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


@dataclass(frozen=True, eq=False)
class View:
    """One frame at the working size."""

    grey: np.ndarray
    """(h, w) uint8."""
    free: np.ndarray
    """(h, w) uint8, 0 where people are."""


def make_view(picture: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> View:
    """picture (H, W, 3) uint8 RGB, mask (h, w) bool: where people are, size: width, height to work at."""
    grey = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    people = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    grow = np.ones((2 * _PERSON_MARGIN_PX + 1,) * 2, np.uint8)
    return View(grey, 1 - cv2.dilate(people, grow))


def find_corners(view: View, have_px: np.ndarray) -> np.ndarray:
    """(N, 2) float32 px: the best corners of each cell of the picture, outside people and not where points have_px
    (M, 2) already are; a cell with enough of those gets none."""
    free = view.free
    height, width = view.grey.shape
    if len(have_px):
        free = free.copy()
        for x, y in np.round(have_px).astype(int):
            cv2.circle(free, (int(x), int(y)), _CORNER_SPACING_PX, 0, -1)
    found = cv2.goodFeaturesToTrack(view.grey, _CORNERS, _CORNER_QUALITY, _CORNER_SPACING_PX, mask=free)
    if found is None:
        return np.empty((0, 2), np.float32)
    points_px = found.reshape(-1, 2)
    taken = np.bincount(_cells(have_px, width, height), minlength=_CELLS**2)
    cells = _cells(points_px, width, height)
    order = np.argsort(cells, kind="stable")  # within a cell they stay sorted, best first
    rank = np.arange(len(order)) - np.searchsorted(cells[order], cells[order])
    return points_px[np.sort(order[rank < _CORNERS_A_CELL - taken[cells[order]]])]


def _cells(points_px: np.ndarray, width: int, height: int) -> np.ndarray:
    """(N,) which cell of the picture each of points (N, 2) lies in."""
    if not len(points_px):
        return np.zeros(0, int)
    return np.clip(points_px / (width, height) * _CELLS, 0, _CELLS - 1).astype(int) @ (1, _CELLS)


def find_again(
    first: View, points_px: np.ndarray, second: View, expected_px: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where points (N, 2) px of the first view are in the second: (M, 2) px, and (N,) bool which M of them these are.

    Pyramidal Lucas and Kanade (Bouguet 2000), there and back; points that land on people or outside are left out.
    """
    if not len(points_px):
        return np.empty((0, 2)), np.zeros(0, bool)
    points_px = points_px.astype(np.float32)
    start = np.clip(expected_px, -WORKING_SIDE, 2 * WORKING_SIDE).astype(np.float32)
    flow = {"winSize": _WINDOW, "criteria": _STOP, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
    found, seen, _ = cv2.calcOpticalFlowPyrLK(first.grey, second.grey, points_px, start, maxLevel=_LEVELS, **flow)
    # The way back begins where it should end, so the finest level is enough.
    again, seen_again, _ = cv2.calcOpticalFlowPyrLK(
        second.grey, first.grey, found, points_px.copy(), maxLevel=0, **flow
    )
    returned = np.linalg.norm(again - points_px, axis=1) < _RETURN_PX
    x, y = np.round(found).astype(int).T
    height, width = second.free.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    free = second.free[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] > 0
    kept = seen.ravel().astype(bool) & seen_again.ravel().astype(bool) & returned & inside & free
    return found[kept].astype(np.float64), kept

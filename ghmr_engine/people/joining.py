"""Tracklets into people: one person's tracklets are joined over the frames in which they were hidden."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from ghmr_engine.people.appearance import apart, mean_colours
from ghmr_engine.people.selection import STEADY, jitter
from ghmr_engine.people.tracking import Tracklet

_LONGEST_S = 2.5
"""A longer absence is not bridged by motion: who comes back then is a new person."""
_CARRY_S = 0.6
"""Seconds for which a hidden person is taken to go on as before."""
_FAR, _FARTHER_A_SECOND = 0.45, 0.35
"""Body sizes between where one tracklet leads to and where the next comes from."""
_AT_END = 3
"""Sightings that tell a body's size there: who stands up grows to twice the size within ten frames."""
_UNLIKE = 0.6
"""Bhattacharyya distance of colours from which two tracklets are different people."""
_FORBIDDEN = 1e6


def join(tracklets: list[Tracklet], fps: float) -> list[list[Tracklet]]:
    """Chains of tracklets, one a person, in time order: the assignment of ends to beginnings with the least cost.

    What jumps about is no sighting of anybody (between two people a landmark network sees a third), and nobody's chain.
    """
    tracklets = [tracklet for tracklet in tracklets if jitter(tracklet.sightings) < STEADY]
    count = len(tracklets)
    cost = np.full((count, 2 * count), _FORBIDDEN)
    for i, before in enumerate(tracklets):
        cost[i, count + i] = 1.0  # what it costs to leave this end open
        for j, after in enumerate(tracklets):
            if after.start > before.start and after.end > before.end:
                cost[i, j] = link_cost(before, after, fps)
    ends, starts = linear_sum_assignment(cost) if count else ((), ())
    following = {int(i): int(j) for i, j in zip(ends, starts, strict=True) if j < count and cost[i, j] < 1.0}
    firsts = set(range(count)) - set(following.values())
    chains = []
    for first in sorted(firsts):
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append([tracklets[place] for place in chain])
    return chains


def link_cost(before: Tracklet, after: Tracklet, fps: float) -> float:
    """Under 1 where `after` may be the same person as `before`: both ends carried on toward each other, compared in
    place, size and colours."""
    gap = (after.start - before.end) / fps
    if not -0.2 <= gap <= _LONGEST_S:
        return _FORBIDDEN
    place_a, speed_a, size_a = _motion(before, -1, fps)
    place_b, speed_b, size_b = _motion(after, 0, fps)
    carry = min(max(gap, 0.0) / 2, _CARRY_S)
    apart = np.linalg.norm(place_a + speed_a * carry - place_b + speed_b * carry) / max(size_a, size_b)
    ratio = max(size_a, size_b) / min(size_a, size_b)
    unlike = _unlike(before, after)
    if ratio > 1.8 or unlike > _UNLIKE:
        return _FORBIDDEN
    return float(apart / (_FAR + _FARTHER_A_SECOND * max(gap, 0.0))) * 0.7 + 0.3 * unlike / _UNLIKE


def _motion(tracklet: Tracklet, end: int, fps: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Hips (2,) px at the first (0) or last (-1) frame, their speed (2,) px/s there, and the body's size, px."""
    sightings = tracklet.sightings[:10] if end == 0 else tracklet.sightings[-10:]
    hips = np.array([sighting.keypoints[23:25, :2].mean(0) for sighting in sightings])
    nearest = sightings[:_AT_END] if end == 0 else sightings[-_AT_END:]
    size = float(np.median([sighting.size for sighting in nearest]))
    if len(hips) < 4:
        return hips[end], np.zeros(2), size
    steps = np.arange(len(hips)) - (len(hips) - 1 if end else 0)
    slope, place = np.polyfit(steps, hips, 1)
    return place, slope * fps, size


def _unlike(a: Tracklet, b: Tracklet) -> float:
    """How far mean colours are from each other, the better half of the body counting."""
    if not a.colours or not b.colours:
        return 0.3
    return float(apart(mean_colours(a.colours), mean_colours(b.colours)).min())

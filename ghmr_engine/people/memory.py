"""People who come back: chains of one person are joined over an absence of any length, where all that is known agrees.

PHALP's three cues (Rajasegaran et al. 2022), appearance, place and pose, kept for the whole clip as TRACE's memory is
(Sun et al. 2023). Of pose only the body's proportions are left: poses half a second apart are as different as people's.
A wrong join is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ghmr_engine.people.appearance import apart
from ghmr_engine.people.landmarks import Sighting
from ghmr_engine.people.selection import believable, weigh
from ghmr_engine.people.tracking import Tracklet

_LIMBS = (
    ((11, 13), (12, 14)), ((13, 15), (14, 16)), ((23, 25), (24, 26)), ((25, 27), (26, 28)), ((11, 12),), ((23, 24),),
    ((11, 23), (12, 24)),
)  # fmt: skip
"""Upper arms, forearms, thighs, shins, shoulders, hips and trunk: both sides of each."""
_FEWEST_LOOKS, _SEEN_IN, _FEWEST_PARTS = 3, 0.5, 4
"""Looks that tell somebody's colours; share of them that show a part; parts that both have shown."""
_WORST, _MEAN = 0.38, 0.21
"""Bhattacharyya distances of the least alike part, and of all in the mean, up to which colours are one person's. Of
different people in one clip, 333 pairs of stretches, the nearest have 0.27 in the mean; two rendered ones in like
clothes 0.215 (docs/design.md)."""
_BUILD = 0.12
"""Of the logarithms of limbs' shares, root mean square, up to which builds may be one person's: 99 % of one person's
are nearer, and three quarters of different people's too."""
_CLEARLY = 0.2
"""By how much the next best match is worse, in shares of these limits, or it is not known who came back."""
_REACH, _REACH_A_SECOND = 1.0, 3.0
"""Body sizes that somebody may have moved in the picture: 5 m/s, and the camera may turn."""
_GROWTH, _GROWTH_A_SECOND = 0.6, 1.0
"""The same for the logarithm of the body's size in the picture (PHALP's nearness)."""
_AT_END = 5
"""Sightings that tell place and size at either end of a chain."""
_FORBIDDEN = 1e6

Chain = list[Tracklet]


@dataclass(frozen=True)
class Looks:
    """What is remembered of a chain."""

    start: int
    end: int
    """First and last frame."""
    colours: np.ndarray
    """(6, 60) of the parts of the body (appearance.PARTS), over all looks; zeros where a part is not known."""
    build: np.ndarray
    """(7,) logarithms of limbs' lengths, their mean taken off, in the middle of all sightings."""
    places: np.ndarray
    """(2, 2) px: hips at the first and at the last frames."""
    sizes: np.ndarray
    """(2,) px: the body's size there."""


def rejoin(chains: list[Chain], fps: float) -> list[Chain]:
    """Chains of one person put together, in time order; chains of too few sightings to tell stay as they are.

    One assignment of ends to beginnings over the clip, by colours. Two chains are joined only where every chain of the
    one person agrees with every chain of the other, and nobody else matches either of them nearly as well.
    """
    known = [_looks(chain) if _tells(chain, fps) else None for chain in chains]
    count = len(chains)
    cost = np.full((count, count), np.inf)
    for i, before in enumerate(known):
        for j, after in enumerate(known):
            if before is not None and after is not None and before.end < after.start:
                cost[i, j] = cost[j, i] = unlikeness(before, after, fps)
    same = _same(cost)
    padded = np.full((count, 2 * count), _FORBIDDEN)
    for i in range(count):
        padded[i, count + i] = 1.1  # what it costs that nobody comes back
        for j in np.flatnonzero(same[i]):
            if known[i].end < known[j].start:
                padded[i, j] = cost[i, j]
    ends, starts = linear_sum_assignment(padded) if count else ((), ())
    links = [(int(i), int(j)) for i, j in zip(ends, starts, strict=True) if j < count and padded[i, j] <= 1]
    people = {place: [place] for place in range(count)}
    for i, j in sorted(links, key=lambda link: cost[link]):
        one, other = people[i], people[j]
        if all(same[a, b] for a in one for b in other):
            for place in (*one, *other):
                people[place] = [*one, *other]
    groups = {min(group): sorted(group, key=lambda place: chains[place][0].start) for group in people.values()}
    return [[part for place in groups[first] for part in chains[place]] for first in sorted(groups)]


def unlikeness(before: Looks, after: Looks, fps: float) -> float:
    """Distance of two chains' colours in shares of its limit, 1 at the limit; infinite where another cue says that they
    are two people."""
    gap = (after.start - before.end) / fps
    moved = np.linalg.norm(after.places[0] - before.places[1]) / max(after.sizes[0], before.sizes[1])
    grown = abs(np.log(after.sizes[0] / before.sizes[1]))
    if moved > _REACH + _REACH_A_SECOND * gap or grown > _GROWTH + _GROWTH_A_SECOND * gap:
        return np.inf
    both = before.colours.any(1) & after.colours.any(1)
    if both.sum() < _FEWEST_PARTS or np.sqrt(np.square(before.build - after.build).mean()) > _BUILD:
        return np.inf
    parts = apart(before.colours[both], after.colours[both])
    return float(max(parts.max() / _WORST, parts.mean() / _MEAN))


def _same(cost: np.ndarray) -> np.ndarray:
    """(C, C) bool: alike, and nobody who is not the one is nearly as much like the other.

    Who is alike to both is the same person once more, and no rival, unless they are in view at the same time.
    """
    alike = cost <= 1
    same = alike.copy()
    for i, j in np.argwhere(alike):
        for one, other in ((i, j), (j, i)):
            rivals = cost[one] < cost[one, other] + _CLEARLY
            rivals[[one, other]] = False
            same[i, j] &= not (rivals & ~alike[other]).any()
    return same


def _tells(chain: Chain, fps: float) -> bool:
    sightings = [sighting for part in chain for sighting in part.sightings]
    return sum(len(part.parts) for part in chain) >= _FEWEST_LOOKS and believable(weigh(sightings), fps)


def _looks(chain: Chain) -> Looks:
    looks = np.stack([look for part in chain for look in part.parts])
    often = looks.any(2).mean(0) > _SEEN_IN
    colours = looks.sum(0) * often[:, None]
    colours /= np.maximum(colours.sum(1, keepdims=True), 1e-9)
    sightings = [sighting for part in chain for sighting in part.sightings]
    ends = [sightings[:_AT_END], sightings[-_AT_END:]]
    return Looks(
        start=min(part.start for part in chain),
        end=max(part.end for part in chain),
        colours=colours,
        build=build_of(sightings),
        places=np.array([np.median([one.keypoints[23:25, :2].mean(0) for one in end], axis=0) for end in ends]),
        sizes=np.array([np.median([one.size for one in end]) for end in ends]),
    )


def build_of(sightings: list[Sighting]) -> np.ndarray:
    """(7,) logarithms of limbs' lengths by BlazePose's 3D, their mean taken off, in the middle of all sightings."""
    world = np.stack([sighting.world for sighting in sightings])
    lengths = [np.mean([np.linalg.norm(world[:, a] - world[:, b], axis=1) for a, b in limb], 0) for limb in _LIMBS]
    logs = np.log(np.maximum(np.stack(lengths, 1), 1e-3))
    return np.median(logs - logs.mean(1, keepdims=True), 0)

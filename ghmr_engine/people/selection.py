"""Who is a person, and who matters: judged over all frames of a chain of tracklets, never by one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghmr_engine.people.landmarks import Sighting
from ghmr_engine.people.tracking import Tracklet

_BODY = slice(11, 29)
_SHORTEST_S, _SHORTEST_FRAMES = 0.5, 8
STEADY = 0.08
"""People, jumping at 30 frames a second or walking at 10, have 0.01 to 0.03; what is taken for one has 0.1 and more:
the network sees it in another way in each frame."""
_BIG_SHARE = 0.4
"""Of the largest person's size: who is smaller than this is background."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for a chain being a person: medians and means over its sightings."""

    frames: int
    presence: float
    visibility: float
    """Of the eight body landmarks that are seen best: whoever turns their back hides the others."""
    jitter: float
    """How far landmarks jump off a steady course from frame to frame, in body sizes."""
    agreement: float
    size: float
    """px."""


@dataclass(frozen=True)
class Chosen:
    """A chain of tracklets that is wanted."""

    chain: list[Tracklet]
    main: bool
    """Whether it is large enough to matter."""


def weigh(sightings: list[Sighting]) -> Evidence:
    """Evidence over the sightings of one chain."""
    return Evidence(
        frames=len(sightings),
        presence=float(np.median([sighting.presence for sighting in sightings])),
        visibility=float(np.mean([np.sort(sighting.keypoints[_BODY, 2])[-8:].mean() for sighting in sightings])),
        jitter=jitter(sightings),
        agreement=float(np.median([sighting.agreement for sighting in sightings])),
        size=float(np.median([sighting.size for sighting in sightings])),
    )


def jitter(sightings: list[Sighting]) -> float:
    """How far landmarks jump off a steady course, in body sizes, in the middle of all frames; infinite under three."""
    if len(sightings) < 3:
        return np.inf
    points = np.stack([sighting.keypoints[_BODY, :2] for sighting in sightings])
    jumps = np.linalg.norm(points[2:] - 2 * points[1:-1] + points[:-2], axis=-1).mean(1)
    return float(np.median(jumps / [sighting.size for sighting in sightings[1:-1]]))


def believable(evidence: Evidence, fps: float) -> bool:
    """Whether a chain is a person: seen long enough, surely, with a body that the picture shows."""
    return (
        evidence.frames >= max(_SHORTEST_S * fps, _SHORTEST_FRAMES)
        and evidence.presence > 0.8
        and evidence.visibility > 0.85
        and evidence.agreement > 0.5
        and evidence.jitter < STEADY
    )


def choose(chains: list[list[Tracklet]], people: str, fps: float) -> list[Chosen]:
    """The chains that are wanted (options.people), the most important first: by size times time in view."""
    weighed = [(chain, weigh([sighting for part in chain for sighting in part.sightings])) for chain in chains]
    people_found = [(chain, evidence) for chain, evidence in weighed if believable(evidence, fps)]
    people_found.sort(key=lambda item: -item[1].size * item[1].frames)
    largest = max((evidence.size for _, evidence in people_found), default=0.0)
    wanted = [Chosen(chain, evidence.size > _BIG_SHARE * largest) for chain, evidence in people_found]
    if people == "main":
        wanted = [one for one in wanted if one.main]
    return wanted[: int(people)] if people.isdigit() else wanted

"""Who is a person, and who matters: judged over all frames of a chain of tracklets, never by one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghmr_engine.people.landmarks import Sighting
from ghmr_engine.people.tracking import Tracklet

_BODY = slice(11, 29)
_SHORTEST_S, _SHORTEST_FRAMES = 0.5, 8
_BIG_SHARE = 0.4
"""Of the largest person's size: who is smaller than this is background."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for a chain being a person: medians and means over its sightings."""

    frames: int
    presence: float
    visibility: float
    agreement: float
    misfit: float
    """How badly the 2D landmarks fit the 3D ones under any turn-free scaling, in body sizes."""
    size: float
    """px."""


def weigh(sightings: list[Sighting]) -> Evidence:
    """Evidence over the sightings of one chain."""
    return Evidence(
        frames=len(sightings),
        presence=float(np.median([sighting.presence for sighting in sightings])),
        visibility=float(np.mean([sighting.keypoints[_BODY, 2].mean() for sighting in sightings])),
        agreement=float(np.median([sighting.agreement for sighting in sightings])),
        misfit=float(np.median(_misfits(sightings))),
        size=float(np.median([sighting.size for sighting in sightings])),
    )


def _misfits(sightings: list[Sighting]) -> np.ndarray:
    """(S,) residual of keypoints ~ scale * world_xy + shift (weak perspective), in body sizes."""
    flat = np.stack([sighting.keypoints[_BODY, :2] for sighting in sightings])
    solid = np.stack([sighting.world[_BODY, :2] for sighting in sightings])
    flat, solid = flat - flat.mean(1, keepdims=True), solid - solid.mean(1, keepdims=True)
    scale = (flat * solid).sum((1, 2)) / np.maximum((solid**2).sum((1, 2)), 1e-9)
    left = np.linalg.norm(flat - scale[:, None, None] * solid, axis=-1).mean(1)
    return left / np.array([sighting.size for sighting in sightings])


def believable(evidence: Evidence, fps: float) -> bool:
    """Whether a chain is a person: seen long enough, surely, with a body that the picture shows."""
    return (
        evidence.frames >= max(_SHORTEST_S * fps, _SHORTEST_FRAMES)
        and evidence.presence > 0.8
        and evidence.visibility > _VISIBLE
        and evidence.agreement > 0.5
        and evidence.misfit < 0.06
    )


_VISIBLE = 0.62
"""Mean visibility of shoulders to ankles: people have 0.8 and more, a bear taken for a person 0.5."""


def choose(chains: list[list[Tracklet]], people: str, fps: float) -> list[list[Tracklet]]:
    """The chains that are wanted (options.people), the most important first: by size times time in view."""
    weighed = [(chain, weigh([sighting for part in chain for sighting in part.sightings])) for chain in chains]
    people_found = [(chain, evidence) for chain, evidence in weighed if believable(evidence, fps)]
    people_found.sort(key=lambda item: -item[1].size * item[1].frames)
    if people == "main" and people_found:
        largest = max(evidence.size for _, evidence in people_found)
        people_found = [item for item in people_found if item[1].size > _BIG_SHARE * largest]
    wanted = [chain for chain, _ in people_found]
    return wanted[: int(people)] if people.isdigit() else wanted

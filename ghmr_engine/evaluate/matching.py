"""Which predicted person is which true one: by overlap in the picture, as a viewer would say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ghmr_engine.evaluate.tracks import PersonTrack, Tracks, project

_LEAST_IOU = 0.1
"""A pair with a smaller mean overlap over its common frames is no match."""
_IDENTITY_IOU = 0.3
"""Who overlaps less than this in a frame says nothing on whose track it is."""


@dataclass(frozen=True)
class Matching:
    """Who is whom."""

    pairs: dict[str, str | None]
    """True name -> predicted name; None where nobody matches."""
    switches: dict[str, int]
    """True name -> how often the best overlapping predicted person changed while the true one was in view."""


def match_people(found: Tracks, true: Tracks) -> Matching:
    """One-to-one, with the greatest sum over frames of the boxes' intersection over union."""
    overlap = overlaps(found, true)
    total = np.nansum(overlap, axis=2)
    common = np.isfinite(overlap).sum(axis=2)
    total = np.where(total >= _LEAST_IOU * np.maximum(common, 1), total, 0.0)
    pairs: dict[str, str | None] = {person.name: None for person in true.people}
    for row, column in zip(*linear_sum_assignment(total, maximize=True), strict=True):
        if total[row, column] > 0:
            pairs[true.people[row].name] = found.people[column].name
    switches = {
        person.name: identity_switches(overlap[row][:, person.frames[person.in_view]])
        for row, person in enumerate(true.people)
    }
    return Matching(pairs, switches)


def identity_switches(overlap: np.ndarray) -> int:
    """Changes of the best overlapping predicted person along the frames. overlap (Q, N), nan where not there.

    Frames in which nobody overlaps by more than 0.3 are passed over.
    """
    known = np.nan_to_num(overlap)
    if not known.size:
        return 0
    best = known.argmax(0)[known.max(0) > _IDENTITY_IOU]
    return int((np.diff(best) != 0).sum())


def overlaps(found: Tracks, true: Tracks) -> np.ndarray:
    """(true people, found people, T) intersection over union of boxes; nan in frames that only one of both has."""
    found_boxes, true_boxes = (
        np.array([_boxes(tracks, person) for person in tracks.people]).reshape(-1, len(tracks.R), 4)
        for tracks in (found, true)
    )
    there = (_presence(true)[:, None]) & (_presence(found)[None])
    return np.where(there, _iou(true_boxes[:, None], found_boxes[None]), np.nan)


def _presence(tracks: Tracks) -> np.ndarray:
    """(people, T) bool: which frames each has."""
    there = np.zeros((len(tracks.people), len(tracks.R)), dtype=bool)
    for row, person in enumerate(tracks.people):
        there[row, person.frames] = True
    return there


def _boxes(tracks: Tracks, person: PersonTrack) -> np.ndarray:
    """(T, 4) px: x0, y0, x1, y1 around the joints in front of the camera; empty in other frames."""
    at = person.frames
    pixels = project(person.joints, tracks.R[at], tracks.t[at], tracks.K[at])
    hidden = ~np.isfinite(pixels)
    boxes = np.tile([np.inf, np.inf, -np.inf, -np.inf], (len(tracks.R), 1))
    boxes[at, :2] = np.where(hidden, np.inf, pixels).min(1)
    boxes[at, 2:] = np.where(hidden, -np.inf, pixels).max(1)
    empty = ~(boxes[:, 2:] >= boxes[:, :2]).all(1)
    boxes[empty] = 0.0
    return boxes


def _iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (..., 4); 0 where both are empty."""
    shared = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0).prod(-1)
    either = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    return shared / np.where(either > 0, either, 1.0)

"""What people look like: colours of the upper and the lower half of somebody, by which people are told apart."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ghmr_engine.people.landmarks import MASK_RESOLUTION, Sighting


def colours_of(picture: np.ndarray, sighting: Sighting) -> np.ndarray:
    """(2, 60) colour histograms of the upper and the lower half of a person, each summing to 1."""
    patch = cv2.cvtColor(sighting.crop.cut(picture, MASK_RESOLUTION), cv2.COLOR_RGB2HSV)
    inside = sighting.mask > 0.6
    rows = np.flatnonzero(inside.any(1))
    middle = (rows[0] + rows[-1]) // 2 if len(rows) else MASK_RESOLUTION // 2
    halves = []
    for half in (slice(0, middle + 1), slice(middle + 1, None)):
        part = np.zeros_like(inside)
        part[half] = inside[half]
        mask = part.astype(np.uint8)
        tint = cv2.calcHist([patch], [0, 1], mask, [10, 4], [0, 180, 0, 256]).ravel()
        light = cv2.calcHist([patch], [2], mask, [20], [0, 256]).ravel()
        both = np.concatenate([tint, light])
        halves.append(both / max(both.sum(), 1.0))
    return np.stack(halves)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(2,) Bhattacharyya distances, 0 to 1, of the halves' colours (2, 60)."""
    return np.sqrt(np.maximum(1 - np.sqrt(a * b).sum(1), 0))


def mean_colours(colours: Sequence[np.ndarray]) -> np.ndarray:
    """(2, 60) of several looks at one person."""
    return np.mean(np.stack(colours), 0)

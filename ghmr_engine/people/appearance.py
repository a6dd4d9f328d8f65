"""What people look like: colours of halves and of parts of the body, by which people are told apart."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ghmr_engine.crops import carry
from ghmr_engine.people.landmarks import MASK_RESOLUTION, Sighting

_ON_BODY = 0.6
"""Probability in the mask from which a pixel is the body's."""
PARTS = (
    ((7, 8), (0, 7), (0, 8)),
    ((11, 12), (23, 24), (11, 23), (12, 24), (11, 24), (12, 23)),
    ((11, 13), (12, 14)),
    ((13, 15), (14, 16)),
    ((23, 25), (24, 26)),
    ((25, 27), (26, 28), (27, 31), (28, 32)),
)
"""Head, trunk, upper arms, forearms, thighs, shins with feet: lines between landmarks, to which pixels are nearest."""
_FEWEST_PIXELS = 8
"""Of a crop of 64 by 64: what shows less of a part has not seen it."""


def colours_of(picture: np.ndarray, sighting: Sighting) -> np.ndarray:
    """(2, 60) colour histograms of the upper and the lower half of a person, each summing to 1."""
    patch, inside = _looked_at(picture, sighting)
    rows = np.flatnonzero(inside.any(1))
    middle = (rows[0] + rows[-1]) // 2 if len(rows) else MASK_RESOLUTION // 2
    halves = []
    for half in (slice(0, middle + 1), slice(middle + 1, None)):
        part = np.zeros_like(inside)
        part[half] = inside[half]
        halves.append(_histogram(patch, part))
    return np.stack(halves)


def part_colours_of(picture: np.ndarray, sighting: Sighting) -> np.ndarray:
    """(6, 60) colour histograms of the PARTS of a person, each summing to 1, or to 0 where the part is not seen.

    In place of the texture over the body's surface by which PHALP knows people (Rajasegaran et al. 2022): sleeves and
    bare arms tell apart who wears the same colours otherwise.
    """
    patch, inside = _looked_at(picture, sighting)
    to_picture = sighting.crop.to_picture(MASK_RESOLUTION)
    back = np.linalg.inv(to_picture[:, :2])
    points = carry(np.column_stack([back, -back @ to_picture[:, 2]]), sighting.keypoints[:, :2])
    y, x = np.nonzero(inside)
    pixels = np.stack([x, y], 1).astype(float)
    reach = [np.min([_to_line(pixels, points[a], points[b]) for a, b in lines], 0) for lines in PARTS]
    nearest = np.argmin(reach, 0)
    parts = np.zeros((len(PARTS), 60))
    for place in range(len(PARTS)):
        own = nearest == place
        if own.sum() >= _FEWEST_PIXELS:
            mask = np.zeros_like(inside)
            mask[y[own], x[own]] = True
            parts[place] = _histogram(patch, mask)
    return parts


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(C,) Bhattacharyya distances, 0 to 1, of colours (C, 60): of halves or of parts."""
    return np.sqrt(np.maximum(1 - np.sqrt(a * b).sum(1), 0))


def mean_colours(colours: Sequence[np.ndarray]) -> np.ndarray:
    """(2, 60) of several looks at one person."""
    return np.mean(np.stack(colours), 0)


def _looked_at(picture: np.ndarray, sighting: Sighting) -> tuple[np.ndarray, np.ndarray]:
    """(64, 64, 3) hue, saturation, value of the crop, and (64, 64) bool: the body."""
    patch = cv2.cvtColor(sighting.crop.cut(picture, MASK_RESOLUTION), cv2.COLOR_RGB2HSV)
    return patch, sighting.mask > _ON_BODY


def _histogram(patch: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(60,) of 40 hues by saturation and 20 values, summing to 1, or to 0 where nothing is inside."""
    mask = inside.astype(np.uint8)
    tint = cv2.calcHist([patch], [0, 1], mask, [10, 4], [0, 180, 0, 256]).ravel()
    light = cv2.calcHist([patch], [2], mask, [20], [0, 256]).ravel()
    both = np.concatenate([tint, light])
    return both / max(both.sum(), 1.0)


def _to_line(pixels: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(M,) distances of pixels (M, 2) from the line from a (2,) to b (2,)."""
    along = b - a
    share = ((pixels - a) @ along / max(float(along @ along), 1e-6)).clip(0, 1)
    return np.linalg.norm(pixels - a - share[:, None] * along, axis=1)

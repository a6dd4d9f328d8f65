"""Where in the picture anybody is: small masks of every frame, for the camera stage."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ghmr_engine.crops import Crop
from ghmr_engine.people.landmarks import MASK_RESOLUTION, Sighting
from ghmr_engine.people.tracking import Tracklet
from ghmr_engine.types import Track

LONGEST = 160


def mask_size(width: int, height: int) -> tuple[int, int]:
    """h, w of the masks of a picture: the longest side is 160."""
    scale = LONGEST / max(width, height)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def union_masks(
    tracklets: Iterable[Tracklet], tracks: Iterable[Track], frames: int, width: int, height: int
) -> np.ndarray:
    """(T, h, ceil(w/8)) packed masks: all that was sighted, and the boxes of those who are hidden for a moment."""
    size = mask_size(width, height)
    scale = size[1] / width
    packed = np.zeros((frames, size[0], (size[1] + 7) // 8), np.uint8)
    for tracklet in tracklets:
        for place, sighting in enumerate(tracklet.sightings):
            packed[tracklet.start + place] |= np.packbits(_in_picture(sighting, scale, size), axis=-1)
    for track in tracks:
        for frame, box in zip(track.frames[~track.seen], track.boxes[~track.seen], strict=True):
            x0, y0, x1, y1 = (box * scale).round().astype(int).clip(0)
            inside = np.zeros(size, bool)
            inside[y0 : y1 + 1, x0 : x1 + 1] = True
            packed[frame] |= np.packbits(inside, axis=-1)
    return packed


def _in_picture(sighting: Sighting, scale: float, size: tuple[int, int]) -> np.ndarray:
    """(h, w) bool: a crop's mask put back into the small picture."""
    small = Crop(sighting.crop.centre * scale, sighting.crop.side * scale, sighting.crop.angle)
    put = cv2.warpAffine(
        sighting.mask.astype(np.float32), small.to_picture(MASK_RESOLUTION), size[::-1], flags=cv2.INTER_LINEAR
    )
    return put > 0.4

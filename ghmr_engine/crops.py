"""Turned square crops of a picture, and points carried between a crop and the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ghmr_engine.progress import Report
from ghmr_engine.types import Track
from ghmr_engine.video import Video


@dataclass(frozen=True)
class Crop:
    """A square region, turned so that the person in it stands upright."""

    centre: np.ndarray
    """(2,) px."""
    side: float
    """px."""
    angle: float
    """Radians that the crop is turned clockwise in the picture (y down)."""

    def to_picture(self, resolution: int) -> np.ndarray:
        """(2, 3) affine map from crop pixels (centres at whole numbers, `resolution` of them a side) to the picture."""
        scale = self.side / resolution
        cos, sin = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        turn = np.array([[cos, -sin], [sin, cos]])
        middle = np.full(2, (resolution - 1) / 2)
        return np.concatenate([turn, (self.centre - turn @ middle)[:, None]], 1)

    def cut(self, picture: np.ndarray, resolution: int) -> np.ndarray:
        """(resolution, resolution, 3) of the picture; what lies outside is black."""
        return cut_out(picture, self.to_picture(resolution), (resolution, resolution))


def cut_out(picture: np.ndarray, affine: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A crop of `size` (width, height) of a picture (H, W, 3); affine (2, 3) takes the crop's pixels to the picture's.

    What lies outside is black."""
    # Halving first keeps small details of a large region from aliasing into the crop.
    while abs(np.linalg.det(affine[:, :2])) > 6.0:
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        affine = affine / 2
        affine[:, 2] -= 0.25
    return cv2.warpAffine(picture, affine, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def carry(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (..., 2) through an affine map (2, 3)."""
    return points @ affine[:, :2].T + affine[:, 2]


def upright_crop(centre: np.ndarray, above: np.ndarray, scale: float = 1.25) -> Crop:
    """BlazePose's region of interest: around `centre` (between the hips), upright where `above` is over it, with a side
    of twice their distance, a quarter larger."""
    reach = above - centre
    return Crop(np.asarray(centre, float), 2 * scale * float(np.hypot(*reach)), float(np.arctan2(reach[0], -reach[1])))


def cut_tracks(
    video: Video, tracks: Sequence[Track], affines: Sequence[np.ndarray], size: tuple[int, int], at_once: int,
    report: Report,
) -> Iterator[tuple[list[tuple[int, int]], np.ndarray]]:  # fmt: skip
    """Crops (n, height, width, 3) of people in every frame of their tracks, n at most `at_once`, each with its places:
    the track's, and the row's within the track. Reads the clip once.

    affines: of each track (N, 2, 3), as in cut_out. Raises what `report` and the video raise.
    """
    wanted: dict[int, list[tuple[int, int]]] = {}
    for place, track in enumerate(tracks):
        for row, frame in enumerate(track.frames.tolist()):
            wanted.setdefault(frame, []).append((place, row))
    places: list[tuple[int, int]] = []
    crops: list[np.ndarray] = []
    for frame, picture in enumerate(video.frames()):
        for place, row in wanted.get(frame, ()):
            places.append((place, row))
            crops.append(cut_out(picture, affines[place][row], size))
            if len(crops) == at_once:
                yield places, np.stack(crops)
                places, crops = [], []
        report((frame + 1) / video.info.frames)
    if crops:
        yield places, np.stack(crops)

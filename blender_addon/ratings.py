"""Which frames of a take are bad, in the scene's time: quality_strip.py asked once for every motion file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

from .ghmr_engine.errors import RecoverError
from .motion import MotionFileError, read_motion
from .quality_strip import Rating, rate, why, worst_frames
from .takes import clock_of, motion_of, motion_path, people_of

_KEPT = 4


@dataclass(frozen=True)
class Rated:
    """A person of a take, and how good each frame is."""

    owner: bpy.types.Object
    """The armature."""
    row: np.ndarray
    """(T,) for each of the motion's frames (quality_strip.Rating.row)."""
    at: np.ndarray
    """(T,) the scene frames of the motion's frames."""
    worst: np.ndarray
    """(W,) motion frames that are worth looking at, rising."""
    rating: Rating

    def scene_frames(self) -> list[int]:
        """The worst ones as whole frames of the scene."""
        return [int(frame) for frame in np.rint(self.at[self.worst])]

    def why(self, frame: int) -> list[str]:
        """What is wrong with the worst motion frame that falls on a frame of the scene."""
        return why(self.rating, int(self.worst[np.abs(self.at[self.worst] - frame).argmin()]))


def rated(take: bpy.types.Collection) -> list[Rated]:
    """The take's people. Raises RecoverError where its motion file is gone, MotionFileError."""
    motion = motion_of(take)
    path = motion_path(take)
    ratings = _ratings(path, path.stat().st_mtime_ns)
    at = clock_of(take, motion).scene_frames(np.arange(motion.meta["frames"]))
    people = [(owner, owner.recover_motion.number) for owner in people_of(take)]
    return [Rated(owner, at=at, **vars(ratings[number])) for owner, number in people if number in ratings]


def rated_or_nobody(take: bpy.types.Collection | None) -> list[Rated]:
    """The same for what only draws: nothing where there is nothing to draw from."""
    try:
        return rated(take) if take is not None else []
    except (RecoverError, MotionFileError, OSError):
        return []


@dataclass(frozen=True)
class _Kept:
    """What of a Rated the file alone says: finding the worst frames of a long clip takes too long for a redraw."""

    row: np.ndarray
    worst: np.ndarray
    rating: Rating


@lru_cache(maxsize=_KEPT)
def _ratings(path: Path, _changed: int) -> dict[str, _Kept]:
    """A file as it was at one moment."""
    motion = read_motion(path)
    fps = motion.meta["fps"][0] / motion.meta["fps"][1]
    ratings = {number: rate(motion, number) for number in motion.people}
    return {
        number: _Kept(rating.row(motion.meta["frames"]), worst_frames(rating, fps), rating)
        for number, rating in ratings.items()
    }

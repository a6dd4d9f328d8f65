"""The motion file's frames on the scene's frames. No bpy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

GAP_SECONDS = 1.0
"""Absences up to this long are bridged; a person gone for longer is hidden."""


@dataclass(frozen=True)
class Clock:
    """Frame i of the motion falls on scene frame start + i * scene_fps / motion_fps."""

    motion_fps: Fraction
    scene_fps: float
    """The real rate, frames a second: fps / fps_base."""
    start: int
    """Scene frame of the motion's frame 0."""

    @property
    def step(self) -> float:
        """Scene frames for one motion frame; 1 where the rates agree to a millionth, so that keys are whole."""
        step = self.scene_fps / float(self.motion_fps)
        return 1.0 if abs(step - 1) < 1e-6 else step

    def scene_frames(self, frames: np.ndarray) -> np.ndarray:
        """(N,) motion frames -> (N,) scene frames, in parts of a frame where the rates differ."""
        return self.start + np.asarray(frames, dtype=np.float64) * self.step

    def last(self, frames: int) -> int:
        """Whole scene frame by which `frames` motion frames have been shown."""
        return math.ceil(float(self.scene_frames(np.array(frames - 1))) - 1e-6)


def scene_rate(motion_fps: Fraction) -> tuple[int, float]:
    """Blender's pair fps, fps_base whose quotient is the rate: 30000/1001 -> 30, 1.001."""
    fps = math.ceil(motion_fps)
    return fps, float(fps / motion_fps)


def presence(frames: np.ndarray, motion_fps: Fraction) -> list[tuple[int, int]]:
    """First and last frame of each stretch in which a person is to be shown.

    frames (N,) rising. A gap of up to GAP_SECONDS joins two stretches. Times before the first and after the last
    sighting are never part of one: there is nothing to show.
    """
    if not len(frames):
        return []
    missing = np.diff(frames) - 1
    breaks = np.flatnonzero(missing > GAP_SECONDS * float(motion_fps))
    starts, ends = [0, *(breaks + 1)], [*breaks, len(frames) - 1]
    return [(int(frames[a]), int(frames[b])) for a, b in zip(starts, ends, strict=True)]

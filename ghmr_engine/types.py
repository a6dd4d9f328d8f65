"""The frozen records that pass between stages: NumPy only, so that they can be saved and know no device.

Letters in shapes: T frames of the clip, N frames of one person, P people. Same letter, same length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a clip before its pictures are looked at; frames are on the constant rate `fps`."""

    path: Path
    name: str
    """File name with its ending."""
    bytes: int
    sha256: str
    width: int
    """Pixels of the upright picture."""
    height: int
    fps: Fraction
    """Constant rate onto which the clip was resampled (its own rate where that was constant already)."""
    frames: int
    """T: frames that are used, from `start`."""
    start: int
    """First used frame, counted at `fps` from the clip's first picture."""
    rotation: int
    """Degrees clockwise that the stored picture was turned to stand upright: 0, 90, 180 or 270."""
    constant_rate: bool
    """False where presentation times are uneven, so that other programs may show other moments."""
    interlaced: bool
    focal_px: float | None
    """From the container's metadata, in pixels of the upright picture; None where it says nothing."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Track:
    """One person in the picture."""

    person: int
    """1, 2, ...: the order of size times time in view."""
    frames: np.ndarray
    """(N,) int, rising; places in 0..T-1. Whoever is away for more than a moment has no frames then."""
    boxes: np.ndarray
    """(N, 4) px: x0, y0, x1, y1."""
    keypoints: np.ndarray
    """(N, 33, 3): x, y in px, visibility 0 to 1. BlazePose's landmarks (body/skeleton.py has the names)."""
    world_landmarks: np.ndarray
    """(N, 33, 3) m: BlazePose's own 3D, origin between the hips, axes as the camera's (x right, y down, z forward)."""
    seen: np.ndarray
    """(N,) bool: False where the person was hidden and the frame was bridged between two sightings."""
    offsets: np.ndarray = field(default_factory=lambda: np.zeros((33, 3)))
    """(33, 3) m: from the body's own landmarks to where the detector puts its own (energy/marks.py)."""
    main: bool = True
    """Whether options.people "main" keeps this person."""


@dataclass(frozen=True)
class People:
    """Everybody who matters in the clip, and where in the picture any person is."""

    tracks: tuple[Track, ...]
    masks: np.ndarray
    """(T, h, ceil(w/8)) uint8: np.packbits along the last axis of low-resolution masks, 1 = a person is there."""
    mask_size: tuple[int, int]
    """h, w of a mask; it covers the whole picture."""
    warnings: tuple[str, ...] = ()

    def mask(self, frame: int) -> np.ndarray:
        """(h, w) bool of one frame."""
        height, width = self.mask_size
        return np.unpackbits(self.masks[frame], axis=-1)[:height, :width].astype(bool)


@dataclass(frozen=True)
class CameraMotion:
    """The camera. Here the world is the first camera's frame (OpenCV axes); stage 5 turns z up."""

    R: np.ndarray
    """(T, 3, 3) world to camera."""
    t: np.ndarray
    """(T, 3) m, x_cam = R x + t."""
    K: np.ndarray
    """(T, 3, 3) px."""
    confidence: np.ndarray
    """(T,) 0 to 1."""
    moving: bool
    unit: Literal["metre", "any", "none"]
    """Of t: metres (all zeros too, where it is known that the camera stayed in its place); an unknown one; or t is 0
    because nothing is known of the path."""
    points: np.ndarray
    """(M, 3) the background's shape, in t's unit; may be none."""
    upright: np.ndarray
    """(S, 4) planes through the camera and the background's lines that may be upright: unit normals in the first
    camera's frame, and weights; may be none."""
    focal_source: str
    """'user', 'file' (of the camera), 'metadata', 'background' (solved for with the motion), 'lines' or 'default'."""
    motion_source: str
    """'static (chosen)', 'static (found)', 'rotation', 'path'; 'static (guessed)', 'rotation (guessed)' where the
    background shows too little; or what was read or run: 'gyro', 'file', 'blender', 'droid', 'dpvo'."""
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(2))
    """(2,) k1, k2 of the division model (docs/camera.md). All after this stage is in the straightened picture."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LiftedPerson:
    """One person's body in the frame of each frame's own camera."""

    person: int
    frames: np.ndarray
    """(N,) int."""
    rotations: np.ndarray
    """(N, 24, 3, 3) SMPL joint rotations; the root's is body to camera."""
    transl: np.ndarray
    """(N, 3) m, SMPL's translation in the camera frame."""
    betas: np.ndarray
    """(10,)."""
    keypoints: np.ndarray
    """(N, 33, 3) px, visibility: what was fitted."""
    confidence: np.ndarray
    """(N, 24) 0 to 1."""
    seen: np.ndarray
    """(N,) bool."""
    contacts: np.ndarray | None = None
    """(N, 4) probability, by a network: left heel, left toe, right heel, right toe; None where none was asked."""
    up: np.ndarray | None = None
    """(N, 3) unit, in the camera frame, by a network; None where none was asked."""
    offsets: np.ndarray = field(default_factory=lambda: np.zeros((33, 3)))
    """(33, 3) m, as Track's."""
    velocity: np.ndarray | None = None
    """(N, 3) m/s of the pelvis through the world, along the camera frame's axes, by a network; None as above."""
    expected: np.ndarray | None = None
    """(N, 24, 3, 3) rotations as a network says them, the root's body to camera; None as above."""
    spread: np.ndarray | None = None
    """(N, 24) m: how far the network expects each joint about the pelvis to be off."""


@dataclass(frozen=True)
class WorldPerson:
    """One person in the world: z up, metres, ground at z = 0."""

    person: int
    frames: np.ndarray
    """(N,) int."""
    rotations: np.ndarray
    """(N, 24, 3, 3); the root's is body to world."""
    transl: np.ndarray
    """(N, 3) m, SMPL's translation in the world."""
    betas: np.ndarray
    """(10,)."""
    contacts: np.ndarray
    """(N, 4) probability: left heel, left toe, right heel, right toe."""
    confidence: np.ndarray
    """(N, 24)."""
    keypoints: np.ndarray
    """(N, 33, 3) px, visibility."""
    reprojection: np.ndarray
    """(N,) px, mean over visible landmarks; nan where none is."""
    seen: np.ndarray
    """(N,) bool."""


@dataclass(frozen=True)
class Refinement:
    """What refining came to."""

    fault: str | None
    """Why it was not kept; None where it was."""
    energy: tuple[float, float]
    """Before and after."""
    sliding_mm: tuple[float, float]
    """mm a frame that resting feet move, mean over people, before and after."""


@dataclass(frozen=True)
class WorldScene:
    """What the world stage hands on: people and the camera in one metric world."""

    people: tuple[WorldPerson, ...]
    R: np.ndarray
    """(T, 3, 3) world to camera."""
    t: np.ndarray
    """(T, 3) m."""
    K: np.ndarray
    """(T, 3, 3) px."""
    camera_confidence: np.ndarray
    """(T,)."""
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(2))
    """(2,) of the lens, as in CameraMotion."""
    scale_deviation: float | None = None
    """Of the logarithm of the camera's path's scale; None where no path had to be scaled."""
    refinement: Refinement | None = None
    """None where it was not asked for."""
    warnings: tuple[str, ...] = ()

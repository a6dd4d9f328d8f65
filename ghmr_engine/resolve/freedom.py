"""How firmly each part of a body is held to the motion that it has: loosely only where something was changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS
from ghmr_engine.energy.jacobian import FREE
from ghmr_engine.energy.marks import JOINT_OF_LANDMARK
from ghmr_engine.resolve.pins import Pinned, limb_root

_TURN, _POSE, _PLACE = 0.02, 0.03, 0.01
"""rad and m: deviations of the root's turn, of joints and of the place where nothing was changed;"""
_LOOSE = {
    "hip": 0.4, "knee": 0.4, "ankle": 0.4, "foot": 0.1, "collar": 0.1, "shoulder": 0.5, "elbow": 0.5, "wrist": 0.4,
    "spine1": 0.2, "spine2": 0.2, "spine3": 0.2, "neck": 0.3, "head": 0.3,
}  # fmt: skip
"""of joints that have to follow a plant or a pin,"""
_LEANING = (0.04, 0.03)
"""of the root, turn and place, where a foot has to get somewhere,"""
_CARRIED = (0.1, 0.3)
"""and where the pelvis itself is pinned."""
_FIXED = 1e-4
"""What must not change."""
_NEAR_PLANT_S, _NEAR_PIN_S = 0.25, 0.6
"""How long before and after a change its freedom fades away."""
_MOVED_M, _OFF_M = 0.003, 0.0005
"""A foot that is so far from its place has to get there, and is put right at least."""
_MARGIN = 3
"""Frames before and after a change that may change too. Elsewhere nothing does."""

LEGS = tuple(
    tuple(JOINT_NAMES.index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "foot"))
    for side in ("left", "right")
)
_LOW = {JOINT_NAMES.index(name) for name in ("pelvis", "left_hip", "right_hip", "spine1")}
"""Joints that sit on the pelvis: pinned, they carry it along."""
_CHEST = JOINT_NAMES.index("spine3")


@dataclass(frozen=True)
class Freedom:
    """Of one person. N frames."""

    sigma: np.ndarray
    """(N, 69) deviations of a motion's numbers (energy/newton.py) from what they are."""
    landmarks: np.ndarray
    """(N, 33) how much landmarks count: where nothing was changed, the motion is what they came to already."""
    anew: np.ndarray
    """(N, 24) how far a joint's way is to be smooth in itself, instead of as it was: 1 where a foot stands elsewhere
    now or was let go."""

    def changing(self) -> np.ndarray:
        """(N,) bool: frames in which anything may change."""
        return (self.sigma > _FIXED).any(1)


class _Loosening:
    """Deviations that grow where something was changed: the loosest wish counts."""

    def __init__(self, count: int) -> None:
        self.sigma = np.full((count, FREE), _POSE)
        self.sigma[:, :3], self.sigma[:, 66:] = _TURN, _PLACE

    def root(self, turn: float, place: float, near: np.ndarray) -> None:
        self._to(slice(0, 3), turn, near)
        self._to(slice(66, 69), place, near)

    def joint(self, joint: int, near: np.ndarray) -> None:
        self._to(slice(3 * joint, 3 * joint + 3), _LOOSE[JOINT_NAMES[joint].rpartition("_")[2]], near)

    def leg(self, side: int, near: np.ndarray) -> None:
        for joint in LEGS[side]:
            self.joint(joint, near)

    def changed(self) -> np.ndarray:
        """(N,) bool: frames in which anything is looser than it was."""
        return (self.sigma > _Loosening(len(self.sigma)).sigma).any(1)

    def _to(self, which: slice, sigma: float, near: np.ndarray) -> None:
        base = _PLACE if which.start == 66 else _POSE if which.start else _TURN
        wish = base * (sigma / base) ** near[:, None]
        self.sigma[:, which] = np.maximum(self.sigma[:, which], wish)


def freedom_of(
    away: np.ndarray, released: np.ndarray, pinned: Pinned, frames: np.ndarray, free: np.ndarray, fps: float
) -> Freedom:  # fmt: skip
    """What may change, and how far.

    away (N, 2) m: how far the feet are from where they are nailed, 0 where they are not; released (N, 2) feet let go;
    frames (N,), free (N,) bool: frames that may change.
    """
    loose, count = _Loosening(len(frames)), len(frames)
    landmarks, anew = np.zeros((count, 33)), np.zeros((count, 24))
    limbs = np.array([limb_root(joint) or joint for joint in JOINT_OF_LANDMARK])
    for side in range(2):
        touched = _near(frames, (away[:, side] > _MOVED_M) | released[:, side], _NEAR_PLANT_S * fps)
        loose.leg(side, touched)
        loose.root(*_LEANING, _near(frames, away[:, side] > _MOVED_M, _NEAR_PLANT_S * fps))
        mine = limbs == LEGS[side][0]
        landmarks[:, mine] = touched[:, None]
        anew[:, LEGS[side][1:]] = touched[:, None]
    for joint in np.flatnonzero(np.isfinite(pinned.sigma).any(0)):
        near = _near(frames, np.isfinite(pinned.sigma[:, joint]), _NEAR_PIN_S * fps)
        _follow(loose, int(joint), near)
        landmarks[:, limbs == limb_root(joint)] *= 1 - near[:, None]
    loose.sigma[~(free & binary_dilation(loose.changed() | (away > _OFF_M).any(1), iterations=_MARGIN))] = _FIXED
    return Freedom(loose.sigma, landmarks, anew)


def _follow(loose: _Loosening, joint: int, near: np.ndarray) -> None:
    """What moves along with a pinned joint: its limb, or, on the trunk, the spine or the whole pelvis over its feet."""
    leg = next((side for side in range(2) if limb_root(joint) == LEGS[side][0]), None)
    if leg is not None:  # a knee over a foot that stands takes the hip along
        loose.leg(leg, near)
        loose.root(*_LEANING, near)
    elif joint in _LOW:
        loose.root(*_CARRIED, near)
        for side in range(2):
            loose.leg(side, near)
    else:
        stop = 0 if limb_root(joint) is None else _CHEST
        above = PARENTS[joint]
        while above != stop:
            loose.joint(above, near)
            above = PARENTS[above]


def _near(frames: np.ndarray, marked: np.ndarray, reach: float) -> np.ndarray:
    """(N,) 1 in marked frames, fading to 0 over `reach` frames on both sides."""
    if not marked.any():
        return np.zeros(len(frames))
    at = frames[marked]
    after = np.searchsorted(at, frames).clip(max=len(at) - 1)
    away = np.minimum(np.abs(at[after] - frames), np.abs(frames - at[(after - 1).clip(min=0)]))
    return 0.5 * (1 + np.cos(np.pi * np.minimum(away / (reach + 1), 1)))

"""Where the camera of a rendered clip is: five ways in which people film, each as they really move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import roma
import torch
from scipy.ndimage import gaussian_filter1d

Kind = Literal["static", "pan", "walk", "orbit", "follow"]
_AZIMUTHS = np.radians([-62.0, -38, -15, 15, 38, 62])
"""From where the person faces: seen from the front and from the sides."""
_NEARER = (1.0, 1.2, 1.45, 1.75, 2.1, 2.6, 3.2)
"""Distances to try, as shares of the nearest that shows a standing person whole."""
_STATURE_M, _FILLS = 1.75, 0.72
_AIM_M = 0.95
_BESIDE, _ALONE, _SHOULDERS_M = 0.7, 0.5, 0.55
"""People stand beside each other in this share of the frames at least: who is never seen cannot be found."""
_NEAREST_M = 1.8
_INSIDE = 0.03
"""Joints stay this share of the picture away from its edge, for the flesh around them."""


@dataclass(frozen=True)
class Filmed:
    """A camera over T frames, OpenCV's axes: x_cam = R x + t."""

    R: np.ndarray
    """(T, 3, 3) world to camera."""
    t: np.ndarray
    """(T, 3) m."""

    @property
    def centres(self) -> np.ndarray:
        """(T, 3) m, world."""
        return -np.einsum("tji,tj->ti", self.R, self.t)


def film(
    kind: Kind, people: np.ndarray, facing: float, fps: float, K: np.ndarray, size: tuple[int, int],
    rng: np.random.Generator,
) -> Filmed:  # fmt: skip
    """A camera of one kind that shows everybody whole, from as near as it can, and nobody behind another all the time.

    people (T, P, 24, 3) m, world, z up: joints; facing: radians from +x, where the first person mostly
    faces; K (3, 3) px; size: width, height.
    """
    joints = people.reshape(len(people), -1, 3)
    near = K[1, 1] * _STATURE_M / (_FILLS * size[1])
    steady = rng.integers(2**31)
    best, best_share = None, -1.0
    azimuths = facing + rng.permutation(_AZIMUTHS)
    for share in _NEARER:
        for azimuth in azimuths:
            again = np.random.default_rng(steady)  # the same hand for every place that is tried
            camera = _PATHS[kind](joints, near * share, azimuth, fps, again)
            shown = share_shown(joints, camera, K, size) - _ALONE * max(0.0, _BESIDE - share_beside(people, camera, K))
            if shown > best_share + 0.005:
                best, best_share = camera, shown
            if shown > 0.985:
                return camera
    assert best is not None
    return best


def share_shown(joints: np.ndarray, camera: Filmed, K: np.ndarray, size: tuple[int, int]) -> float:
    """Share of joints (T, M, 3) that lie inside the picture, a little away from its edge."""
    cam = joints @ np.swapaxes(camera.R, 1, 2) + camera.t[:, None]
    pixels = (cam @ K.T)[..., :2] / np.maximum(cam[..., 2:], 1e-6) / np.array(size)
    inside = ((pixels > _INSIDE) & (pixels < 1 - _INSIDE)).all(-1) & (cam[..., 2] > _NEAREST_M)
    return float(inside.mean())


def share_beside(people: np.ndarray, camera: Filmed, K: np.ndarray) -> float:
    """Share of frames in which no two people (T, P, 24, 3) stand before each other in the picture; 1 for one person."""
    count = people.shape[1]
    middle = (people.mean(2) @ np.swapaxes(camera.R, 1, 2) + camera.t[:, None]) @ K.T
    across, width = middle[..., 0] / middle[..., 2], _SHOULDERS_M * K[0, 0] / middle[..., 2]
    beside = np.ones(len(people), bool)
    for one in range(count):
        for other in range(one):
            beside &= np.abs(across[:, one] - across[:, other]) > (width[:, one] + width[:, other]) / 2
    return float(beside.mean())


def _subject(joints: np.ndarray) -> np.ndarray:
    """(T, 2) m: the middle of all people on the ground plane."""
    return (joints[..., :2].min(1) + joints[..., :2].max(1)) / 2


def _smooth(path: np.ndarray, seconds: float, fps: float) -> np.ndarray:
    return gaussian_filter1d(path, max(seconds * fps, 1e-3), axis=0, mode="nearest")


def _along(angle: float | np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def _line(path: np.ndarray) -> np.ndarray:
    """(T, 2) the straight line at even speed that is nearest to a path."""
    time = np.linspace(-1, 1, len(path))[:, None]
    return path.mean(0) + time * (time * (path - path.mean(0))).sum(0) / np.maximum((time**2).sum(), 1e-9)


def _static(joints: np.ndarray, distance: float, azimuth: float, _fps: float, rng: np.random.Generator) -> Filmed:
    """On a tripod, not touched."""
    target = (_subject(joints).min(0) + _subject(joints).max(0)) / 2
    place = np.array([*(target + distance * _along(azimuth)), rng.uniform(1.1, 1.7)])
    count = len(joints)
    return _aimed(np.tile(place, (count, 1)), np.tile([*target, _AIM_M], (count, 1)), np.zeros((count, 3)))


def _pan(joints: np.ndarray, distance: float, azimuth: float, fps: float, rng: np.random.Generator) -> Filmed:
    """On a tripod, turned after the people, a little late."""
    target = _smooth(_subject(joints), 0.35, fps)
    late = np.concatenate([np.repeat(target[:1], round(0.12 * fps), 0), target])[: len(target)]
    place = np.array([*(target.mean(0) + distance * _along(azimuth)), rng.uniform(1.3, 1.7)])
    shake = _shake(len(joints), fps, 0.0012, rng)
    return _aimed(np.tile(place, (len(joints), 1)), _at_height(late, joints, fps), shake)


def _walk(joints: np.ndarray, distance: float, azimuth: float, fps: float, rng: np.random.Generator) -> Filmed:
    """Carried by somebody who walks beside the people: steps bob and sway, the hand shakes."""
    time = np.arange(len(joints)) / fps
    side = azimuth + np.pi / 2 * rng.choice([-1, 1])
    way = (time - time.mean())[:, None] * (0.45 * _along(side) - 0.12 * _along(azimuth))
    ground = _line(_subject(joints)) + distance * _along(azimuth) + way
    step = 2 * np.pi * 1.85 * time + rng.uniform(0, 6)
    place = np.column_stack([ground + 0.02 * np.sin(step / 2)[:, None] * _along(side), 1.5 + 0.022 * np.sin(step)])
    place += 0.01 * _noise(len(time), fps, 0.5, rng)
    target = _at_height(_smooth(_subject(joints), 0.3, fps), joints, fps)
    return _aimed(place, target, _shake(len(time), fps, 0.006, rng))


def _orbit(joints: np.ndarray, distance: float, azimuth: float, fps: float, rng: np.random.Generator) -> Filmed:
    """Carried around the people, always turned to them."""
    time = np.linspace(-0.5, 0.5, len(joints))
    sweep = rng.choice([-1, 1]) * np.radians(rng.uniform(65, 100))
    eased = time * (1.5 - 2 * time**2)
    ground = _line(_subject(joints)) + distance * _along(azimuth + sweep * eased)
    place = np.column_stack([ground, 1.4 + 0.12 * np.sin(3 * time + rng.uniform(0, 6))])
    place += 0.012 * _noise(len(time), fps, 0.4, rng)
    target = _at_height(_smooth(_subject(joints), 0.4, fps), joints, fps)
    return _aimed(place, target, _shake(len(time), fps, 0.005, rng))


def _follow(joints: np.ndarray, distance: float, azimuth: float, fps: float, rng: np.random.Generator) -> Filmed:
    """Moves with the people in their own line, as from a car ahead: they hardly move in the picture.

    Where they go nowhere, the line is the one to the camera, which comes nearer.
    """
    line = _line(_subject(joints))
    gone = line[-1] - line[0]
    if np.linalg.norm(gone) > 1.0:
        azimuth = np.arctan2(gone[1], gone[0]) + np.radians(rng.uniform(-8, 8))
        ground = _smooth(_subject(joints), 0.8, fps) + distance * _along(azimuth)
    else:
        time = np.linspace(0, 1, len(joints))[:, None]
        ground = line + (distance + 1.2 * (1 - time)) * _along(azimuth)
    place = np.column_stack([ground, np.full(len(ground), rng.uniform(1.2, 1.6))])
    place += 0.006 * _noise(len(ground), fps, 0.3, rng)
    target = _at_height(_smooth(_subject(joints), 0.8, fps), joints, fps)
    return _aimed(place, target, _shake(len(ground), fps, 0.004, rng))


_PATHS = {"static": _static, "pan": _pan, "walk": _walk, "orbit": _orbit, "follow": _follow}


def _at_height(ground: np.ndarray, joints: np.ndarray, fps: float) -> np.ndarray:
    """(T, 3): points over the ground (T, 2) that the camera looks at, half as high as the people are."""
    middle = _smooth((joints[..., 2].min(1) + joints[..., 2].max(1)) / 2, 0.8, fps)
    return np.column_stack([ground, 0.4 * _AIM_M + 0.6 * middle])


def _noise(count: int, fps: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """(T, 3) smooth noise of spread 1 that changes within about `seconds`."""
    raw = gaussian_filter1d(rng.normal(size=(count, 3)), seconds * fps, axis=0, mode="reflect")
    return raw / max(1 / np.sqrt(2 * np.sqrt(np.pi) * seconds * fps), 1e-9)


def _shake(count: int, fps: float, radians: float, rng: np.random.Generator) -> np.ndarray:
    """(T, 3) small turns of a hand: a slow drift and a quicker tremble."""
    return radians * (1.6 * _noise(count, fps, 0.6, rng) + 0.5 * _noise(count, fps, 0.08, rng))


def _aimed(places: np.ndarray, targets: np.ndarray, shake: np.ndarray) -> Filmed:
    """Upright at `places` (T, 3), looking at `targets` (T, 3), then turned by `shake` (T, 3) about its own axes."""
    forward = targets - places
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    right = np.cross(forward, [0.0, 0, 1])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    R = np.stack([right, np.cross(forward, right), forward], 1)
    R = roma.rotvec_to_rotmat(torch.as_tensor(shake)).numpy() @ R
    return Filmed(R, -np.einsum("tij,tj->ti", R, places))

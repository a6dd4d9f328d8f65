"""The landmark detector's errors: measured on rendered clips, and drawn anew for motions that were never rendered.

An error is what the pose makes it (BlazePose shortens limbs that point at the camera, for one), by linear regression on
the true landmarks, plus three parts at random that differ in how fast they change: all through a clip, within a third
of a second, and from frame to frame. Each part has the covariance over all landmarks, in the picture, in depth and in
visibility together, that was measured; a whole clip's errors are larger or smaller by a drawn factor.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from ghmr_engine.body.skeleton import LANDMARK_NAMES, mirror_order
from ghmr_engine.body.smpl import Body
from ghmr_engine.lift.features import Sights, look_at
from ghmr_engine.train.detections import Detection

_SLOW = 4.0
"""Frames: deviation of the Gaussian that parts what changes slowly from what jumps."""
_RIDGE, _RANK = 10.0, 40
_HIPS = [LANDMARK_NAMES.index("left_hip"), LANDMARK_NAMES.index("right_hip")]
_MIRROR = list(mirror_order(LANDMARK_NAMES))
_LOGIT = 5.0
_EACH = 6
"""Numbers a landmark: x and y in the picture in shares of the person's size, x, y, z in m, the logit of visibility."""
_FEWEST = 24


@dataclass(frozen=True)
class Noise:
    """What was measured. E = 33 * 6 errors a frame."""

    by_pose: torch.Tensor
    """(100, E): errors by the 33 true landmarks about the hips (m, seen straight on) and a one."""
    steady: torch.Tensor
    """(rank, E) factor of the covariance of what lasts through a clip."""
    slow: torch.Tensor
    """(rank, E) of what changes within a third of a second."""
    fast: torch.Tensor
    """(rank, E) of what changes from frame to frame."""
    spread: torch.Tensor
    """() deviation of the logarithm of a clip's factor."""
    hidden: torch.Tensor
    """(2,) by how much errors are larger where something stands before a landmark, and its mean visibility's logit."""
    lost: torch.Tensor
    """(2,) share of frames in which nobody was found between others, and how many such frames follow each other."""
    swapped: torch.Tensor
    """(2,) share of frames in which left and right were taken for each other, and how many follow each other."""


def sights_of(found: Detection) -> Sights:
    """What the engine sees of one detected person, a batch of one."""
    focal = found.K[:, None, [0, 1], [0, 1]]
    rays = (found.keypoints[..., :2] - found.K[:, None, :2, 2]) / focal

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, dtype=torch.float32)[None]

    there = torch.ones(1, len(rays), dtype=torch.bool)
    visible = tensor(found.keypoints[..., 2] * found.seen[:, None])
    return Sights(tensor(rays), visible, tensor(found.landmarks), tensor(found.R), there)


def measure(detections: list[Detection], body: Body) -> Noise:
    """Fit everything. Each person counts twice, the second time in a mirror."""
    parts = [_errors_of(found, body) for found in detections if len(found.seen) >= _FEWEST]
    parts += [_mirror(*part) for part in parts]
    about, off, shown = (np.concatenate(each) for each in zip(*parts, strict=True))
    plain = np.concatenate([about.reshape(len(about), -1), np.ones((len(about), 1))], 1)
    usual = shown.all(1)  # hidden landmarks have a rule of their own
    left = plain[usual].T @ plain[usual] + _RIDGE * np.eye(plain.shape[1])
    by_pose = np.linalg.solve(left, plain[usual].T @ off[usual].reshape(usual.sum(), -1))
    rest = off.reshape(len(off), -1) - plain @ by_pose
    clips = np.split(rest, np.cumsum([len(part[0]) for part in parts])[:-1])
    size = np.log([np.sqrt(np.mean(clip**2)) for clip in clips])
    clips = [clip / np.exp(s - size.mean()) for clip, s in zip(clips, size, strict=True)]
    steady = np.stack([clip.mean(0) for clip in clips])
    slow = [gaussian_filter1d(clip - clip.mean(0), _SLOW, axis=0, mode="nearest") for clip in clips]
    fast = [clip - clip.mean(0) - s for clip, s in zip(clips, slow, strict=True)]
    across = np.abs(rest.reshape(off.shape)[..., 2:5])
    hidden = across[~shown].mean() / across[shown].mean()
    lost = np.mean([_runs(~found.seen) for found in detections], 0)
    swapped = np.mean([_runs(_swapped(found, body)) for found in detections], 0)
    arrays = {
        "by_pose": by_pose, "steady": _factor(steady), "slow": _factor(np.concatenate(slow)),
        "fast": _factor(np.concatenate(fast)), "spread": size.std(),
        "hidden": np.array([hidden, off[~shown][:, 5].mean()]), "lost": lost, "swapped": swapped,
    }  # fmt: skip
    return Noise(**{name: torch.as_tensor(np.asarray(array), dtype=torch.float32) for name, array in arrays.items()})


def errors(
    noise: Noise, about: torch.Tensor, hidden: torch.Tensor, chance: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Errors for true landmarks about the hips (B, F, 33, 3) m as a camera sees them that looks straight at the person.

    hidden (B, F, 33) bool. Returns what to add in the picture (B, F, 33, 2), in shares of the person's size, and in
    space (B, F, 33, 3) m, and visibility (B, F, 33).
    """
    count, frames = about.shape[:2]

    def white(length: int, rank: int) -> torch.Tensor:
        return torch.randn(count, length, rank, generator=chance)

    steady = white(1, len(noise.steady)) @ noise.steady
    slow = _slowly(white(frames + 2 * _reach(), len(noise.slow))) @ noise.slow
    fast = white(frames, len(noise.fast)) @ noise.fast
    factor = (noise.spread * white(1, 1)).exp()
    plain = torch.cat([about.flatten(2), torch.ones_like(about[..., :1, 0])], -1)
    at_random = (factor * (steady + slow + fast)).unflatten(-1, (len(LANDMARK_NAMES), _EACH))
    at_random = at_random * torch.where(hidden, noise.hidden[0], torch.ones(()))[..., None]
    off = (plain @ noise.by_pose).unflatten(-1, (len(LANDMARK_NAMES), _EACH)) + at_random
    logit = torch.where(hidden, noise.hidden[1] + at_random[..., 5], off[..., 5])
    visible = logit.clamp(-_LOGIT, _LOGIT).sigmoid()
    return off[..., :2], off[..., 2:5], visible


def save_noise(noise: Noise, path: Path) -> None:
    """As an npz that load_noise reads."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        np.savez_compressed(file, **{f.name: getattr(noise, f.name).numpy().astype(np.float32) for f in fields(Noise)})
    part.replace(path)


def load_noise(path: Path) -> Noise:
    """What save_noise wrote."""
    with np.load(path, allow_pickle=False) as file:
        return Noise(**{field.name: torch.as_tensor(file[field.name]) for field in fields(Noise)})


def _true_landmarks(found: Detection, body: Body) -> np.ndarray:
    """(N, 33, 3) m in each frame's camera."""
    motion = (torch.as_tensor(x, dtype=torch.float32) for x in (found.rotations, found.transl, found.betas))
    landmarks = body.forward(*motion).landmarks.numpy().astype(float)
    return landmarks @ np.swapaxes(found.R, 1, 2) + found.t[:, None]


def _errors_of(found: Detection, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True landmarks about the hips (N, 33, 3), errors (N, 33, 6), and which landmarks were shown (N, 33)."""
    rows = np.flatnonzero(found.seen)
    true = _true_landmarks(found, body)[rows]
    rays = true[..., :2] / true[..., 2:]
    low, high = rays.min(1), rays.max(1)
    size = (high - low).max(1)[:, None, None]
    turn = look_at(torch.as_tensor((low + high) / 2)).numpy()
    straight = true @ turn
    about = straight - straight[:, _HIPS].mean(1, keepdims=True)
    seen = sights_of(found)
    found_rays = np.concatenate([seen.rays[0].numpy(), np.ones((len(found.seen), 33, 1))], -1)[rows] @ turn
    flat = found_rays[..., :2] / found_rays[..., 2:] - straight[..., :2] / straight[..., 2:]
    visible = np.clip(seen.visible[0].numpy()[rows], 1e-4, 1 - 1e-4)
    logit = np.clip(np.log(visible / (1 - visible)), -_LOGIT, _LOGIT)
    return about, np.concatenate([flat / size, found.landmarks[rows] - about, logit[..., None]], -1), found.shown[rows]


def _mirror(about: np.ndarray, off: np.ndarray, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sign = np.array([-1.0, 1, -1, 1, 1, 1])
    return about[:, _MIRROR] * [-1.0, 1, 1], off[:, _MIRROR] * sign, shown[:, _MIRROR]


def _factor(samples: np.ndarray) -> np.ndarray:
    """(rank, E) whose square is the samples' covariance, but for its smallest parts."""
    _, size, parts = np.linalg.svd(samples, full_matrices=False)
    return (size[:, None] * parts)[:_RANK] / np.sqrt(len(samples))


def _reach() -> int:
    return round(3 * _SLOW)


def _slowly(white: torch.Tensor) -> torch.Tensor:
    """(B, F, rank) of deviation 1 that changes as slowly as what was measured, from (B, F + 2 reach, rank)."""
    at = torch.arange(-_reach(), _reach() + 1)
    kernel = torch.exp(-0.5 * (at / _SLOW) ** 2)
    kernel = kernel / kernel.square().sum().sqrt()
    rows = white.transpose(1, 2).flatten(0, 1)[:, None]
    smooth = torch.nn.functional.conv1d(rows, kernel[None, None])[:, 0]
    return smooth.unflatten(0, (white.shape[0], white.shape[2])).transpose(1, 2)


def _swapped(found: Detection, body: Body) -> np.ndarray:
    """(N,) bool: legs or arms lie nearer to the other side's truth."""
    true = _true_landmarks(found, body)
    px = true @ np.swapaxes(found.K, 1, 2)
    px = px[..., :2] / px[..., 2:]
    limbs = slice(11, 29)
    away = [
        np.linalg.norm(found.keypoints[..., :2] - other, axis=-1)[:, limbs].mean(1) for other in (px, px[:, _MIRROR])
    ]
    apart = np.linalg.norm(px - px[:, _MIRROR], axis=-1)[:, limbs].mean(1)
    return (away[1] < away[0] - 0.25 * apart) & found.seen


def _runs(bad: np.ndarray) -> tuple[float, float]:
    """Share of bad frames, and how many follow each other in the mean (1 where there is none)."""
    starts = np.count_nonzero(np.diff(np.concatenate([[False], bad]).astype(int)) == 1)
    return float(bad.mean()), float(bad.sum() / starts) if starts else 1.0

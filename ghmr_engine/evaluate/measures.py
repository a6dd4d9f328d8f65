"""The field's measures (shared/spec/metrics.md), as WHAM's and SLAHMR's evaluation compute them: pure functions.

N frames of a person, M points; `found` and `true` hold the same frames, `frames` (N,) says which. Joints are SMPL's 24.
None stands for "nothing to measure". Differences in time are taken over neighbouring frames only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghmr_engine import quality
from ghmr_engine.evaluate.alignment import apply, nearest_rotation, similarity

CHUNK = 100
"""Frames that WA-MPJPE and W-MPJPE align at a time."""
RESTS_M = 0.01
"""A true foot point that moves less than this in a frame rests."""
STILL_M = 0.2
"""Shorter paths are no way to divide by."""
_ROUNDING_DEG, _ROUNDING_M = 0.01, 1e-3
_HIPS = [1, 2]


@dataclass(frozen=True)
class CameraMeasures:
    """How good a camera is."""

    rotation_deg: float
    """Mean angle between both cameras, after one turn of the whole world."""
    rotation_rms_deg: float
    """The same as root of the mean square."""
    path_percent: float | None
    """Mean distance of the centres after one similarity, in percent of the true path; None for a still camera."""
    drift_mm: float
    """Mean distance of the found centres from their mean: of a still camera, the error."""
    tilt_deg: float
    """Mean angle between both worlds' up, as the camera sees it."""
    scale: float | None
    """Size of the found path over that of the true one, by the similarity that lays the true centres on the found
    ones (shaking makes a path longer, not larger); None for a still camera."""
    focal_percent: float
    """Mean excess of the found focal length."""
    stands: bool
    """The found camera does not move at all."""
    truly_stands: bool


def centred(points: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """points (N, M, 3) m seen from the mean of the hips of joints (N, 24, 3), the same frame."""
    return points - joints[:, _HIPS].mean(1, keepdims=True)


def pa_mpjpe(found: np.ndarray, true: np.ndarray) -> float | None:
    """mm: mean distance of joints (N, 24, 3) m after a similarity a frame; in any frame of reference."""
    return mpjpe(apply(*similarity(found, true), found), true)


def mpjpe(found: np.ndarray, true: np.ndarray) -> float | None:
    """mm: mean distance of points (N, M, 3) m: joints for MPJPE, vertices for PVE, in the camera's frame, `centred`."""
    return _mean(_distances_mm(found, true))


def accel(frames: np.ndarray, found: np.ndarray, true: np.ndarray, fps: float) -> float | None:
    """m/s^2: mean norm of the difference of both second differences, times fps^2.

    found, true (N, 24, 3) m in the camera's frame, `centred` (as WHAM's evaluation has them).
    """
    runs = frames[2:] - frames[:-2] == 2
    return _mean(np.linalg.norm(np.diff(found - true, n=2, axis=0), axis=-1)[runs] * fps**2)


def wa_mpjpe100(found: np.ndarray, true: np.ndarray) -> float | None:
    """mm: mean distance of joints (N, 24, 3) m in the world, one similarity on all joints of a chunk of 100 frames."""
    return _chunk_error(found, true, None)


def w_mpjpe100(found: np.ndarray, true: np.ndarray) -> float | None:
    """mm: as WA-MPJPE, but the similarity is that of the chunk's first two frames. None for a single frame."""
    return _chunk_error(found, true, 2) if len(found) >= 2 else None


def rte(found: np.ndarray, true: np.ndarray) -> float | None:
    """Percent: mean distance of root paths (N, 3) m, world, after a rigid fit, over the true path's length.

    None where the true path is shorter than 0.2 m. Across a gap in the frames the path counts as straight.
    """
    length = _path_m(true)
    if length < STILL_M:
        return None
    return float(_distances_mm(apply(*similarity(found, true, scale=False), found), true).mean() / 10 / length)


def jitter(frames: np.ndarray, found: np.ndarray, fps: float) -> float | None:
    """10 m/s^3: mean norm of the third difference of joints (N, 24, 3) m, world, times fps^3 / 10."""
    return quality.jitter(frames, found, fps)


def foot_sliding(frames: np.ndarray, found: np.ndarray, true: np.ndarray) -> float | None:
    """mm a frame: mean motion of the found foot points (N, 4, 3) m, world, where the true one moves under 1 cm."""
    moved, truly = (np.linalg.norm(np.diff(feet, axis=0), axis=-1) for feet in (found, true))
    return _mean(1000 * moved[(truly < RESTS_M) & (np.diff(frames) == 1)[:, None]])


def apart_percent(found: np.ndarray, true: np.ndarray) -> float | None:
    """How far the distance between two people is off, in percent of the true one, mean over frames.

    found, true (N, 3) m: from one person's pelvis to the other's. None without frames.
    """
    right = np.linalg.norm(true, axis=-1)
    return _mean(100 * np.abs(np.linalg.norm(found, axis=-1) - right) / np.maximum(right, 0.1))


def penetration(found: np.ndarray) -> float | None:
    """mm: mean depth of foot points (N, 4, 3) m, world, below z = 0, over all points."""
    return quality.penetration_mm(found)


def contact_f1(found: np.ndarray | None, true: np.ndarray | None) -> tuple[float | None, str]:
    """F1 of contacts (N, 4), probability over 0.5, and "" or, where there is none, why."""
    if found is None or true is None:
        return None, f"no contacts in the {'prediction' if found is None else 'truth'}"
    a, b = found > quality.CONTACT, true > quality.CONTACT
    if not (a.any() or b.any()):
        return None, "no foot touches the ground in either"
    return float(2 * (a & b).sum() / (a.sum() + b.sum())), ""


def upright_tilt(found: np.ndarray, true: np.ndarray) -> float | None:
    """Degrees: mean angle between both worlds' up, as the body sees it. Joints (N, 24, 3) m, world.

    The rotation of the similarity that lays the found joints on the true ones carries one up to the other: 0 where
    they differ by a heading only.
    """
    return _mean(angle_deg(similarity(found, true)[1][..., 2], np.array([0.0, 0.0, 1.0])))


def camera(
    found: tuple[np.ndarray, np.ndarray, np.ndarray], true: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> CameraMeasures:
    """found and true: R (T, 3, 3) world to camera, t (T, 3) m, K (T, 3, 3) px, of every frame of the clip (T >= 1)."""
    (R, t, K), (R_true, t_true, K_true) = found, true
    world = nearest_rotation((np.swapaxes(R_true, -1, -2) @ R).sum(0))
    left = R @ world.T @ np.swapaxes(R_true, -1, -2)
    centres, true_centres = (-np.einsum("nij,ni->nj", r, x) for r, x in ((R, t), (R_true, t_true)))
    length = _path_m(true_centres)
    moves = length >= STILL_M
    apart = _distances_mm(apply(*similarity(centres, true_centres), centres), true_centres).mean()
    off_deg = _rotation_angle_deg(left)
    return CameraMeasures(
        rotation_deg=float(off_deg.mean()),
        rotation_rms_deg=float(np.sqrt(np.square(off_deg).mean())),
        path_percent=float(apart / 10 / length) if moves else None,
        drift_mm=float(_distances_mm(centres, centres.mean(0)).mean()),
        tilt_deg=float(angle_deg(R[:, :, 2], R_true[:, :, 2]).mean()),
        scale=_size_over(centres, true_centres) if moves else None,
        focal_percent=float(100 * (K[:, 0, 0] / K_true[:, 0, 0] - 1).mean()),
        stands=_stands(R, centres),
        truly_stands=_stands(R_true, true_centres),
    )


def _size_over(found: np.ndarray, true: np.ndarray) -> float:
    """Of paths (T, 3) m; 0 for a found one that is a point, to which no similarity leads."""
    return float(similarity(true, found)[0]) if _path_m(found) > 0 else 0.0


def _stands(R: np.ndarray, centres: np.ndarray) -> bool:
    """Whether a camera neither turns nor goes anywhere, up to rounding."""
    turned = _rotation_angle_deg(R @ R[0].T).max()
    return bool(turned < _ROUNDING_DEG and np.ptp(centres, axis=0).max() < _ROUNDING_M)


def angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(...,) degrees between vectors (..., 3); exact for small angles, unlike the arc cosine."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1)))


def _rotation_angle_deg(R: np.ndarray) -> np.ndarray:
    """(...,) degrees that (..., 3, 3) turns by: its antisymmetric part is the sine, its trace the cosine."""
    sine = np.linalg.norm((R - np.swapaxes(R, -1, -2)).reshape(*R.shape[:-2], 9), axis=-1) / np.sqrt(8)
    return np.degrees(np.arctan2(sine, (np.trace(R, axis1=-2, axis2=-1) - 1) / 2))


def _chunk_error(found: np.ndarray, true: np.ndarray, fitted: int | None) -> float | None:
    """mm: mean over all frames; every chunk has the similarity of the joints of its `fitted` first frames."""
    if not len(found):
        return None
    errors = []
    for rows in _chunks(len(found)):
        a, b = found[rows].reshape(-1, 3), true[rows].reshape(-1, 3)
        points = None if fitted is None else fitted * found.shape[1]
        errors.append(_distances_mm(apply(*similarity(a[:points], b[:points]), a), b))
    return _mean(np.concatenate(errors))


def _chunks(count: int) -> list[slice]:
    """Hundreds of frames; a single last frame, which W-MPJPE could not fit, stays with the chunk before it."""
    starts = list(range(0, count, CHUNK))
    if len(starts) > 1 and count - starts[-1] < 2:
        starts.pop()
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], count], strict=True)]


def _distances_mm(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 1000 * np.linalg.norm(a - b, axis=-1)


def _path_m(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=-1).sum())


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values)) if values.size else None

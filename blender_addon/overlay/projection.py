"""Places in the world to pixels of the clip, through a camera that is in Blender, its lens's bend put back. NumPy only.

Whole pixel numbers are pixels' centres; cameras are OpenCV's: x right, y down, z forward.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

NEAR_M = 0.1
_FROM_BLENDER = np.diag([1.0, -1.0, -1.0])
_STEPS = 15
_EXACT = 1e-6
_BEYOND = 1.5
"""Straight places further out than so many times the picture's corner are not bent: no lens was measured there."""
_PIECES_A_METRE = 4
_MOST_PIECES = 20_000


@dataclass(frozen=True)
class PictureCamera:
    """A camera at one moment, and its picture."""

    R: np.ndarray
    """(3, 3) world to camera."""
    t: np.ndarray
    """(3,) m."""
    K: np.ndarray
    """(3, 3) px."""
    size: tuple[int, int]
    """Width, height, px."""
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(2))
    """(2,) k1, k2 of the division model (docs/camera.md); zeros for a straight picture."""

    def seen(self, points: np.ndarray) -> np.ndarray:
        """World (..., 3) m -> the camera's axes (..., 3) m."""
        return points @ self.R.T + self.t

    def pixels(self, seen: np.ndarray) -> np.ndarray:
        """The camera's axes (..., 3) m -> (..., 2) px, nan for what is nearer than NEAR_M or bent out of sight."""
        # A line that was cut at NEAR_M ends there, give or take a rounding.
        depth = np.where(seen[..., 2:] >= NEAR_M * (1 - 1e-6), seen[..., 2:], np.nan)
        straight = seen[..., :2] / depth * np.diag(self.K)[:2] + self.K[:2, 2]
        return bent(straight, self.K, self.size, self.distortion) if self.distortion.any() else straight

    def lines(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """World (S, 3), (S, 3) m -> (P, 2, 2) px: what lies before the camera, in pieces where the lens bends it."""
        if self.distortion.any():
            starts, ends = _pieces(starts, ends)
        starts, ends = cut_near(self.seen(starts), self.seen(ends))
        drawn = np.stack([self.pixels(starts), self.pixels(ends)], 1)
        return drawn[np.isfinite(drawn).all((1, 2))]


def camera_at(matrix_world: np.ndarray, K: np.ndarray, size: tuple[int, int], distortion: np.ndarray) -> PictureCamera:
    """A Blender camera's matrix_world (4, 4), of any scale, as a PictureCamera."""
    axes = matrix_world[:3, :3] / np.linalg.norm(matrix_world[:3, :3], axis=0)
    R = _FROM_BLENDER @ axes.T
    return PictureCamera(R, -R @ matrix_world[:3, 3], K, size, np.asarray(distortion, dtype=float))


def blender_intrinsics(
    lens: float, sensor: tuple[str, float, float], shift: tuple[float, float], size: tuple[int, int], tall: float
) -> np.ndarray:
    """K (3, 3) px of a Blender camera.

    lens mm; sensor: its fit and its width and height in mm; shift: x and y; size px; tall: a pixel's height over its
    width.
    """
    fit, sensor_width, sensor_height = sensor
    width, height = size
    horizontal = fit == "HORIZONTAL" or (fit == "AUTO" and width >= height * tall)
    across = width if horizontal else height * tall
    mm = sensor_height if fit == "VERTICAL" else sensor_width
    fx = lens * across / mm
    cx = (width - 1) / 2 - shift[0] * across
    cy = (height - 1) / 2 + shift[1] * across / tall
    return np.array([[fx, 0, cx], [0, fx / tall, cy], [0, 0, 1]])


def bent(straight: np.ndarray, K: np.ndarray, size: tuple[int, int], distortion: np.ndarray) -> np.ndarray:
    """Where the clip shows px (..., 2) of the straightened picture: the division model's other direction.

    The model has the straight radius s at r / (1 + k1 r^2 + k2 r^4); r is found by Newton's method, in focal lengths.
    nan where it has none, or far outside the picture.
    """
    centre, focal = K[:2, 2], np.diag(K)[:2]
    off = (straight - centre) / focal
    s = np.linalg.norm(off, axis=-1, keepdims=True)
    k1, k2 = distortion
    with np.errstate(all="ignore"):
        r = s.copy()
        for _ in range(_STEPS):
            slope = 1 - s * (2 * k1 * r + 4 * k2 * r**3)
            r = r - (r - s * (1 + k1 * r**2 + k2 * r**4)) / slope
        error = np.abs(r - s * (1 + k1 * r**2 + k2 * r**4))
    reach = np.hypot(*(np.asarray(size) / focal)) / 2
    found = (error < _EXACT) & (r >= 0) & (s < _BEYOND * reach) & (r < _BEYOND * reach)
    scale = np.where(s > 0, r / np.where(s > 0, s, 1), 1.0)
    return np.where(found, centre + off * scale * focal, np.nan)


def cut_near(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lines (S, 3), (S, 3) in the camera's axes, without what is nearer than NEAR_M; some are gone altogether."""
    before = (starts[:, 2] >= NEAR_M) | (ends[:, 2] >= NEAR_M)
    starts, ends = starts[before].astype(float), ends[before].astype(float)
    for a, b in ((starts, ends), (ends, starts)):
        behind = a[:, 2] < NEAR_M
        share = (NEAR_M - a[behind, 2]) / (b[behind, 2] - a[behind, 2])
        a[behind] += share[:, None] * (b[behind] - a[behind])
    return starts, ends


def grid(low: np.ndarray, high: np.ndarray, square: float) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends (S, 3) m of a grid's lines on the ground z = 0, from corner `low` (2,) to `high` (2,)."""
    xs, ys = (np.arange(a, b + square / 2, square) for a, b in zip(low, high, strict=True))
    starts = [(x, low[1], 0) for x in xs] + [(low[0], y, 0) for y in ys]
    ends = [(x, high[1], 0) for x in xs] + [(high[0], y, 0) for y in ys]
    return np.array(starts, dtype=float), np.array(ends, dtype=float)


def _pieces(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each line in short pieces, so that it can bend."""
    if not len(starts):
        return starts, ends
    longest = np.linalg.norm(ends - starts, axis=1).max()
    count = int(np.clip(np.ceil(longest * _PIECES_A_METRE), 1, max(_MOST_PIECES // len(starts), 1)))
    share = np.linspace(0, 1, count + 1)[:, None]
    points = starts[:, None] + share * (ends - starts)[:, None]
    return points[:, :-1].reshape(-1, 3), points[:, 1:].reshape(-1, 3)

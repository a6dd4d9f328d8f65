"""The demo clip's camera: held by hand, it follows the walker and drifts along."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

SIZE = (854, 480)
FOCAL_PX = 700.0
START, DRIFT = np.array([1.15, -4.45, 1.46]), np.array([0.95, 0.25, 0.0])


def camera_places(times: np.ndarray) -> np.ndarray:
    """(T, 3) m: a slow sidestep with the sway of a hand and the bob of small steps."""
    share = np.clip(times / 5.0, 0, 1)
    eased = 3 * share**2 - 2 * share**3
    hand = np.stack([
        0.010 * np.sin(2.9 * times + 0.4) + 0.004 * np.sin(8.3 * times),
        0.008 * np.sin(2.3 * times + 1.9),
        0.011 * np.sin(5.6 * times + 0.7) + 0.004 * np.sin(11.9 * times + 2.0),
    ], -1)  # fmt: skip
    return START + eased[:, None] * DRIFT + hand


def follow(times: np.ndarray, places: np.ndarray, pelvis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R (T, 3, 3), t (T, 3) world to camera (OpenCV) of a hand that follows the pelvis (T, 3) late and not quite."""
    rate = 1 / (times[1] - times[0])
    target = gaussian_filter1d(pelvis, 0.5 * rate, axis=0, mode="nearest")
    middle = target.mean(axis=0)
    target = middle + 0.82 * (target - middle)
    target[:, 2] = 0.98
    target += np.stack([
        0.030 * np.sin(3.7 * times) + 0.012 * np.sin(9.1 * times + 1.0),
        np.zeros_like(times),
        0.022 * np.sin(4.4 * times + 2.2) + 0.010 * np.sin(10.3 * times),
    ], -1)  # fmt: skip
    forward = target - places
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    down = np.cross(forward, right)
    roll = np.radians(0.55 * np.sin(2.6 * times + 0.3) + 0.2 * np.sin(7.0 * times))[:, None]
    rows = np.cos(roll) * right + np.sin(roll) * down, np.cos(roll) * down - np.sin(roll) * right, forward
    R = np.stack(rows, axis=1)
    return R, -np.einsum("tab,tb->ta", R, places)


def intrinsics() -> np.ndarray:
    """(3, 3) px, pixel centres at whole numbers."""
    return np.array([[FOCAL_PX, 0, (SIZE[0] - 1) / 2], [0, FOCAL_PX, (SIZE[1] - 1) / 2], [0, 0, 1]])

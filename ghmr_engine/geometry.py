"""Small camera geometry that several stages share. Rotation formulas come from roma; this is its only neighbour."""

from __future__ import annotations

import cv2
import numpy as np
import torch


def intrinsics(focal_px: float, width: int, height: int) -> np.ndarray:
    """(3, 3) pinhole matrix with the principal point in the picture's centre (pixel centres at whole numbers)."""
    return np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]], dtype=np.float64)


def straightened(px: np.ndarray, K: np.ndarray, distortion: np.ndarray) -> np.ndarray:
    """Where a lens without distortion would show px (N, ..., 2), seen through K (3, 3) or (N, 3, 3).

    distortion (2,): division model (Fitzgibbon 2001), (x, y) / (1 + k1 r^2 + k2 r^4) from the centre over the focal
    length.
    """
    centre, focal = (part.reshape(*part.shape[:-1], *(1,) * (px.ndim - 2), 2) for part in _lens(K))
    off = px - centre
    r2 = ((off / focal) ** 2).sum(-1, keepdims=True)
    return centre + off / (1 + distortion[0] * r2 + distortion[1] * r2**2)


def straighten(picture: np.ndarray, K: np.ndarray, distortion: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) as a lens without distortion would have taken it. K (3, 3)."""
    if not distortion.any():
        return picture
    height, width = picture.shape[:2]
    centre, focal = _lens(K)
    off = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1) - centre
    bent = off
    for _ in range(30):  # the model's other direction, by fixed point
        r2 = ((bent / focal) ** 2).sum(-1, keepdims=True).clip(max=4.0)
        bent = off * np.maximum(1 + distortion[0] * r2 + distortion[1] * r2**2, 0.2)
    where = (bent + centre).astype(np.float32)
    return cv2.remap(picture, where[..., 0], where[..., 1], cv2.INTER_LINEAR)


def _lens(K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and focal length (..., 2) of K (..., 3, 3)."""
    return K[..., :2, 2], np.stack([K[..., 0, 0], K[..., 1, 1]], -1)


def project(points_cam: torch.Tensor, K: torch.Tensor, near_m: float = 0.1) -> torch.Tensor:
    """Pinhole projection. points_cam (N, J, 3) m in the camera's frame (OpenCV), K (N, 3, 3) -> (N, J, 2) px.

    Depths under `near_m` are held there, so that a point behind the camera gives a large but finite error.
    """
    depth = points_cam[..., 2:].clamp(min=near_m)
    flat = points_cam[..., :2] / depth
    focal = torch.stack([K[:, 0, 0], K[:, 1, 1]], -1)[:, None]
    return flat * focal + K[:, None, :2, 2]


def world_to_camera(points: torch.Tensor, R: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """x_cam = R x + t for points (N, J, 3), R (N, 3, 3), t (N, 3)."""
    return points @ R.transpose(-1, -2) + t[:, None]

"""Small camera geometry that several stages share. Rotation formulas come from roma; this is its only neighbour."""

from __future__ import annotations

import numpy as np
import torch


def intrinsics(focal_px: float, width: int, height: int) -> np.ndarray:
    """(3, 3) pinhole matrix with the principal point in the picture's centre (pixel centres at whole numbers)."""
    return np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]], dtype=np.float64)


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

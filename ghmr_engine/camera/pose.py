"""Poses of many views against points that stay: each view on its own, all at once."""

from __future__ import annotations

import torch

from ghmr_engine import lie
from ghmr_engine.camera.bundle import Bundle, Sightings, magnified, points

_SCALES_PX = (30.0, 30.0, 10.0, 4.0, 2.0, 1.0, 0.7, 0.7)
"""Cauchy's scale a step: wide at first, so that a guess may be far off."""
_FITS_PX = 1.5


def locate(
    start: torch.Tensor, bundle: Bundle, seen: Sightings, scales_px: tuple[float, ...] = _SCALES_PX,
    turn_only: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Gauss and Newton's steps on robust reprojection errors. start (F, 7); seen.view counts these poses. Returns the
    poses and which sightings (O,) fit them."""
    homogeneous = points(bundle)[seen.point]
    focal_px = magnified(bundle, seen.px)
    pose, count = start, len(start)
    for scale in scales_px:
        y, residual = _off(pose, homogeneous, focal_px, seen)
        weight = 1 / (1 + residual.square().sum(-1) / scale**2) * (y[:, 2] > 1e-3)
        D = torch.zeros(len(y), 2, 3).to(y)
        z = y[:, 2].clamp(min=1e-3)
        D[:, 0, 0] = D[:, 1, 1] = focal_px / z
        D[:, :, 2] = -(focal_px / z**2)[:, None] * y[:, :2]
        step = torch.cat([homogeneous[:, 3, None, None] * D, -D @ _cross(y)], -1)
        if turn_only:
            step[..., :3] = 0
        weighted = weight[:, None, None] * step
        left = torch.zeros(count, 6, 6).to(y).index_add_(0, seen.view, weighted.transpose(1, 2) @ step)
        right = (
            torch.zeros(count, 6)
            .to(y)
            .index_add_(0, seen.view, (weighted.transpose(1, 2) @ residual[..., None])[..., 0])
        )
        left = left + torch.diag_embed(left.diagonal(dim1=1, dim2=2) * 1e-6 + 1e-6)
        pose = lie.moved(pose, torch.linalg.solve(left, right))
    _, residual = _off(pose, homogeneous, focal_px, seen)
    return pose, residual.norm(dim=-1) < _FITS_PX


def _off(
    pose: torch.Tensor, homogeneous: torch.Tensor, focal_px: torch.Tensor, seen: Sightings
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points in the views (O, 3), up to scale, and residuals (O, 2) px."""
    R, t = lie.rotation_and_translation(pose)
    y = torch.einsum("oij,oj->oi", R[seen.view], homogeneous[:, :3]) + homogeneous[:, 3:] * t[seen.view]
    return y, seen.px - focal_px[:, None] * y[:, :2] / y[:, 2:].clamp(min=1e-3)


def _cross(v: torch.Tensor) -> torch.Tensor:
    zero = torch.zeros_like(v[:, 0])
    x, y, z = v.unbind(-1)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)

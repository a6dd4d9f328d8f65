"""Where a fit begins: a pose laid along the landmarks, and the place from which it projects onto the picture."""

from __future__ import annotations

import roma
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.marks import marks
from ghmr_engine.lift.limbs import laid_along
from ghmr_engine.lift.observations import Observations


def initial_motion(
    seen: Observations, body: Body, betas: torch.Tensor, blur: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotations (N, 24, 3, 3) that lay the limbs along BlazePose's, and the places (N, 3) m from which they project
    onto the picture, in the first camera's frame. Rows that follow each other in time are averaged over `blur` of them
    (a Gaussian's deviation), which spares the solver the detector's jitter."""
    rotations = laid_along(seen.landmarks)
    if blur:
        trust = seen.limb_weight.sum(1) + 0.01
        rotations = roma.special_procrustes(_averaged(rotations, trust, blur))
    return rotations, place_onto(rotations, seen, body, betas, 1.5 * blur)


def place_onto(
    rotations: torch.Tensor, seen: Observations, body: Body, betas: torch.Tensor, blur: float
) -> torch.Tensor:
    """(N, 3) m translations from which a posed body projects onto the picture, averaged over time as above."""
    zero = torch.zeros(len(rotations), 3).to(rotations)
    places = _place(marks(body.forward(rotations, zero, betas), seen.offsets), seen)
    return _averaged(places, seen.weight.sum(1) + 0.01, blur) if blur else places


def _averaged(values: torch.Tensor, trust: torch.Tensor, blur: float) -> torch.Tensor:
    """Values (N, ...) averaged over their neighbours, each counting by trust (N,)."""
    place = torch.arange(len(values), device=values.device, dtype=values.dtype)
    kernel = torch.exp(-0.5 * ((place[:, None] - place) / blur).square()) * trust
    kernel = kernel / kernel.sum(1, keepdim=True)
    return (kernel @ values.flatten(1)).reshape(values.shape)


def _place(landmarks: torch.Tensor, seen: Observations) -> torch.Tensor:
    """(N, 3) translations that bring landmarks (N, 33, 3) best onto the picture: linear least squares on x/z = u.

    Frames with too little in view take the place of the nearest frame that has enough.
    """
    points = landmarks @ seen.R.transpose(1, 2) + seen.t[:, None]
    focal = torch.stack([seen.K[:, 0, 0], seen.K[:, 1, 1]], -1)[:, None]
    ray = (seen.keypoints - seen.K[:, None, :2, 2]) / focal
    weight = seen.weight[..., None, None].sqrt()
    identity = torch.eye(2).to(ray).expand(*ray.shape[:2], 2, 2)
    rows = (weight * torch.cat([identity, -ray[..., None]], -1)).flatten(1, 2)
    right = (weight[..., 0] * (ray * points[..., 2:] - points[..., :2])).flatten(1, 2)
    ridge = 1e-6 * torch.eye(3).to(rows)
    normal = rows.transpose(1, 2) @ rows + ridge
    place = torch.linalg.solve(normal, (rows.transpose(1, 2) @ right[..., None]))[..., 0]
    place = place + seen.t  # as the camera sees it
    sure = (seen.weight.sum(1) > 2.0) & (place[:, 2] > 0.3)
    if not sure.any():
        place = torch.tensor([0.0, 0.0, 4.0]).to(place).expand_as(place)
        sure = torch.ones_like(sure)
    good = sure.nonzero()[:, 0]
    nearest = good[(torch.arange(len(place), device=place.device)[:, None] - good).abs().argmin(1)]
    return ((place[nearest] - seen.t)[:, None] @ seen.R)[:, 0]

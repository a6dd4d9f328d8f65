"""Energy terms: small pure functions, each a sum of squared, standardised residuals (a robust one where noted).

A residual is divided by the deviation one expects of it, so weights between terms are near 1 and have a meaning. Rows
are frames of one person or of several, one after another; `pairs` and `triples` say which neighbours in the arrays are
neighbours in time. N rows, L points, fps frames a second.
"""

from __future__ import annotations

import torch

from ghmr_engine.body.pose_space import HIGH, LOW, SPREAD, USUAL

_WRONG = 8.0
"""Deviations from which a landmark is taken for wrong. Lower, and whoever falls fast is left behind by their own body:
on a man who jumps off a roof 4 gives 17 px where 8 gives 8 px."""
_FAR, _SNAP = 3.0, 2.5
"""Deviations beyond which places, heights and poses count less and less, and from which accelerations do."""


def geman_mcclure(squared: torch.Tensor, scale: float) -> torch.Tensor:
    """Robust loss of squared standardised residuals: grows like them when small, and no further than scale^2.

    Geman and McClure 1987; rho(s) = s / (1 + s / scale^2).
    """
    return squared / (1 + squared / scale**2)


def _pseudo_huber(squared: torch.Tensor, scale: float) -> torch.Tensor:
    """Loss of squared standardised residuals that grows like their root beyond scale: 2 c^2 (sqrt(1 + s / c^2) - 1)."""
    return 2 * scale**2 * ((1 + squared / scale**2).sqrt() - 1)


def _geman_mcclure_weight(squared: torch.Tensor, scale: float) -> torch.Tensor:
    """Its derivative by the square: what a residual counts in reweighted least squares."""
    return (1 + squared / scale**2) ** -2


def _pseudo_huber_weight(squared: torch.Tensor, scale: float) -> torch.Tensor:
    """The same of the pseudo-Huber loss."""
    return (1 + squared / scale**2) ** -0.5


def reprojection(
    projected: torch.Tensor, observed: torch.Tensor, weight: torch.Tensor, sigma_px: torch.Tensor
) -> torch.Tensor:
    """2D distance of landmarks. projected, observed (N, L, 2) px, weight (N, L), sigma_px (N,) expected. Robust."""
    squared = ((projected - observed) / sigma_px[:, None, None]).square().sum(-1)
    return (weight * geman_mcclure(squared, _WRONG)).sum()


def directions(
    points: torch.Tensor, ends: torch.Tensor, observed: torch.Tensor, weight: torch.Tensor, sigma_rad: float
) -> torch.Tensor:
    """Directions of limbs. points (N, L, 3), ends (B, 2) from-to, observed (N, B, 3) unit, weight (N, B). Robust."""
    limb = torch.nn.functional.normalize(points[:, ends[:, 1]] - points[:, ends[:, 0]], dim=-1)
    squared = (limb - observed).square().sum(-1) / sigma_rad**2
    return (weight * geman_mcclure(squared, 4.0)).sum()


def places(found: torch.Tensor, expected: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """Distance of points (N, L, 3) m from where they are expected, in units of spread (N, L) m. Robust."""
    squared = ((found - expected) / spread[..., None]).square().sum(-1)
    return geman_mcclure(squared, _FAR).sum()


def joint_limits(pose: torch.Tensor) -> torch.Tensor:
    """How far axis-angle components (N, 21, 3) lie outside body/pose_space.py's ranges; 0.1 rad costs 1/2."""
    low, high = pose.new_tensor(LOW), pose.new_tensor(HIGH)
    outside = (low - pose).clamp(min=0) + (pose - high).clamp(min=0)
    return 0.5 * (outside / 0.1).square().sum()


def pose_prior(pose: torch.Tensor) -> torch.Tensor:
    """Distance of axis-angle components (N, 21, 3) from usual ones, in their spread. Robust: unusual is allowed."""
    squared = ((pose - pose.new_tensor(USUAL)) / pose.new_tensor(SPREAD)).square()
    return geman_mcclure(squared, _FAR).sum()


def shape_prior(betas: torch.Tensor) -> torch.Tensor:
    """Squared standardised shape components (P, 10)."""
    return betas.square().sum()


def acceleration(
    points: torch.Tensor, triples: torch.Tensor, fps: float, sigma: torch.Tensor, expected: torch.Tensor | float = 0.0
) -> torch.Tensor:
    """Second differences of points (N, L, 3) m over triples (N - 2,), against sigma (L,) m/s^2, from those that are
    expected (N - 2, L, 3) m/s^2. Pseudo-Huber, so that a snap is paid for once and not smeared."""
    second = (points[2:] - 2 * points[1:-1] + points[:-2]) * fps**2 - expected
    squared = (second / sigma[:, None]).square().sum(-1)
    return (_pseudo_huber(squared, _SNAP) * triples[:, None]).sum()


def velocity(points: torch.Tensor, pairs: torch.Tensor, fps: float, sigma: float) -> torch.Tensor:
    """First differences of points (N, L, 3) m over pairs (N - 1,), against sigma m/s."""
    speed = (points[1:] - points[:-1]) * fps / sigma
    return (speed.square().sum(-1) * pairs[:, None]).sum()


def pace(
    places: torch.Tensor, steps: torch.Tensor, along: torch.Tensor, pairs: torch.Tensor, sigma_m: float
) -> torch.Tensor:
    """Motion of places (N, 3) m from frame to frame against expected steps (N - 1, 3) m, along unit vectors (N - 1, 3)
    alone, sigma a frame."""
    off = ((places[1:] - places[:-1] - steps) * along).sum(-1) / sigma_m
    return (pairs * off.square()).sum()


def contact_velocity(feet: torch.Tensor, contacts: torch.Tensor, pairs: torch.Tensor, sigma_m: float) -> torch.Tensor:
    """Motion of foot points (N, 4, 3) m between neighbouring frames that are both in contact (N, 4), sigma a frame.

    SLAHMR's contact_vel (its equation 12), with the product of both frames' probabilities.
    """
    both = contacts[1:] * contacts[:-1] * pairs[:, None]
    return (both * ((feet[1:] - feet[:-1]) / sigma_m).square().sum(-1)).sum()


def contact_height(feet: torch.Tensor, contacts: torch.Tensor, sigma_m: float) -> torch.Tensor:
    """Height over z = 0 of foot points (N, 4, 3) in contact (N, 4). Robust, so that a step or a log may stay one."""
    return (contacts * geman_mcclure((feet[..., 2] / sigma_m).square(), _FAR)).sum()


def penetration(feet: torch.Tensor, sigma_m: float) -> torch.Tensor:
    """Depth of foot points (N, 4, 3) under z = 0. Pseudo-Huber: whoever comes in with legs out of the picture may begin
    half a metre deep, and is lifted all the same."""
    return _pseudo_huber((feet[..., 2].clamp(max=0) / sigma_m).square(), _FAR).sum()


def reprojection_curvature(
    points: torch.Tensor, R: torch.Tensor, t: torch.Tensor, K: torch.Tensor, observed: torch.Tensor,
    weight: torch.Tensor, sigma_px: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """(N, L, 3, 3) Gauss-Newton curvature of `reprojection` by points (N, L, 3) in the world; R, t, K a frame."""
    cam = points @ R.transpose(1, 2) + t[:, None]
    depth = cam[..., 2].clamp(min=0.05)
    focal = torch.stack([K[:, 0, 0], K[:, 1, 1]], -1)[:, None]
    flat = cam[..., :2] / depth[..., None]
    across = torch.cat([torch.eye(2).to(flat).expand(*flat.shape, 2), -flat[..., None]], -1) @ R[:, None]
    across = across * (focal / depth[..., None] / sigma_px[:, None, None])[..., None]
    off = (flat * focal + K[:, None, :2, 2] - observed) / sigma_px[:, None, None]
    counts = 2 * weight * _geman_mcclure_weight(off.square().sum(-1), _WRONG)
    return across.transpose(-1, -2) @ (counts[..., None, None] * across)


def places_curvature(found: torch.Tensor, expected: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """(N, L) of `places`."""
    squared = ((found - expected) / spread[..., None]).square().sum(-1)
    return 2 * _geman_mcclure_weight(squared, _FAR) / spread.square()


def acceleration_curvature(
    points: torch.Tensor, triples: torch.Tensor, fps: float, sigma: torch.Tensor, expected: torch.Tensor | float = 0.0
) -> torch.Tensor:
    """(N - 2, L) of `acceleration`, by the points' second differences."""
    second = (points[2:] - 2 * points[1:-1] + points[:-2]) * fps**2 - expected
    squared = (second / sigma[:, None]).square().sum(-1)
    return 2 * _pseudo_huber_weight(squared, _SNAP) * triples[:, None] * (fps**2 / sigma) ** 2


def joint_limits_curvature(pose: torch.Tensor) -> torch.Tensor:
    """(N, 69) of `joint_limits`, by turn, pose (N, 21, 3) and place."""
    outside = ((pose < pose.new_tensor(LOW)) | (pose > pose.new_tensor(HIGH))).flatten(1)
    return torch.nn.functional.pad(outside / 0.1**2, (3, 3))


def contact_velocity_curvature(contacts: torch.Tensor, pairs: torch.Tensor, sigma_m: float) -> torch.Tensor:
    """(N - 1, 4) of `contact_velocity`, by the foot points' ways from frame to frame."""
    return 2 * contacts[1:] * contacts[:-1] * pairs[:, None] / sigma_m**2


def contact_height_curvature(feet: torch.Tensor, contacts: torch.Tensor, sigma_m: float) -> torch.Tensor:
    """(N, 4) of `contact_height`, by heights."""
    return 2 * contacts * _geman_mcclure_weight((feet[..., 2] / sigma_m).square(), _FAR) / sigma_m**2


def penetration_curvature(feet: torch.Tensor, sigma_m: float) -> torch.Tensor:
    """(N, 4) of `penetration`, by heights."""
    deep = feet[..., 2].clamp(max=0)
    return 2 * (deep < 0) * _pseudo_huber_weight((deep / sigma_m).square(), _FAR) / sigma_m**2


def pace_curvature(along: torch.Tensor, pairs: torch.Tensor, sigma_m: float) -> torch.Tensor:
    """(N - 1, 3, 3) of `pace`, by the steps."""
    return 2 * pairs[:, None, None] / sigma_m**2 * along[:, :, None] * along[:, None]

"""Bundle adjustment: camera poses, one lens and the depths of background points, from where points are seen.

Points are kept as a ray of the view that anchors them and an inverse depth along it (Civera, Davison and Montiel 2008),
so that points infinitely far away, all that a camera which only turns ever sees, are points like others. Levenberg and
Marquardt's steps (More 1978) on robust weights, with the depths eliminated first: they touch no other depth, so their
block is diagonal (Schur complement; Triggs and others 2000, section 6). All residuals at once, double precision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ghmr_engine import lie

_CAUCHY_PX = 0.7
"""Where a residual begins to count less, at the working size. Tracked corners are about 0.2 px off."""
_NEAREST = 1e-3
"""Depth in the first baseline's lengths under which a point is behind the camera for all that matters."""
_DAMPING = 1e-4
_ALIKE = 16.0
"""So many sightings are worth one: neighbouring ones err alike. What is known beforehand counts by as much more."""
_BEND = 0.1
"""Expected deviation of a lens's bend."""
BEND_PX = 320.0
"""The distance from the picture's centre that a bend is stated for: half of the working size."""


@dataclass(frozen=True)
class Sightings:
    """Which point is seen where. O sightings of L points in K views."""

    view: torch.Tensor
    """(O,) int, in 0..K-1."""
    point: torch.Tensor
    """(O,) int, in 0..L-1."""
    px: torch.Tensor
    """(O, 2), from the picture's centre."""


@dataclass(frozen=True)
class Bundle:
    """What is solved for. Lengths are in a unit of their own."""

    pose: torch.Tensor
    """(K, 7) world to camera, as lie.py keeps them."""
    depth: torch.Tensor
    """(L,) inverse, along the anchor's ray (whose z is 1)."""
    anchor: torch.Tensor
    """(L,) int, the view that a point's ray belongs to."""
    ray_px: torch.Tensor
    """(L, 2) where the anchor sees it, from the picture's centre."""
    focal_px: torch.Tensor
    """()."""
    bend: torch.Tensor
    """() the lens's distortion: a straight lens would show a point at its px / (1 + bend r^2), r being the px's length
    over BEND_PX (division model, Fitzgibbon 2001)."""


@dataclass(frozen=True)
class Freedom:
    """What may change."""

    turn_only: bool = False
    """Places and depths stay 0."""
    log_focal: float | None = None
    """Expected deviation of the logarithm of the focal length; None: it is known."""
    expected_px: float = 0.0
    """The focal length that it is expected near; the same from the first adjustment to the last, else many small ones
    walk away from it."""
    bend: bool = False
    fixed: int = 0
    """The view that stays where it is."""


def adjust(bundle: Bundle, seen: Sightings, free: Freedom, steps: int) -> Bundle:
    """Lower the robust reprojection error by up to `steps` steps; ends when one gains less than a ten-thousandth.

    The unit of length is held by damping alone: it stays near what it was.
    """
    damping, cost = _DAMPING, _cost(bundle, seen, free)
    for _ in range(steps):
        system = _linearise(bundle, seen, free)
        for _ in range(6):
            trial = _stepped(bundle, *_solve(*system, damping), free)
            new = _cost(trial, seen, free)
            if new < cost:
                break
            damping *= 8
        else:
            return bundle
        gained = (cost - new) / cost
        bundle, cost, damping = trial, new, max(damping / 6, 1e-9)
        if gained < 1e-4:
            break
    return bundle


def lens_deviations(bundle: Bundle, seen: Sightings, free: Freedom) -> tuple[float, float]:
    """Of the logarithm of the focal length and of the bend, all else being free too, were all errors independent."""
    cameras, depths, between, _, _ = _linearise(bundle, seen, free)
    reduced = cameras + 1e-6 * torch.eye(len(cameras)).to(cameras) - between.T @ (between / (depths + 1e-9)[:, None])
    lens = torch.zeros(len(reduced), 2).to(reduced)
    lens[-2, 0] = lens[-1, 1] = 1
    focal, bend = torch.linalg.solve(reduced, lens)[-2:].diagonal().clamp(min=0).sqrt()
    return float(focal), float(bend)


def residuals(bundle: Bundle, seen: Sightings) -> torch.Tensor:
    """(O, 2) px, seen minus predicted; far outside where a point would be behind the camera."""
    y, _, _, _ = in_view(bundle, seen)
    return seen.px - magnified(bundle, seen.px)[:, None] * y[:, :2] / y[:, 2:].clamp(min=_NEAREST)


def points(bundle: Bundle) -> torch.Tensor:
    """(L, 4) homogeneous points in the world."""
    R, t = lie.rotation_and_translation(bundle.pose)
    rays = _rays(bundle, bundle.ray_px)
    R, t = R[bundle.anchor], t[bundle.anchor]
    turned = torch.einsum("lji,lj->li", R, rays - bundle.depth[:, None] * t)
    return torch.cat([turned, bundle.depth[:, None]], 1)


def robust_weight(residual: torch.Tensor) -> torch.Tensor:
    """(O,) Cauchy's weights of residuals (O, 2) px."""
    return 1 / (1 + residual.square().sum(-1) / _CAUCHY_PX**2)


def robust_cost(residual: torch.Tensor) -> torch.Tensor:
    """(O,) Cauchy's costs, of residuals (O, 2) px: half the square in units of 0.7 px while these are small."""
    return 0.5 * torch.log1p(residual.square().sum(-1) / _CAUCHY_PX**2)


def _cost(bundle: Bundle, seen: Sightings, free: Freedom) -> float:
    total = robust_cost(residuals(bundle, seen)).sum()
    if free.log_focal is not None:
        off = torch.log(bundle.focal_px / free.expected_px) / free.log_focal
        total = total + 0.5 * _ALIKE * off.square()
    return float(total + 0.5 * (bundle.bend / _BEND).square())


def _radius2(px: torch.Tensor) -> torch.Tensor:
    """(N,) squared distance from the centre, in units of BEND_PX, of (N, 2) px."""
    return px.square().sum(-1) / BEND_PX**2


def magnified(bundle: Bundle, px: torch.Tensor) -> torch.Tensor:
    """(N,) the focal length where the lens shows px (N, 2)."""
    return bundle.focal_px * (1 + bundle.bend * _radius2(px))


def straight(px: torch.Tensor, bend: torch.Tensor) -> torch.Tensor:
    """(N, 2) where a straight lens would show px (N, 2)."""
    return px / (1 + bend * _radius2(px))[:, None]


def _rays(bundle: Bundle, px: torch.Tensor) -> torch.Tensor:
    """(N, 3) with z = 1, through px (N, 2)."""
    return torch.cat([straight(px, bundle.bend) / bundle.focal_px, torch.ones_like(px[:, :1])], 1)


def in_view(bundle: Bundle, seen: Sightings) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points in the seeing view, up to scale (O, 3), and what led there: R, t from anchor to view, rays."""
    anchor = bundle.anchor[seen.point]
    between = lie.composed(bundle.pose[seen.view], lie.inverse(bundle.pose[anchor]))
    R, t = lie.rotation_and_translation(between)
    ray = _rays(bundle, bundle.ray_px[seen.point])
    y = torch.einsum("oij,oj->oi", R, ray) + bundle.depth[seen.point, None] * t
    return y, R, t, ray


@dataclass(frozen=True)
class _Steps:
    """How sightings change with what is solved for. O sightings."""

    residual: torch.Tensor  # (O, 2) px
    weight: torch.Tensor  # (O,)
    camera: torch.Tensor  # (O, 2, 12) seeing view, then anchor
    lens: torch.Tensor  # (O, 2, 2) logarithm of the focal length, bend
    depth: torch.Tensor  # (O, 2)


def _steps(bundle: Bundle, seen: Sightings, turn_only: bool) -> _Steps:
    """Derivatives of the predicted pixels."""
    y, R, t, ray = in_view(bundle, seen)
    depth, focal = bundle.depth[seen.point], bundle.focal_px
    z = y[:, 2].clamp(min=_NEAREST)
    flat = y[:, :2] / z[:, None]
    radius2, ray_radius2 = _radius2(seen.px), _radius2(bundle.ray_px)[seen.point]
    there = magnified(bundle, seen.px)
    residual = seen.px - there[:, None] * flat
    # d pixel / d y, (O, 2, 3)
    D = torch.zeros(len(y), 2, 3).to(y)
    D[:, 0, 0] = D[:, 1, 1] = there / z
    D[:, :, 2] = -(there / z)[:, None] * flat
    view = D @ torch.cat([depth[:, None, None] * torch.eye(3).to(y), -_cross(y)], -1)
    anchor = -D @ R @ torch.cat([depth[:, None, None] * torch.eye(3).to(y), -_cross(ray)], -1)
    if turn_only:
        view[..., :3] = 0
        anchor[..., :3] = 0
    across = torch.cat([-ray[:, :2], torch.zeros_like(ray[:, :1])], 1)  # d ray / d log focal
    shrunk = across * (ray_radius2 / (1 + bundle.bend * ray_radius2))[:, None]  # d ray / d bend
    lens = torch.stack([there[:, None] * flat, focal * radius2[:, None] * flat], -1)
    return _Steps(
        residual=residual,
        weight=robust_weight(residual) / _CAUCHY_PX**2 * (y[:, 2] > _NEAREST),
        camera=torch.cat([view, anchor], -1),
        lens=lens + D @ R @ torch.stack([across, shrunk], -1),
        depth=(D @ t[..., None])[..., 0],
    )


def _linearise(
    bundle: Bundle, seen: Sightings, free: Freedom
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normal equations: of cameras (C, C), of depths (L,), between (L, C), and right sides (C,), (L,).

    C = 6 K + 2; the last are the logarithm of the focal length and the bend. What is not free has a row that
    keeps it.
    """
    step = _steps(bundle, seen, free.turn_only)
    K = len(bundle.pose)
    places = torch.stack([seen.view, bundle.anchor[seen.point]], 1)  # (O, 2)
    weighted = (step.weight[:, None, None] * step.camera).transpose(1, 2)  # (O, 12, 2)
    cameras, right = _of_cameras(step, weighted, places, K)
    depths, between, depths_right = _of_depths(step, weighted, places, seen.point, (len(bundle.depth), K))
    cameras[-1, -1] += _BEND**-2
    right[-1] -= bundle.bend * _BEND**-2
    if free.log_focal is not None:
        worth = _ALIKE * free.log_focal**-2
        cameras[-2, -2] += worth
        right[-2] -= torch.log(bundle.focal_px / free.expected_px) * worth
    focal, bend = slice(6 * K, 6 * K + 1), slice(6 * K + 1, 6 * K + 2)
    held = [slice(6 * free.fixed, 6 * free.fixed + 6)]
    held += [focal] if free.log_focal is None else []
    held += [] if free.bend else [bend]
    for which in held:
        between[:, which] = 0
        _keep(cameras, right, which)
    if free.turn_only:
        between.zero_()
        depths_right.zero_()
    return cameras, depths, between, right, depths_right


def _of_cameras(
    step: _Steps, weighted: torch.Tensor, places: torch.Tensor, K: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(C, C) and (C,) from the sightings of views places (O, 2)."""
    blocks = (weighted @ step.camera).reshape(-1, 2, 6, 2, 6).permute(0, 1, 3, 2, 4).reshape(-1, 6, 6)
    pairs = (places[:, :, None] * K + places[:, None, :]).reshape(-1)
    both = torch.zeros(K * K, 6, 6).to(blocks).index_add_(0, pairs, blocks)

    def by_view(pull: torch.Tensor) -> torch.Tensor:  # (O, 2) px to (6 K,)
        pull = (weighted @ pull[..., None]).reshape(-1, 6)
        return torch.zeros(K, 6).to(pull).index_add_(0, places.reshape(-1), pull).reshape(-1)

    cameras = torch.zeros(6 * K + 2, 6 * K + 2).to(blocks)
    cameras[:-2, :-2] = both.reshape(K, K, 6, 6).permute(0, 2, 1, 3).reshape(6 * K, 6 * K)
    edge = torch.stack([by_view(step.lens[..., place]) for place in range(2)])
    cameras[-2:, :-2], cameras[:-2, -2:] = edge, edge.T
    cameras[-2:, -2:] = torch.einsum("o,oxa,oxb->ab", step.weight, step.lens, step.lens)
    pull = torch.einsum("o,oxa,ox->a", step.weight, step.lens, step.residual)
    return cameras, torch.cat([by_view(step.residual), pull])


def _of_depths(
    step: _Steps, weighted: torch.Tensor, places: torch.Tensor, point: torch.Tensor, size: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(L,), (L, C) and (L,) from the sightings of points point (O,); size: L, K."""
    L, K = size

    def by_point(other: torch.Tensor) -> torch.Tensor:  # (O, 2) px to (L,)
        pull = step.weight * (step.depth * other).sum(-1)
        return torch.zeros(L).to(pull).index_add_(0, point, pull)

    cross = (weighted @ step.depth[..., None]).reshape(-1, 6)
    between = torch.zeros(L * K, 6).to(cross).index_add_(0, (point[:, None] * K + places).reshape(-1), cross)
    lens = torch.stack([by_point(step.lens[..., place]) for place in range(2)], 1)
    between = torch.cat([between.reshape(L, 6 * K), lens], 1)
    return by_point(step.depth), between, by_point(step.residual)


def _keep(cameras: torch.Tensor, right: torch.Tensor, which: slice) -> None:
    """Make rows and columns of the normal equations those of numbers that do not change."""
    cameras[which] = 0
    cameras[:, which] = 0
    cameras[which, which] = torch.eye(cameras[which, which].shape[0]).to(cameras)
    right[which] = 0


def _solve(
    cameras: torch.Tensor, depths: torch.Tensor, between: torch.Tensor, right: torch.Tensor,
    depths_right: torch.Tensor, damping: float,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Steps of cameras (C,) and depths (L,)."""
    lone = depths * (1 + damping) + 1e-9
    diagonal = cameras.diagonal()
    reduced = cameras + torch.diag(diagonal * damping + 1e-9) - between.T @ (between / lone[:, None])
    step = torch.linalg.solve(reduced, right - between.T @ (depths_right / lone))
    return step, (depths_right - between @ step) / lone


def _stepped(bundle: Bundle, step: torch.Tensor, depth_step: torch.Tensor, free: Freedom) -> Bundle:
    pose = lie.moved(bundle.pose, step[:-2].reshape(-1, 6))
    depth = bundle.depth if free.turn_only else (bundle.depth + depth_step).clamp(min=0)
    focal_px = bundle.focal_px * torch.exp(step[-2].clamp(-0.3, 0.3))
    return replace(bundle, pose=pose, depth=depth, focal_px=focal_px, bend=(bundle.bend + step[-1]).clamp(-0.5, 0.5))


def _cross(v: torch.Tensor) -> torch.Tensor:
    """(N, 3, 3) with M u = v x u, of v (N, 3)."""
    zero = torch.zeros_like(v[:, 0])
    x, y, z = v.unbind(-1)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)

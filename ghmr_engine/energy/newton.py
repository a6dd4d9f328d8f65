"""Gauss-Newton on a motion: all frames at once, in the band that ties neighbouring frames together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.energy.jacobian import FREE, point_jacobian, shares
from ghmr_engine.energy.parameters import Motion
from ghmr_engine.progress import Report

_DAMPING, _LESS, _MORE = 1e-3, 0.2, 6.0
"""Marquardt's damping at the start, and its factors after a step that helped and after one that did not."""
_TRIES = 6
_ENOUGH = 1e-4
"""A step that lowers the energy by a smaller share is the last one."""


class MotionVector(Motion):
    """A motion in its own numbers: (N, 69), zero at the start."""

    def __init__(self, rotations: torch.Tensor, transl: torch.Tensor, betas: torch.Tensor) -> None:
        """As Motion; betas stay."""
        super().__init__(rotations, transl, betas)
        self.numbers = torch.zeros(len(transl), FREE).to(transl)

    def turn(self) -> torch.Tensor:
        """(N, 3) rotation vectors."""
        return self.numbers[:, :3]

    def bent(self) -> torch.Tensor:
        """(N, 63)."""
        return self.numbers[:, 3:66]

    def moved(self) -> torch.Tensor:
        """(N, 3) m."""
        return self.numbers[:, 66:]


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of an energy by where points of the body are, those of robust costs taken at their present
    weight (iteratively reweighted least squares): all positive. N frames, 1 / m^2; None where an energy has no such
    part."""

    landmarks: torch.Tensor
    """(N, 33, 3, 3) by the landmarks' places."""
    bends: torch.Tensor
    """(N - 2, 24) by the joints' second differences."""
    numbers: torch.Tensor
    """(N, 69) by the free numbers themselves."""
    about: torch.Tensor | None = None
    """(N, 24) by the joints' places about the pelvis."""
    feet: torch.Tensor | None = None
    """(N, 4) by the foot points' heights, where the world's z is up."""
    steps: torch.Tensor | None = None
    """(N - 1, 4) by the foot points' ways from frame to frame."""
    ways: torch.Tensor | None = None
    """(N - 1, 3, 3) by the body's way from frame to frame."""


def descend(
    motion: MotionVector,
    energy: Callable[[], tuple[torch.Tensor, Posed]],
    curvature: Callable[[Posed], Curvature],
    body: Body,
    steps: int,
    report: Report,
) -> float:
    """Levenberg-Marquardt (Marquardt 1963) on motion.numbers, in place. The gradient is the energy's own, by automatic
    differentiation; only the Hessian is Gauss-Newton's. Returns the last energy, which is never above the first.
    Raises what `report` raises: it is called after every step."""

    def look() -> tuple[float, torch.Tensor, Posed]:
        motion.numbers = motion.numbers.detach().requires_grad_(True)
        value, posed = energy()
        (slope,) = torch.autograd.grad(value, motion.numbers)
        motion.numbers = motion.numbers.detach()
        return float(value.detach()), slope, Posed(*(points.detach() for points in posed))

    damping, carried = _DAMPING, shares(body)
    value, slope, posed = look()
    for step in range(steps):
        blocks = hessian(posed, curvature(posed), motion, body, carried)
        start = motion.numbers
        for _ in range(_TRIES):
            motion.numbers = start - solve_band(blocks, slope, damping)
            lower, new_slope, new_posed = look()
            if lower < value:
                break
            damping *= _MORE
        else:
            motion.numbers = start
            break
        small = value - lower < _ENOUGH * value
        value, slope, posed = lower, new_slope, new_posed
        damping = max(damping * _LESS, 1e-7)
        report((step + 1) / steps)
        if small:
            break
    report(1.0)
    return value


def hessian(
    posed: Posed, curvature: Curvature, motion: MotionVector, body: Body, carried: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gauss-Newton's Hessian by blocks: frames with themselves (N, 69, 69), with the next (N - 1, 69, 69; rows are the
    later frame's) and with the one after that (N - 2, 69, 69). carried: jacobian.shares of the body.

    Landmarks' Jacobians are taken at the body's own points; where the detector marks them is a few centimetres away.
    """
    of_landmarks, of_joints, of_feet = carried
    count = len(posed.joints)

    def jacobian(points: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        return point_jacobian(posed, points, share, motion.turn(), motion.pose(), body)

    marks, joints = jacobian(posed.landmarks, of_landmarks), jacobian(posed.joints, of_joints).flatten(1, 2)
    own = marks.flatten(1, 2).transpose(1, 2) @ (curvature.landmarks @ marks).flatten(1, 2)
    own = own + torch.diag_embed(curvature.numbers)
    if curvature.about is not None:
        turns = joints[..., :66]
        own[:, :66, :66] += _tied(turns, turns, curvature.about.repeat_interleave(3, 1))
    # |x_t+2 - 2 x_t+1 + x_t|^2 ties a frame to itself and to the next two.
    bend = curvature.bends.repeat_interleave(3, 1)
    own = own + _tied(joints, joints, sum(k * _spread(bend, at, count) for at, k in enumerate((1, 4, 1))))
    next_one = -2 * _tied(joints[1:], joints[:-1], _spread(bend, 0, count - 1) + _spread(bend, 1, count - 1))
    # |x_t+1 - x_t|^2.
    if curvature.steps is not None and curvature.feet is not None:
        feet, step = jacobian(posed.contacts, of_feet).flatten(1, 2), curvature.steps.repeat_interleave(3, 1)
        height = torch.nn.functional.pad(curvature.feet[..., None], (2, 0)).flatten(1)
        own = own + _tied(feet, feet, height + _spread(step, 0, count) + _spread(step, 1, count))
        next_one = next_one - _tied(feet[1:], feet[:-1], step)
    if curvature.ways is not None:
        ways = curvature.ways.flatten(1)
        own[:, 66:, 66:] += (_spread(ways, 0, count) + _spread(ways, 1, count)).unflatten(1, (3, 3))
        next_one[:, 66:, 66:] -= curvature.ways
    return own, next_one, _tied(joints[2:], joints[:-2], bend)


def solve_band(
    blocks: tuple[torch.Tensor, torch.Tensor, torch.Tensor], slope: torch.Tensor, damping: float
) -> torch.Tensor:
    """(N, 69) step whose Hessian-product is the slope (N, 69), with Marquardt's damping on the diagonal.

    Cholesky's factorisation of the block tridiagonal matrix that frames make by twos, linear in N. Not a number where
    the Hessian is not positive. (LAPACK's banded solver is as fast, but its threads wait for each other for tens of
    seconds on a busy machine.)
    """
    own, beside = _by_twos(*(block.double() for block in blocks))
    diagonal = own.diagonal(dim1=1, dim2=2)
    diagonal.copy_(diagonal * (1 + damping) + 1e-6)
    count, width = len(slope), own.shape[-1]
    right = torch.nn.functional.pad(slope.double(), (0, 0, 0, 2 * len(own) - count)).reshape(len(own), width, 1)
    factors, links, halves = [], [], []
    for place, (block, half) in enumerate(zip(own, right, strict=True)):
        if place:
            link = torch.linalg.solve_triangular(factors[-1], beside[place - 1].T, upper=False)
            block, half = block - link.T @ link, half - link.T @ halves[-1]
            links.append(link)
        factor, bad = torch.linalg.cholesky_ex(block)
        if bad:
            return torch.full_like(slope, torch.nan)
        factors.append(factor)
        halves.append(torch.linalg.solve_triangular(factor, half, upper=False))
    steps = [torch.linalg.solve_triangular(factors[-1].T, halves[-1], upper=True)]
    for factor, link, half in zip(factors[-2::-1], links[::-1], halves[-2::-1], strict=True):
        steps.append(torch.linalg.solve_triangular(factor.T, half - link @ steps[-1], upper=True))
    return torch.cat(steps[::-1]).reshape(-1, FREE)[:count].to(slope)


def _by_twos(own: torch.Tensor, next_one: torch.Tensor, after: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Blocks of two frames each: (M, 138, 138) with themselves and (M - 1, 138, 138) with the next two, which are the
    rows. An odd frame is filled up with one of which nothing is known."""
    pairs, odd = (len(own) + 1) // 2, len(own) % 2

    def filled(blocks: torch.Tensor) -> torch.Tensor:
        rows = blocks.new_zeros(2 * pairs, FREE, FREE)
        rows[: len(blocks)] = blocks
        return rows.unflatten(0, (pairs, 2))

    own, next_one, after = filled(own), filled(next_one), filled(after)
    if odd:
        own[-1, 1] = torch.eye(FREE).to(own)
    top = torch.cat([own[:, 0], next_one[:, 0].transpose(1, 2)], 2)
    diagonal = torch.cat([top, torch.cat([next_one[:, 0], own[:, 1]], 2)], 1)
    top = torch.cat([after[:-1, 0], next_one[:-1, 1]], 2)
    return diagonal, torch.cat([top, torch.cat([torch.zeros_like(after[:-1, 1]), after[:-1, 1]], 2)], 1)


def _tied(later: torch.Tensor, earlier: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(M, 69, 69) of Jacobians (M, 3P, 69), weight (M, 3P)."""
    return later.transpose(1, 2) @ (weight[..., None] * earlier)


def _spread(weight: torch.Tensor, before: int, count: int) -> torch.Tensor:
    """(count, ...): rows (M, ...) after `before` rows of zeros, and zeros to the end."""
    rows = weight.new_zeros(count, weight.shape[1])
    rows[before : before + len(weight)] = weight
    return rows

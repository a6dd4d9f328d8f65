"""Gauss-Newton on a motion: all frames at once, in the band that ties neighbouring frames together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import roma
import torch

from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.energy.jacobian import FREE, point_jacobian, shares
from ghmr_engine.energy.parameters import Motion
from ghmr_engine.progress import Report

_DAMPING, _LESS, _MORE = 1e-3, 0.2, 6.0
"""Marquardt's damping at the start, and its factors after a step that helped and after one that did not."""
_TRIES = 6
_ENOUGH = 1e-4


class MotionVector(Motion):
    """A motion in its own numbers: (N, 69), zero at the start."""

    def __init__(self, rotations: torch.Tensor, transl: torch.Tensor, betas: torch.Tensor) -> None:
        """As Motion; betas stay."""
        super().__init__(rotations, transl, betas)
        self.numbers = torch.zeros(len(transl), FREE).to(transl)

    def numbers_of(self, rotations: torch.Tensor, transl: torch.Tensor) -> torch.Tensor:
        """(N, 69) of another motion of the same frames, as `motion` gives it."""
        turn = roma.rotmat_to_rotvec(rotations[:, 0] @ self._root.transpose(1, 2))
        pose = roma.rotmat_to_rotvec(rotations[:, 1:22])
        # Near half a turn a rotation has two vectors: the one that the start is nearer to is meant.
        angle = pose.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        other = pose * (1 - 2 * torch.pi / angle)
        nearer = (other - self._pose).norm(dim=-1, keepdim=True) < (pose - self._pose).norm(dim=-1, keepdim=True)
        bent = torch.where(nearer, other, pose) - self._pose
        return torch.cat([turn, bent.flatten(1), transl - self._transl], 1)

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
    joints: torch.Tensor | None = None
    """(N, 24, 3, 3) by the joints' places."""
    feet: torch.Tensor | None = None
    """(N, 4) by the foot points' heights, where the world's z is up."""
    steps: torch.Tensor | None = None
    """(N - 1, 4) by the foot points' ways from frame to frame."""
    ways: torch.Tensor | None = None
    """(N - 1, 3, 3) by the body's way from frame to frame."""
    nailed: torch.Tensor | None = None
    """(N, 4) by the foot points' places."""


def descend(
    motion: MotionVector,
    energy: Callable[[], tuple[torch.Tensor, Posed]],
    curvature: Callable[[Posed], Curvature],
    body: Body,
    steps: int,
    report: Report,
    enough: float = _ENOUGH,
) -> float:
    """`lower` on one motion's numbers, in place; the Hessian is Gauss-Newton's. Returns the last energy. Raises what
    `report` raises."""
    carried = shares(body)

    def at(numbers: list[torch.Tensor]) -> tuple[torch.Tensor, Posed]:
        motion.numbers = numbers[0]
        return energy()

    def system(posed: Posed, slopes: list[torch.Tensor]) -> Callable[[float], list[torch.Tensor]]:
        blocks = hessian(jacobians(posed, motion, body, carried), curvature(posed))
        return lambda damping: [solve_band(blocks, slopes[0], damping)]

    (motion.numbers,), value = lower([motion.numbers], at, system, steps, report, enough)
    return value


Points = TypeVar("Points")
Band = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""A Hessian's blocks (`hessian`)."""
Step = Callable[[float], list[torch.Tensor]]
"""From Marquardt's damping to what is taken off the numbers."""


def lower(
    numbers: list[torch.Tensor],
    energy: Callable[[list[torch.Tensor]], tuple[torch.Tensor, Points]],
    system: Callable[[Points, list[torch.Tensor]], Step],
    steps: int,
    report: Report,
    enough: float = _ENOUGH,
) -> tuple[list[torch.Tensor], float]:
    """Levenberg-Marquardt (Marquardt 1963) on several tensors at once. Returns them where the energy is lowest, and
    that energy, which is never above the first. enough: a step that lowers it by a smaller share is the last one.

    The gradient is the energy's own, by automatic differentiation. system: from what the energy was taken at and the
    gradient there to the damped Hessian's steps. Raises what `report` raises: it is called after every step.
    """

    def look(at: list[torch.Tensor]) -> tuple[float, list[torch.Tensor], Points]:
        at = [each.detach().requires_grad_(True) for each in at]
        value, points = energy(at)
        return float(value.detach()), list(torch.autograd.grad(value, at)), points

    damping = _DAMPING
    value, slopes, points = look(numbers)
    for step in range(steps):
        with torch.no_grad():
            solve = system(points, slopes)
        for _ in range(_TRIES):
            tried = [each - less for each, less in zip(numbers, solve(damping), strict=True)]
            lower_value, new_slopes, new_points = look(tried)
            if lower_value < value:
                break
            damping *= _MORE
        else:
            break
        small = value - lower_value < enough * abs(value)
        numbers, value, slopes, points = tried, lower_value, new_slopes, new_points
        damping = max(damping * _LESS, 1e-7)
        report((step + 1) / steps)
        if small:
            break
    report(1.0)
    return numbers, value


class Jacobians(NamedTuple):
    """How a body's points follow its 69 numbers. N frames."""

    landmarks: torch.Tensor
    """(N, 33, 3, 69), taken at the body's own points: where the detector marks them is a few centimetres away."""
    joints: torch.Tensor
    """(N, 24, 3, 69)."""
    feet: torch.Tensor
    """(N, 4, 3, 69)."""


def jacobians(posed: Posed, motion: MotionVector, body: Body, carried: tuple[torch.Tensor, ...]) -> Jacobians:
    """Of a posed motion. carried: jacobian.shares of the body."""
    points = (posed.landmarks, posed.joints, posed.contacts)
    return Jacobians(
        *(
            point_jacobian(posed, each, share, motion.turn(), motion.pose(), body)
            for each, share in zip(points, carried, strict=True)
        )
    )


def hessian(at: Jacobians, curvature: Curvature) -> Band:
    """Gauss-Newton's Hessian by blocks: frames with themselves (N, 69, 69), with the next (N - 1, 69, 69; rows are the
    later frame's) and with the one after that (N - 2, 69, 69)."""
    joints, count = at.joints.flatten(1, 2), len(at.joints)
    own = at.landmarks.flatten(1, 2).transpose(1, 2) @ (curvature.landmarks @ at.landmarks).flatten(1, 2)
    own = own + torch.diag_embed(curvature.numbers)
    if curvature.about is not None:
        turns = joints[..., :66]
        own[:, :66, :66] += _tied(turns, turns, curvature.about.repeat_interleave(3, 1))
    if curvature.joints is not None:
        own = own + joints.transpose(1, 2) @ (curvature.joints @ at.joints).flatten(1, 2)
    # |x_t+2 - 2 x_t+1 + x_t|^2 ties a frame to itself and to the next two.
    bend = curvature.bends.repeat_interleave(3, 1)
    own = own + _tied(joints, joints, sum(k * _spread(bend, at, count) for at, k in enumerate((1, 4, 1))))
    next_one = -2 * _tied(joints[1:], joints[:-1], _spread(bend, 0, count - 1) + _spread(bend, 1, count - 1))
    if curvature.nailed is not None:
        feet = at.feet.flatten(1, 2)
        own = own + _tied(feet, feet, curvature.nailed.repeat_interleave(3, 1))
    # |x_t+1 - x_t|^2.
    if curvature.steps is not None and curvature.feet is not None:
        feet, step = at.feet.flatten(1, 2), curvature.steps.repeat_interleave(3, 1)
        height = torch.nn.functional.pad(curvature.feet[..., None], (2, 0)).flatten(1)
        own = own + _tied(feet, feet, height + _spread(step, 0, count) + _spread(step, 1, count))
        next_one = next_one - _tied(feet[1:], feet[:-1], step)
    if curvature.ways is not None:
        ways = curvature.ways.flatten(1)
        own[:, 66:, 66:] += (_spread(ways, 0, count) + _spread(ways, 1, count)).unflatten(1, (3, 3))
        next_one[:, 66:, 66:] -= curvature.ways
    return own, next_one, _tied(joints[2:], joints[:-2], bend)


def solve_band(blocks: Band, slope: torch.Tensor, damping: float) -> torch.Tensor:
    """Step whose Hessian-product is the slope (N, 69), or several of each (N, 69, k), with Marquardt's damping on the
    diagonal.

    Cholesky's factorisation of the block tridiagonal matrix that frames make by twos, linear in N. Not a number where
    the Hessian is not positive. (LAPACK's banded solver is as fast, but its threads wait for each other for tens of
    seconds on a busy machine.)
    """
    own, beside = _by_twos(*blocks)
    diagonal = own.diagonal(dim1=1, dim2=2)
    diagonal.copy_(diagonal * (1 + damping) + 1e-6)
    count, width = len(slope), own.shape[-1]
    right = slope.double().reshape(count, FREE, -1)
    right = torch.nn.functional.pad(right, (0, 0, 0, 0, 0, 2 * len(own) - count)).reshape(len(own), width, -1)
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
    return torch.cat(steps[::-1]).reshape(-1, FREE, right.shape[-1])[:count].reshape(slope.shape).to(slope)


def _by_twos(own: torch.Tensor, next_one: torch.Tensor, after: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Blocks of two frames each: (M, 138, 138) with themselves and (M - 1, 138, 138) with the next two, which are the
    rows. An odd frame is filled up with one of which nothing is known."""
    count, pairs, first, second = len(own), (len(own) + 1) // 2, slice(0, FREE), slice(FREE, 2 * FREE)
    diagonal = own.new_zeros(pairs, 2 * FREE, 2 * FREE, dtype=torch.float64)
    diagonal[:, first, first] = own[0::2].double()
    diagonal[: count // 2, second, second] = own[1::2].double()
    diagonal[: count // 2, second, first] = next_one[0::2].double()
    diagonal[: count // 2, first, second] = next_one[0::2].transpose(1, 2).double()
    if count % 2:
        diagonal[-1, second, second] = torch.eye(FREE).to(diagonal)
    beside = own.new_zeros(pairs - 1, 2 * FREE, 2 * FREE, dtype=torch.float64)
    beside[:, first, first] = after[0::2].double()
    beside[:, first, second] = next_one[1::2].double()
    beside[: (count - 2) // 2, second, second] = after[1::2].double()
    return diagonal, beside


def _tied(later: torch.Tensor, earlier: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(M, 69, 69) of Jacobians (M, 3P, 69), weight (M, 3P)."""
    return later.transpose(1, 2) @ (weight[..., None] * earlier)


def _spread(weight: torch.Tensor, before: int, count: int) -> torch.Tensor:
    """(count, ...): rows (M, ...) after `before` rows of zeros, and zeros to the end."""
    rows = weight.new_zeros(count, weight.shape[1])
    rows[before : before + len(weight)] = weight
    return rows

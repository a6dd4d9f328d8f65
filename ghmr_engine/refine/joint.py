"""Everybody and what they share, the camera's scale, the ground and shapes, as one least-squares problem.

The Hessian is an arrow: each person's frames make a band (energy/newton.py), and the few shared numbers border all of
them. Its solve costs one band a person with a few right sides more, and a small dense system (Schur's complement, as
bundle adjustment has it: Triggs and others 2000, section 6.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
import torch

from ghmr_engine.body.smpl import SHAPES, Body, Posed
from ghmr_engine.energy.jacobian import FREE, shares
from ghmr_engine.energy.newton import Band, Curvature, MotionVector, Step, hessian, jacobians, lower, solve_band
from ghmr_engine.energy.person import Expected, PersonEnergy
from ghmr_engine.energy.placed import Placed
from ghmr_engine.progress import Report
from ghmr_engine.refine.bodies import balls_of, by_joints, overlap, overlap_curvature
from ghmr_engine.refine.border import Growth, border, follows, growth
from ghmr_engine.refine.priors import Priors
from ghmr_engine.refine.shared import Shared, columns_of
from ghmr_engine.refine.weights import PEOPLE, SHARED

_NEAR_M = 2.5
"""Whose pelvises are farther apart do not touch."""


@dataclass(frozen=True)
class View:
    """The camera over a window of F frames."""

    first: int
    """The window's first frame."""
    R: torch.Tensor
    """(F, 3, 3) world to camera."""
    K: torch.Tensor
    """(F, 3, 3) px."""
    eye: torch.Tensor
    """(F, 3) m: where it stands,"""
    origin: torch.Tensor
    """(3,) and where its whole path begins, from which the path is scaled."""

    def cut(self, span: slice) -> View:
        """A window of it."""
        return View(self.first + span.start, self.R[span], self.K[span], self.eye[span], self.origin)


@dataclass(frozen=True)
class Solution:
    """Where the joint energy is lowest."""

    people: list[Placed]
    """With the betas that they began with."""
    shared: Shared
    energy: float


class JointProblem:
    """The energy of P people in a window, over [their numbers (N, 69) ..., the shared ones (4 + 10 P,)].

    All are zero at the start. What is not free stays there.
    """

    def __init__(
        self, people: Sequence[Placed], expected: Sequence[Expected | None], view: View, body: Body, fps: float,
        start: Shared, free: torch.Tensor, priors: Priors | None = None,
    ) -> None:  # fmt: skip
        """start: from where the shared numbers begin; free (4 + 10 P,): 1 for each of them that may change, else 0."""
        self._people, self._view, self._body = list(people), view, body
        self._priors, self._fps = priors, fps
        self._runs = [_runs(person.frames) for person in people]
        self._at = [torch.as_tensor(person.frames - view.first, device=view.eye.device) for person in people]
        self._energies = [
            PersonEnergy(person, view.R[rows], view.K[rows], view.eye[rows], body, fps, PEOPLE, said)
            for person, rows, said in zip(people, self._at, expected, strict=True)
        ]
        self._motions = [MotionVector(person.rotations, person.transl, person.betas) for person in people]
        self._carried, self._path = shares(body), view.eye - view.origin
        self._start, self._free = start.packed(), free
        self._stiff = _prior_curvature(len(self._people)).to(free)
        self._balls = [balls_of(body, person.betas) for person in people]
        self._touching = self._pairs()
        self._shared = start
        self._growths: dict[int, Growth] = {}
        self.looks = 0
        """How often the energy was taken."""

    def _pairs(self) -> list[tuple[int, int, torch.Tensor, torch.Tensor]]:
        """People who come near each other, and their rows of the frames in which they do."""
        found = []
        for a, b in combinations(range(len(self._people)), 2):
            one, other = self._people[a], self._people[b]
            _, rows_a, rows_b = np.intersect1d(one.frames, other.frames, return_indices=True)
            near = (one.transl[rows_a] - other.transl[rows_b]).norm(dim=-1).cpu().numpy() < _NEAR_M
            if near.any():
                device = one.transl.device
                found.append((a, b, *(torch.as_tensor(rows[near], device=device) for rows in (rows_a, rows_b))))
        return found

    def numbers_of(self, people: Sequence[Placed]) -> list[torch.Tensor]:
        """Of other motions of the same people, with the shared numbers of the start."""
        return [
            *(motion.numbers_of(m.rotations, m.transl) for motion, m in zip(self._motions, people, strict=True)),
            torch.zeros_like(self._free),
        ]

    def energy(self, numbers: list[torch.Tensor]) -> tuple[torch.Tensor, list[Posed]]:
        """The whole energy, and everybody's points."""
        self.looks += 1
        packed = self._start + numbers[-1] * self._free
        self._shared = shared = Shared.unpacked(packed)
        eye, value, posed = self._eye(), (self._stiff * packed.square()).sum() / 2, []
        for place, (motion, person, problem, rows) in enumerate(
            zip(self._motions, self._people, self._energies, self._at, strict=True)
        ):
            motion.numbers, motion.betas = numbers[place], person.betas + shared.shapes[place]
            part, points = problem.energy(motion, eye[rows], shared.ground())
            value, posed = value + part, [*posed, points]
            if self._priors is not None:
                value = value + self._priors.energy(motion, points, self._runs[place], self._fps)
        for a, b, rows_a, rows_b in self._touching:
            value = value + overlap(*self._meeting(a, b, rows_a, rows_b, posed), SHARED.overlap)
        return value, posed

    def solve(self, steps: int, report: Report) -> Solution:
        """Levenberg-Marquardt from the start. Raises what `report` raises."""
        start = [*(motion.numbers for motion in self._motions), torch.zeros_like(self._free)]
        numbers, value = lower(start, self.energy, self._system, steps, report)
        people = []
        for person, motion, at in zip(self._people, self._motions, numbers, strict=False):
            motion.numbers = at
            rotations, transl = motion.motion()
            people.append(replace(person, rotations=rotations, transl=transl))
        return Solution(people, Shared.unpacked(self._start + numbers[-1] * self._free), value)

    def _eye(self) -> torch.Tensor:
        return self._view.origin + self._shared.scale() * self._path

    def _meeting(self, a: int, b: int, rows_a: torch.Tensor, rows_b: torch.Tensor, posed: list[Posed]) -> tuple:
        one, other = self._balls[a], self._balls[b]
        return (
            one.centres(posed[a].joints[rows_a]), other.centres(posed[b].joints[rows_b]), one.radius, other.radius
        )  # fmt: skip

    def _curvatures(self, posed: list[Posed]) -> list[Curvature]:
        """Everybody's, with what bodies that touch add."""
        eye, ground = self._eye(), self._shared.ground()
        found = [
            problem.curvature(points, motion, eye[rows], ground)
            for problem, points, motion, rows in zip(self._energies, posed, self._motions, self._at, strict=True)
        ]
        if self._priors is not None:
            for place, (motion, curvature) in enumerate(zip(self._motions, found, strict=True)):
                stiff = self._priors.curvature(motion, self._body, self._runs[place], self._fps)
                found[place] = replace(curvature, numbers=curvature.numbers + stiff)
        touched = [points.joints.new_zeros(len(points.joints), 24, 3, 3) for points in posed]
        for a, b, rows_a, rows_b in self._touching:
            both = overlap_curvature(*self._meeting(a, b, rows_a, rows_b, posed), SHARED.overlap)
            for which, rows, part in ((a, rows_a, both[0]), (b, rows_b, both[1])):
                touched[which][rows] += by_joints(self._balls[which], part)
        met = {place for a, b, *_ in self._touching for place in (a, b)}
        return [
            replace(curvature, joints=touched[place]) if place in met else curvature
            for place, curvature in enumerate(found)
        ]

    def parts(self, posed: list[Posed]) -> tuple[list[tuple[Band, torch.Tensor, torch.Tensor]], torch.Tensor]:
        """The arrow at the present numbers: everybody's band, its border (N, 69, M) and whose M of the shared numbers
        those are; and the corner (4 + 10 P, 4 + 10 P)."""
        path = self._eye() - self._view.origin
        parts, corner = [], torch.diag(self._stiff).double()
        for place, (motion, points, curvature) in enumerate(
            zip(self._motions, posed, self._curvatures(posed), strict=True)
        ):
            at = jacobians(points, motion, self._body, self._carried)
            # What is held has no column; the others' places among the shared numbers and in this person's border.
            columns = columns_of(place)
            free = [column for column, number in enumerate(columns) if self._free[number]]
            columns = torch.tensor([columns[column] for column in free], dtype=torch.long, device=path.device)
            mixed = at.joints.new_zeros(len(at.joints), FREE, 0)
            if free:
                moves = follows(points, self._grown(place), path[self._at[place]])
                mixed, own = border(at, curvature, moves)
                corner[columns[:, None], columns] += own[free][:, free].double()
                mixed = mixed[..., free]
            parts.append((hessian(at, curvature), mixed, columns))
        return parts, corner

    def _system(self, posed: list[Posed], slopes: list[torch.Tensor]) -> Step:
        """Its solution for any damping."""
        parts, corner = self.parts(posed)

        def step(damping: float) -> list[torch.Tensor]:
            schur, right = corner + torch.diag(damping * corner.diagonal()), slopes[-1].double()
            solved = []
            for slope, (band, mixed, columns) in zip(slopes[:-1], parts, strict=True):
                both = solve_band(band, torch.cat([slope[..., None], mixed], -1), damping).double()
                flat = mixed.double().flatten(0, 1)
                schur[columns[:, None], columns] -= flat.T @ both[..., 1:].flatten(0, 1)
                right = right.index_add(0, columns, -flat.T @ both[..., 0].flatten())
                solved.append(both)
            shared = torch.linalg.solve(schur, right)
            steps = [
                (both[..., 0] - both[..., 1:] @ shared[columns]).to(slope)
                for both, (_, _, columns), slope in zip(solved, parts, slopes[:-1], strict=True)
            ]
            return [*steps, (shared * self._free).to(slopes[-1])]

        return step

    def _grown(self, place: int) -> Growth:
        if place not in self._growths:
            person = self._people[place]
            self._growths[place] = growth(person.rotations, person.betas, self._body)
        return self._growths[place]


def _prior_curvature(people: int) -> torch.Tensor:
    """(4 + 10 P,) second derivatives of the shared numbers' prior."""
    sigma = [SHARED.scale, SHARED.height, SHARED.tilt, SHARED.tilt, *[SHARED.shape] * (SHAPES * people)]
    return 2 * SHARED.counted_again / torch.tensor(sigma).square()


def _runs(frames: np.ndarray) -> list[slice]:
    """Rows of neighbouring frames (N,)."""
    ends = [0, *(np.flatnonzero(np.diff(frames) != 1) + 1).tolist(), len(frames)]
    return [slice(a, b) for a, b in pairwise(ends)]

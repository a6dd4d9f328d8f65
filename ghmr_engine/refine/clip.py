"""A clip's people as refine works on them: joint problems over windows of frames, and what comes out put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ghmr_engine.body.smpl import SHAPES, Body
from ghmr_engine.energy.person import Expected
from ghmr_engine.energy.placed import Placed
from ghmr_engine.energy.solver import blend_ramp
from ghmr_engine.progress import Report
from ghmr_engine.refine.joint import JointProblem, View
from ghmr_engine.refine.priors import Priors
from ghmr_engine.refine.shared import Shared
from ghmr_engine.types import LiftedPerson, WorldScene


@dataclass(frozen=True)
class Clip:
    """Everybody in the world of the scene that refine begins from. P people, T frames."""

    people: list[Placed]
    expected: list[Expected | None]
    shape_free: list[bool]
    """Whether a person's shape may change: not where the user gave their height."""
    scale_free: bool
    """Whether the camera's path was scaled by what is known of people."""
    view: View
    body: Body
    fps: float
    priors: Priors | None = None

    def problem(self, span: slice, shared: Shared, free: bool) -> tuple[JointProblem, list[int]]:
        """The energy over a window, of those who are in it, and who they are. shared: from where its numbers begin;
        free: whether they may change."""
        rows = [person.rows(span) for person in self.people]
        inside = [place for place, which in enumerate(rows) if which.stop > which.start]
        may = [self.scale_free, True, True, True]
        may += [self.shape_free[place] for place in inside for _ in range(SHAPES)]
        mask = torch.tensor(may).to(self.view.eye) * free
        people = [self.people[place].cut(rows[place]) for place in inside]
        expected = [None if said is None else said.rows(rows[place]) for place, said in enumerate(self.expected)]
        expected = [expected[place] for place in inside]
        problem = JointProblem(
            people, expected, self.view.cut(span), self.body, self.fps, shared.of(inside), mask,
            self.priors
        )  # fmt: skip
        return problem, inside

    def survey(self, spans: Sequence[slice], steps: int, report: Report) -> Shared:
        """What all frames share, by windows in which it is free: their mean by the frames that people have there."""
        start = Shared.none(self.people)
        few, shapes = torch.zeros_like(start.few), torch.zeros_like(start.shapes)
        weight = torch.zeros(len(self.people), 1).to(shapes)
        for number, span in enumerate(spans):
            problem, inside = self.problem(span, start, free=True)
            solution = problem.solve(steps, lambda done, number=number: report((number + done) / len(spans)))
            few += sum(len(person.frames) for person in solution.people) * solution.shared.few
            for place, shape, person in zip(inside, solution.shared.shapes, solution.people, strict=True):
                shapes[place] += len(person.frames) * shape
                weight[place] += len(person.frames)
        return Shared(few / weight.sum().clamp(min=1), shapes / weight.clamp(min=1))

    def solve(self, spans: Sequence[slice], steps: int, report: Report) -> tuple[list[Placed], Shared]:
        """Everybody moved to where the joint energy is lowest, and what they share there. Later windows are faded into
        what the ones before left."""
        free = len(spans) == 1
        surveyed = [] if free else [spans[place] for place in _spread(len(spans))]
        share = len(surveyed) / (len(surveyed) + len(spans))
        shared = Shared.none(self.people)
        if surveyed:
            shared = self.survey(surveyed, steps, lambda done: report(share * done))
        people, solved = list(self.people), 0
        for number, span in enumerate(spans):
            problem, inside = self.problem(span, shared, free)
            solution = problem.solve(
                steps, lambda done, number=number: report(share + (1 - share) * (number + done) / len(spans))
            )
            shared = solution.shared if free else shared
            ramp = torch.ones(span.stop - span.start).to(self.view.eye)
            known = max(solved - span.start, 0)
            ramp[:known] = torch.as_tensor(blend_ramp(known)).to(ramp)
            for place, moved in zip(inside, solution.people, strict=True):
                rows = people[place].rows(span)
                people[place] = people[place].merged(rows, (moved.rotations, moved.transl), ramp, span.start)
            solved = span.stop
        return [
            replace(person, betas=person.betas + shape) for person, shape in zip(people, shared.shapes, strict=True)
        ], shared

    def energy(self, people: Sequence[Placed], shared: Shared, spans: Sequence[slice]) -> float:
        """The joint energy of motions of the same people, with what they share. Overlaps count twice."""
        total = 0.0
        with torch.no_grad():
            for span in spans:
                problem, inside = self.problem(span, shared, free=False)
                moved = [people[place].cut(people[place].rows(span)) for place in inside]
                total += float(problem.energy(problem.numbers_of(moved))[0])
        return total


def clip_of(
    scene: WorldScene, lifted: Sequence[LiftedPerson], body: Body, fps: float, known: set[int],
    priors: Priors | None = None,
) -> Clip:  # fmt: skip
    """From the stages before. known: the persons whose height the user gave."""

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array).to(body.v_template)

    people, expected = [], []
    for person, source in zip(scene.people, lifted, strict=True):
        R = scene.R[person.frames]

        def turned(vectors: np.ndarray | None, R: np.ndarray = R) -> torch.Tensor | None:
            return None if vectors is None else tensor(np.einsum("nji,n...j->n...i", R, vectors))

        people.append(
            Placed(
                person.person, person.frames, tensor(person.rotations), tensor(person.transl), tensor(person.betas),
                tensor(person.keypoints), tensor(source.offsets), tensor(person.contacts), turned(source.velocity),
            )
        )  # fmt: skip
        expected.append(_expected(people[-1], source, tensor(R), body))
    eye = tensor(-np.einsum("tji,tj->ti", scene.R, scene.t))
    return Clip(
        people, expected, [person.person not in known for person in scene.people], scene.scale_deviation is not None,
        View(0, tensor(scene.R), tensor(scene.K), eye, eye[0]), body, fps, priors,
    )  # fmt: skip


_SURVEYED = 3
"""Windows of a long clip that tell what all its frames share."""


def _expected(person: Placed, source: LiftedPerson, R: torch.Tensor, body: Body) -> Expected | None:
    """Where the network's pose has the joints of the body that the person has here, whose size world may have changed.
    R (N, 3, 3) world to camera."""
    if source.expected is None or source.spread is None:
        return None
    said, spread = (torch.as_tensor(array).to(body.v_template) for array in (source.expected, source.spread))
    rotations = torch.cat([(R.transpose(1, 2) @ said[:, 0])[:, None], said[:, 1:]], 1)
    joints = body.forward(rotations, torch.zeros_like(person.transl), person.betas).joints
    return Expected(joints - joints[:, :1], spread)


def _spread(count: int) -> list[int]:
    """Places spread evenly over a list."""
    return np.unique(np.linspace(0, count - 1, _SURVEYED).round().astype(int)).tolist()

"""SLAHMR's published schedule of optimisation (Ye and others 2023) on our own energy, to time our solver against it.

Its stages: root, then smooth (pose and shape too), then everything over a stretch of frames that grows by ten until all
are in; each a number of steps of L-BFGS with strong Wolfe line search and 20 inner iterations.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from ghmr_engine.energy.jacobian import FREE
from ghmr_engine.options import Options
from ghmr_engine.pipeline import place
from ghmr_engine.previews import Previews
from ghmr_engine.progress import Report, silent
from ghmr_engine.refine import STEPS
from ghmr_engine.refine.clip import Clip, clip_of
from ghmr_engine.refine.joint import JointProblem
from ghmr_engine.refine.shared import Shared
from ghmr_engine.steps import Steps
from ghmr_engine.video import open_video

_ROOT_STEPS, _SMOOTH_STEPS, _FIRST_STEPS, _CHUNK_STEPS, _CHUNK = 30, 60, 20, 20, 10
_INNER = 20
Stage = Literal["root", "smooth", "motion"]


@dataclass(frozen=True)
class Run:
    """One solver's way down."""

    seconds: float
    energy: float
    """Where it ended, over all frames."""
    looks: int
    """How often the energy and its slope were taken; those of a few frames count like those of all."""


def race(path: Path, report: Report) -> tuple[Run, Run]:
    """Our solver and the published schedule on a clip, one after the other. Raises as pipeline.recover does."""
    options = Options()
    video = open_video(path, options, silent)
    found = place(video, options, Steps(options, lambda _: None, None), Previews(None))
    clip = clip_of(found.scene, found.lifted, found.body, float(video.info.fps), set())
    solved_by_us(clip, 1, silent)  # the first call of anything loads it
    return solved_by_us(clip, STEPS, silent), published(clip, report)


def solved_by_us(clip: Clip, steps: int, report: Report) -> Run:
    """refine's own solver from where refine begins, on all frames at once."""
    whole, began = slice(0, len(clip.view.eye)), time.perf_counter()
    problem, _ = clip.problem(whole, Shared.none(clip.people), free=True)
    solution = problem.solve(steps, report)
    return Run(time.perf_counter() - began, solution.energy, problem.looks)


def published(clip: Clip, report: Report) -> Run:
    """The schedule on a whole clip, from where refine begins. Takes minutes. Raises what `report` raises.

    Everybody is in the chunks from their first frame on. What the released configuration holds (alpha in the smooth
    stage) is held.
    """
    count = len(clip.view.eye)
    ends = [*range(_CHUNK, count, _CHUNK), count]
    schedule: list[tuple[Stage, int, int]] = [("root", count, _ROOT_STEPS), ("smooth", count, _SMOOTH_STEPS)]
    schedule += [("motion", end, _FIRST_STEPS * (not place) + _CHUNK_STEPS) for place, end in enumerate(ends)]
    whole, done, looks = sum(end * steps for _, end, steps in schedule), 0, 0
    start = Shared.none(clip.people)
    shared, energy, began = start, 0.0, time.perf_counter()
    motions = [torch.zeros(len(person.frames), FREE).to(person.transl) for person in clip.people]
    for stage, end, steps in schedule:
        problem, inside = clip.problem(slice(0, end), start, free=True)
        if inside:
            # The energy stays the same, the one about where refine begins: only its numbers go on.
            rows = [clip.people[place].rows(slice(0, end)) for place in inside]
            numbers = [motions[place][which] for place, which in zip(inside, rows, strict=True)]
            numbers.append(shared.of(inside).packed())

            def part(now: float, done: int = done, share: int = end * steps) -> None:
                report((done + now * share) / whole)

            numbers, energy, looked = _lbfgs(problem, numbers, stage, steps, part)
            looks += looked
            for place, which, moved in zip(inside, rows, numbers, strict=False):
                motions[place][which] = moved
            found = Shared.unpacked(numbers[-1])
            shapes = shared.shapes.index_copy(0, torch.tensor(inside).to(found.shapes.device), found.shapes)
            shared = Shared(found.few, shapes)
        done += end * steps
    return Run(time.perf_counter() - began, energy, looks)


def _lbfgs(
    problem: JointProblem, numbers: list[torch.Tensor], stage: Stage, steps: int, report: Report
) -> tuple[list[torch.Tensor], float, int]:
    """One stage from where the numbers are: the new ones, the energy, and how often it was looked at."""
    *people, shared = numbers
    parts = [[each[:, columns].clone() for columns in (slice(0, 3), slice(3, 66), slice(66, 69))] for each in people]
    scale, rest = shared[:1].clone(), shared[1:].clone()
    free = [part for turn, _, moved in parts for part in (turn, moved)]
    if stage != "root":
        free += [bent for _, bent, _ in parts] + [rest]
    if stage == "motion":
        free.append(scale)
    for part in free:
        part.requires_grad_(True)
    solver = torch.optim.LBFGS(free, lr=1.0, max_iter=_INNER, line_search_fn="strong_wolfe")
    looks = 0

    def joined() -> list[torch.Tensor]:
        return [*(torch.cat(part, 1) for part in parts), torch.cat([scale, rest])]

    def closure() -> torch.Tensor:
        nonlocal looks
        looks += 1
        solver.zero_grad()
        value, _ = problem.energy(joined())
        value.backward()
        return value

    for step in range(steps):
        solver.step(closure)
        report((step + 1) / steps)
    with torch.no_grad():
        return [each.detach() for each in joined()], float(problem.energy(joined())[0]), looks

"""People, and the path of a moving camera, so that feet which rest stay where they are."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.energy import terms
from ghmr_engine.energy.newton import MotionVector, descend
from ghmr_engine.energy.parameters import MotionVariables, smooth_basis
from ghmr_engine.energy.person import Deviations, PersonEnergy
from ghmr_engine.energy.placed import Placed
from ghmr_engine.energy.solver import blend_ramp, minimise, neighbours, windows
from ghmr_engine.progress import Report
from ghmr_engine.world.plant import planting_shift

WINDOW, OVERLAP = 400, 24
STEPS, CAMERA_STEPS = 15, 100

# Expected deviations.
_OFF = Deviations(turn=0.05, pose=0.1)
"""Of people: the lift's pose is kept."""
_SIGMA_CAMERA_SPEED, _SIGMA_CAMERA_ACCELERATION = 1.5, 1.0
_SIGMA_PIN = 0.01
_EVIDENCE_EYE = 1e4
_ALONG_Y = 1


def solve(
    people: list[Placed], R: np.ndarray, t: np.ndarray, K: np.ndarray, body: Body, fps: float,
    camera_moves: bool, report: Report,
) -> tuple[list[Placed], np.ndarray]:  # fmt: skip
    """Lower reprojection, contact, ground and smoothness energies over windows of frames, everybody at once.

    R (T, 3, 3), t (T, 3), K (T, 3, 3): the camera; only t may change, and only where the camera moves. Returns the
    people moved, and t. A later window starts where the one before ended, and is faded into it.
    """
    like = people[0].transl
    R_all, K_all = torch.as_tensor(R).to(like), torch.as_tensor(K).to(like)
    eye = torch.as_tensor(-np.einsum("tji,tj->ti", R, t)).to(like)
    shift = torch.zeros(3).to(like)
    spans = list(windows(len(R), WINDOW, OVERLAP))
    solved_until = 0
    for place, span in enumerate(spans):
        if solved_until:
            people, eye = _carry_on(people, eye, shift, solved_until)
        view = _View(span, R_all[span], K_all[span], eye[span], solved_until - span.start, camera_moves)
        rows = [person.rows(span) for person in people]
        inside = [person.cut(which) for person, which in zip(people, rows, strict=True)]

        def part(done: float, place: int = place) -> None:
            report((place + done) / len(spans))

        moved, new_eye = _solve_window(inside, view, body, fps, part)
        ramp = torch.ones(span.stop - span.start).to(like)
        ramp[: view.pinned] = torch.as_tensor(blend_ramp(view.pinned)).to(like)
        people = [
            person.merged(which, motion, ramp, span.start)
            for person, which, motion in zip(people, rows, moved, strict=True)
        ]
        shift = new_eye[-1] - eye[span.stop - 1]
        eye = torch.cat([eye[: span.start], eye[span] + ramp[:, None] * (new_eye - eye[span]), eye[span.stop :]])
        solved_until = span.stop
    return people, -np.einsum("tij,tj->ti", R, eye.cpu().numpy().astype(np.float64))


@dataclass(frozen=True)
class _View:
    """The camera over one window of F frames."""

    span: slice
    R: torch.Tensor
    K: torch.Tensor
    eye: torch.Tensor
    """(F, 3) m, where the camera stands."""
    pinned: int
    """The first so many frames are solved already."""
    moves: bool


def _carry_on(
    people: list[Placed], eye: torch.Tensor, shift: torch.Tensor, since: int
) -> tuple[list[Placed], torch.Tensor]:
    """Move what is not solved yet by as much as the last solved frame was moved."""
    later = torch.arange(len(eye), device=eye.device) >= since
    moved = []
    for person in people:
        after = torch.as_tensor(person.frames >= since, device=eye.device)
        moved.append(replace(person, transl=person.transl + after[:, None] * shift))
    return moved, eye + later[:, None] * shift


def _solve_window(
    people: list[Placed], view: _View, body: Body, fps: float, report: Report
) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], torch.Tensor]:
    """New rotations and transl of each person, and the camera's places."""
    people, eye = _planted(people, view, body)
    places = [torch.as_tensor(person.frames - view.span.start, device=eye.device) for person in people]
    problems = [
        PersonEnergy(person, view.R[place], view.K[place], eye[place], body, fps, _OFF) if len(place) else None
        for person, place in zip(people, places, strict=True)
    ]
    if view.moves:
        return _solve_with_camera(people, problems, places, view, eye, fps, report)
    moved = []
    for number, (person, problem, place) in enumerate(zip(people, problems, places, strict=True)):
        if problem is None:
            moved.append((person.rotations, person.transl))
            continue
        motion = MotionVector(person.rotations, person.transl, person.betas)

        def part(done: float, number: int = number) -> None:
            report((number + done) / len(people))

        descend(
            motion,
            functools.partial(problem.energy, motion, eye[place]),
            functools.partial(problem.curvature, motion=motion, eye=eye[place]),
            body, STEPS, part,
        )  # fmt: skip
        moved.append(motion.motion())
    return moved, eye


def _solve_with_camera(
    people: list[Placed], problems: list[PersonEnergy | None], places: list[torch.Tensor], view: _View,
    eye: torch.Tensor, fps: float, report: Report,
) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], torch.Tensor]:  # fmt: skip
    """The same where nothing but the people's feet tells where the camera went: its path and everybody at once."""
    motions = [
        None if problem is None
        else MotionVariables(person.rotations, person.transl, person.betas, problem.triples, fps, sight=_ALONG_Y)
        for person, problem in zip(people, problems, strict=True)
    ]  # fmt: skip
    present = [each for each in zip(motions, problems, places, strict=True) if each[0] is not None]
    everywhere = torch.ones(len(eye)).to(eye)
    # In the same kind of coordinates as a motion's (energy/parameters.py).
    stiff = (fps**2 / _SIGMA_CAMERA_ACCELERATION) ** 2
    basis = smooth_basis(len(eye), everywhere[2:], _EVIDENCE_EYE, stiff)
    steps = torch.zeros_like(eye)
    sigma = torch.full((1,), _SIGMA_CAMERA_ACCELERATION).to(eye)

    def energy() -> torch.Tensor:
        now = eye + basis @ steps
        path = now[:, None]
        pinned = ((now[: view.pinned] - view.eye[: view.pinned]) / _SIGMA_PIN).square().sum()
        return (
            sum(problem.energy(motion, now[place])[0] for motion, problem, place in present)
            + pinned
            + terms.velocity(path, everywhere[1:], fps, _SIGMA_CAMERA_SPEED)
            + terms.acceleration(path, everywhere[2:], fps, sigma)
        )

    minimise(energy, [*(value for motion, _, _ in present for value in motion.free), steps], CAMERA_STEPS, report)
    moved = [
        (person.rotations, person.transl) if motion is None else motion.motion()
        for person, motion in zip(people, motions, strict=True)
    ]
    return moved, eye + basis @ steps.detach()


def _planted(people: list[Placed], view: _View, body: Body) -> tuple[list[Placed], torch.Tensor]:
    """People shifted so that their feet rest, and a walking camera shifted with them."""
    total = np.zeros((len(view.eye), 3))
    count = np.full((len(view.eye), 1), 1e-3)
    planted = []
    for person in people:
        if len(person.frames) < 3:
            planted.append(person)
            continue
        feet = body.forward(person.rotations, person.transl, person.betas).contacts.cpu().double().numpy()
        ties = person.ties().cpu().double().numpy()
        sight = feet.mean(1) - view.eye[person.frames - view.span.start].cpu().double().numpy()
        sight /= np.linalg.norm(sight, axis=1, keepdims=True)
        shift = planting_shift(feet, ties, *neighbours(person.frames), sight, free=view.moves)
        known = person.frames - view.span.start < view.pinned
        if view.moves and known.any():
            shift[:, :2] -= shift[known, :2].mean(0)  # where a walking camera's world lies is settled by what is solved
        planted.append(replace(person, transl=person.transl + torch.as_tensor(shift).to(person.transl)))
        total[person.frames - view.span.start] += shift
        count[person.frames - view.span.start] += 1
    moved = torch.as_tensor(total / count).to(view.eye) if view.moves else 0.0
    return planted, view.eye + moved

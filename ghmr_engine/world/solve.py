"""People, and the path of a moving camera, so that feet which rest stay where they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.energy import terms
from ghmr_engine.energy.evidence import LANDMARK_TRUST, NOISE, SIGMA_ACCELERATION
from ghmr_engine.energy.marks import marks
from ghmr_engine.energy.parameters import MotionVariables, cross_fade, smooth_basis
from ghmr_engine.energy.solver import blend_ramp, minimise, neighbours, windows
from ghmr_engine.geometry import project, world_to_camera
from ghmr_engine.progress import Report
from ghmr_engine.world.plant import planting_shift

WINDOW, OVERLAP = 400, 24
STEPS = 100

# Expected deviations. Lift's pose is kept within _SIGMA_POSE; a resting foot moves by _SIGMA_REST a frame.
_SIGMA_POSE, _SIGMA_TURN = 0.1, 0.05
_SIGMA_REST, _SIGMA_GROUND, _SIGMA_DEEP = 0.002, 0.02, 0.01
_SIGMA_CAMERA_SPEED, _SIGMA_CAMERA_ACCELERATION = 1.5, 1.0
_SIGMA_PIN = 0.01
_EVIDENCE_EYE = 1e4
_ALONG_Y = 1


@dataclass(frozen=True)
class Placed:
    """One person in some fixed frame, as tensors. N frames."""

    person: int
    frames: np.ndarray
    """(N,) int."""
    rotations: torch.Tensor
    """(N, 24, 3, 3)."""
    transl: torch.Tensor
    """(N, 3) m."""
    betas: torch.Tensor
    """(10,)."""
    keypoints: torch.Tensor
    """(N, 33, 3) px, visibility."""
    offsets: torch.Tensor
    """(33, 3) m from the body's landmarks to where the detector sees them."""
    contacts: torch.Tensor | None
    """(N, 4) probabilities; None where nothing is known yet."""

    def ties(self) -> torch.Tensor:
        """(N, 4) how firmly feet are held: above one half for certain, since half-hearted ties let them creep."""
        return ((self.contacts - 0.3) / 0.2).clamp(0, 1)


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
        rows = [_rows(person, span) for person in people]
        inside = [_cut(person, which) for person, which in zip(people, rows, strict=True)]

        def part(done: float, place: int = place) -> None:
            report((place + done) / len(spans))

        moved, new_eye = _solve_window(inside, view, body, fps, part)
        ramp = torch.ones(span.stop - span.start).to(like)
        ramp[: view.pinned] = torch.as_tensor(blend_ramp(view.pinned)).to(like)
        people = [
            _merged(person, which, motion, ramp, span)
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


def _rows(person: Placed, span: slice) -> slice:
    """A person's rows whose frames lie in a window."""
    return slice(*np.searchsorted(person.frames, [span.start, span.stop]))


def _cut(person: Placed, rows: slice) -> Placed:
    parts = ("frames", "rotations", "transl", "keypoints", "contacts")
    return replace(person, **{name: getattr(person, name)[rows] for name in parts})


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
    problems = [_Person(person, view, fps) if len(person.frames) else None for person in people]
    present = [problem for problem in problems if problem is not None]
    everywhere = torch.ones(len(eye)).to(eye)
    # In the same kind of coordinates as a motion's (energy/parameters.py).
    stiff = (fps**2 / _SIGMA_CAMERA_ACCELERATION) ** 2
    basis = smooth_basis(len(eye), everywhere[2:], _EVIDENCE_EYE, stiff) if view.moves else None
    steps = torch.zeros_like(eye)

    def energy() -> torch.Tensor:
        if basis is None:
            return sum(problem.energy(body, eye) for problem in present)
        now = eye + basis @ steps
        total = sum(problem.energy(body, now) for problem in present)
        path = now[:, None]
        sigma = torch.full((1,), _SIGMA_CAMERA_ACCELERATION).to(eye)
        pinned = ((now[: view.pinned] - view.eye[: view.pinned]) / _SIGMA_PIN).square().sum()
        return (
            total
            + pinned
            + terms.velocity(path, everywhere[1:], fps, _SIGMA_CAMERA_SPEED)
            + terms.acceleration(path, everywhere[2:], fps, sigma)
        )

    free = [value for problem in present for value in problem.variables.free] + ([steps] if view.moves else [])
    if free:
        minimise(energy, free, STEPS, report)
    moved = [
        (person.rotations, person.transl) if problem is None else problem.variables.motion()
        for person, problem in zip(people, problems, strict=True)
    ]
    return moved, eye if basis is None else eye + basis @ steps.detach()


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


class _Person:
    """One person's part of a window's energy."""

    def __init__(self, person: Placed, view: _View, fps: float) -> None:
        self.pairs, self.triples = (torch.as_tensor(mask).to(person.transl) for mask in neighbours(person.frames))
        self.variables = MotionVariables(
            person.rotations, person.transl, person.betas, self.triples, fps, sight=_ALONG_Y
        )
        self.place = torch.as_tensor(person.frames - view.span.start, device=person.transl.device)
        self.R, self.K = view.R[self.place], view.K[self.place]
        self.keypoints = person.keypoints[..., :2]
        visible = ((person.keypoints[..., 2] - 0.1) / 0.6).clamp(0, 1)
        self.weight = visible * torch.as_tensor(LANDMARK_TRUST).to(visible)
        low, high = (self.keypoints.amin(1), self.keypoints.amax(1))
        self.sigma_px = (NOISE * (high - low).amax(1).median()).clamp(min=1.0).expand(len(self.place))
        self.offsets = person.offsets
        self.start_pose = self.variables.pose()
        self.contacts, self.fps = person.ties(), fps
        self.sigma = torch.as_tensor(SIGMA_ACCELERATION).to(visible)

    def energy(self, body: Body, eye: torch.Tensor) -> torch.Tensor:
        variables = self.variables
        turn, pose = variables.turn(), variables.pose()
        posed = body.forward(variables.rotations(turn, pose), variables.transl(), variables.betas)
        in_camera = (marks(posed, self.offsets) - eye[self.place][:, None]) @ self.R.transpose(1, 2)
        return (
            terms.reprojection(project(in_camera, self.K), self.keypoints, self.weight, self.sigma_px)
            + ((pose - self.start_pose) / _SIGMA_POSE).square().sum()
            + (turn / _SIGMA_TURN).square().sum()
            + terms.joint_limits(pose)
            + terms.acceleration(posed.joints, self.triples, self.fps, self.sigma)
            + terms.contact_velocity(posed.contacts, self.contacts, self.pairs, _SIGMA_REST)
            + terms.contact_height(posed.contacts, self.contacts, _SIGMA_GROUND)
            + terms.penetration(posed.contacts, _SIGMA_DEEP)
        )


def _merged(
    person: Placed, rows: slice, motion: tuple[torch.Tensor, torch.Tensor], ramp: torch.Tensor, span: slice
) -> Placed:
    """A person with a window's rows faded in."""
    share = ramp[torch.as_tensor(person.frames[rows] - span.start, device=ramp.device)]
    rotations, transl = cross_fade((person.rotations[rows], person.transl[rows]), motion, share)
    return replace(
        person,
        rotations=torch.cat([person.rotations[: rows.start], rotations, person.rotations[rows.stop :]]),
        transl=torch.cat([person.transl[: rows.start], transl, person.transl[rows.stop :]]),
    )


def reprojection_error(person: Placed, body: Body, R: np.ndarray, t: np.ndarray, K: np.ndarray) -> np.ndarray:
    """(N,) px: mean over the landmarks that are visible; nan where none is."""
    camera = (torch.as_tensor(array[person.frames]).to(person.transl) for array in (R, t, K))
    R_, t_, K_ = camera
    points = marks(body.forward(person.rotations, person.transl, person.betas), person.offsets)
    pixels = project(world_to_camera(points, R_, t_), K_)
    error = (pixels - person.keypoints[..., :2]).norm(dim=-1).cpu().numpy()
    visible = person.keypoints[..., 2].cpu().numpy() > 0.5
    count = visible.sum(1)
    return np.where(count > 0, (error * visible).sum(1) / np.maximum(count, 1), np.nan)

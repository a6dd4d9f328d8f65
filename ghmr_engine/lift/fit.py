"""The fit of one person: shape from frames spread over the clip, then pose and place in windows of frames."""

from __future__ import annotations

import numpy as np
import torch

from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.energy import terms
from ghmr_engine.energy.evidence import SIGMA_ACCELERATION
from ghmr_engine.energy.marks import marks
from ghmr_engine.energy.newton import Curvature, MotionVector, descend
from ghmr_engine.energy.parameters import Motion, MotionVariables, change_frame, cross_fade
from ghmr_engine.energy.solver import blend_ramp, minimise, neighbours, windows
from ghmr_engine.geometry import project, world_to_camera
from ghmr_engine.lift.initial import initial_motion, place_onto
from ghmr_engine.lift.observations import LIMBS, Observations
from ghmr_engine.progress import Report

SHAPE_FRAMES = 120
SHAPE_STEPS = 60
WINDOW, OVERLAP = 400, 24
STEPS, LANDMARK_STEPS = 15, 80

# Expected deviations: of a limb's direction in BlazePose's 3D (rad), of a stature that the user gave (m).
_SIGMA_LIMB = 0.25
_SIGMA_HEIGHT = 0.003
_BLUR_S = 0.07
# Of the network's pose: a joint's turn (rad), and by how much the error that it expects is trusted less: neighbouring
# frames err alike, so that together they would outweigh what is seen.
_SIGMA_TWIST, _SPREAD = 0.3, 1.0
_PLACE_BLUR_S = 0.1
_SIGHT = 2
"""The world is the first camera's frame: z is along its sight."""


def fit_person(
    seen: Observations, frames: np.ndarray, body: Body, fps: float, height: float | None, report: Report
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotations (N, 24, 3, 3) and transl (N, 3) in each frame's camera, betas (10,); `height` (m) fixes the shape."""
    betas = _fit_shape(seen, body, height, lambda done: report(0.2 * done))
    spans = list(windows(len(frames), WINDOW, OVERLAP))
    rotations = transl = None
    for place, span in enumerate(spans):

        def part(done: float, place: int = place) -> None:
            report(0.2 + 0.8 * (place + done) / len(spans))

        motion = _fit_window(seen.rows(span), frames[span], body, betas, fps, part)
        rotations, transl = _append(rotations, transl, *motion, span.start)
    pelvis = body.rest_joints(betas)[0]
    rotations, transl = change_frame(rotations, transl, pelvis, seen.R, seen.t)
    return rotations.cpu().numpy(), transl.cpu().numpy(), betas.cpu().numpy()


def _fit_shape(seen: Observations, body: Body, height: float | None, report: Report) -> torch.Tensor:
    """(10,) betas from single frames that are seen well, spread over the clip."""
    sure = torch.argsort(seen.weight.sum(1), descending=True)[: max(len(seen.weight) // 2, 1)].sort().values
    chosen = sure[torch.linspace(0, len(sure) - 1, min(SHAPE_FRAMES, len(sure))).long()].cpu().numpy()
    part = seen.rows(chosen)
    betas = torch.zeros(10).to(seen.weight)
    apart = torch.zeros(max(len(chosen) - 2, 0)).to(betas)
    usual = betas if part.guess is None else part.guess.betas[0]
    variables = MotionVariables(*_start(part, body, usual, 0.0), usual, apart, 30.0, _SIGHT)

    def energy() -> torch.Tensor:
        stature = 0.0
        if height is not None:
            rest = body.rest_vertices(variables.betas)[:, 1]
            stature = ((rest.max() - rest.min() - height) / _SIGMA_HEIGHT).square()
        # Neighbouring frames err alike: a hundred of them are worth about ten, which the prior is weighed against.
        data, _ = _single_frame_energy(variables, part, body)
        return data / max(len(chosen) / 10, 1) + terms.shape_prior(variables.betas - usual) + stature

    minimise(energy, [*variables.free, variables.betas], SHAPE_STEPS, report)
    return variables.betas.detach()


def _fit_window(
    seen: Observations, frames: np.ndarray, body: Body, betas: torch.Tensor, fps: float, report: Report
) -> tuple[torch.Tensor, torch.Tensor]:
    triples = torch.as_tensor(neighbours(frames)[1]).to(betas)
    start = _start(seen, body, betas, fps)
    if seen.guess is None:
        return _fit_to_landmarks(seen, start, triples, body, betas, fps, report)
    guess, spread = seen.guess, _SPREAD * seen.guess.spread
    motion = MotionVector(*start, betas)
    sigma = torch.as_tensor(SIGMA_ACCELERATION).to(betas)

    def energy() -> tuple[torch.Tensor, Posed]:
        data, posed = _single_frame_energy(motion, seen, body)
        return data + terms.acceleration(posed.joints, triples, fps, sigma), posed

    def curvature(posed: Posed) -> Curvature:
        numbers = terms.joint_limits_curvature(motion.pose())
        numbers[:, :66] += 2 / _SIGMA_TWIST**2
        return Curvature(
            landmarks=terms.reprojection_curvature(
                marks(posed, seen.offsets), seen.R, seen.t, seen.K, seen.keypoints, seen.weight, seen.sigma_px
            ),
            about=terms.places_curvature(posed.joints - posed.joints[:, :1], guess.joints, spread),
            bends=terms.acceleration_curvature(posed.joints, triples, fps, sigma),
            numbers=numbers,
        )

    descend(motion, energy, curvature, body, STEPS, report)
    return motion.motion()


def _fit_to_landmarks(
    seen: Observations, start: tuple[torch.Tensor, torch.Tensor], triples: torch.Tensor, body: Body,
    betas: torch.Tensor, fps: float, report: Report,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Without a network: limbs' directions tie points to each other, which Gauss-Newton's band does not hold."""
    variables = MotionVariables(*start, betas, triples, fps, _SIGHT)
    sigma = torch.as_tensor(SIGMA_ACCELERATION).to(betas)

    def energy() -> torch.Tensor:
        data, posed = _single_frame_energy(variables, seen, body)
        return data + terms.acceleration(posed.joints, triples, fps, sigma)

    minimise(energy, variables.free, LANDMARK_STEPS, report)
    return variables.motion()


def _start(seen: Observations, body: Body, betas: torch.Tensor, fps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotations and places to begin with; fps 0 for frames that do not follow each other."""
    if seen.guess is None:
        return initial_motion(seen, body, betas, _BLUR_S * fps)
    return seen.guess.rotations, place_onto(seen.guess.rotations, seen, body, betas, _PLACE_BLUR_S * fps)


def lay_onto(seen: Observations, body: Body, fps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The network's own motion (seen.guess), put where it projects onto the picture; as fit_person returns it."""
    betas = seen.guess.betas[0]
    rotations, transl = change_frame(*_start(seen, body, betas, fps), body.rest_joints(betas)[0], seen.R, seen.t)
    return rotations.cpu().numpy(), transl.cpu().numpy(), betas.cpu().numpy()


def _single_frame_energy(variables: Motion, seen: Observations, body: Body) -> tuple[torch.Tensor, Posed]:
    """Everything that looks at one frame alone: the picture, the limbs' directions, what joints can do."""
    pose = variables.pose()
    posed = body.forward(variables.rotations(), variables.transl(), variables.betas)
    pixels = project(world_to_camera(marks(posed, seen.offsets), seen.R, seen.t), seen.K)
    energy = terms.reprojection(pixels, seen.keypoints, seen.weight, seen.sigma_px) + terms.joint_limits(pose)
    if seen.guess is None:
        limbs = torch.as_tensor(LIMBS, device=pixels.device)
        energy = energy + terms.directions(posed.landmarks, limbs, seen.limbs, seen.limb_weight, _SIGMA_LIMB)
        return energy + 0.3 * terms.pose_prior(pose), posed
    about = posed.joints - posed.joints[:, :1]
    turned = variables.turned()
    return (
        energy
        + terms.places(about, seen.guess.joints, _SPREAD * seen.guess.spread)
        + (turned / _SIGMA_TWIST).square().sum()
    ), posed


def _append(
    rotations: torch.Tensor | None, transl: torch.Tensor | None, later_rotations: torch.Tensor,
    later_transl: torch.Tensor, start: int,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Join a window to what came before it, cross-fading where both have frames."""
    if rotations is None or transl is None:
        return later_rotations, later_transl
    shared = len(transl) - start
    ramp = torch.as_tensor(blend_ramp(shared)).to(transl)
    faded, place = cross_fade(
        (rotations[start:], transl[start:]), (later_rotations[:shared], later_transl[:shared]), ramp
    )
    return (
        torch.cat([rotations[:start], faded, later_rotations[shared:]]),
        torch.cat([transl[:start], place, later_transl[shared:]]),
    )

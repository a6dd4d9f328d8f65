"""What the world stage lowers for one person: off the picture, off the lift's pose, feet that slide, float or sink."""

from __future__ import annotations

import torch

from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.energy import terms
from ghmr_engine.energy.evidence import LANDMARK_TRUST, NOISE, SIGMA_ACCELERATION
from ghmr_engine.energy.marks import marks
from ghmr_engine.energy.newton import Curvature, MotionVector
from ghmr_engine.energy.parameters import Motion
from ghmr_engine.energy.solver import neighbours
from ghmr_engine.geometry import project
from ghmr_engine.world.placed import Placed

# Expected deviations. Lift's pose is kept within _SIGMA_POSE; a resting foot moves by _SIGMA_REST a frame.
_SIGMA_POSE, _SIGMA_TURN = 0.1, 0.05
# The network's velocity (m/s), and for how many frames at 30 a second its error lasts, which count as one.
_SIGMA_PACE, _LASTS = 0.06, 10
_SIGMA_REST, _SIGMA_GROUND, _SIGMA_DEEP = 0.001, 0.02, 0.01


class PersonEnergy:
    """One person's energy over N frames."""

    def __init__(
        self, person: Placed, R: torch.Tensor, K: torch.Tensor, eye: torch.Tensor, body: Body, fps: float
    ) -> None:
        """R, K (N, 3, 3): the camera in the person's frames; eye (N, 3) m: roughly where it stands."""
        self._pairs, self.triples = (torch.as_tensor(mask).to(person.transl) for mask in neighbours(person.frames))
        self._R, self._K, self._body, self._fps = R, K, body, fps
        self._keypoints = person.keypoints[..., :2]
        visible = ((person.keypoints[..., 2] - 0.1) / 0.6).clamp(0, 1)
        self._weight = visible * torch.as_tensor(LANDMARK_TRUST).to(visible)
        low, high = (self._keypoints.amin(1), self._keypoints.amax(1))
        self._sigma_px = (NOISE * (high - low).amax(1).median()).clamp(min=1.0).expand(len(R))
        self._offsets, self._contacts = person.offsets, person.ties()
        sight = torch.nn.functional.normalize(person.transl - eye, dim=-1)
        self._along = (sight[1:] + sight[:-1]) / 2
        velocity = torch.zeros_like(sight) if person.velocity is None else person.velocity
        self._steps = (velocity[1:] + velocity[:-1]) / 2 / fps
        self._sigma_pace = _SIGMA_PACE / fps * (_LASTS * fps / 30) ** 0.5  # m a frame
        self._known = self._pairs * (person.velocity is not None)
        self._sigma = torch.as_tensor(SIGMA_ACCELERATION).to(visible)

    def energy(self, motion: Motion, eye: torch.Tensor) -> tuple[torch.Tensor, Posed]:
        """The energy of a motion, the camera's centre at eye (N, 3) m, and the points at which it was taken."""
        posed = self._body.forward(motion.rotations(), motion.transl(), motion.betas)
        in_camera = (marks(posed, self._offsets) - eye[:, None]) @ self._R.transpose(1, 2)
        turned, feet = motion.turned(), posed.contacts
        return (
            terms.reprojection(project(in_camera, self._K), self._keypoints, self._weight, self._sigma_px)
            + (turned[:, 3:] / _SIGMA_POSE).square().sum()
            + (turned[:, :3] / _SIGMA_TURN).square().sum()
            + terms.joint_limits(motion.pose())
            + terms.acceleration(posed.joints, self.triples, self._fps, self._sigma)
            + terms.pace(motion.transl(), self._steps, self._along, self._known, self._sigma_pace)
            + terms.contact_velocity(feet, self._contacts, self._pairs, _SIGMA_REST)
            + terms.contact_height(feet, self._contacts, _SIGMA_GROUND)
            + terms.penetration(feet, _SIGMA_DEEP)
        ), posed

    def curvature(self, posed: Posed, motion: MotionVector, eye: torch.Tensor) -> Curvature:
        """Its Gauss-Newton curvature there."""
        feet = posed.contacts
        numbers = terms.joint_limits_curvature(motion.pose())
        numbers[:, :3] += 2 / _SIGMA_TURN**2
        numbers[:, 3:66] += 2 / _SIGMA_POSE**2
        return Curvature(
            landmarks=terms.reprojection_curvature(
                marks(posed, self._offsets), self._R, -(self._R @ eye[..., None])[..., 0], self._K, self._keypoints,
                self._weight, self._sigma_px,
            ),
            feet=terms.contact_height_curvature(feet, self._contacts, _SIGMA_GROUND)
            + terms.penetration_curvature(feet, _SIGMA_DEEP),
            steps=terms.contact_velocity_curvature(self._contacts, self._pairs, _SIGMA_REST),
            ways=terms.pace_curvature(self._along, self._known, self._sigma_pace),
            bends=terms.acceleration_curvature(posed.joints, self.triples, self._fps, self._sigma),
            numbers=numbers,
        )  # fmt: skip

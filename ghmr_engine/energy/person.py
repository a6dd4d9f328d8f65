"""What world and refine lower for one person: off the picture, off the expected pose, unsteady, and feet that slide,
float or sink."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.energy import terms
from ghmr_engine.energy.evidence import LANDMARK_TRUST, NOISE, SIGMA_ACCELERATION
from ghmr_engine.energy.marks import marks
from ghmr_engine.energy.newton import Curvature, MotionVector
from ghmr_engine.energy.parameters import Motion
from ghmr_engine.energy.placed import Placed
from ghmr_engine.energy.solver import neighbours
from ghmr_engine.geometry import project


@dataclass(frozen=True)
class Deviations:
    """How far each kind of residual is expected to be off: the weights of the energy's terms, 1 / deviation^2.

    Those of the picture are evidence.NOISE and LANDMARK_TRUST, those of accelerations evidence.SIGMA_ACCELERATION.
    """

    turn: float
    """rad, by which the root is turned from its start,"""
    pose: float
    """and by which the other joints are."""
    spread: float = 1.0
    """How far joints about the pelvis are from where the network expects them, as a share of how far it expects to be
    off."""
    pace: float = 0.06
    """m/s, of the network's velocity along the line of sight;"""
    lasts: float = 10
    """for so many frames at 30 a second its error lasts, which count as one."""
    rest: float = 0.001
    """m a frame, by which a resting foot point moves."""
    ground: float = 0.02
    """m, by which it is off the ground; a foot much farther off stands on something."""
    deep: float = 0.01
    """m, by which any foot point is under the ground."""


@dataclass(frozen=True)
class Expected:
    """Where the network expects a person's joints. N frames."""

    about: torch.Tensor
    """(N, 24, 3) m about the pelvis, along the world's axes."""
    spread: torch.Tensor
    """(N, 24) m, how far it expects to be off."""

    def rows(self, which: slice) -> Expected:
        """A part of the frames."""
        return Expected(self.about[which], self.spread[which])


class PersonEnergy:
    """One person's energy over N frames."""

    def __init__(
        self, person: Placed, R: torch.Tensor, K: torch.Tensor, eye: torch.Tensor, body: Body, fps: float,
        deviations: Deviations, expected: Expected | None = None,
    ) -> None:  # fmt: skip
        """R, K (N, 3, 3): the camera in the person's frames; eye (N, 3) m: roughly where it stands."""
        self._pairs, self.triples = (torch.as_tensor(mask).to(person.transl) for mask in neighbours(person.frames))
        self._R, self._K, self._body, self._fps = R, K, body, fps
        self._off, self._expected = deviations, expected
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
        self._sigma_pace = deviations.pace / fps * (deviations.lasts * fps / 30) ** 0.5  # m a frame
        self._known = self._pairs * (person.velocity is not None)
        self._sigma = torch.as_tensor(SIGMA_ACCELERATION).to(visible)

    def energy(
        self, motion: Motion, eye: torch.Tensor, ground: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, Posed]:
        """The energy of a motion, the camera's centre at eye (N, 3) m, and the points at which it was taken.

        ground (3,): its height at (x, y) is ground . (1, x, y); None is level at 0."""
        posed = self._body.forward(motion.rotations(), motion.transl(), motion.betas)
        in_camera = (marks(posed, self._offsets) - eye[:, None]) @ self._R.transpose(1, 2)
        turned, feet, off = motion.turned(), posed.contacts, self._off
        above = feet if ground is None else _above(feet, ground)
        value = (
            terms.reprojection(project(in_camera, self._K), self._keypoints, self._weight, self._sigma_px)
            + (turned[:, 3:] / off.pose).square().sum()
            + (turned[:, :3] / off.turn).square().sum()
            + terms.joint_limits(motion.pose())
            + terms.acceleration(posed.joints, self.triples, self._fps, self._sigma)
            + terms.pace(motion.transl(), self._steps, self._along, self._known, self._sigma_pace)
            + terms.contact_velocity(feet, self._contacts, self._pairs, off.rest)
            + terms.contact_height(above, self._contacts, off.ground)
            + terms.penetration(above, off.deep)
        )
        if self._expected is not None:
            about = posed.joints - posed.joints[:, :1]
            value = value + terms.places(about, self._expected.about, off.spread * self._expected.spread)
        return value, posed

    def curvature(
        self, posed: Posed, motion: MotionVector, eye: torch.Tensor, ground: torch.Tensor | None = None
    ) -> Curvature:
        """Its Gauss-Newton curvature there."""
        off, expected = self._off, self._expected
        above = posed.contacts if ground is None else _above(posed.contacts, ground)
        numbers = terms.joint_limits_curvature(motion.pose())
        numbers[:, :3] += 2 / off.turn**2
        numbers[:, 3:66] += 2 / off.pose**2
        about = None
        if expected is not None:
            places = posed.joints - posed.joints[:, :1]
            about = terms.places_curvature(places, expected.about, off.spread * expected.spread)
        return Curvature(
            landmarks=terms.reprojection_curvature(
                marks(posed, self._offsets), self._R, -(self._R @ eye[..., None])[..., 0], self._K, self._keypoints,
                self._weight, self._sigma_px,
            ),
            feet=terms.contact_height_curvature(above, self._contacts, off.ground)
            + terms.penetration_curvature(above, off.deep),
            steps=terms.contact_velocity_curvature(self._contacts, self._pairs, off.rest),
            ways=terms.pace_curvature(self._along, self._known, self._sigma_pace),
            bends=terms.acceleration_curvature(posed.joints, self.triples, self._fps, self._sigma),
            numbers=numbers,
            about=about,
        )  # fmt: skip


def _above(feet: torch.Tensor, ground: torch.Tensor) -> torch.Tensor:
    """Foot points (N, 4, 3) with their heights over a ground (3,) that is not quite level, along z."""
    height = feet[..., 2] - ground[0] - feet[..., :2] @ ground[1:]
    return torch.cat([feet[..., :2], height[..., None]], -1)

"""What is lowered for one person: off what the motion was, off pins and off where feet are nailed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ghmr_engine.body.pose_space import HIGH, LOW
from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.energy import terms
from ghmr_engine.energy.evidence import LANDMARK_TRUST, NOISE, SIGMA_ACCELERATION
from ghmr_engine.energy.marks import marks
from ghmr_engine.energy.newton import Curvature, MotionVector, descend
from ghmr_engine.energy.placed import Placed
from ghmr_engine.energy.solver import neighbours
from ghmr_engine.geometry import project, world_to_camera
from ghmr_engine.progress import Report
from ghmr_engine.resolve.feet import Stands
from ghmr_engine.resolve.freedom import Freedom
from ghmr_engine.resolve.pins import Pinned, View

_NAILS = ((0.005, 8, 1e-2), (0.0005, 8, 3e-3), (0.0002, 6, 3e-3))
"""m, by which a nailed foot point is off its place, steps, and what share of the energy a step has to gain: first
loosely, since hard nails make short steps."""
_DEEP = 0.01
"""m, by which a foot point that is not nailed is under the ground."""
_SOFTER = 2.0
"""A change is as smooth as quiet motion is, but for this factor."""
_HINGE = 0.02
"""rad, by which knees and elbows bend backwards, or farther backwards than they did."""

_HINGES = [
    (JOINT_NAMES.index(f"{side}_{joint}") - 1, axis)
    for side in ("left", "right")
    for joint, axis in (("knee", 0), ("elbow", 1))
]


@dataclass(frozen=True)
class Evidence:
    """All that a person's motion is solved by. N frames."""

    view: View
    stands: Stands
    pinned: Pinned
    freedom: Freedom

    def cut(self, rows: slice) -> Evidence:
        """Those rows alone."""
        parts = (self.view, self.stands, self.pinned, self.freedom)
        return Evidence(*(type(part)(*(array[rows] for array in vars(part).values())) for part in parts))


class Problem:
    """One person's energy over N frames, which `solve` lowers."""

    def __init__(self, person: Placed, evidence: Evidence, body: Body, fps: float) -> None:
        """Begins at the person's motion, which is also what it is held to."""
        like = person.transl

        def tensor(array: np.ndarray) -> torch.Tensor:
            return torch.as_tensor(array).to(like)

        self._person, self._body, self._fps = person, body, fps
        self.motion = MotionVector(person.rotations, person.transl, person.betas)
        self._R, self._t, self._K = (tensor(part) for part in vars(evidence.view).values())
        self._firm = tensor(1 / evidence.freedom.sigma**2)
        self._places, self._nailed = tensor(evidence.stands.places), tensor(evidence.stands.nailed)
        self._nails = self._nailed
        self._above = tensor(~evidence.stands.nailed)[..., None]
        self._px, self._pins = tensor(evidence.pinned.px), tensor(1 / evidence.pinned.sigma**2)
        self._keypoints = person.keypoints[..., :2]
        visible = ((person.keypoints[..., 2] - 0.1) / 0.6).clamp(0, 1)
        self._weight = visible * tensor(LANDMARK_TRUST) * tensor(evidence.freedom.landmarks)
        tall = self._keypoints.amax(1) - self._keypoints.amin(1)
        self._sigma_px = (NOISE * tall.amax(1).median()).clamp(min=1.0).expand(len(like))
        self._triples = tensor(neighbours(person.frames)[1])
        self._sigma = _SOFTER * tensor(SIGMA_ACCELERATION)
        begin = body.forward(self.motion.rotations(), person.transl, person.betas).joints
        kept = 1 - tensor(evidence.freedom.anew)[1:-1, :, None]
        self._expected = kept * (begin[2:] - 2 * begin[1:-1] + begin[:-2]) * fps**2
        pose = self.motion.pose()
        self._low, self._high = (pose.new_tensor(wall).expand_as(pose).clone() for wall in (LOW, HIGH))
        self._low, self._high = torch.minimum(self._low, pose), torch.maximum(self._high, pose)
        self._stiff = torch.full_like(pose, 1 / 0.1**2)
        for joint, axis in _HINGES:
            self._stiff[:, joint, axis] = 1 / _HINGE**2

    def solve(self, report: Report) -> tuple[torch.Tensor, torch.Tensor]:
        """Rotations (N, 24, 3, 3) and transl (N, 3) where the energy is lowest. Raises what `report` raises."""
        total, done = sum(steps for _, steps, _ in _NAILS), 0
        for sigma, steps, enough in _NAILS:
            self._nails = self._nailed / sigma**2
            descend(self.motion, self.energy, self.curvature, self._body, steps,
                    lambda part, done=done, steps=steps: report((done + part * steps) / total), enough)  # fmt: skip
            done += steps
        return self.motion.motion()

    def energy(self) -> tuple[torch.Tensor, Posed]:
        """At the motion's numbers, and the points at which it was taken."""
        motion = self.motion
        posed = self._body.forward(motion.rotations(), motion.transl(), motion.betas)
        value = (
            (self._firm * motion.numbers.square()).sum()
            + terms.reprojection(self._seen(marks(posed, self._person.offsets)), self._keypoints, self._weight,
                                 self._sigma_px)
            + terms.acceleration(posed.joints, self._triples, self._fps, self._sigma, self._expected)
            + terms.penetration(posed.contacts * self._above, _DEEP)
            + (self._stiff * self._outside(motion.pose()).square()).sum()
            + (self._nails * (posed.contacts - self._places).square().sum(-1)).sum()
            + (self._pins * (self._seen(posed.joints) - self._px).square().sum(-1)).sum()
        )  # fmt: skip
        return value, posed

    def curvature(self, posed: Posed) -> Curvature:
        """Its Gauss-Newton curvature there."""
        points, ones = marks(posed, self._person.offsets), torch.ones_like(self._sigma_px)
        outside = self._outside(self.motion.pose()) > 0
        return Curvature(
            landmarks=terms.reprojection_curvature(
                points, self._R, self._t, self._K, self._keypoints, self._weight, self._sigma_px
            ),
            # Taken where it is seen, the robust loss is a square: a pin is as firm however far away it is.
            joints=terms.reprojection_curvature(
                posed.joints, self._R, self._t, self._K, self._seen(posed.joints), self._pins, ones
            ),
            bends=terms.acceleration_curvature(posed.joints, self._triples, self._fps, self._sigma, self._expected),
            feet=terms.penetration_curvature(posed.contacts * self._above, _DEEP),
            steps=torch.zeros_like(self._nails[1:]),
            nailed=2 * self._nails,
            numbers=2 * self._firm + 2 * torch.nn.functional.pad((self._stiff * outside).flatten(1), (3, 3)),
        )

    def _seen(self, points: torch.Tensor) -> torch.Tensor:
        return project(world_to_camera(points, self._R, self._t), self._K)

    def _outside(self, pose: torch.Tensor) -> torch.Tensor:
        """(N, 21, 3) rad that joints are bent beyond what joints do, or, where the motion did already, beyond that."""
        return (self._low - pose).clamp(min=0) + (pose - self._high).clamp(min=0)

"""The variables of a motion: how a body's rotations and place depend on what an optimiser moves."""

from __future__ import annotations

import roma
import torch

# Rough curvatures of the energies a frame, which only set the solver's pace: of evidence for a root's place across and
# along the line of sight (1/m^2) and for a rotation (1/rad^2), and of smoothness, per (frames a second)^4.
_EVIDENCE_ACROSS, _EVIDENCE_ALONG, _EVIDENCE_TURN = 1e4, 3e2, 3e2
_SMOOTH_PLACE, _SMOOTH_TURN = 1.0, 0.01


class Motion:
    """One person's motion over N frames in the caller's world, as it is moved from where it starts."""

    def __init__(self, rotations: torch.Tensor, transl: torch.Tensor, betas: torch.Tensor) -> None:
        """Start at rotations (N, 24, 3, 3), transl (N, 3) m, betas (10,)."""
        self.betas = betas
        self._root, self._transl = rotations[:, 0].clone(), transl.clone()
        self._pose = roma.rotmat_to_rotvec(rotations[:, 1:22]).contiguous()

    def turn(self) -> torch.Tensor:
        """(N, 3) rotation vectors by which the root has been turned from its start."""
        raise NotImplementedError

    def bent(self) -> torch.Tensor:
        """(N, 63) by which the body joints' rotation vectors have been changed."""
        raise NotImplementedError

    def moved(self) -> torch.Tensor:
        """(N, 3) m by which the place has been moved."""
        raise NotImplementedError

    def pose(self) -> torch.Tensor:
        """(N, 21, 3) axis-angle of the body joints."""
        return self._pose + self.bent().unflatten(1, (21, 3))

    def turned(self) -> torch.Tensor:
        """(N, 66) radians by which all joints have been turned from their start."""
        return torch.cat([self.turn(), self.bent()], 1)

    def transl(self) -> torch.Tensor:
        """(N, 3) m."""
        return self._transl + self.moved()

    def rotations(self) -> torch.Tensor:
        """(N, 24, 3, 3) of all joints; the two hand joints follow the wrists."""
        return rotations_of(roma.rotvec_to_rotmat(self.turn()) @ self._root, self.pose())

    def motion(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Rotations (N, 24, 3, 3) and transl (N, 3) as they stand."""
        with torch.no_grad():
            return self.rotations(), self.transl()


class MotionVariables(Motion):
    """A motion in numbers that L-BFGS moves well.

    What is optimised are `free` numbers z with x = x0 + M z: M's inverse square is evidence plus smoothness for a
    motion of that length, so that the energy is about equally steep along every z. Without it L-BFGS creeps:
    neighbouring frames are tied together a thousand times more stiffly than the whole motion is held in its place.
    """

    def __init__(
        self, rotations: torch.Tensor, transl: torch.Tensor, betas: torch.Tensor, triples: torch.Tensor, fps: float,
        sight: int,
    ) -> None:  # fmt: skip
        """As Motion, with betas of its own. triples (N - 2,) as in solver.neighbours; sight: the axis of the world that
        lies nearest to the camera's line of sight."""
        super().__init__(rotations, transl, betas.clone())
        along = [_EVIDENCE_ALONG if axis == sight else _EVIDENCE_ACROSS for axis in range(3)]
        bases = {value: smooth_basis(len(transl), triples, value, _SMOOTH_PLACE * fps**4) for value in set(along)}
        self._place_basis = torch.stack([bases[value] for value in along])
        self._turn_basis = smooth_basis(len(transl), triples, _EVIDENCE_TURN, _SMOOTH_TURN * fps**4)
        self.free = [torch.zeros(len(transl), width).to(transl) for width in (3, 63, 3)]

    def turn(self) -> torch.Tensor:
        """(N, 3) rotation vectors."""
        return self._turn_basis @ self.free[0]

    def bent(self) -> torch.Tensor:
        """(N, 63)."""
        return self._turn_basis @ self.free[1]

    def moved(self) -> torch.Tensor:
        """(N, 3) m."""
        return torch.einsum("dab,bd->ad", self._place_basis, self.free[2])


def rotations_of(root: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
    """(N, 24, 3, 3) of root (N, 3, 3) and axis-angle pose (N, 21, 3); the two hand joints follow the wrists."""
    hands = torch.eye(3).to(root).expand(len(root), 2, 3, 3)
    return torch.cat([root[:, None], roma.rotvec_to_rotmat(pose), hands], 1)


def smooth_basis(count: int, triples: torch.Tensor, evidence: float, smooth: float) -> torch.Tensor:
    """(N, N) M with M^-T M^-1 = evidence I + smooth D'D, D the second differences over `triples` (N - 2,; none where
    somebody is there for a frame or two)."""
    second = torch.zeros(len(triples), count, dtype=torch.float64)
    rows = torch.arange(len(triples))
    for shift, value in enumerate((1.0, -2.0, 1.0)):
        second[rows, rows + shift] = value
    second *= triples.cpu().double()[:, None]
    hessian = evidence * torch.eye(count, dtype=torch.float64) + smooth * second.T @ second
    lower = torch.linalg.cholesky(hessian)
    identity = torch.eye(count, dtype=torch.float64)
    return torch.linalg.solve_triangular(lower.T, identity, upper=True).to(triples)


def change_frame(
    rotations: torch.Tensor, transl: torch.Tensor, pelvis: torch.Tensor, R: torch.Tensor, t: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same motion seen from another frame, x' = R x + t.

    rotations (N, 24, 3, 3), transl (N, 3), pelvis (3,) the root's rest place (SMPL turns the body about it),
    R (N, 3, 3) or (3, 3), t (N, 3) or (3,). Returns rotations and transl there.
    """
    moved = rotations.clone()
    moved[:, 0] = R @ rotations[:, 0]
    place = ((transl + pelvis)[:, None] @ R.transpose(-1, -2))[:, 0] + t
    return moved, place - pelvis


def cross_fade(
    before: tuple[torch.Tensor, torch.Tensor], after: tuple[torch.Tensor, torch.Tensor], ramp: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Between two motions of the same frames: (rotations (N, 24, 3, 3), transl (N, 3)) each, ramp (N,) 0 to 1."""
    turn = roma.rotmat_to_rotvec(before[0].transpose(-1, -2) @ after[0])
    rotations = before[0] @ roma.rotvec_to_rotmat(ramp[:, None, None] * turn)
    return rotations, before[1] + ramp[:, None] * (after[1] - before[1])

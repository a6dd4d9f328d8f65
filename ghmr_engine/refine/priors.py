"""What the best quality level weighs besides: how likely people's steps are, and their poses."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.energy.newton import MotionVector
from ghmr_engine.refine.humor.network import HumorNetwork
from ghmr_engine.refine.humor.state import JOINTS
from ghmr_engine.refine.prior_terms import SHORTEST_S, likelihoods, pose_latents
from ghmr_engine.refine.vposer import VPoser
from ghmr_engine.refine.weights import PRIORS

_PROBES = 3


@dataclass(frozen=True)
class Priors:
    """HuMoR's and VPoser's networks, published or our own."""

    motion: HumorNetwork
    pose: VPoser

    def energy(self, motion: MotionVector, posed: Posed, runs: list[slice], fps: float) -> torch.Tensor:
        """Of one motion; runs: its stretches of neighbouring frames.

        The ground is taken for z = 0: what refine moves it by is a centimetre.
        """
        rotations, transl = motion.rotations(), motion.transl()
        value = PRIORS.pose * pose_latents(self.pose, rotations[:, 1:22]).sum()
        for share, (nats, _) in self._said(rotations, transl, posed.joints, runs, fps):
            value = value + PRIORS.step * share * nats.sum()
        return value

    def curvature(self, motion: MotionVector, body: Body, runs: list[slice], fps: float) -> torch.Tensor:
        """(N, 69): the diagonal of Gauss-Newton's Hessian of the steps' part, J'J of their standardised latents, by
        Hutchinson's estimate (1990): the mean of (J'v)^2 over vectors v of 1 and -1 drawn by chance."""
        with torch.enable_grad():
            numbers = motion.numbers = motion.numbers.detach().requires_grad_(True)
            rotations, transl = motion.rotations(), motion.transl()
            joints = body.forward(rotations, transl, motion.betas.detach()).joints
            off = [share**0.5 * off for share, (_, off) in self._said(rotations, transl, joints, runs, fps)]
            chance, found = torch.Generator().manual_seed(0), torch.zeros_like(numbers)
            for _ in range(_PROBES if off else 0):
                signs = [torch.randint(0, 2, part.shape, generator=chance).to(part) * 2 - 1 for part in off]
                total = sum((part * sign).sum() for part, sign in zip(off, signs, strict=True))
                found += torch.autograd.grad(total, numbers, retain_graph=True)[0].square()
        motion.numbers = numbers.detach()
        return PRIORS.step * found.detach() / _PROBES

    def _said(
        self, rotations: torch.Tensor, transl: torch.Tensor, joints: torch.Tensor, runs: list[slice], fps: float
    ) -> list[tuple[float, tuple[torch.Tensor, torch.Tensor]]]:
        """`likelihoods` of every stretch that is long enough, and how many frames one of its steps stands for."""
        found = []
        for run in runs:
            if (run.stop - run.start - 1) / fps >= SHORTEST_S:
                said = likelihoods(
                    self.motion, transl[run], rotations[run, 0], rotations[run, 1:22], joints[run, :JOINTS], fps
                )
                found.append(((run.stop - run.start - 1) / len(said[0]), said))
        return found

"""Trains the motion prior and the pose prior from start to end, with what the lifting network's training has."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.own_weights import save_weights
from ghmr_engine.refine.humor.network import HumorNetwork
from ghmr_engine.refine.vposer import VPoser
from ghmr_engine.train.corpus import Corpus
from ghmr_engine.train.loop import Losses, Schedule, optimise
from ghmr_engine.train.prior_batches import draw_motions, draw_poses
from ghmr_engine.train.prior_losses import KL_WEIGHT, motion_losses, pose_losses
from ghmr_engine.train.run import card, corpus_of, draw_curves, row_of

_TESTED_EVERY = 10
"""One recording in so many is kept for the tests that choose the best weights; a name's hash says which."""
_TEST_WINDOWS, _TEST_POSES = 96, 1024
_KL_RISES, _OWN_RISES = 0.25, (0.7, 0.8)
"""Shares of all steps: until when the KL's weight rises, and from when to when the network's own frames come in."""
_OWN_SHARE = 0.2
_SCORE = "test_loss"
"""What the best weights have lowest."""
_SHARE = {"corpus": 0.05, "motion": 0.85, "pose": 0.1}
"""Of the time, for the progress bar."""


@dataclass(frozen=True)
class PriorPlan(Schedule):
    """How to train a prior."""

    steps: int = 6000
    rate: float = 1e-3
    rows: int = 64
    """Windows, or poses, of a batch."""
    frames: int = 9
    """Of a window."""
    width: int = 384
    """Of the network's hidden layers."""


MOTION, POSE = PriorPlan(), PriorPlan(rows=256, frames=1, width=256)


def train_priors_from(
    mocap: Path, out: Path, steps: int, device: str, body: Body, report: Callable[[str, float], None]
) -> list[Path]:
    """Train both priors on a folder of motion capture; returns what was written. Raises RecoverError."""
    out.mkdir(parents=True, exist_ok=True)
    corpus = corpus_of(mocap, out / "corpus.npz", body, lambda words, done: report(words, _SHARE["corpus"] * done))
    trained_on, tested_on = split(corpus)
    made, before = [], _SHARE["corpus"]
    for name, plan, train in (("motion", MOTION, train_motion_prior), ("pose", POSE, train_pose_prior)):
        plan = PriorPlan(**{**vars(plan), "steps": steps})

        def part(words: str, done: float, name: str = name, before: float = before) -> None:
            report(f"{name} prior, {words}", before + _SHARE[name] * done)

        folder, weights = out / name, out / f"{name}_prior.safetensors"
        network = train(trained_on, tested_on, plan, body, folder, device, part)
        command = f"ghmr train-priors {mocap.name} --steps {steps}"
        told = card(f"{name} prior", trained_on, command, row_of(folder / "log.csv", _SCORE))
        save_weights(network, {"width": plan.width}, weights, told)
        drawn = draw_curves(folder / "log.csv", out / f"{name}_curves.png")
        made += [weights, folder / "log.csv", *([out / f"{name}_curves.png"] if drawn else [])]
        before += _SHARE[name]
    return made


def split(corpus: Corpus) -> tuple[Corpus, Corpus]:
    """What is trained on, and the recordings that choose the best weights."""

    def tested(name: str) -> bool:
        return zlib.crc32(name.encode()) % _TESTED_EVERY == 0

    apart = corpus.chosen(tested)
    if not apart.names:  # of a few recordings none may be drawn
        return corpus, corpus
    return corpus.chosen(lambda name: not tested(name)), apart


def train_motion_prior(
    trained_on: Corpus, tested_on: Corpus, plan: PriorPlan, body: Body, out: Path, device: str,
    report: Callable[[str, float], None],
) -> HumorNetwork:  # fmt: skip
    """HuMoR's network, trained as the paper says; the best by `test_loss`. Goes on where it was stopped."""
    torch.manual_seed(plan.seed)
    network, here = HumorNetwork(plan.width).to(device), body.to(device)
    tests = draw_motions(tested_on, body, _TEST_WINDOWS, 30, torch.Generator().manual_seed(1)).to(device)

    def lowered(step: int, chance: torch.Generator) -> Losses:
        motions = draw_motions(trained_on, body, plan.rows, plan.frames, chance).to(device)
        kl_weight = KL_WEIGHT * min(1.0, step / (_KL_RISES * plan.steps))
        begins, ends = (share * plan.steps for share in _OWN_RISES)
        own_share = _OWN_SHARE * min(max((step - begins) / (ends - begins), 0.0), 1.0)
        return motion_losses(network, motions, here, kl_weight, own_share)

    def test(averaged: HumorNetwork) -> dict[str, float]:
        with torch.no_grad():
            total, parts = motion_losses(averaged, tests, here, KL_WEIGHT, 0.0)
        mm = 1000 * (3 * parts["joints"]) ** 0.5
        return {"test_loss": float(total), "test_mm": float(mm), "test_kl": float(parts["kl"]),
                "test_contacts": float(parts["contacts"])}  # fmt: skip

    return optimise(network, plan, lowered, test, out, report, score=_SCORE)


def train_pose_prior(
    trained_on: Corpus, tested_on: Corpus, plan: PriorPlan, body: Body, out: Path, device: str,
    report: Callable[[str, float], None],
) -> VPoser:  # fmt: skip
    """VPoser's network, trained as its program does; the best by `test_loss`. Goes on where it was stopped."""
    torch.manual_seed(plan.seed)
    network, here = VPoser(plan.width).to(device), body.to(device)
    tests = draw_poses(tested_on, _TEST_POSES, torch.Generator().manual_seed(1)).to(device)

    def lowered(_step: int, chance: torch.Generator) -> Losses:
        return pose_losses(network.train(), draw_poses(trained_on, plan.rows, chance).to(device), here)

    def test(averaged: VPoser) -> dict[str, float]:
        with torch.no_grad():
            total, parts = pose_losses(averaged.eval(), tests, here)
        return {"test_loss": float(total), "test_degrees": float(parts["turns"].rad2deg()),
                "test_mm": float(1000 * parts["joints"]), "test_kl": float(parts["kl"])}  # fmt: skip

    return optimise(network, plan, lowered, test, out, report, score=_SCORE)

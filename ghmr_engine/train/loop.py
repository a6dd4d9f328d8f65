"""The training loop: resumes where it was stopped, keeps a running average of the weights, logs its curves."""

from __future__ import annotations

import copy
import csv
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ghmr_engine.body.smpl import Body
from ghmr_engine.lift.features import Sights, inputs_of
from ghmr_engine.lift.network import LiftNetwork, Size
from ghmr_engine.train.losses import losses, pose
from ghmr_engine.train.windows import Source, Truth, batch

_SAVE_EVERY, _TEST_EVERY = 200, 200
_AVERAGED = 0.995
_WARM = 200
_STATE = "state.pt"
_Network = TypeVar("_Network", bound=torch.nn.Module)
Losses = tuple[torch.Tensor, dict[str, torch.Tensor]]
"""What a step lowers, and its parts for the curves."""


@dataclass(frozen=True)
class Schedule:
    """How long any network is trained, how fast, and from which chance."""

    steps: int = 6000
    rate: float = 6e-4
    """Learning rate at its highest; it rises for 200 steps and falls along a cosine."""
    seed: int = 0


@dataclass(frozen=True)
class Plan(Schedule):
    """How to train the lifting network."""

    windows: int = 16
    """Of a batch, with made-up cameras and errors."""
    filmed: int = 8
    """Of a batch, from rendered clips with the detector's own errors."""
    begun: str | None = None
    """SHA-256 of the weights that training goes on from."""


def train(
    source: Source, tests: list[tuple[Sights, Truth]], plan: Plan, out: Path, device: str,
    report: Callable[[str, float], None], size: Size = Size(), begun: LiftNetwork | None = None,  # noqa: B008  frozen
) -> LiftNetwork:  # fmt: skip
    """Train for plan.steps and return the averaged network. What is needed to go on lies in `out` (state.pt, log.csv).

    tests: whole clips that are not trained on, for the curves. report is told words and the share that is done.
    begun: a network whose numbers are the first, in place of drawn ones.
    """
    torch.manual_seed(plan.seed)
    network = LiftNetwork(size).to(device)
    if begun is not None:
        network.load_state_dict(begun.state_dict())
    body = source.body.to(device)

    def lowered(_step: int, chance: torch.Generator) -> Losses:
        seen, true = (
            type(part)(*(x.to(device) for x in part)) for part in batch(source, plan.windows, plan.filmed, chance)
        )
        inputs = inputs_of(seen)
        with torch.autocast(device, torch.bfloat16, enabled=_half_is_fast(device)):
            lifted = network(inputs.numbers, inputs.start, inputs.there)
        return losses(lifted, inputs, true, body)

    return optimise(network, plan, lowered, lambda averaged: test(averaged, tests, body, device), out, report)


def optimise(
    network: _Network, schedule: Schedule, lowered: Callable[[int, torch.Generator], Losses],
    test: Callable[[_Network], dict[str, float]], out: Path, report: Callable[[str, float], None],
    score: str | None = None,
) -> _Network:  # fmt: skip
    """Lower what `lowered` says of `network` at each step, by AdamW; returns a running average of its numbers.

    out: the folder of what is needed to go on (state.pt, log.csv). test: of the average, for the curves. score: the
    test's name that is lowest for the best average, which is then returned; none: the last one. A batch is drawn from
    the generator, numbers that the network itself draws from PyTorch's own, which is seeded at each step.
    """
    out.mkdir(parents=True, exist_ok=True)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGED))
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}],
        lr=schedule.rate,
        betas=(0.9, 0.98),
    )
    state = _State(network, average, optimiser, json.dumps(asdict(schedule)), score)
    first = state.resume(out / _STATE)
    log = _Log(out / "log.csv", first)
    for step in range(first, schedule.steps):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * _pace(step, schedule.steps)
        # A generator a step: a run that was stopped goes on with the windows that it would have seen.
        drawn_from = schedule.seed * 1_000_003 + step
        torch.manual_seed(drawn_from)
        total, parts = lowered(step, torch.Generator().manual_seed(drawn_from))
        optimiser.zero_grad()
        total.backward()
        steepness = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if not steepness.isfinite():
            continue  # a batch that is beyond half precision spoils the weights for good
        optimiser.step()
        average.update_parameters(network)
        log.add({"loss": total, **parts})
        done = step + 1
        if done % _TEST_EVERY == 0 or done == schedule.steps:
            tested = test(average.module)
            state.judge(tested)
            log.write(done, tested)
            report(log.words(), done / schedule.steps)
        if done % _SAVE_EVERY == 0 or done == schedule.steps:
            state.save(out / _STATE, done)
    return state.chosen().eval()


@torch.no_grad()
def test(network: LiftNetwork, clips: list[tuple[Sights, Truth]], body: Body, device: str) -> dict[str, float]:
    """Mean distance of joints about the pelvis in mm, of the network and of where it starts; F1 of contacts."""
    network.eval()
    sums = dict.fromkeys(("mm", "start_mm", "frames", "hit", "either"), 0.0)
    for seen, true in clips:
        seen, true = (type(part)(*(x.to(device) for x in part)) for part in (seen, true))
        inputs = inputs_of(seen)
        lifted = network(inputs.numbers, inputs.start, inputs.there)
        root = inputs.turn.transpose(-1, -2) @ true.rotations[:, :, 0]
        wanted = pose(torch.cat([root[:, :, None], true.rotations[:, :, 1:22]], 2), true.betas, body).joints
        got = pose(lifted.rotations, lifted.betas, body).joints
        start = pose(inputs.start, torch.zeros_like(lifted.betas), body).joints
        sums["mm"] += float(1000 * (got - wanted).norm(dim=-1).mean(-1).sum())
        sums["start_mm"] += float(1000 * (start - wanted).norm(dim=-1).mean(-1).sum())
        sums["frames"] += wanted.shape[1]
        rests, truly = lifted.contacts > 0, true.contacts > 0.5
        sums["hit"] += float((rests & truly).sum())
        sums["either"] += float(rests.sum() + truly.sum())
    network.train()
    frames = max(sums["frames"], 1)
    return {
        "test_mm": sums["mm"] / frames, "test_start_mm": sums["start_mm"] / frames,
        "test_contacts_f1": 2 * sums["hit"] / max(sums["either"], 1),
    }  # fmt: skip


def _half_is_fast(device: str) -> bool:
    """Processors without AVX-512 work bfloat16 out bit by bit: 20 times slower than single precision."""
    return device != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def _pace(step: int, steps: int) -> float:
    warm = min((step + 1) / _WARM, 1.0)
    return warm * (0.02 + 0.98 * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * step / steps)).item()))


class _State:
    """All that a stopped training goes on from, and the best average so far."""

    def __init__(
        self, network: torch.nn.Module, average: AveragedModel, optimiser: torch.optim.Optimizer, plan: str,
        score: str | None,
    ) -> None:  # fmt: skip
        self._parts = {"network": network, "average": average, "optimiser": optimiser}
        self._plan, self._score = plan, score
        self._best: dict | None = None
        self._lowest = float("inf")

    def resume(self, path: Path) -> int:
        """The step to go on with."""
        if not path.is_file():
            return 0
        state = torch.load(path, weights_only=True)  # noqa: TID251  our own, and weights_only
        if state["plan"] != self._plan:
            return 0
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self._best, self._lowest = state["best"], state["lowest"]
        return int(state["step"])

    def save(self, path: Path, step: int) -> None:
        """For resume."""
        part = path.with_name(f"{path.name}.part")
        states = {name: each.state_dict() for name, each in self._parts.items()}
        torch.save({"plan": self._plan, "step": step, "best": self._best, "lowest": self._lowest, **states}, part)
        part.replace(path)

    def judge(self, tested: dict[str, float]) -> None:
        """Keep the average where it tests best."""
        if self._score is not None and tested[self._score] < self._lowest:
            self._lowest = tested[self._score]
            self._best = copy.deepcopy(self._parts["average"].module.state_dict())

    def chosen(self) -> torch.nn.Module:
        """The best average, or the last one where none is judged."""
        module = self._parts["average"].module
        if self._best is not None:
            module.load_state_dict(self._best)
        return module


class _Log:
    """Means of the losses since the last line, in a table."""

    def __init__(self, path: Path, first: int) -> None:
        self._path, self._sums, self._count, self._began = path, {}, 0, time.perf_counter()
        self.row: dict[str, float] = {}
        if path.is_file():
            with path.open(newline="") as file:
                kept = [row for row in csv.DictReader(file) if int(float(row["step"])) <= first]
            path.unlink()
            for row in kept:
                self._append(row)

    def add(self, parts: dict[str, torch.Tensor]) -> None:
        """One step's losses."""
        for name, part in parts.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(part.detach())
        self._count += 1

    def write(self, step: int, tested: dict[str, float]) -> None:
        """A line of the table."""
        means = {name: total / self._count for name, total in self._sums.items()}
        seconds = (time.perf_counter() - self._began) / self._count
        self.row = {"step": step, **means, **tested, "seconds_a_step": seconds}
        self._append({name: f"{value:.6g}" for name, value in self.row.items()})
        self._sums, self._count, self._began = {}, 0, time.perf_counter()

    def words(self) -> str:
        """The last line, for people."""
        told = [name for name in self.row if name == "loss" or name.startswith("test_")]
        said = "".join(f", {name.removeprefix('test_').replace('_', ' ')} {self.row[name]:.4g}" for name in told)
        return f"step {self.row['step']}{said}, {self.row['seconds_a_step']:.2f} s a step"

    def _append(self, row: dict[str, str]) -> None:
        new = not self._path.is_file()
        with self._path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)

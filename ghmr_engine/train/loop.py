"""The training loop: resumes where it was stopped, keeps a running average of the weights, logs its curves."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Plan:
    """How to train."""

    steps: int = 6000
    windows: int = 16
    """Of a batch, with made-up cameras and errors."""
    filmed: int = 8
    """Of a batch, from rendered clips with the detector's own errors."""
    rate: float = 6e-4
    """Learning rate at its highest; it rises for 200 steps and falls along a cosine."""
    begun: str | None = None
    """SHA-256 of the weights that training goes on from."""
    seed: int = 0


def train(
    source: Source, tests: list[tuple[Sights, Truth]], plan: Plan, out: Path, device: str,
    report: Callable[[str, float], None], size: Size = Size(), begun: LiftNetwork | None = None,  # noqa: B008  frozen
) -> LiftNetwork:  # fmt: skip
    """Train for plan.steps and return the averaged network. What is needed to go on lies in `out` (state.pt, log.csv).

    tests: whole clips that are not trained on, for the curves. report is told words and the share that is done.
    begun: a network whose numbers are the first, in place of drawn ones.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    network = LiftNetwork(size).to(device)
    if begun is not None:
        network.load_state_dict(begun.state_dict())
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGED))
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}],
        lr=plan.rate,
        betas=(0.9, 0.98),
    )
    body = source.body.to(device)
    first = _resume(out, plan, network, average, optimiser)
    log = _Log(out / "log.csv", first)
    for step in range(first, plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * _pace(step, plan.steps)
        # A generator a step: a run that was stopped goes on with the windows that it would have seen.
        chance = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
        seen, true = (
            type(part)(*(x.to(device) for x in part)) for part in batch(source, plan.windows, plan.filmed, chance)
        )
        inputs = inputs_of(seen)
        with torch.autocast(device, torch.bfloat16, enabled=_half_is_fast(device)):
            lifted = network(inputs.numbers, inputs.start, inputs.there)
        total, parts = losses(lifted, inputs, true, body)
        optimiser.zero_grad()
        total.backward()
        steepness = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if not steepness.isfinite():
            continue  # a batch that is beyond half precision spoils the weights for good
        optimiser.step()
        average.update_parameters(network)
        log.add({"loss": total, **parts})
        done = step + 1
        if done % _TEST_EVERY == 0 or done == plan.steps:
            log.write(done, test(average.module, tests, body, device))
            report(log.words(), done / plan.steps)
        if done % _SAVE_EVERY == 0 or done == plan.steps:
            _save(out, plan, done, network, average, optimiser)
    return average.module.eval()


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


def _resume(
    out: Path, plan: Plan, network: LiftNetwork, average: AveragedModel, optimiser: torch.optim.Optimizer
) -> int:
    """The step to go on with."""
    path = out / _STATE
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)  # noqa: TID251  our own, and weights_only
    if state["plan"] != json.dumps(asdict(plan)):
        return 0
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def _save(
    out: Path, plan: Plan, step: int, network: LiftNetwork, average: AveragedModel, optimiser: torch.optim.Optimizer
) -> None:
    part = out / f"{_STATE}.part"
    torch.save(
        {
            "plan": json.dumps(asdict(plan)), "step": step, "network": network.state_dict(),
            "average": average.state_dict(), "optimiser": optimiser.state_dict(),
        },
        part,
    )  # fmt: skip
    part.replace(out / _STATE)


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
        row = self.row
        return (
            f"step {row['step']}, loss {row['loss']:.3f}, test {row['test_mm']:.1f} mm "
            f"from {row['test_start_mm']:.1f}, contacts {row['test_contacts_f1']:.2f}, "
            f"{row['seconds_a_step']:.2f} s a step"
        )

    def _append(self, row: dict[str, str]) -> None:
        new = not self._path.is_file()
        with self._path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)

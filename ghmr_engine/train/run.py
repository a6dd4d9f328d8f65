"""One training from start to end: what is read once is kept, then the loop, the weights with their card, the curves."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from ghmr_engine import __version__
from ghmr_engine.body.smpl import Body
from ghmr_engine.lift.features import Sights
from ghmr_engine.lift.weights import load_network, save_network
from ghmr_engine.models import sha256_of
from ghmr_engine.train.corpus import Corpus, load_corpus, read_corpus, save_corpus
from ghmr_engine.train.detections import Detection, detect
from ghmr_engine.train.loop import Plan, train
from ghmr_engine.train.noise import load_noise, measure, save_noise, sights_of
from ghmr_engine.train.windows import Source, Truth, true_of

MEASURED = Path(__file__).resolve().parents[2] / "assets" / "training" / "detector_noise.npz"
"""The detector's errors as they were last measured."""
_CREDIT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)
_TESTED_EVERY = 8
"""Of the filmed people one in so many is kept for the curves."""
_SHORTEST = 24


def train_from(
    mocap: Path, filmed: Path | None, out: Path, steps: int, device: str, body: Body,
    report: Callable[[str, float], None], begun: Path | None = None,
) -> list[Path]:  # fmt: skip
    """Train the lifting network on a folder of motion capture; returns what was written. Raises RecoverError.

    filmed: a folder of rendered clips, on which the detector's errors are measured and which are trained on too.
    begun: weights to go on from, at a third of the learning rate.
    """
    out.mkdir(parents=True, exist_ok=True)
    corpus = corpus_of(mocap, out / "corpus.npz", body, lambda words, done: report(words, 0.1 * done))
    pairs, noise = [], None
    if filmed is not None:
        found = detect(filmed, lambda words, done: report(words, 0.1 + 0.1 * done))
        found = [each for each in found if len(each.seen) >= _SHORTEST]
        trained_on = [each for place, each in enumerate(found) if place % _TESTED_EVERY]
        noise = measure(trained_on, body)
        save_noise(noise, out / "detector_noise.npz")
        pairs = [pair(each, body) for each in trained_on]
        tests = [pair(each, body) for place, each in enumerate(found) if place % _TESTED_EVERY == 0]
    else:
        noise, tests = load_noise(MEASURED), []
    plan = Plan(steps=steps) if pairs else Plan(steps=steps, windows=Plan.windows + Plan.filmed, filmed=0)
    first = None
    if begun is not None:
        first, plan = load_network(begun, "cpu"), replace(plan, rate=Plan.rate / 3, begun=sha256_of(begun))
    torch.set_num_threads(torch.get_num_threads() if device != "cpu" else 2)
    network = train(Source(corpus, body, noise, pairs), tests, plan, out, device,
                    lambda words, done: report(words, 0.2 + 0.8 * done), begun=first)  # fmt: skip
    weights = out / "lift.safetensors"
    save_network(network, weights, _card(corpus, mocap, plan, out / "log.csv"))
    drawn = draw_curves(out / "log.csv", out / "curves.png")
    return [weights, out / "log.csv", *([out / "curves.png"] if drawn else [])]


def pair(found: Detection, body: Body) -> tuple[Sights, Truth]:
    """What the engine sees of one detected person, and the truth; a batch of one."""

    def tensor(values: object) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32)[None]

    rest = body.rest_joints(torch.as_tensor(found.betas, dtype=torch.float32)).numpy()[0]
    moved = (tensor(x) for x in (found.rotations, found.transl + rest, found.contacts, found.betas, found.R, found.t))
    return sights_of(found), true_of(*moved)


def draw_curves(log: Path, out: Path) -> bool:
    """A picture of the losses and the tests; False where matplotlib is not installed."""
    try:
        from matplotlib import pyplot
    except ImportError:
        return False
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("step", "seconds_a_step", "test_start_mm")]
    steps = [float(row["step"]) for row in rows]
    figure, axes = pyplot.subplots(-(-len(names) // 4), 4, figsize=(15, 2.6 * -(-len(names) // 4)), squeeze=False)
    for axis, name in zip(axes.flat, names, strict=False):
        axis.plot(steps, [float(row[name]) for row in rows])
        axis.set_title(name.replace("_", " "), fontsize=9)
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    figure.tight_layout()
    figure.savefig(out, dpi=80)
    pyplot.close(figure)
    return True


def corpus_of(mocap: Path, kept: Path, body: Body, report: Callable[[str, float], None]) -> Corpus:
    """What is to be trained on, read once into the file `kept`: it takes minutes."""
    if not kept.is_file():
        save_corpus(read_corpus(mocap, body, report), kept)
    return load_corpus(kept)


def _card(corpus: Corpus, mocap: Path, plan: Plan, log: Path) -> dict[str, str]:
    """What the weights' file says of itself."""
    command = f"ghmr train {mocap.name} --steps {plan.steps}" + (" --filmed FOLDER" if plan.filmed else "")
    return {
        **card("lifting network", corpus, command + (" --begin FILE" if plan.begun else ""), row_of(log)),
        **({"begun_from_sha256": plan.begun} if plan.begun else {}),
    }


def card(name: str, corpus: Corpus, command: str, measures: dict[str, float]) -> dict[str, str]:
    """What any weights' file says of itself."""
    names = "\n".join(sorted(set(corpus.names)))
    return {
        "name": f"Recover Motion {name}", "engine": __version__, "licence": "CC0-1.0", "credit": _CREDIT,
        "data": f"{corpus.minutes:.1f} minutes of motion capture, {len(set(corpus.names))} recordings",
        "recordings_sha256": hashlib.sha256(names.encode()).hexdigest(), "command": command,
        "measures": json.dumps(measures),
    }  # fmt: skip


def row_of(log: Path, score: str | None = None) -> dict[str, float]:
    """The last line of a training's table; score: the one where that is lowest, whose weights optimise returns."""
    with log.open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return rows[-1] if score is None else min(rows, key=lambda row: row[score])

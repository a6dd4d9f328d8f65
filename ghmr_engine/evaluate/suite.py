"""Suites of clips, the motions kept out of training, and making a suite from motion capture with one command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ghmr_engine.body.smpl import Body
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.mocap import read_capture
from ghmr_engine.evaluate.render import render_truth
from ghmr_engine.evaluate.shot import Shot

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
FOLDER, REGRESSION = _ASSETS / "suites", _ASSETS / "regression"
"""The suites' lists, and the regression suite's clips."""
SUITES = ("world", "regression")


@dataclass(frozen=True)
class Clip:
    """One clip of a suite."""

    name: str
    motions: tuple[str, ...]
    """Files under the folder of motion capture, the first person's first."""
    shot: Shot


def read_suite(name: str) -> tuple[Clip, ...]:
    """The clips of a suite of ours. Raises RecoverError no_suite."""
    if name not in SUITES:
        raise RecoverError("no_suite", f"There is no suite '{name}'.", f"Choose from: {', '.join(SUITES)}.")
    told = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return tuple(Clip(clip["name"], tuple(clip["motions"]), Shot(**clip["shot"])) for clip in told["clips"])


def held_out() -> frozenset[str]:
    """Names of captures (Capture.name) that are evaluated on: no training reads them."""
    return frozenset(json.loads((FOLDER / "held_out.json").read_text(encoding="utf-8"))["motions"])


def find_clips(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Clips of a rendered suite: name -> (NAME.mp4, NAME.truth.npz). Raises RecoverError no_suite if there is none."""
    found = {}
    for truth in sorted(folder.glob("*.truth.npz")):
        name = truth.name.removesuffix(".truth.npz")
        clip = truth.with_name(f"{name}.mp4")
        if clip.is_file():
            found[name] = (clip, truth)
    if not found:
        raise RecoverError(
            "no_suite", f"{folder} holds no clip with its truth (NAME.mp4 and NAME.truth.npz).",
            "Make a suite with `ghmr render-suite MOCAP --out FOLDER`.",
        )  # fmt: skip
    return found


def render_suite(
    name: str, mocap: Path, out: Path, body: Body, blender: str | None, report: Callable[[str, float], None]
) -> None:
    """Render every clip of a suite that is not there yet into `out`. Raises RecoverError.

    mocap: the folder that the suite's motions are in. report is told a clip's name and the share of it that is done.
    """
    clips = read_suite(name)
    missing = [motion for clip in clips for motion in clip.motions if not (mocap / motion).is_file()]
    if missing:
        raise RecoverError(
            "no_motion", f"{mocap} has no {missing[0]}.", "Give the folder that holds asfamc, expmap and humanoid."
        )
    for clip in clips:
        if (out / f"{clip.name}.mp4").is_file() and (out / f"{clip.name}.truth.npz").is_file():
            report(clip.name, 1.0)
            continue
        captures = [read_capture(mocap / motion) for motion in clip.motions]

        def part(done: float, clip: str = clip.name) -> None:
            report(clip, done)

        render_truth(captures, clip.shot, out, clip.name, body, blender, part)

"""Motion capture that is trained on, filmed in short clips of every kind, so that the detector's errors can be seen."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ghmr_engine.body.smpl import Body
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.mocap import Capture
from ghmr_engine.evaluate.render import render_truth
from ghmr_engine.evaluate.shot import Shot
from ghmr_engine.train.corpus import captures_in

_SECONDS, _EVERY_S = 2.2, 20.0
"""How long a clip is, and a clip for so many seconds of a recording."""
_MOST = 3
FPS = 30
"""The rate of the networks."""
_CAMERAS, _CAMERA_SHARES = ("static", "pan", "walk", "orbit", "follow"), (0.25, 0.15, 0.2, 0.3, 0.1)
_SIZES = ((640, 360), (360, 640), (480, 360))


def film(mocap: Path, out: Path, body: Body, blender: str | None, report: Callable[[str, float], None]) -> None:
    """Render every recording under `mocap` that is trained on into `out`, what is there already left out.

    Which part is filmed, and how, is drawn from the recording's name. A part in which tracking was lost is left out.
    report is told a clip's name and the share of all that is done. Raises RecoverError.
    """
    captures = sorted(
        captures_in(mocap), key=lambda capture: zlib.crc32(capture.name.encode())
    )  # of all kinds at first
    for place, capture in enumerate(captures):
        length = (len(capture.root) - 1) / float(capture.fps)
        for number in range(min(max(round(length / _EVERY_S), 1), _MOST)):
            name = f"{capture.name}_{number}"
            report(name, place / len(captures))
            if (out / f"{name}.truth.npz").is_file() and (out / f"{name}.mp4").is_file():
                continue
            rng = np.random.default_rng([*name.encode()])
            actors, shot = _drawn(captures, capture, length, rng)
            try:
                render_truth(actors, shot, out, name, body, blender, lambda _done: None)
            except RecoverError as error:
                if error.code not in ("broken_capture", "too_short"):
                    raise


def _drawn(
    captures: list[Capture], capture: Capture, length: float, rng: np.random.Generator
) -> tuple[list[Capture], Shot]:
    start = rng.uniform(0, max(length - _SECONDS, 1e-3))
    width, height = _SIZES[rng.integers(len(_SIZES))]
    shot = Shot(
        camera=str(rng.choice(_CAMERAS, p=_CAMERA_SHARES)), start=start, end=min(start + _SECONDS, length),
        seed=int(rng.integers(1 << 30)), light="low" if rng.random() < 0.15 else "day",
        occluder=str(rng.choice(["none", "pillar", "box"], p=[0.76, 0.12, 0.12])), width=width, height=height,
        fov=float(rng.uniform(45, 80)), fps=FPS,
    )  # fmt: skip
    actors = [capture]
    if rng.random() < 0.1:
        actors.append(captures[rng.integers(len(captures))])
    return actors, shot

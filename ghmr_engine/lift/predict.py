"""The lifting network run over whole tracks: everybody's windows in one batch, put together again without seams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ghmr_engine.lift.features import Inputs, Sights, inputs_of, place_of
from ghmr_engine.lift.network import FPS, LiftNetwork, orthonormal
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, Track

WINDOW, OVERLAP = 96, 32
"""Frames at the network's rate: what it was trained on, and what neighbouring windows share."""
_AT_ONCE = 16
"""Windows of a batch: memory does not grow with the clip."""
_SAME_RATE = 0.02


@dataclass(frozen=True)
class Prediction:
    """What the network says of one track. N frames, as tensors."""

    rotations: torch.Tensor
    """(N, 24, 3, 3) SMPL's; the root's is body to the frame's own camera."""
    pelvis: torch.Tensor
    """(N, 3) m in that camera."""
    betas: torch.Tensor
    """(10,) of the open body."""
    up: torch.Tensor
    """(N, 3) unit, in that camera."""
    velocity: torch.Tensor
    """(N, 3) m/s of the pelvis through the world, along the root's own axes."""
    contacts: torch.Tensor
    """(N, 4) probability."""
    spread: torch.Tensor
    """(N, 24) m: expected error of each joint about the pelvis."""


@dataclass(frozen=True)
class _Run:
    """A stretch of a track without gaps, at the network's rate."""

    track: int
    rows: np.ndarray
    """Of the track."""
    at: np.ndarray
    """Places of those rows among the network's frames."""
    sights: Sights
    """A batch of one."""


@torch.no_grad()
def predict(
    tracks: list[Track], camera: CameraMotion, network: LiftNetwork, fps: float, report: Report
) -> list[Prediction]:
    """Run on every track. Keypoints are in the straightened picture; runs on the network's device.

    Raises what `report` raises.
    """
    device = next(network.parameters()).device
    runs = [run for place, track in enumerate(tracks) for run in _runs(place, track, camera, fps, device)]
    pieces = [(number, span) for number, run in enumerate(runs) for span in _spans(run.sights.rays.shape[1])]
    sums = [_Sum(run.sights.rays.shape[1], device) for run in runs]
    for first in range(0, len(pieces), _AT_ONCE):
        part = pieces[first : first + _AT_ONCE]
        seen = Sights(*map(torch.cat, zip(*(_window(runs[number].sights, span) for number, span in part), strict=True)))
        inputs = inputs_of(seen)
        answers = _answers(network, inputs)
        for place, (number, span) in enumerate(part):
            sums[number].add(span, {name: value[place] for name, value in answers.items()})
        report(min((first + _AT_ONCE) / len(pieces), 1.0))
    means = [total.mean() for total in sums]
    return [_joined(place, track, runs, means) for place, track in enumerate(tracks)]


def _answers(network: LiftNetwork, inputs: Inputs) -> dict[str, torch.Tensor]:
    """Everything in the frames' own cameras, as numbers that may be averaged: rotations as their first two columns."""
    lifted = network(inputs.numbers, inputs.start, inputs.there)
    root = inputs.turn @ lifted.rotations[:, :, 0]
    rotations = torch.cat([root[:, :, None], lifted.rotations[:, :, 1:]], 2)

    def seen(vectors: torch.Tensor) -> torch.Tensor:
        return (inputs.turn @ vectors[..., None])[..., 0]

    return {
        "columns": rotations[..., :2], "pelvis": seen(place_of(lifted, inputs.size)), "up": seen(lifted.up),
        "velocity": lifted.velocity, "contacts": lifted.contacts.sigmoid(), "spread": lifted.spread,
        "betas": lifted.betas[:, None].expand(-1, lifted.up.shape[1], -1),
    }  # fmt: skip


class _Sum:
    """A weighted sum of windows, in which a window counts little near its ends."""

    def __init__(self, count: int, device: torch.device) -> None:
        self._total: dict[str, torch.Tensor] = {}
        self._weight = torch.zeros(count, device=device)

    def add(self, span: slice, answers: dict[str, torch.Tensor]) -> None:
        """One window's answers, of which the first frames count that `span` has."""
        count = span.stop - span.start
        place = torch.arange(count, device=self._weight.device) + 0.5
        weight = torch.minimum(place, count - place).clamp(max=OVERLAP / 2) / (OVERLAP / 2)
        self._weight[span] += weight
        for name, values in answers.items():
            if name not in self._total:
                self._total[name] = torch.zeros(len(self._weight), *values.shape[1:]).to(values)
            self._total[name][span] += values[:count] * weight.reshape(-1, *(1,) * (values.ndim - 1))

    def mean(self) -> dict[str, torch.Tensor]:
        """By frame."""
        return {name: total / self._weight.reshape(-1, *(1,) * (total.ndim - 1)) for name, total in self._total.items()}


def _spans(count: int) -> list[slice]:
    """Windows of the length that was trained on, evenly spread, neighbours sharing OVERLAP frames or more."""
    if count <= WINDOW:
        return [slice(0, count)]
    several = -(-(count - OVERLAP) // (WINDOW - OVERLAP))
    starts = np.linspace(0, count - WINDOW, several).round().astype(int).tolist()
    return [slice(start, start + WINDOW) for start in starts]


def _runs(place: int, track: Track, camera: CameraMotion, fps: float, device: torch.device) -> list[_Run]:
    breaks = np.flatnonzero(np.diff(track.frames) != 1) + 1
    return [_run(place, rows, track, camera, fps, device) for rows in np.split(np.arange(len(track.frames)), breaks)]


def _run(place: int, rows: np.ndarray, track: Track, camera: CameraMotion, fps: float, device: torch.device) -> _Run:
    frames = track.frames[rows]
    K, R = camera.K[frames], camera.R[frames]
    rays = (track.keypoints[rows, :, :2] - K[:, None, :2, 2]) / K[:, None, [0, 1], [0, 1]]
    visible = np.clip(track.keypoints[rows, :, 2], 0, 1) * track.seen[rows, None]
    same = abs(fps - FPS) < _SAME_RATE
    step = 1.0 if same else fps / FPS
    at = np.arange(0, len(rows) - 1 + 1e-6, step)

    def tensor(values: np.ndarray) -> torch.Tensor:
        values = torch.as_tensor(np.asarray(values), dtype=torch.float32, device=device)
        return (values if same else between(values, at))[None]

    columns = tensor(R[..., :2])
    there = torch.ones(1, columns.shape[1], dtype=torch.bool, device=device)
    sights = Sights(
        tensor(rays), tensor(visible), tensor(track.world_landmarks[rows]), orthonormal(columns), there
    )  # fmt: skip
    return _Run(place, rows, np.arange(len(rows)) / step, sights)


def between(values: torch.Tensor, at: np.ndarray) -> torch.Tensor:
    """Values (N, ...) at places between them, linearly; beyond the ends as at the ends."""
    at = np.clip(at, 0, len(values) - 1)
    before = np.minimum(at.astype(int), max(len(values) - 2, 0))
    share = torch.as_tensor(at - before).to(values).reshape(-1, *(1,) * (values.ndim - 1))
    return torch.lerp(values[before], values[np.minimum(before + 1, len(values) - 1)], share)


def _window(seen: Sights, span: slice) -> Sights:
    """A window's frames, filled up to WINDOW with its last one, which then does not count."""
    count = span.stop - span.start
    rows = torch.arange(WINDOW, device=seen.rays.device).clamp(max=count - 1) + span.start
    parts = Sights(*(part[:, rows] for part in seen))
    return parts._replace(there=torch.arange(WINDOW, device=seen.rays.device)[None] < count)


def _joined(place: int, track: Track, runs: list[_Run], means: list[dict[str, torch.Tensor]]) -> Prediction:
    """One track's runs, back at the track's own frames."""
    mine = [(run, mean) for run, mean in zip(runs, means, strict=True) if run.track == place]
    values = {name: torch.cat([between(mean[name], run.at) for run, mean in mine]) for name in mine[0][1]}
    body = orthonormal(values["columns"])
    hands = torch.eye(3).to(body).expand(len(track.frames), 2, 3, 3)
    return Prediction(
        rotations=torch.cat([body, hands], 1), pelvis=values["pelvis"], betas=values["betas"].mean(0),
        up=torch.nn.functional.normalize(values["up"], dim=-1), velocity=values["velocity"],
        contacts=values["contacts"], spread=values["spread"].exp(),
    )  # fmt: skip

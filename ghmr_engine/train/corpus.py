"""Motion capture to train on: every recording of a folder on the open body, at one rate, in one set of tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import roma
import torch
from scipy.ndimage import binary_opening

from ghmr_engine.body.smpl import Body
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.mocap import Capture, read_capture
from ghmr_engine.evaluate.retarget import foot_points, retarget
from ghmr_engine.evaluate.suite import held_out

FPS = 60
"""Twice the networks' rate, so that played at another speed a motion is still interpolated between near frames."""
_ENDINGS = (".amc", ".bvh", ".npz", ".txt")
_SHORTEST_S = 1.0
_FASTEST_SPIN = 20.0
"""Radians a second of the root, beyond which tracking was lost: just under what retargeting refuses."""
_MARGIN_S = 0.3
_HIGH_MPS, _HIGH_M, _HIGH_S = 0.15, 0.15, 0.15
"""Slower, higher and longer than this a foot rests on something: retargeting knows of the ground alone."""
_TIPPING = {f"walking_{number}" for number in (22, 23, 24, 25, 26, 48, 49, 50)} | {"directing_traffic_1"}
"""CMU's exponential maps of people who turn tip over near one heading, for a while or for good."""
_LONGEST_S = 30.0
"""Longer recordings are cut: a floor that drifts is found anew in each piece."""


@dataclass(frozen=True)
class Corpus:
    """All motions one after another; the world is z up, metres, ground at 0. M frames, P pieces."""

    rotations: torch.Tensor
    """(M, 24, 3, 3) of SMPL's joints; the root's is body to world."""
    pelvis: torch.Tensor
    """(M, 3) m, the pelvis joint, of a body of mean shape."""
    contacts: torch.Tensor
    """(M, 4) 0 or 1: left heel, left toe, right heel, right toe."""
    starts: torch.Tensor
    """(P,) first frame of each piece."""
    ends: torch.Tensor
    """(P,) the frame after its last."""
    names: tuple[str, ...]
    """(P,) captures' names."""

    @property
    def minutes(self) -> float:
        """Of motion, each frame counted once."""
        return int((self.ends - self.starts).sum()) / FPS / 60

    def chosen(self, which: Callable[[str], bool]) -> Corpus:
        """The pieces of the captures whose names are wanted."""
        kept = torch.tensor([which(name) for name in self.names], dtype=torch.bool)
        names = tuple(name for name in self.names if which(name))
        return replace(self, starts=self.starts[kept], ends=self.ends[kept], names=names)


def read_corpus(folder: Path, body: Body, report: Callable[[str, float], None], kept: bool = False) -> Corpus:
    """Every recording under `folder` that is not kept for evaluation, whatever its form; kept: those that are, alone.

    report is told a file's name and the share that is done. A recording without a second of steady motion is left out.
    Raises RecoverError no_mocap where nothing is left.
    """
    captures, pieces = captures_in(folder, kept), []
    for place, capture in enumerate(captures):
        report(capture.name, place / len(captures))
        pieces += [(capture.name, piece) for piece in _pieces(capture, body)]
    if not pieces:
        raise _nothing(folder)
    lengths = np.array([len(piece[0]) for _, piece in pieces])
    ends = np.cumsum(lengths)
    rotations, pelvis, contacts = (np.concatenate([piece[k] for _, piece in pieces]) for k in range(3))
    return Corpus(
        torch.as_tensor(rotations, dtype=torch.float32), torch.as_tensor(pelvis, dtype=torch.float32),
        torch.as_tensor(contacts, dtype=torch.float32), torch.as_tensor(ends - lengths), torch.as_tensor(ends),
        tuple(name for name, _ in pieces),
    )  # fmt: skip


def captures_in(folder: Path, kept: bool = False) -> list[Capture]:
    """Every recording under `folder` that may be trained on: none that is kept for evaluation or known to be broken,
    each once. kept: those kept for evaluation instead. Raises RecoverError no_mocap where there is none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    apart, found = held_out(), {}
    for path in paths:
        capture = _read(path)
        if capture is not None and capture.name not in _TIPPING and (capture.name in apart) == kept:
            found.setdefault(_fingerprint(capture), capture)
    if not found:
        raise _nothing(folder)
    return list(found.values())


def _nothing(folder: Path) -> RecoverError:
    fix = "Give a folder of .amc, .bvh, .npz or .txt."
    return RecoverError("no_mocap", f"{folder} holds no motion capture to train on.", fix)


def save_corpus(corpus: Corpus, path: Path) -> None:
    """As an npz that load_corpus reads: reading a folder anew takes minutes."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        np.savez(
            file, rotations=corpus.rotations.numpy(), pelvis=corpus.pelvis.numpy(), contacts=corpus.contacts.numpy(),
            starts=corpus.starts.numpy(), ends=corpus.ends.numpy(), names=np.array(corpus.names),
        )  # fmt: skip
    part.replace(path)


def load_corpus(path: Path) -> Corpus:
    """What save_corpus wrote."""
    with np.load(path, allow_pickle=False) as file:
        tensors = [
            torch.as_tensor(file[key]) for key in ("rotations", "pelvis", "contacts", "starts", "ends")
        ]  # fmt: skip
        return Corpus(*tensors, tuple(file["names"].tolist()))


def _read(path: Path) -> Capture | None:
    """The capture, None for a file that is no motion (a skeleton, a table of contents)."""
    try:
        return read_capture(path)
    except RecoverError:
        return None


def _fingerprint(capture: Capture) -> bytes:
    """The same for a recording that lies there twice."""
    return np.round(capture.root[:: max(len(capture.root) // 50, 1)], 2).tobytes()


def _pieces(capture: Capture, body: Body) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rotations, pelvis and contacts of each steady part."""
    rest = body.rest_joints(torch.zeros(10)).numpy()[0]
    found = []
    for start, end in _steady_parts(capture):
        try:
            motion = retarget(capture, body, np.zeros(10), Fraction(FPS), start, end)
        except RecoverError:
            continue
        contacts = motion.contacts | resting_high(foot_points(motion, body))
        found.append((motion.rotations, motion.transl + rest, contacts))
    return found


def resting_high(feet: np.ndarray) -> np.ndarray:
    """(T, 4) bool: foot points (T, 4, 3) m that rest on something above the ground: a step, a ladder, a bar."""
    if len(feet) < 3:
        return np.zeros(feet.shape[:2], bool)
    speed = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * FPS
    rests = (speed < _HIGH_MPS) & (feet[..., 2] > _HIGH_M)
    return binary_opening(rests, np.ones((round(_HIGH_S * FPS), 1)))


def _steady_parts(capture: Capture) -> list[tuple[float, float]]:
    """Seconds from-to in which the root never turns over within a frame."""
    root, fps = torch.as_tensor(capture.rotations[:, 0]), float(capture.fps)
    spin = roma.rotmat_to_rotvec(root[:-1].transpose(-1, -2) @ root[1:]).norm(dim=-1).numpy() * fps
    wild = np.flatnonzero(spin > _FASTEST_SPIN) / fps
    edges = [0.0, *wild, (len(root) - 1) / fps]
    parts = []
    for place, (a, b) in enumerate(pairwise(edges)):
        a, b = a + _MARGIN_S * (place > 0), b - _MARGIN_S * (place < len(wild))
        count = max(int(np.ceil((b - a) / _LONGEST_S)), 1)
        cuts = np.linspace(a, b, count + 1)
        parts += [(x, y) for x, y in pairwise(cuts) if y - x >= _SHORTEST_S]
    return parts

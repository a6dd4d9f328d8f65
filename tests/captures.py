"""Made-up motion capture on the body's own rest skeleton, and the real captures beside the project."""

from __future__ import annotations

import tarfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS
from ghmr_engine.body.smpl import Body
from ghmr_engine.evaluate.mocap import Capture

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "mocap" / "cmu_mocap.tar.xz"
J = {name: place for place, name in enumerate(JOINT_NAMES)}
SIDES = ("left", "right")


def rest_joints(body: Body) -> np.ndarray:
    """(24, 3) m of the mean shape."""
    return body.rest_joints(torch.zeros(10)).double().numpy()


def about(axis: str, degrees: np.ndarray) -> np.ndarray:
    """(T, 3, 3); one axis or several, degrees (T,) or (T, axes)."""
    return Rotation.from_euler(axis, np.reshape(degrees, (-1, len(axis))), degrees=True).as_matrix()


def angle_deg(turns: np.ndarray) -> np.ndarray:
    """How far rotations (..., 3, 3) turn."""
    return np.degrees(Rotation.from_matrix(turns.reshape(-1, 3, 3)).magnitude()).reshape(turns.shape[:-2])


def figure(
    body: Body, turns: dict[str, np.ndarray] | None = None, root: np.ndarray | None = None, frames: int = 60,
    fps: Fraction = Fraction(30), legs: float = 1.0, hanging: bool = False, without: tuple[str, ...] = (),
    rename=str,
) -> Capture:  # fmt: skip
    """A capture on the body's rest skeleton. turns: joint -> (T or 1, 3, 3) local; root: (T or 1, 3) the pelvis's place;
    legs: thighs and shins are so many times as long; hanging: at rest the arms hang; without: joints left out."""
    rest = rest_joints(body)
    offsets = rest - rest[[max(parent, 0) for parent in PARENTS]]
    for side in SIDES:
        for part in ("knee", "ankle"):
            offsets[J[f"{side}_{part}"]] *= legs
        for part in ("elbow", "wrist", "hand") if hanging else ():
            offsets[J[f"{side}_{part}"]] = [0, -np.linalg.norm(offsets[J[f"{side}_{part}"]]), 0]
    rotations = np.tile(np.eye(3), (frames, 24, 1, 1))
    for name, turn in (turns or {}).items():
        rotations[:, J[name]] = turn
    kept, parents = [name for name in JOINT_NAMES if name not in without], []
    for name in kept:
        above = PARENTS[J[name]]
        while above >= 0 and JOINT_NAMES[above] in without:
            offsets[J[name]] += offsets[above]
            above = PARENTS[above]
        parents.append(kept.index(JOINT_NAMES[above]) if above >= 0 else -1)
    which = [J[name] for name in kept]
    places = np.broadcast_to([0, 1.0, 0] if root is None else root, (frames, 3)).astype(float)
    names = tuple(rename(name) for name in kept)
    return Capture(
        "made", fps, names, tuple(parents), offsets[which], rotations[:, which], places,
        dict(zip(kept, names, strict=True)),
    )  # fmt: skip


def walker(body: Body, frames: int = 60, speed: float = 1.2) -> Capture:
    """Somebody who swings legs and arms and moves on straight ahead, along +z."""
    time = np.arange(frames) / 30
    swing = 25 * np.sin(2 * np.pi * time)
    bend = 25 + 25 * np.cos(2 * np.pi * time)
    turns = {
        "left_hip": about("x", swing), "right_hip": about("x", -swing), "left_knee": about("x", bend),
        "right_knee": about("x", 50 - bend), "left_shoulder": about("zx", np.column_stack([-70 + 0 * swing, swing])),
        "right_shoulder": about("zx", np.column_stack([70 + 0 * swing, -swing])),
    }  # fmt: skip
    return figure(body, turns, np.outer(time, [0, 0, speed]) + [0, 1, 0], frames)


def stepper(body: Body, frames: int = 75) -> Capture:
    """Stands, lifts the left foot 20 cm straight up and puts it down where it was (from 0.8 to 1.8 s), and stands."""
    raised = 40 * np.sin(np.pi * np.clip(np.arange(frames) / 30 - 0.8, 0, 1)) ** 2
    return figure(body, {
        "left_hip": about("x", -raised), "left_knee": about("x", 2 * raised), "left_ankle": about("x", -raised),
        "left_shoulder": about("z", -70), "right_shoulder": about("z", 70),
    }, frames=frames)  # fmt: skip


def extract(folder: Path, wanted: set[str]) -> None:
    """Real captures out of the archive; skips where it is not here."""
    if not ARCHIVE.is_file():
        pytest.skip("the real motion capture is not here (../shared/mocap)")
    with tarfile.open(ARCHIVE) as tar:
        for member in tar:
            if member.name.removeprefix("./") in wanted:
                tar.extract(member, folder, filter="data")

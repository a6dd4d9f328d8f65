"""Made-up motion capture on the body's own rest skeleton, the real captures, and what renderings are held against."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tarfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS
from ghmr_engine.body.smpl import Body
from ghmr_engine.evaluate.blender import SCRIPT
from ghmr_engine.evaluate.cameras import Filmed
from ghmr_engine.evaluate.mocap import Capture
from ghmr_engine.evaluate.retarget import mesh, retarget
from ghmr_engine.evaluate.scenery import Scenery
from ghmr_engine.evaluate.shot import Shot
from ghmr_engine.evaluate.staging import Staged, camera_matrix, moved

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
    """A capture on the body's rest skeleton. turns: joint -> (T or 1, 3, 3) local; root: (T or 1, 3) the pelvis's
    place; legs: thighs and shins are so many times as long; hanging: arms hang at rest; without: joints left out."""
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
    """Somebody who swings legs and arms and moves on straight ahead, along +z from (1.5, 2)."""
    time = np.arange(frames) / 30
    swing = 25 * np.sin(2 * np.pi * time)
    bend = 25 + 25 * np.cos(2 * np.pi * time)
    turns = {
        "left_hip": about("x", swing), "right_hip": about("x", -swing), "left_knee": about("x", bend),
        "right_knee": about("x", 50 - bend), "left_shoulder": about("zx", np.column_stack([-70 + 0 * swing, swing])),
        "right_shoulder": about("zx", np.column_stack([70 + 0 * swing, -swing])),
    }  # fmt: skip
    return figure(body, turns, np.column_stack([0 * time + 1.5, 0 * time + 1, 2 + speed * time]), frames)


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
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Pythons before 3.11.4 know no filter
    with tarfile.open(ARCHIVE) as tar:
        for member in tar:
            if member.name.removeprefix("./") in wanted:
                tar.extract(member, folder, **safely)


def stood(body, *places, boxes=(), shot=None, frames=4):
    """People who stand at places (x, y), filmed along +y by a still, level camera 5 m off, 1.2 m high."""
    shot = shot or Shot(width=640, height=480)
    hanging = {"left_shoulder": about("z", -75), "right_shoulder": about("z", 75)}
    one = retarget(figure(body, hanging, frames=frames), body, np.zeros(10), Fraction(30), 0, (frames - 1) / 30)
    people = tuple(moved(one, np.eye(3), np.array([x, y, 0.0]), body) for x, y in places)
    R = np.tile([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], (frames, 1, 1))
    camera = Filmed(R, -R @ np.array([0, -5.0, 1.2]))
    return Staged(shot, people, camera, camera_matrix(shot), Scenery((), tuple(boxes)), np.eye(4))


PAINTER = """
import json, sys, time
from pathlib import Path
import cv2, numpy as np
folder, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
width, height = json.loads((folder / "scene.json").read_text())["size"]
for frame in range(first, last + 1):
    out = folder / "frames" / f"{frame:05d}.bmp"
    if out.exists():
        continue
    with (folder.parent / "painted").open("a") as log:
        log.write(f"{frame}\\n")
    if FAILS and (folder.parent / "painted").read_text().count("\\n") > 3:
        print("Error: no more paint", flush=True)
        sys.exit(1)
    cv2.imwrite(str(out), np.full((height, width, 3), 100, np.uint8))
    print("frame", frame, flush=True)
"""


def painter(folder: Path, fails: bool = False) -> list[str]:
    """A command that paints grey frames, and with `fails` gives up after three."""
    script = folder / f"painter_{fails}.py"
    script.write_text(PAINTER.replace("FAILS", str(fails)))
    return [sys.executable, str(script)]


def painted(folder: Path) -> list[int]:
    return sorted(map(int, (folder / "painted").read_text().split()))


def commands() -> list[list[str]]:
    """How to run in_blender.py in each Blender that is here; the variables are test_blender_scene.py's."""

    def listed(variable):
        return [item for item in os.environ.get(variable, "").split(os.pathsep) if item]

    start = ["--background", "--factory-startup", "--python-exit-code", "1", "--python", str(SCRIPT), "--"]
    pythons = [[python, "-I", str(SCRIPT)] for python in listed("RECOVER_MOTION_BPY_PYTHONS")]
    return pythons + [[*shlex.split(program), *start] for program in listed("RECOVER_MOTION_BLENDERS")]


def named(command: list[str]) -> str:
    """For the test's name: the word with the version in it, where there is one."""
    return next((word for word in command if re.search(r"\d\.\d", word)), "blender")


_FINER = 8
"""OpenCV's fill is generous by half a pixel: it is done on a finer grid."""


def silhouettes(staged: Staged, body: Body) -> np.ndarray:
    """(T, H, W) bool: where the first person's mesh is in the picture, filled face by face."""
    shot, faces = staged.shot, body.faces.numpy()
    cam = mesh(staged.people[0], body) @ np.swapaxes(staged.camera.R, 1, 2) + staged.camera.t[:, None]
    pixels = (cam @ staged.K.T)[..., :2] / cam[..., 2:]
    shown = []
    for points in (pixels + 0.5) * _FINER - 0.5:
        picture = np.zeros((shot.height * _FINER, shot.width * _FINER), np.uint8)
        for face in np.round(points[faces] * 16).astype(np.int32):
            cv2.fillConvexPoly(picture, face, 255, cv2.LINE_8, 4)
        shown.append(cv2.resize(picture, (shot.width, shot.height), interpolation=cv2.INTER_AREA) > 127)
    return np.stack(shown)


def recolour(folder: Path) -> None:
    """The person all magenta, all else grey."""
    for path in folder.glob("*.png"):
        picture = cv2.imread(str(path))
        grey = picture.mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1)
        magenta = np.broadcast_to(np.array([255, 0, 255], np.uint8), picture.shape)
        cv2.imwrite(str(path), magenta if path.name.startswith("person") else grey)


def is_magenta(pictures: np.ndarray) -> np.ndarray:
    """(T, H, W) bool of BGR pictures, in light and shade."""
    bright = np.minimum(pictures[..., 0], pictures[..., 2])
    return (pictures[..., 1] < 0.5 * bright) & (bright > 6)


def middle(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(0)


def decoded(clip: Path) -> np.ndarray:
    """(T, H, W, 3) uint8 BGR."""
    with av.open(str(clip)) as container:
        return np.stack([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)])

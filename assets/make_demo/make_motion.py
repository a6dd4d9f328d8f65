"""First step of the demo clip, run in the engine's environment: the walk, the camera, the textures, the truth.

    python assets/make_demo/make_motion.py BODY.npz WORK_FOLDER

Writes WORK_FOLDER/full.motion.npz (with the body's mesh), stage.npz (for render_frames.py) and textures/.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roma
import sway
import torch
from clothes import face_regions, face_uv, middle_of_eyes, paint_skin
from footwork import FootShape, lay_flat
from gait import Walk, walk
from textures import write_textures

from ghmr_engine import __version__
from ghmr_engine.body.smpl import Body, load_body
from ghmr_engine.motion_file import Motion, Person, write_motion
from ghmr_engine.options import Options

FRAMES, RATE = 150, 30
BETAS = (-0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Only the component that grows with height: its sign is settled by the body's construction."""


@dataclass(frozen=True)
class Truth:
    """The walk and the camera in the clip's world, and the stage's place in it."""

    walk: Walk
    R: np.ndarray
    """(T, 3, 3) world to camera."""
    t: np.ndarray
    """(T, 3) m."""
    stage: np.ndarray
    """(4, 4) from the stage's own coordinates to the world."""


def make(body_path: Path, work: Path) -> None:
    """Write everything that rendering needs into `work`."""
    (work / "textures").mkdir(parents=True, exist_ok=True)
    body = load_body(body_path, "cpu")
    betas = torch.tensor(BETAS)
    truth = stage_truth(body, betas)
    motion = motion_of(truth, body, betas)
    write_motion(work / "full.motion.npz", motion)
    regions = face_regions(motion.colors, motion.faces)
    rest = motion.people["1"].vertices
    landmarks = rest_landmarks(body, betas)
    uv = face_uv(rest, motion.faces, regions, middle_of_eyes(landmarks))
    np.savez(work / "stage.npz", matrix=truth.stage, uv=uv, region=regions)
    write_textures(work / "textures")
    paint_skin(work / "textures" / "skin.png", landmarks)


def stage_truth(body: Body, betas: torch.Tensor) -> Truth:
    """The walk as planned on the stage, turned into the world: first pelvis above the origin, first camera along +y."""
    times = np.arange(FRAMES) / RATE
    joints = body.rest_joints(betas).numpy().astype(float)
    places = sway.camera_places(times)
    steps = walk(times, joints, foot_shapes(body, betas), places)
    R, t = sway.follow(times, places, steps.pelvis)
    ahead = R[0, 2]
    turn = np.pi / 2 - np.arctan2(ahead[1], ahead[0])
    spin = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    shift = -spin @ (steps.pelvis[0] * [1, 1, 0])
    rotations = steps.rotations.copy()
    rotations[:, 0] = spin @ rotations[:, 0]
    moved = Walk(rotations, steps.pelvis @ spin.T + shift, steps.contacts)
    stage = np.eye(4)
    stage[:3, :3], stage[:3, 3] = spin, shift
    # x_cam = R x_stage + t and x_stage = spin^T (x_world - shift).
    turned = R @ spin.T
    return Truth(moved, turned, t - turned @ shift, stage)


def foot_shapes(body: Body, betas: torch.Tensor) -> tuple[FootShape, FootShape]:
    """The left and the right foot of the rest body, for planting them."""
    vertices, joints = body.rest_vertices(betas).numpy().astype(float), body.rest_joints(betas).numpy().astype(float)
    shapes = []
    for ankle, ball in ((7, 10), (8, 11)):
        heel = vertices[heel_vertices(body, ankle, ball)].mean(axis=0)
        skin = vertices[body.weights[:, [ankle, ball]].sum(1).numpy() > 0.97] - joints[ankle]
        shapes.append(lay_flat(skin, joints[ball] - joints[ankle], heel - joints[ankle]))
    return shapes[0], shapes[1]


def rest_landmarks(body: Body, betas: torch.Tensor) -> np.ndarray:
    """(33, 3) m: BlazePose's landmarks of the rest body."""
    posed = body.forward(torch.eye(3).expand(1, 24, 3, 3), torch.zeros(1, 3), betas)
    return posed.landmarks[0].numpy().astype(float)


def heel_vertices(body: Body, ankle: int, ball: int) -> np.ndarray:
    """(6,) vertices around which a foot rolls when its heel strikes: low and far back."""
    foot = np.flatnonzero(body.weights[:, [ankle, ball]].sum(1).numpy() > 0.9)
    _, y, z = body.v_template[foot].numpy().T
    return foot[np.argsort(y + 0.6 * z)[:6]]


def motion_of(truth: Truth, body: Body, betas: torch.Tensor) -> Motion:
    """The truth as a motion file, mesh included."""
    rotations = torch.tensor(truth.walk.rotations)
    joints = body.rest_joints(betas).numpy()
    transl = truth.walk.pelvis - joints[0]
    posed = body.forward(rotations.float(), torch.tensor(transl).float(), betas)
    keypoints = project(posed.landmarks.numpy(), truth.R, truth.t)
    count = len(transl)
    person = Person(
        np.arange(count), roma.rotmat_to_rotvec(rotations).numpy(), transl, np.array(BETAS),
        truth.walk.contacts.astype(np.float32), np.ones((count, 24)), keypoints, np.zeros(count),
        body.rest_vertices(betas).numpy(), body.weights.numpy(), joints,
    )  # fmt: skip
    meta = {
        "engine": __version__, "fps": [RATE, 1], "frames": count, "image_size": list(sway.SIZE),
        "options": Options().as_dict(), "licence": "open", "models": [], "seconds": {}, "warnings": [], "quality": {},
        "camera": {"focal_source": "truth", "motion_source": "truth"},
        "video": {"name": "demo.mp4", "path": "demo.mp4", "bytes": 0, "sha256": "", "start": 0, "rotation": 0,
                  "constant_rate": True, "interlaced": False, "background": None},
    }  # fmt: skip
    return Motion(
        meta, truth.R, truth.t, np.tile(sway.intrinsics(), (count, 1, 1)), np.ones(count), {"1": person},
        body.faces.numpy().astype(np.int32), body.parents.numpy(), body.colors.numpy().astype(np.uint8),
    )  # fmt: skip


def project(points: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """World (T, J, 3) m -> (T, J, 3): px and visibility, 1 inside the picture and 0 outside."""
    cam = points @ np.swapaxes(R, 1, 2) + t[:, None]
    pixels = (cam @ sway.intrinsics().T)[..., :2] / cam[..., 2:]
    inside = ((pixels >= 0) & (pixels < np.array(sway.SIZE))).all(axis=-1)
    return np.concatenate([pixels, inside[..., None]], axis=-1)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))

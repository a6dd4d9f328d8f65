"""The demo clip: a computed walk past a hand-held camera, in a painted yard, rendered by Blender.

    python assets/make_demo/make_demo.py OPEN_BODY.npz ASSETS_FOLDER

Run in the engine's environment from the repository's root. Writes demo.mp4 and demo.truth.npz; a rendering that was
stopped goes on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import sway
import torch
from footwork import FootShape, lay_flat
from gait import walk
from tqdm import tqdm
from yard import yard

from ghmr_engine.body.smpl import Body, load_body
from ghmr_engine.evaluate.blender import blender_command
from ghmr_engine.evaluate.cameras import Filmed
from ghmr_engine.evaluate.render import film_stage
from ghmr_engine.evaluate.retarget import BodyMotion
from ghmr_engine.evaluate.shot import Shot
from ghmr_engine.evaluate.staging import Staged

FRAMES, RATE = 150, 30
BETAS = (-0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Only the component that grows with height: its sign is settled by the body's construction."""
SHOT = Shot(camera="walk", seed=7, engine="eevee", width=sway.SIZE[0], height=sway.SIZE[1], fps=RATE)


def make(body_path: Path, assets: Path) -> None:
    """Render and write the clip and its truth."""
    body = load_body(body_path, "cpu")
    staged = stage_demo(body, torch.tensor(BETAS))
    with tqdm(total=1.0, bar_format="{percentage:3.0f}% |{bar}| {elapsed}<{remaining}") as bar:
        film_stage(staged, body, assets, "demo", blender_command(None), lambda done: bar.update(done - bar.n))


def stage_demo(body: Body, betas: torch.Tensor) -> Staged:
    """The walk as planned on the stage, turned into the world: first pelvis above the origin, first camera along +y."""
    times = np.arange(FRAMES) / RATE
    joints = body.rest_joints(betas).numpy().astype(float)
    places = sway.camera_places(times)
    steps = walk(times, joints, foot_shapes(body, betas), places)
    R, t = sway.follow(times, places, steps.pelvis)
    ahead = R[0, 2]
    turn = np.pi / 2 - np.arctan2(ahead[1], ahead[0])
    to_world = np.eye(4)
    to_world[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    to_world[:3, 3] = -to_world[:3, :3] @ (steps.pelvis[0] * [1, 1, 0])
    spin, shift = to_world[:3, :3], to_world[:3, 3]
    rotations = steps.rotations.copy()
    rotations[:, 0] = spin @ rotations[:, 0]
    walker = BodyMotion(rotations, steps.pelvis @ spin.T + shift - joints[0], np.array(BETAS), steps.contacts)
    # x_cam = R x_stage + t and x_stage = spin^T (x_world - shift).
    camera = Filmed(R @ spin.T, t - R @ spin.T @ shift)
    return Staged(SHOT, (walker,), camera, sway.intrinsics(), yard(to_world), to_world)


def foot_shapes(body: Body, betas: torch.Tensor) -> tuple[FootShape, FootShape]:
    """The left and the right foot of the rest body, for planting them."""
    vertices, joints = body.rest_vertices(betas).numpy().astype(float), body.rest_joints(betas).numpy().astype(float)
    shapes = []
    for ankle, ball in ((7, 10), (8, 11)):
        heel = vertices[heel_vertices(body, ankle, ball)].mean(axis=0)
        skin = vertices[body.weights[:, [ankle, ball]].sum(1).numpy() > 0.97] - joints[ankle]
        shapes.append(lay_flat(skin, joints[ball] - joints[ankle], heel - joints[ankle]))
    return shapes[0], shapes[1]


def heel_vertices(body: Body, ankle: int, ball: int) -> np.ndarray:
    """(6,) vertices around which a foot rolls when its heel strikes: low and far back."""
    foot = np.flatnonzero(body.weights[:, [ankle, ball]].sum(1).numpy() > 0.9)
    _, y, z = body.v_template[foot].numpy().T
    return foot[np.argsort(y + 0.6 * z)[:6]]


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))

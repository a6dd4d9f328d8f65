"""Motion capture becomes a clip and its truth: retargeted, staged, rendered by Blender, encoded."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.evaluate import dress, textures
from ghmr_engine.evaluate.blender import blender_command, processors, render_frames
from ghmr_engine.evaluate.encode import encode
from ghmr_engine.evaluate.mocap import Capture
from ghmr_engine.evaluate.retarget import BodyMotion, mesh
from ghmr_engine.evaluate.shot import Shot
from ghmr_engine.evaluate.staging import Staged, between, camera_between, stage
from ghmr_engine.evaluate.truth import truth_of
from ghmr_engine.motion_file import write_motion

SUBFRAMES, SHUTTER = 4, 0.5
"""Motion blur: so many pictures over this share of a frame's time."""
_SAMPLES = {"workbench": 5, "eevee": 1, "cycles": 12}
_OVERSIZE = {"workbench": 1.0, "eevee": 1.5, "cycles": 1.0}
_ROUGHNESS = {"skin": 0.55, "hair": 0.6, "shoes": 0.5}
_LOOKS, _SUN = 10, 11
_OPENCV_TO_BLENDER = np.diag([1.0, -1.0, -1.0])
_CHUNK = 32


def render_truth(
    captures: list[Capture], shot: Shot, out: Path, name: str, body: Body, blender: str | None,
    report: Callable[[float], None],
) -> tuple[Path, Path]:  # fmt: skip
    """Write out/NAME.mp4 and out/NAME.truth.npz; returns both.

    Frames lie in out/NAME.work until the clip is whole, so that what was interrupted goes on. Raises RecoverError, and
    whatever `report` (told a share from 0 to 1) raises.
    """
    command = blender_command(blender)
    staged = stage(captures, shot, body)
    return film_stage(staged, body, out, name, command, report)


def film_stage(
    staged: Staged, body: Body, out: Path, name: str, command: list[str], report: Callable[[float], None]
) -> tuple[Path, Path]:
    """Render, encode and write what is staged; as render_truth."""
    work, clip, truth = out / f"{name}.work", out / f"{name}.mp4", out / f"{name}.truth.npz"
    out.mkdir(parents=True, exist_ok=True)
    count = write_scene(staged, body, work)
    parts = 1 if staged.shot.engine == "cycles" else processors()
    render_frames(work, count, command, parts, lambda done: report(0.97 * done))
    frames = [work / "frames" / f"{k:05d}.bmp" for k in range(count)]
    encode(frames, clip, staged.shot, subframes(staged.shot))
    write_motion(truth, truth_of(staged, body, clip))
    shutil.rmtree(work)
    report(1.0)
    return clip, truth


def subframes(shot: Shot) -> int:
    """Pictures that make one frame."""
    return SUBFRAMES if shot.blur else 1


def write_scene(staged: Staged, body: Body, work: Path) -> int:
    """Everything that in_blender.py reads; returns the number of pictures. What another scene left there is removed."""
    shot = staged.shot
    each = subframes(shot)
    offsets = (np.arange(each) - (each - 1) / 2) / each * SHUTTER
    at = (np.arange(len(staged.camera.R))[:, None] + offsets).ravel()
    described = json.dumps({**_described(staged), "of": _digest(staged)}, indent=1)
    key = work / "scene.json"
    if work.exists() and (not key.is_file() or key.read_text(encoding="utf-8") != described):
        shutil.rmtree(work)
    (work / "textures").mkdir(parents=True, exist_ok=True)
    textures.write_pictures(work / "textures", textures.stage_pictures(np.random.default_rng([shot.seed, _LOOKS])))
    for place, motion in enumerate(staged.people, 1):
        _write_person(f"person_{place}", motion, at, body, shot.seed, work)
    camera = camera_between(staged.camera, at)
    matrices = np.tile(np.eye(4), (len(at), 1, 1))
    matrices[:, :3, :3] = np.swapaxes(camera.R, 1, 2) @ _OPENCV_TO_BLENDER
    matrices[:, :3, 3] = camera.centres
    np.save(work / "cameras.npy", matrices)
    key.write_text(described, encoding="utf-8")
    return len(at)


def _digest(staged: Staged) -> str:
    """SHA-256 of everything that moves and of what was chosen: frames of another clip are not taken for this one's."""
    digest = hashlib.sha256(repr(staged.shot).encode())
    moving = [staged.camera.R, staged.camera.t]
    for motion in staged.people:
        moving += [motion.rotations, motion.transl, motion.betas]
    for array in moving:
        digest.update(np.ascontiguousarray(array, np.float64).tobytes())
    return digest.hexdigest()


def _described(staged: Staged) -> dict:
    shot = staged.shot
    stage_looks = ["ground", "wall_1", "wall_2", "crate_1", "crate_2", "door", "poster_1", "poster_2", "poster_3"]
    looks = {name: {"roughness": 0.85, "extend": False} for name in stage_looks}
    people = [f"person_{place}" for place in range(1, len(staged.people) + 1)]
    for name in people:
        for region in dress.REGIONS:
            rough = _ROUGHNESS.get(region, 0.9)
            looks[f"{name}_{region}"] = {"roughness": rough, "extend": region == "skin"}
    return {
        "engine": shot.engine, "samples": _SAMPLES[shot.engine], "denoise": True, "oversize": _OVERSIZE[shot.engine],
        "size": [shot.width, shot.height], "lens": {"focal_widths": staged.K[0, 0] / shot.width},
        "light": _light(staged), "looks": looks, "people": people,
        "sheets": [
            {"look": s.look, "matrix": s.matrix.tolist(), "size": s.size, "tile": s.tile} for s in staged.scenery.sheets
        ],
        "boxes": [{"look": b.look, "matrix": b.matrix.tolist(), "size": b.size} for b in staged.scenery.boxes],
    }  # fmt: skip


def _light(staged: Staged) -> dict:
    """A sun more or less behind the first camera (which looks along +y), and the sky."""
    rng = np.random.default_rng([staged.shot.seed, _SUN])
    day = {"sun": 2.9, "sun_color": [1.0, 0.95, 0.87], "sky": 0.75, "sky_color": [0.62, 0.74, 0.92]}
    low = {"sun": 0.5, "sun_color": [1.0, 0.8, 0.6], "sky": 0.35, "sky_color": [0.30, 0.30, 0.42]}
    chosen = day if staged.shot.light == "day" else low
    return {**chosen, "azimuth": float(rng.uniform(-1.2, 1.2)), "from_zenith": float(rng.uniform(0.6, 0.95))}


def _write_person(name: str, motion: BodyMotion, at: np.ndarray, body: Body, seed: int, work: Path) -> None:
    """The body's mesh for every picture, its clothes and its face."""
    betas = torch.as_tensor(motion.betas, dtype=torch.float32)
    shape = (len(at), len(body.v_template), 3)
    stored = np.lib.format.open_memmap(work / f"{name}.npy", "w+", np.float32, shape)
    for first in range(0, len(at), _CHUNK):
        stored[first : first + _CHUNK] = mesh(between(motion, at[first : first + _CHUNK]), body)
    stored.flush()
    posed = body.forward(torch.eye(3).expand(1, 24, 3, 3), torch.zeros(1, 3), betas)
    landmarks = posed.landmarks[0].numpy().astype(float)
    rest, faces = body.rest_vertices(betas).numpy(), body.faces.numpy()
    if body.colors is None:
        raise ValueError("a body without regions cannot be dressed")
    region = dress.face_regions(body.colors.numpy(), faces)
    uv = dress.face_uv(rest, faces, region, dress.middle_of_eyes(landmarks))
    np.savez(work / f"{name}.dress.npz", rest=rest, faces=faces, uv=uv, region=region, regions=list(dress.REGIONS))
    rng = np.random.default_rng([seed, _LOOKS, int(name[-1])])
    tone = dress.SKINS[rng.integers(len(dress.SKINS))]
    pictures = {**textures.clothes_pictures(rng), "skin": dress.skin_picture(landmarks, tone)}
    textures.write_pictures(work / "textures", {f"{name}_{region}": picture for region, picture in pictures.items()})

"""DROID-SLAM (Teed and Deng 2021) and DPVO (Teed, Lipson and Deng 2023), where the user installed them: their public
interfaces, as their own demonstration programs use them (docs/camera.md says how to install them)."""

from __future__ import annotations

import importlib
import math
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from ghmr_engine.camera.given import GivenCamera, from_first
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.places import models_dir
from ghmr_engine.progress import Report
from ghmr_engine.types import People
from ghmr_engine.video import Video

_AREA = 384 * 512  # pixels, which both were trained near
_STEP = 16  # sides are multiples of it
_GROWN = 0.03  # of the longer side: people's masks are rough
_DROID = {
    "buffer": 512, "stereo": False, "disable_vis": True, "upsample": False, "beta": 0.3, "filter_thresh": 2.4,
    "warmup": 8, "keyframe_thresh": 4.0, "frontend_thresh": 16.0, "frontend_window": 25, "frontend_radius": 2,
    "frontend_nms": 1, "backend_thresh": 22.0, "backend_radius": 2, "backend_nms": 3,
}  # fmt: skip
"""Its demonstration program's defaults; its class needs all of them."""
_DPVO_LAST_UPDATES = 12  # as in its demonstration program


def run_slam(system: str, video: Video, people: People, focal_px: float, report: Report) -> GivenCamera:
    """The camera of every frame, in a unit of its own, by 'droid' or 'dpvo'. People are painted over.

    Raises RecoverError: no_slam where it is not installed, slam_failed; and what report and video.frames raise.
    """
    names = {"droid": ("DROID-SLAM", "droid", "droid.pth"), "dpvo": ("DPVO", "dpvo.dpvo", "dpvo.pth")}
    name, module, weights = names[system]
    file = models_dir() / weights
    fix = "Install it as docs/camera.md says, or choose another camera."
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise RecoverError("no_slam", f"{name} is not installed in the engine's environment ({error}).", fix) from error
    if not file.is_file():
        raise RecoverError("no_slam", f"{name}'s weights are missing: there is no {file}.", fix)
    run = {"droid": _run_droid, "dpvo": _run_dpvo}[system]
    try:
        poses = run(found, file, video, people, focal_px, report)
    except (Cancelled, RecoverError):
        raise
    except Exception as error:
        raise RecoverError("slam_failed", f"{name} failed: {error}.", "Choose another camera for this clip.") from error
    if poses.shape != (video.info.frames, 7) or not np.isfinite(poses).all():
        raise RecoverError("slam_failed", f"{name} lost the camera.", "Choose another camera for this clip.")
    turns = Rotation.from_quat(poses[:, 3:]).as_matrix()
    return from_first(turns, poses[:, :3].astype(float), np.ones(len(poses), bool))


def _run_droid(module: Any, weights: Path, video: Video, people: People, focal_px: float, report: Report) -> np.ndarray:
    """(T, 7) camera to world: x y z, quaternion x y z w. Two passes: it fills in what lies between its key frames."""
    slam = None
    with torch.no_grad():
        for t, picture, lens in _pictures(video, people, focal_px, lambda done: report(0.5 * done)):
            if slam is None:
                size = list(picture.shape[-2:])
                slam = module.Droid(Namespace(weights=str(weights), image_size=size, **_DROID))
            slam.track(t, picture[None], intrinsics=lens)
        again = _pictures(video, people, focal_px, lambda done: report(0.5 + 0.5 * done))
        return np.asarray(slam.terminate((t, picture[None], lens) for t, picture, lens in again))


def _run_dpvo(module: Any, weights: Path, video: Video, people: People, focal_px: float, report: Report) -> np.ndarray:
    """The same; its poses' places in time are the frames."""
    config = importlib.import_module("dpvo.config").cfg
    device = "cuda" if torch.cuda.is_available() else "cpu"
    slam = None
    with torch.no_grad():
        for t, picture, lens in _pictures(video, people, focal_px, report):
            if slam is None:
                slam = module.DPVO(config, str(weights), ht=picture.shape[-2], wd=picture.shape[-1], viz=False)
            slam(t, picture.to(device), lens.to(device))
        for _ in range(_DPVO_LAST_UPDATES):
            slam.update()
        poses, _ = slam.terminate()
    return np.asarray(poses)


def _pictures(
    video: Video, people: People, focal_px: float, report: Report
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """Frame, picture (3, h, w) uint8 in blue, green, red, and its lens (4,): focal lengths and centre, px."""
    info = video.info
    scale = math.sqrt(_AREA / (info.width * info.height))
    size = round(info.width * scale), round(info.height * scale)
    kept = [side - side % _STEP for side in size]
    scales = size[0] / info.width, size[1] / info.height
    centre = [scales[place] * side / 2 - 0.5 for place, side in enumerate((info.width, info.height))]
    lens = torch.tensor([focal_px * scales[0], focal_px * scales[1], *centre])
    for index, picture in enumerate(video.frames()):
        small = _without_people(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), people.mask(index))
        bgr = np.ascontiguousarray(small[: kept[1], : kept[0], ::-1])
        yield index, torch.as_tensor(bgr).permute(2, 0, 1), lens
        report((index + 1) / info.frames)


def _without_people(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) in which the mask's pixels go on smoothly from what surrounds them: neither system takes
    masks, and both look for edges."""
    height, width = picture.shape[:2]
    there = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    if not there.any():
        return picture
    grown = cv2.dilate(there, np.ones((round(_GROWN * max(width, height)),) * 2, np.uint8))
    free = (1 - grown).astype(np.float32)
    filled = picture.astype(np.float32)
    blur = 0.1 * max(width, height)
    around = cv2.GaussianBlur(filled * free[..., None], (0, 0), blur) / np.maximum(
        cv2.GaussianBlur(free, (0, 0), blur), 1e-3
    )[..., None]  # fmt: skip
    edge = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), 2.0)[..., None]
    return (edge * around + (1 - edge) * filled).clip(0, 255).astype(np.uint8)

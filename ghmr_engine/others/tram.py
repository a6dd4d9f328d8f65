"""TRAM's results/CLIP: `camera.npy` and `hps/hps_track_K.npy` (scripts/estimate_camera.py, estimate_humans.py).

People are in the camera; the camera is given to a world with y up. Both files hold a pickled dict.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ghmr_engine.errors import RecoverError
from ghmr_engine.others.axes import Y_UP, checked
from ghmr_engine.others.content import read_content
from ghmr_engine.others.record import Other, OtherPerson, Placing, numbers, refused, rising

LICENCE = "research only (SMPL and TRAM's training data; code MIT)"
_PERSON = {"pred_rotmat", "pred_shape", "pred_trans", "frame"}
_CAMERA = {"world_cam_R", "world_cam_T", "img_focal", "img_center"}


def is_tram(content: object) -> bool:
    """Whether a file's content looks like one of them."""
    return isinstance(content, dict) and (set(content) >= _PERSON or set(content) >= _CAMERA)


def folder_of(path: Path) -> Path:
    """results/CLIP, given that folder, hps/ in it, or one of the files."""
    folder = path if path.is_dir() else path.parent
    return folder.parent if folder.name == "hps" else folder


def read_tram(path: Path) -> Other:
    """Everybody in the folder, and the camera. Raises RecoverError where one of the two is missing."""
    folder = folder_of(path)
    tracks = sorted(folder.glob("hps/hps_track_*.npy"), key=lambda file: (len(file.name), file.name))
    if not tracks or not (folder / "camera.npy").is_file():
        what = "camera.npy" if tracks else "hps/hps_track_0.npy"
        raise RecoverError(
            "no_file", f"TRAM's folder {folder.name} has no {what}.", "Keep camera.npy and hps/ together as TRAM does."
        )
    camera = read_content(folder / "camera.npy")
    if not is_tram(camera) or not set(camera) >= _CAMERA:
        raise refused("camera.npy", "is not TRAM's camera")
    turns = checked(numbers(camera["world_cam_R"], "camera.npy", "world_cam_R", (None, 3, 3)), "camera.npy", "R")
    places = numbers(camera["world_cam_T"], "camera.npy", "world_cam_T", (len(turns), 3))
    centre = numbers(camera["img_center"], "camera.npy", "img_center", (2,))
    R = np.swapaxes(turns, -1, -2)
    return Other(
        "TRAM", LICENCE, tuple(_person(track, len(turns)) for track in tracks), Y_UP,
        R=R, t=-np.einsum("nij,nj->ni", R, places),
        focal=float(numbers(camera["img_focal"], "camera.npy", "img_focal", ())),
        image_size=(round(2 * centre[0]), round(2 * centre[1])),
    )  # fmt: skip


def _person(path: Path, count: int) -> OtherPerson:
    content, name = read_content(path), path.name
    if not isinstance(content, dict) or not set(content) >= _PERSON:
        raise refused(name, "is not one of TRAM's people")
    frames = rising(content["frame"], name, "frame")
    if frames[-1] >= count:
        raise refused(name, "has frames that camera.npy lacks")
    turns = checked(numbers(content["pred_rotmat"], name, "pred_rotmat", (len(frames), 24, 3, 3)), name, "pred_rotmat")
    betas = numbers(content["pred_shape"], name, "pred_shape", (len(frames), 10))
    seen = Placing(turns[:, 0], numbers(content["pred_trans"], name, "pred_trans", (len(frames), 3)))
    return OtherPerson(frames, turns[:, 1:], betas.mean(0), None, seen)

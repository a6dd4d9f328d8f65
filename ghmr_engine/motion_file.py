"""The motion file (.motion.npz, version 1): the one thing that passes from the engine to Blender.

NumPy and the standard library only, read with allow_pickle=False: the add-on carries this very file.
docs/motion_file.md lists every key.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .motion_check import NoMotion, check_meta, check_motion
from .part_files import written_whole
from .plain_files import read_arrays

FORMAT = "recover-motion"
VERSION = 1


class MotionFileError(Exception):
    """The file cannot be read or written; the message is one line that says what to do."""


@dataclass(frozen=True)
class Person:
    """One person of a motion file. N: frames of this person, V and F: vertices and faces of the rest body."""

    frames: np.ndarray  # (N,) int, places in 0..T-1
    poses: np.ndarray  # (N, 24, 3) axis-angle, SMPL's joints; the root's is in the world
    transl: np.ndarray  # (N, 3) m, SMPL's translation in the world
    betas: np.ndarray  # (10,)
    contacts: np.ndarray  # (N, 4) probability: left heel, left toe, right heel, right toe
    confidence: np.ndarray  # (N, 24) 0 to 1
    keypoints: np.ndarray  # (N, 33, 3) px, visibility
    reprojection: np.ndarray  # (N,) px
    vertices: np.ndarray  # (V, 3) m, rest pose, SMPL's axes: y up, facing +z
    weights: np.ndarray  # (V, 24)
    joints: np.ndarray  # (24, 3) m, rest pose, SMPL's axes


@dataclass(frozen=True)
class Motion:
    """A whole motion file. T: frames of the clip. The world is z up, metres, ground at z = 0."""

    meta: dict
    R: np.ndarray  # (T, 3, 3) world to camera (OpenCV)
    t: np.ndarray  # (T, 3) m
    K: np.ndarray  # (T, 3, 3) px
    camera_confidence: np.ndarray  # (T,)
    people: dict[str, Person]
    faces: np.ndarray  # (F, 3) int
    parents: np.ndarray  # (24,) int, -1 for the root
    colors: np.ndarray  # (V,) uint8 region a vertex: 0 skin, 1 hair, 2 shirt, 3 trousers, 4 shoes; or empty
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(2))  # (2,) k1, k2 of the division model


_PERSON_KEYS = ("frames", "poses", "transl", "betas", "contacts", "confidence", "keypoints", "reprojection")
_BODY_KEYS = ("vertices", "weights", "joints")


def write_motion(path: Path, motion: Motion) -> None:
    """Write whole or not at all: under another name first, then renamed. Raises MotionFileError."""
    arrays: dict[str, np.ndarray] = {
        "camera/R": motion.R, "camera/t": motion.t, "camera/K": motion.K,
        "camera/confidence": motion.camera_confidence, "camera/distortion": motion.distortion,
        "body/faces": motion.faces, "body/parents": motion.parents, "body/colors": motion.colors,
    }  # fmt: skip
    for name, person in motion.people.items():
        arrays |= {f"people/{name}/{key}": getattr(person, key) for key in _PERSON_KEYS}
        arrays |= {f"body/{name}/{key}": getattr(person, key) for key in _BODY_KEYS}
    arrays = {key: _compact(np.asarray(value)) for key, value in arrays.items()}
    meta = {**motion.meta, "format": FORMAT, "version": VERSION, "people": list(motion.people)}
    try:
        with written_whole(path) as part, part.open("wb") as file:
            np.savez_compressed(file, meta=np.array(json.dumps(meta)), **arrays)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise MotionFileError(
            f"Cannot write {path}: {error.strerror}. Choose a folder that can be written and has free space."
        ) from error


def read_motion(path: Path) -> Motion:
    """Read and check a motion file. Raises MotionFileError for a missing, damaged or newer one."""
    damaged = MotionFileError(f"{path} is damaged or not a motion file. Recover the clip again.")
    try:
        arrays = read_arrays(path)
        meta = json.loads(str(arrays.pop("meta")))
    except FileNotFoundError:
        raise MotionFileError(f"There is no file {path}. Check the name.") from None
    except OSError as error:
        raise MotionFileError(f"Cannot read {path}: {error}. Check the file, or recover the clip again.") from error
    except MemoryError as error:
        raise MotionFileError(f"{path} does not fit into memory. Close other programs.") from error
    except (ValueError, KeyError, RecursionError) as error:
        raise damaged from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise MotionFileError(f"{path} is not a motion file. Choose a .motion.npz that Recover Motion wrote.")
    if meta.get("version") != VERSION:
        raise MotionFileError(
            f"{path} has version {meta.get('version')}, this program reads {VERSION}. "
            "Update the add-on, or recover the clip again."
        )
    try:
        check_meta(meta)
        motion = _from_arrays(meta, arrays)
        check_motion(motion)
    except KeyError as error:
        raise MotionFileError(f"{path} is damaged: {error} is missing. Recover the clip again.") from error
    except NoMotion as error:
        raise MotionFileError(f"{path} is damaged: {error}. Recover the clip again.") from error
    return motion


def _from_arrays(meta: dict, arrays: dict[str, np.ndarray]) -> Motion:
    """A Motion; KeyError names what is missing."""
    people = {
        name: Person(
            **{key: arrays[f"people/{name}/{key}"] for key in _PERSON_KEYS},
            **{key: arrays[f"body/{name}/{key}"] for key in _BODY_KEYS},
        )
        for name in meta["people"]
    }
    return Motion(
        meta, arrays["camera/R"], arrays["camera/t"], arrays["camera/K"], arrays["camera/confidence"],
        people, arrays["body/faces"], arrays["body/parents"], arrays["body/colors"],
        arrays.get("camera/distortion", np.zeros(2)),
    )  # fmt: skip


def _compact(array: np.ndarray) -> np.ndarray:
    """float64 is more than a file needs: 1e-7 of a metre is enough."""
    return array.astype(np.float32) if array.dtype == np.float64 else array

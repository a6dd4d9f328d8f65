"""A motion file's people for other programs, without Blender: each into a file of AMASS's."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ghmr_engine.amass import write_amass
from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import Motion, Person, read_motion
from ghmr_engine.output import SUFFIX

Format = Literal["amass"]
FORMATS = get_args(Format)


def export_file(file: Path, form: str, out: Path) -> list[Path]:
    """Write everybody of a motion file into the folder `out`, NAME_person_N.npz; the files written.

    Raises RecoverError, MotionFileError.
    """
    if form not in FORMATS:
        raise RecoverError("bad_format", f"There is no format '{form}'.", f"Choose one of: {', '.join(FORMATS)}.")
    motion = read_motion(file)
    people = {name: person for name, person in motion.people.items() if len(person.frames)}
    if not people:
        raise RecoverError("nobody", f"There is nobody in {file}.", "Recover another clip.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        return [_export_person(motion, name, person, out, file.name.removesuffix(SUFFIX))
                for name, person in people.items()]  # fmt: skip
    except OSError as error:
        reason = error.strerror or error
        raise RecoverError(
            "cannot_write", f"Cannot write into {out} ({reason}).", "Choose a folder that can be written."
        ) from error


def _export_person(motion: Motion, name: str, person: Person, out: Path, stem: str) -> Path:
    given = motion.meta.get("names", {}).get(name)
    who = re.sub(r"[^\w-]+", "_", given) if given else f"person_{name}"
    path = out / f"{stem}_{who}.npz"
    poses, trans = every_frame(person)
    write_amass(path, poses, trans, person.betas, float(Fraction(*motion.meta["fps"])), joints=person.joints)
    return path


def every_frame(person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Poses (F, 24, 3) and translation (F, 3) in every frame from the first to the last sighting: AMASS has no gaps.

    Between two sightings a joint turns at a constant speed, the short way round, and the body goes straight.
    """
    frames = np.arange(person.frames[0], person.frames[-1] + 1)
    before = np.searchsorted(person.frames, frames, side="right") - 1
    after = np.minimum(before + 1, len(person.frames) - 1)
    span = np.maximum(person.frames[after] - person.frames[before], 1)
    share = ((frames - person.frames[before]) / span)[:, None]
    poses, trans = (np.asarray(values, dtype=np.float64) for values in (person.poses, person.transl))
    out = poses[before]
    for row in np.flatnonzero(share[:, 0]):
        out[row] = _between(poses[before[row]], poses[after[row]], float(share[row, 0]))
    return out, trans[before] * (1 - share) + trans[after] * share


def _between(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """Axis-angle (J, 3) at a share of the way from a to b (Shoemake 1985)."""
    one, other = _quaternions(a), _quaternions(b)
    cosine = (one * other).sum(-1, keepdims=True)
    other, angle = np.where(cosine < 0, -other, other), np.arccos(np.clip(np.abs(cosine), 0, 1))
    sine = np.sin(angle)
    near = sine < 1e-9
    weights = [
        np.where(near, part, np.sin(part * angle) / np.where(near, 1, sine)) for part in (1 - share, share)
    ]  # fmt: skip
    mixed = weights[0] * one + weights[1] * other
    mixed = np.where(mixed[:, :1] < 0, -mixed, mixed)
    length = np.linalg.norm(mixed[:, 1:], axis=-1, keepdims=True)
    turn = 2 * np.arctan2(length, mixed[:, :1])
    return mixed[:, 1:] * turn / np.maximum(length, 1e-12)


def _quaternions(turns: np.ndarray) -> np.ndarray:
    """Axis-angle (J, 3) -> (J, 4) w x y z."""
    angle = np.linalg.norm(turns, axis=-1, keepdims=True)
    return np.concatenate([np.cos(angle / 2), np.sin(angle / 2) * turns / np.maximum(angle, 1e-12)], -1)

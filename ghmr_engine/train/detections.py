"""What the detector finds in rendered clips, frame for frame beside what is true: its errors are measured on this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.suite import find_clips
from ghmr_engine.motion_file import Motion, Person, read_motion
from ghmr_engine.options import Options
from ghmr_engine.people import find_people
from ghmr_engine.posed import rotation_matrices
from ghmr_engine.types import Track
from ghmr_engine.video import open_video

_SAME = 0.3
"""Body sizes between found and true landmarks of one person, in the middle of all frames."""


@dataclass(frozen=True)
class Detection:
    """One true person of a clip as the detector found them. N frames, which follow each other."""

    keypoints: np.ndarray
    """(N, 33, 3) px, visibility."""
    landmarks: np.ndarray
    """(N, 33, 3) m: BlazePose's own 3D."""
    seen: np.ndarray
    """(N,) bool."""
    rotations: np.ndarray
    """(N, 24, 3, 3) true."""
    transl: np.ndarray
    """(N, 3) m true."""
    betas: np.ndarray
    """(10,) true."""
    contacts: np.ndarray
    """(N, 4) true."""
    shown: np.ndarray
    """(N, 33) bool: nothing stands before the true landmark, and it is in the picture."""
    R: np.ndarray
    """(N, 3, 3) true camera, world to camera."""
    t: np.ndarray
    """(N, 3)."""
    K: np.ndarray
    """(N, 3, 3)."""


def detect(folder: Path, report: Callable[[str, float], None]) -> list[Detection]:
    """Everybody found in every rendered clip of a folder; what was found is kept beside a clip, NAME.found.npz.

    report is told a clip's name and the share of clips that are done. Raises RecoverError no_suite without clips.
    """
    found, clips = [], find_clips(folder)
    for place, (name, (clip, truth)) in enumerate(clips.items()):
        report(name, place / len(clips))
        kept = clip.with_name(f"{name}.found.npz")
        if not kept.is_file() or kept.stat().st_mtime < clip.stat().st_mtime:
            _save(kept, _in_clip(clip, read_motion(truth)))
        found += _load(kept)
    return found


def _in_clip(clip: Path, truth: Motion) -> list[Detection]:
    options = Options(people="all")

    def silent(_done: float) -> None:
        return None

    try:
        tracks = find_people(open_video(clip, options, silent), options, silent).tracks
    except RecoverError as error:
        if error.code != "nobody":
            raise
        return []  # nothing of them can be measured or trained on
    pairs = [_nearest(track, truth) for track in tracks]
    return [
        _paired(track, truth.people[name], truth)
        for track, name in zip(tracks, pairs, strict=True) if name is not None
    ]  # fmt: skip


def _nearest(track: Track, truth: Motion) -> str | None:
    """Name of the true person whose landmarks these are, None where they are nobody's."""
    away = {}
    for name, person in truth.people.items():
        true = np.asarray(person.keypoints, float)[np.searchsorted(person.frames, track.frames)]
        size = np.ptp(true[..., :2], axis=1).max(1)
        away[name] = np.median(np.linalg.norm(track.keypoints[..., :2] - true[..., :2], axis=-1).mean(1) / size)
    best = min(away, key=away.get)
    return best if away[best] < _SAME else None


def _paired(track: Track, person: Person, truth: Motion) -> Detection:
    run = np.split(np.arange(len(track.frames)), np.flatnonzero(np.diff(track.frames) != 1) + 1)
    rows = max(run, key=len)
    frames = track.frames[rows]
    at = np.searchsorted(person.frames, frames)
    return Detection(
        keypoints=track.keypoints[rows], landmarks=track.world_landmarks[rows], seen=track.seen[rows],
        rotations=rotation_matrices(np.asarray(person.poses[at], float)), transl=np.asarray(person.transl[at], float),
        betas=np.asarray(person.betas, float), contacts=np.asarray(person.contacts[at], float),
        shown=np.asarray(person.keypoints)[at, :, 2] > 0.5,
        R=np.asarray(truth.R, float)[frames], t=np.asarray(truth.t, float)[frames],
        K=np.asarray(truth.K, float)[frames],
    )  # fmt: skip


def _save(path: Path, found: list[Detection]) -> None:
    arrays = {
        f"{place}/{field.name}": getattr(each, field.name)
        for place, each in enumerate(found) for field in fields(Detection)
    }  # fmt: skip
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        np.savez_compressed(file, count=len(found), **arrays)
    part.replace(path)


def _load(path: Path) -> list[Detection]:
    with np.load(path, allow_pickle=False) as file:
        return [
            Detection(**{field.name: file[f"{place}/{field.name}"] for field in fields(Detection)})
            for place in range(int(file["count"]))
        ]

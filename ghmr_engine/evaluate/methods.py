"""The methods that the benchmark sets side by side: each runs in a process of its own, for its own time and memory.

python -m ghmr_engine.evaluate.methods METHOD CLIP TRUTH OUT
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

from ghmr_engine.evaluate.tracks import PersonTrack, Tracks, tracks_of
from ghmr_engine.motion_file import read_motion

QUALITIES = ("fast", "balanced", "best")
METHODS = (*QUALITIES, "per-frame", "floor")
"""Our quality levels; what common add-ons do (baseline.py); our stages on true keypoints and camera (floor.py)."""


def run(method: str, clip: Path, truth: Path, out: Path) -> None:
    """Write the method's result for a clip: a motion file, or tracks. Only the floor looks at the truth."""
    if method in QUALITIES:
        from ghmr_engine.options import Options
        from ghmr_engine.pipeline import recover

        recover(clip, out, Options(quality=method), _say_nothing)
    elif method == "per-frame":
        save_tracks(out, _per_frame(clip))
    else:
        save_tracks(out, _floor(clip, truth))


def read_result(method: str, out: Path) -> Tracks:
    """What `run` wrote."""
    if method not in QUALITIES:
        return load_tracks(out)
    from ghmr_engine import places
    from ghmr_engine.body.smpl import load_body

    return tracks_of(read_motion(out), load_body(places.body_path(), "cpu"))


def save_tracks(path: Path, tracks: Tracks) -> None:
    """As an npz that load_tracks reads."""
    arrays: dict[str, np.ndarray] = {"R": tracks.R, "t": tracks.t, "K": tracks.K}
    arrays |= {"image_size": np.array(tracks.image_size), "fps": np.array(tracks.fps)}
    arrays["names"] = np.array([person.name for person in tracks.people])
    for person in tracks.people:
        for key in ("frames", "joints", "feet", "contacts", "in_view"):
            if getattr(person, key) is not None:
                arrays[f"{person.name}/{key}"] = getattr(person, key)
    with path.open("wb") as file:
        np.savez(file, **arrays)


def load_tracks(path: Path) -> Tracks:
    """What save_tracks wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    people = tuple(
        PersonTrack(name, *(arrays.get(f"{name}/{key}") for key in ("frames", "joints", "feet", "contacts", "in_view")))
        for name in arrays["names"].tolist()
    )
    size = (int(arrays["image_size"][0]), int(arrays["image_size"][1]))
    return Tracks(people, arrays["R"], arrays["t"], arrays["K"], size, float(arrays["fps"]))


def _per_frame(clip: Path) -> Tracks:
    from ghmr_engine import people, video
    from ghmr_engine.evaluate.baseline import baseline
    from ghmr_engine.options import Options

    options = Options()
    opened = video.open_video(clip, options, _say_nothing)
    return baseline(people.find_people(opened, options, _say_nothing), opened.info)


def _floor(clip: Path, truth_path: Path) -> Tracks:
    import torch

    from ghmr_engine import lift, places, video, world
    from ghmr_engine.body.smpl import load_body
    from ghmr_engine.device import choose_device
    from ghmr_engine.evaluate.floor import true_camera, true_people
    from ghmr_engine.options import Options

    options, truth = Options(), read_motion(truth_path)
    body = load_body(places.body_path(), choose_device(options.device))
    info = video.open_video(clip, options, _say_nothing).info
    camera = true_camera(truth)
    lifted = lift.lift_people(true_people(truth, body), camera, body, info, options, None, _say_nothing)
    scene = world.place_in_world(lifted, camera, body, info, options, _say_nothing)
    tracks = []
    for person in scene.people:
        posed = body.forward(*(torch.as_tensor(x).to(body.v_template) for x in
                               (person.rotations, person.transl, person.betas)))  # fmt: skip
        joints, feet = (points.cpu().numpy().astype(float) for points in (posed.joints, posed.contacts))
        seen = np.ones(len(person.frames), bool)
        tracks.append(PersonTrack(str(person.person), person.frames, joints, feet, person.contacts, seen))
    size, fps = (info.width, info.height), float(Fraction(info.fps))
    return Tracks(tuple(tracks), scene.R, scene.t, scene.K, size, fps)


def _say_nothing(_progress: object) -> None:
    return None


if __name__ == "__main__":
    run(sys.argv[1], *(Path(word) for word in sys.argv[2:5]))

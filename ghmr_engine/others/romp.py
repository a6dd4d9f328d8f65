"""ROMP's and BEV's `video_results.npz` (romp/utils.py) and TRACE's CLIP.npz (trace2/main.py): pickled dicts in an .npz.

ROMP knows people in the camera alone; TRACE adds a world with the axes of the first camera.
"""

from __future__ import annotations

import re

import numpy as np

from ghmr_engine.others.axes import from_axis_angle, joints_from_body
from ghmr_engine.others.record import Other, OtherPerson, Placing, numbers, refused

LICENCE = "research only (SMPL and the networks' training data)"
_ROMP_FOCAL, _TRACE_FOCAL = 443.4 / 512, 548 / 512
"""Of the longer side: both look at a picture padded to a square of 512."""
_BODY = {"smpl_thetas", "smpl_betas", "cam_trans"}
_TRACE = {*_BODY, "reorganize_idx", "track_ids", "world_trans", "world_global_rots"}


def is_romp(content: object) -> bool:
    """Whether a file's content looks like ROMP's or BEV's of a whole video."""
    return isinstance(content, dict) and {"results", "sequence_results"} <= set(content)


def is_one_picture(content: object) -> bool:
    """Whether it is ROMP's of one picture."""
    return isinstance(content, dict) and set(content) == {"results"}


def is_trace(content: object) -> bool:
    """Whether it looks like TRACE's."""
    outputs = content.get("outputs") if isinstance(content, dict) else None
    return isinstance(outputs, dict) and set(outputs) >= _TRACE


def read_romp(content: dict, name: str) -> Other:
    """Its tracked people; without tracking, the largest person of each picture."""
    tracks, warnings = content["sequence_results"], ["ROMP knows no world: the camera is taken to stand still."]
    if not isinstance(tracks, dict):
        raise refused(name, "has no people")
    if not tracks:
        tracks = {0: _largest(content["results"], name)}
        warnings.append("ROMP did not track people (run it with -t): the largest of each picture was taken.")
    people = tuple(_person(track, np.asarray(track.get("frame_id", ())), name) for track in tracks.values())
    return Other("ROMP", LICENCE, people, None, focal=_ROMP_FOCAL, focal_by_size="padded", warnings=tuple(warnings))


def _largest(results: object, name: str) -> dict:
    """A track of whoever is nearest in each picture."""
    track: dict[str, list] = {"frame_id": [], **{key: [] for key in _BODY}}
    if not isinstance(results, dict):
        raise refused(name, "has no people")
    for place, picture in enumerate(sorted(results)):
        found, number = results[picture], re.search(r"(\d+)\D*$", str(picture))
        if not isinstance(found, dict) or not set(found) >= _BODY or not len(found["cam_trans"]):
            continue
        nearest = int(np.argmin(np.asarray(found["cam_trans"], float)[:, 2]))
        track["frame_id"].append(int(number[1]) if number else place)
        for key in _BODY:
            track[key].append(found[key][nearest])
    return track


def _person(track: dict, frames: np.ndarray, name: str) -> OtherPerson:
    if not set(track) >= _BODY or not len(frames):
        raise refused(name, "lacks a person's pose or place")
    frames, rows = np.unique(frames.astype(np.int64), return_index=True)
    values = {key: numbers([track[key][row] for row in rows], name, key, (len(rows), None)) for key in _BODY}
    before = values["cam_trans"][:, -1] > 0  # where ROMP finds no place it says -1
    if not before.any():
        raise refused(name, "has a person who is nowhere")
    frames, values = frames[before], {key: value[before] for key, value in values.items()}
    return _made(frames, values, values["cam_trans"], None, name)


def read_trace(content: dict, name: str) -> Other:
    """Its people, both in the camera and in its world."""
    outputs = content["outputs"]
    count = len(outputs["track_ids"])
    wide = {key: numbers(outputs[key], name, key, (count, None)) for key in _TRACE - {"reorganize_idx", "track_ids"}}
    who, when = (np.asarray(outputs[key], float).reshape(-1).astype(int) for key in ("track_ids", "reorganize_idx"))
    if len(when) != count or not count:
        raise refused(name, "does not say who is in which frame")
    people = []
    for one in np.unique(who):
        rows = np.flatnonzero(who == one)
        frames, first = np.unique(when[rows], return_index=True)
        values = {key: value[rows[first]] for key, value in wide.items()}
        world = Placing(
            from_axis_angle(_wide(values["world_global_rots"], 3, name)), _wide(values["world_trans"], 3, name)
        )
        people.append(_made(frames, values, values["cam_trans"], world, name))
    return Other("TRACE", LICENCE, tuple(people), None, focal=_TRACE_FOCAL, focal_by_size="padded")


def _made(
    frames: np.ndarray, values: dict[str, np.ndarray], places: np.ndarray, world: Placing | None, name: str
) -> OtherPerson:
    poses = _wide(values["smpl_thetas"], 72, name)
    camera = Placing(from_axis_angle(poses[:, :3]), _wide(places, 3, name))
    if frames[0] < 0:
        raise refused(name, "has frames before the first")
    betas = values["smpl_betas"][:, :10].mean(0)
    return OtherPerson(frames, joints_from_body(poses[:, 3:]), betas if len(betas) == 10 else None, world, camera)


def _wide(values: np.ndarray, width: int, name: str) -> np.ndarray:
    if values.shape[1] != width:
        raise refused(name, f"has {values.shape[1]} numbers where {width} belong")
    return values

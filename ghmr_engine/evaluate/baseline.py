"""What common add-ons do, to stand beside us: BlazePose's 3D of each frame by itself, placed by its size in it.

No camera motion, no gravity, no contact, nothing that knows of the frame before; the tracking alone is ours.
"""

from __future__ import annotations

import numpy as np

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.evaluate.tracks import PersonTrack, Tracks
from ghmr_engine.geometry import intrinsics
from ghmr_engine.types import People, Track, VideoInfo

_FOCAL_DIAGONALS = 0.72
"""The usual guess of a focal length, as a share of the picture's diagonal."""
_LEVEL = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""World to camera of a camera that is level and looks along +y."""
_L = {name: place for place, name in enumerate(LANDMARK_NAMES)}
_BETWEEN = {
    # SMPL's joint: landmarks and the share of each.
    "spine1": (("hip", 0.75), ("shoulder", 0.25)), "spine2": (("hip", 0.5), ("shoulder", 0.5)),
    "spine3": (("hip", 0.4), ("shoulder", 0.6)), "neck": (("shoulder", 1.0),), "head": (("ear", 1.0),),
    "pelvis": (("hip", 1.0),),
}  # fmt: skip
_SAME = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


def baseline(people: People, info: VideoInfo) -> Tracks:
    """Everybody's joints in the frames where they were seen; feet from heel and toe landmarks; contacts unknown."""
    K = intrinsics(_FOCAL_DIAGONALS * float(np.hypot(info.width, info.height)), info.width, info.height)
    points = [_placed(track, K) @ _LEVEL for track in people.tracks]  # rows times world-to-camera: back to the world
    floor = min(float(np.quantile(each[:, 29:33, 2], 0.05)) for each in points)
    tracks = tuple(_person(track, each - [0, 0, floor]) for track, each in zip(people.tracks, points, strict=True))
    count = info.frames
    t = np.tile(-_LEVEL @ np.array([0, 0, -floor]), (count, 1))
    size = (info.width, info.height)
    return Tracks(tracks, np.tile(_LEVEL, (count, 1, 1)), t, np.tile(K, (count, 1, 1)), size, float(info.fps))


def _placed(track: Track, K: np.ndarray) -> np.ndarray:
    """(N, 33, 3) m, camera: each frame's own 3D where its size in the picture says (scaled orthography)."""
    body = track.world_landmarks
    seen = np.clip(track.keypoints[..., 2:], 0.01, 1)
    share = seen / seen.sum(1, keepdims=True)
    middle, middle_px = (body[..., :2] * share).sum(1), (track.keypoints[..., :2] * share).sum(1)
    flat, flat_px = body[..., :2] - middle[:, None], track.keypoints[..., :2] - middle_px[:, None]
    # Least squares of flat_px = scale * flat, in px per metre.
    scale = (share * flat * flat_px).sum((1, 2)) / np.maximum((share * flat**2).sum((1, 2)), 1e-9)
    depth = K[0, 0] / np.maximum(scale, 1e-3)
    place = np.concatenate([(middle_px - K[:2, 2]) / K[0, 0], np.ones((len(depth), 1))], 1) * depth[:, None]
    place[:, :2] -= middle
    return body + place[:, None]


def _person(track: Track, points: np.ndarray) -> PersonTrack:
    """points (N, 33, 3) m, world."""
    rows = track.seen
    points = points[rows]
    joints = np.stack([_joint(name, points) for name in JOINT_NAMES], 1)
    feet = points[:, [_L[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "foot_index")]]
    frames = np.asarray(track.frames)[rows]
    return PersonTrack(str(track.person), frames, joints, feet, None, np.ones(len(frames), bool))


def _joint(name: str, points: np.ndarray) -> np.ndarray:
    """(N, 3) one of SMPL's joints from landmarks (N, 33, 3)."""
    side, _, part = name.rpartition("_")

    def both(kind: str) -> np.ndarray:
        return (points[:, _L[f"left_{kind}"]] + points[:, _L[f"right_{kind}"]]) / 2

    if part in _SAME:
        return points[:, _L[name]]
    if part == "foot":
        return 0.35 * points[:, _L[f"{side}_heel"]] + 0.65 * points[:, _L[f"{side}_foot_index"]]
    if part == "hand":
        return (points[:, _L[f"{side}_index"]] + points[:, _L[f"{side}_pinky"]]) / 2
    if part == "collar":
        return 0.35 * points[:, _L[f"{side}_shoulder"]] + 0.65 * both("shoulder")
    return sum(share * both(kind) for kind, share in _BETWEEN[name])

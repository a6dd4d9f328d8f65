"""PHALP's and 4D-Humans' `demo_CLIP.pkl` (trackers/PHALP.py): what was found in each frame, in the camera alone.

Places are those of a camera with a focal length of 5000 in a picture padded to a square of 256.
"""

from __future__ import annotations

import numpy as np

from ghmr_engine.others.axes import checked
from ghmr_engine.others.record import Other, OtherPerson, Placing, numbers, refused

LICENCE = "research only (SMPL and 4D-Humans' training data; code MIT)"
_FOCAL = 5000 / 256
"""Of the longer side: so long a lens that everybody is twenty times too far away."""
_NEEDED = {"time", "tid", "smpl", "camera", "tracked_time"}


def is_phalp(content: object) -> bool:
    """Whether a file's content looks like it."""
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(frame, dict) and set(frame) >= _NEEDED for frame in content.values())
    )


def read_phalp(content: dict, name: str) -> Other:
    """Its people, each brought as near as they are through a lens as long as the picture's diagonal."""
    found: dict[int, dict[int, tuple[dict, object]]] = {}
    size = None
    for frame in content.values():
        for row, who in enumerate(frame["tid"]):
            if frame["tracked_time"][row] > 0:  # not seen: a guess from before
                continue
            found.setdefault(int(who), {})[int(frame["time"])] = (frame["smpl"][row], frame["camera"][row])
            if size is None and len(frame.get("size", ())) > row:
                size = tuple(int(side) for side in frame["size"][row])
    if not found:
        raise refused(name, "has nobody")
    if size is None or len(size) != 2 or min(size) < 1:
        raise refused(name, "does not say how large the pictures are")
    height, width = size
    focal = float(np.hypot(width, height))
    nearer = focal / (_FOCAL * max(width, height))
    people = tuple(_person(frames, nearer, name) for frames in found.values())
    return Other(
        "4D-Humans", LICENCE, people, None, focal=focal, image_size=(width, height),
        warnings=("4D-Humans knows no world: the camera is taken to stand still, and distances are guessed.",),
    )  # fmt: skip


def _person(found: dict[int, tuple[dict, object]], nearer: float, name: str) -> OtherPerson:
    frames = np.array(sorted(found))
    said = [found[frame][0] for frame in frames]
    if not all(isinstance(one, dict) and {"global_orient", "body_pose", "betas"} <= set(one) for one in said):
        raise refused(name, "lacks something in `smpl`")
    count = len(frames)
    root = numbers([one["global_orient"] for one in said], name, "global_orient", (count, 3, 3))
    joints = numbers([one["body_pose"] for one in said], name, "body_pose", (count, 23, 3, 3))
    betas = numbers([one["betas"] for one in said], name, "betas", (count, 10))
    places = numbers([found[frame][1] for frame in frames], name, "camera", (count, 3)) * (1, 1, nearer)
    return OtherPerson(
        frames, checked(joints, name, "body_pose"), betas.mean(0), None,
        Placing(checked(root, name, "global_orient"), places),
    )  # fmt: skip

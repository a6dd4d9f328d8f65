"""A recovered person's bones as Mixamo names and arranges them. NumPy only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .bones import chosen
from .motion_shown import Shown

PREFIX = "mixamorig:"

_SIDED = {
    "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
    "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase",
}  # fmt: skip
_MIDDLE = {"pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head"}

NAMES = {
    **{ours: PREFIX + theirs for ours, theirs in _MIDDLE.items()},
    **{
        f"{side}_{ours}": f"{PREFIX}{side.title()}{theirs}"
        for side in ("left", "right")
        for ours, theirs in _SIDED.items()
    },
}
"""SMPL's joints to Mixamo's bones. SMPL's left_hand and right_hand, its fingers as one, are part of Mixamo's hands."""

_ENDS = {"head": "HeadTop_End", "left_foot": "LeftToe_End", "right_foot": "RightToe_End"}
_END_LENGTH_M = 0.05


def as_mixamo(shown: Shown) -> tuple[Shown, dict[str, str]]:
    """The same motion on Mixamo's bones, and which of them takes over each of ours."""
    stays = [index for index, name in enumerate(shown.names) if name in NAMES]
    out = chosen(shown, stays, shown.parents)
    owners = dict(NAMES)
    for index in set(range(shown.count)) - set(stays):
        owners[shown.names[index]] = owners[shown.names[shown.parents[index]]]
    ends = [(out.names.index(bone), end) for bone, end in _ENDS.items()]
    renamed = replace(out, names=tuple(NAMES[name] for name in out.names))
    return _with_ends(renamed, ends), owners


def _with_ends(shown: Shown, ends: list[tuple[int, str]]) -> Shown:
    """A stiff bone at the tip of some, which Mixamo's skeletons have."""
    above = [bone for bone, _ in ends]
    tip = np.tile(np.eye(4), (len(ends), 1, 1))
    tip[:, 1, 3] = shown.lengths[above]
    return replace(
        shown,
        names=(*shown.names, *(PREFIX + end for _, end in ends)),
        parents=np.concatenate([shown.parents, above]),
        rest=np.concatenate([shown.rest, shown.rest[above] @ tip]),
        lengths=np.concatenate([shown.lengths, np.full(len(ends), _END_LENGTH_M)]),
        deform=np.concatenate([shown.deform, np.ones(len(ends), dtype=bool)]),
        poses=np.concatenate([shown.poses, shown.poses[:, above] @ tip], 1),
    )

"""One record for all motion capture: a skeleton of offsets, and its local rotations over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Capture:
    """A recorded motion. T frames, J joints; the skeleton at rest: y up, the person faces +z, left is +x."""

    name: str
    """What the motion is called: for CMU's motions subject and trial, as `02_06`."""
    fps: Fraction
    names: tuple[str, ...]
    """The source's own joint names; joint 0 is the root."""
    parents: tuple[int, ...]
    """-1 for the root; a parent stands before its children."""
    offsets: np.ndarray
    """(J, 3) from the parent to the joint at rest, in `unit`; the root's is not used."""
    rotations: np.ndarray
    """(T, J, 3, 3) local: a joint's turn about its origin against its parent; all identity is the rest pose."""
    root: np.ndarray
    """(T, 3) the root's place, in the same length unit as the offsets (any unit; y up)."""
    joints: Mapping[str, str]
    """SMPL's joint name -> the source's joint that plays its part, for those that there are; always the pelvis, hips,
    knees, ankles, shoulders, elbows and wrists."""


def forward(capture: Capture) -> tuple[np.ndarray, np.ndarray]:
    """Whole turns (T, J, 3, 3) and places (T, J, 3) of all joints, in the capture's unit, y up."""
    turns = [capture.rotations[:, 0]]
    places = [capture.root]
    for joint in range(1, len(capture.names)):
        above = capture.parents[joint]
        places.append(places[above] + turns[above] @ capture.offsets[joint])
        turns.append(turns[above] @ capture.rotations[:, joint])
    return np.stack(turns, 1), np.stack(places, 1)

"""Turns a whole capture so that the skeleton at rest stands on y and faces +z with its left at +x."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from ghmr_engine.evaluate.mocap.capture import Capture

# A rest pose this near (degrees) to a right angle is at that angle: real hips are not quite symmetric.
_NEARLY = 10.0


def turned(capture: Capture, turn: np.ndarray) -> Capture:
    """The same motion in a world and on a rest pose that are both turned by `turn` (3, 3)."""
    return replace(
        capture,
        offsets=capture.offsets @ turn.T,
        rotations=turn @ capture.rotations @ turn.T,
        root=capture.root @ turn.T,
    )


def facing_forward(capture: Capture) -> Capture:
    """The capture turned so that it rests upright and faces +z; unchanged where it does already.

    A skeleton that rests along z is first laid from z up to y up; then one yaw brings the left hip to +x.
    """
    up = _up(capture)
    if np.argmax(np.abs(up)) == 2:
        capture = turned(capture, Rotation.from_euler("x", -90 * np.sign(up[2]), degrees=True).as_matrix())
    across = _at_rest(capture, "left_hip") - _at_rest(capture, "right_hip")
    yaw = np.degrees(np.arctan2(across[2], across[0]))
    nearest = 90 * np.round(yaw / 90)
    yaw = nearest if abs(yaw - nearest) <= _NEARLY else yaw
    return turned(capture, Rotation.from_euler("y", yaw, degrees=True).as_matrix()) if yaw else capture


def _up(capture: Capture) -> np.ndarray:
    """(3,) from the hips to the shoulders at rest."""
    low, high = (
        (_at_rest(capture, f"left_{part}") + _at_rest(capture, f"right_{part}")) / 2 for part in ("hip", "shoulder")
    )
    return high - low


def _at_rest(capture: Capture, name: str) -> np.ndarray:
    """(3,) the place at rest of the joint that plays SMPL's joint `name`, from the root."""
    joint = capture.names.index(capture.joints[name])
    place = np.zeros(3)
    while joint > 0:
        place = place + capture.offsets[joint]
        joint = capture.parents[joint]
    return place

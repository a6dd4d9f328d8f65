"""AMASS's .npz: SMPL+H's (or SMPL's, SMPL-X's) poses and places, z up, metres, at the file's own rate, no camera.

Files that Recover Motion exported say beside it where their body's joints are at rest (`rest_joints`).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ghmr_engine.others.axes import Z_UP, from_axis_angle, joints_from_body
from ghmr_engine.others.record import Other, OtherPerson, Placing, numbers, refused

LICENCE = "research only (AMASS)"
_RATES = ("mocap_framerate", "mocap_frame_rate")
_JOINTS = {72: 69, 156: 63, 165: 63}
"""Numbers of all poses of SMPL, SMPL+H and SMPL-X, and how many after the root's are of SMPL's joints."""


def is_amass(content: object) -> bool:
    """Whether a file's content looks like it."""
    return isinstance(content, dict) and {"poses", "trans"} <= set(content) and any(key in content for key in _RATES)


def read_amass(content: dict, name: str) -> Other:
    """Its one person. A file that names its own `licence` "open" is taken at its word."""
    poses = numbers(content["poses"], name, "poses", (None, None))
    if poses.shape[1] not in _JOINTS or not len(poses):
        raise refused(name, f"has {poses.shape[1]} numbers a pose, not 72, 156 or 165")
    trans = numbers(content["trans"], name, "trans", (len(poses), 3))
    rate = float(numbers(content[next(key for key in _RATES if key in content)], name, "mocap_framerate", ()))
    if not 1 <= rate <= 1000:
        raise refused(name, f"has an impossible rate of {rate:g} frames a second")
    smplx = poses.shape[1] == 165
    betas = None
    if "betas" in content and not smplx:
        shape = np.atleast_2d(numbers(content["betas"], name, "betas", (None,)))[0, :10]
        betas = np.pad(shape, (0, 10 - len(shape)))
    joints = joints_from_body(poses[:, 3 : 3 + _JOINTS[poses.shape[1]]])
    world = Placing(from_axis_angle(poses[:, :3]), trans, "smplx" if smplx else "smpl")
    rest = numbers(content["rest_joints"], name, "rest_joints", (24, 3)) if "rest_joints" in content else None
    person = OtherPerson(np.arange(len(poses)), joints, betas, world, None, rest=rest)
    is_open = str(content.get("licence", "")) == "open"
    licence = "as the file says: open" if is_open else LICENCE
    return Other("AMASS", licence, (person,), Z_UP, fps=Fraction(rate).limit_denominator(1001), open=is_open)

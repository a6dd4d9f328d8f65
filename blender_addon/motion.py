"""The add-on's one door to the engine's plain files, which the built extension carries beside this module."""

from __future__ import annotations

from .ghmr_engine.body.skeleton import CONTACT_NAMES, JOINT_NAMES, PARENTS
from .ghmr_engine.motion_file import Motion, MotionFileError, Person, read_motion, write_motion

CONTACT_LEVEL = 0.5
"""From this probability on a foot counts as planted."""

__all__ = [
    "CONTACT_LEVEL",
    "CONTACT_NAMES",
    "JOINT_NAMES",
    "PARENTS",
    "Motion",
    "MotionFileError",
    "Person",
    "read_motion",
    "write_motion",
]

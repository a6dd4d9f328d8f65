"""Runs inside the oldest Blender: builds a take and saves it to RECOVER_MOTION_BLEND."""

import os

import bpy
from motions import walking_motion
from scenes import build


def test_save():
    build(walking_motion(40, people=2, absent=(0, 9)))
    bpy.ops.wm.save_as_mainfile(filepath=os.environ["RECOVER_MOTION_BLEND"])

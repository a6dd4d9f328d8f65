"""Runs inside the oldest Blender: builds a take and saves it to RECOVER_MOTION_BLEND."""

import importlib
import os

import bpy
from motions import walking_motion


def test_save():
    module = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"] + ".scene.build")
    module.build_scene(bpy.context.scene, walking_motion(40, people=2, absent=(0, 9)), None)
    bpy.ops.wm.save_as_mainfile(filepath=os.environ["RECOVER_MOTION_BLEND"])

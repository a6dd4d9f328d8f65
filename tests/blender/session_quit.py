"""A session in a window that quits Blender while the engine works."""

import os
import sys
from pathlib import Path

import bpy
from scenes import part
from screens import in_view

CLIPS = Path(os.environ["RECOVER_MOTION_CLIPS"])


def session():
    yield 0.5
    job = part("jobs").JOB
    bpy.context.scene.recover_motion.clip = str(CLIPS / "slow.mp4")
    with in_view():
        bpy.ops.recover_motion.recover()
    while job.stage != "people":
        yield 0.05
    # What Blender switches on it switches off when it quits, and so do we.
    sys.modules[os.environ["RECOVER_MOTION_PACKAGE"]].__addon_enabled__ = True
    os.write(1, f"engine {job.client.process_id}\n".encode())
    bpy.ops.wm.quit_blender()
    yield 60

"""Runs inside a newer Blender: opens what save_take.py saved."""

import os

import bpy
import numpy as np
from motions import joints_world, walking_motion


def test_open():
    bpy.ops.wm.open_mainfile(filepath=os.environ["RECOVER_MOTION_BLEND"])
    scene, motion = bpy.context.scene, walking_motion(40, people=2, absent=(0, 9))
    assert scene.camera is not None and scene.frame_end == 40
    for armature in (item for item in scene.objects if item.type == "ARMATURE"):
        person = motion.people[armature["person"]]
        scene.frame_set(40)
        shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        hand = shown.matrix_world @ shown.pose.bones["left_hand"].head
        np.testing.assert_allclose(hand, joints_world(person)[-1, 22], atol=1e-3)
        assert armature.animation_data.action.pose_markers
        scene.frame_set(5)
        assert armature.hide_render is (armature["person"] == "2")

"""Runs inside Blender (run_in_blender.py): the scene that a motion file becomes, against known answers."""

import importlib
import os
import sys
import time
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from motions import joints_world, vertices_world, walking_motion

PACKAGE = os.environ["RECOVER_MOTION_PACKAGE"]


def part(name):
    return importlib.import_module(f"{PACKAGE}.{name}")


def build(motion, clip=None, **choices):
    return part("scene.build").build_scene(bpy.context.scene, motion, clip, **choices)


def armatures(collection):
    return [item for item in collection.all_objects if item.type == "ARMATURE"]


def bone_heads(armature):
    scene = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    names = part("motion").JOINT_NAMES
    return np.array([scene.matrix_world @ scene.pose.bones[name].head for name in names])


def test_bone_heads_are_smpl_joints():
    motion = walking_motion(60)
    collection = build(motion)
    expected = joints_world(motion.people["1"])
    for frame in (0, 1, 17, 38, 59):
        bpy.context.scene.frame_set(1 + frame)
        np.testing.assert_allclose(bone_heads(armatures(collection)[0]), expected[frame], atol=1e-4)

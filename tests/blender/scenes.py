"""What the tests inside Blender share: building a take, asking the evaluated scene, reading curves."""

import dataclasses
import importlib
import os
import tempfile
from pathlib import Path

import bpy
import numpy as np


def part(name):
    return importlib.import_module(f"{os.environ['RECOVER_MOTION_PACKAGE']}.{name}")


def build(motion, clip=None, path=Path("take.motion.npz"), **choices):
    if not hasattr(bpy.types.Collection, "recover_motion"):
        part("takes").register()
    module = part("scene.build")
    return module.build_scene(bpy.context.scene, motion, path, clip, module.Placement(**choices))


def of_type(collection, kind):
    return [item for item in collection.all_objects if item.type == kind]


def at(frame):
    whole = int(np.floor(frame))
    bpy.context.scene.frame_set(whole, subframe=frame - whole)


def bone_heads(armature):
    shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([shown.matrix_world @ shown.pose.bones[name].head for name in part("motion").JOINT_NAMES])


def mesh_vertices(body):
    shown = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([shown.matrix_world @ vertex.co for vertex in shown.data.vertices])


def curves_of(owner):
    return {(curve.data_path, curve.array_index): curve for curve in part("compat").action_curves(owner)}


def keys_of(curve):
    flat = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", flat)
    return flat.reshape(-1, 2)


def with_person(motion, name, **changes):
    changed = dataclasses.replace(motion.people[name], **changes)
    return dataclasses.replace(motion, people={**motion.people, name: changed})


def addon(test):
    """With the add-on on, in a folder of its own."""

    def run():
        if hasattr(bpy.types.Collection, "recover_motion"):
            part("takes").unregister()  # another test's build put it there
        package = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
        package.register()
        try:
            with tempfile.TemporaryDirectory() as folder:
                test(Path(folder))
        finally:
            package.unregister()

    return run

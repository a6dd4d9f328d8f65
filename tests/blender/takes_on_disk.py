"""What the tests of correcting share: a take whose motion file is there, and what its curves hold."""

import importlib
import os
import tempfile
from pathlib import Path

import bpy
import numpy as np
from motions import walking_motion
from scenes import build, curves_of, keys_of, part


class Registered:
    """The add-on, switched on for one test."""

    def __enter__(self):
        self.addon = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
        self.addon.register()
        return bpy.ops.recover_motion

    def __exit__(self, *_error):
        self.addon.unregister()


def take_of(frames=60, people=1, **choices):
    """A walk's take, its file in a folder of its own, person 1 active: collection, armatures, motion as read."""
    path = Path(tempfile.mkdtemp(prefix="recover_motion_test_")) / "walk.motion.npz"
    absent = choices.pop("absent", None)
    part("motion").write_motion(path, walking_motion(frames, people=people, absent=absent))
    motion = part("motion").read_motion(path)
    collection = build(motion, path=path, **choices)
    armatures = part("takes").people_of(collection)
    select(armatures[0])
    return collection, armatures, motion


def select(armature):
    bpy.context.view_layer.objects.active = armature


def pose_keys(armature):
    """{(data path, index): (K, 2)} of the pose's curves."""
    return {key: keys_of(curve) for key, curve in curves_of(armature).items() if key[0].startswith("pose.bones")}


def same_keys(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def file_of(collection):
    return part("takes").motion_path(collection)


def now(collection):
    return part("takes").motion_of(collection)


def refuses(operator, text, **properties):
    """An operator that has to report an error with `text`."""
    try:
        result = operator(**properties)
    except RuntimeError as error:
        assert text in str(error), str(error)
    else:
        raise AssertionError(f"{result} without an error")

"""What the tests of takes inside Blender share.

RECOVER_MOTION_CLIPS: a folder with walk.mp4, 150 pictures at 30 a second.
"""

import os
from pathlib import Path

import bpy
from motions import walking_motion
from scenes import part

from ghmr_engine.motion_file import write_motion

CLIP = Path(os.environ["RECOVER_MOTION_CLIPS"]) / "walk.mp4"
OPS = bpy.ops.recover_motion


def scene():
    return bpy.context.scene


def new_take(folder, motion=None, **placement):
    motion = motion or walking_motion(30, people=2)
    path = folder / f"take {len(list(folder.iterdir()))}.motion.npz"
    write_motion(path, motion)
    build = part("scene.build")
    return build.build_scene(scene(), motion, path, CLIP, build.Placement(**placement))


def shown(take):
    return part("take_list").is_shown(bpy.context.view_layer, take)


def row(take):
    return next(place for place, item in enumerate(bpy.data.collections) if item == take)


def click(take):
    """A click on its row."""
    scene().recover_motion_takes.active = row(take)


def active():
    return part("takes").active_take(bpy.context)


def refused(text, call, **arguments):
    try:
        result = call(**arguments)
    except RuntimeError as error:  # how an error report reaches a script
        assert text in str(error), str(error)
    else:
        raise AssertionError(f"{result} without an error")


def everything():
    kinds = ("objects", "collections", "actions", "materials", "meshes", "armatures", "curves", "cameras")
    kinds += ("movieclips", "node_groups")
    return {kind: {item.name for item in getattr(bpy.data, kind)} for kind in kinds}

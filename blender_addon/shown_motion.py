"""What a person's armature shows, frame by frame: layers, hand-made keys, foot IK and constraints included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from .compat import action_curves
from .ghmr_engine.errors import RecoverError
from .motion import JOINT_NAMES
from .retarget.performance import Performance
from .scene.foot_way import read_times
from .scene.skeleton import REST_FROM_SMPL
from .translations import told


def performance_of(armature: bpy.types.Object, fps: float) -> Performance:
    """A person's motion in the world, at every whole scene frame at which the person is there. fps: the scene's rate.

    Raises RecoverError where the armature has no keys, no contacts, or others than SMPL's bones.
    """
    if any(name not in armature.data.bones for name in JOINT_NAMES):
        raise RecoverError(
            "no_person_bones", told("{person} has not the bones of a recovered person.", person=armature.name),
            "Choose a person that Recover Motion made.",
        )  # fmt: skip
    times = read_times(armature)
    frames, contacts = times.frames[times.shown], times.contacts[times.shown]
    if not len(frames):
        raise RecoverError(
            "never_shown", told("{person} is hidden in all frames.", person=armature.name), "Choose another person."
        )
    matrices, object_world = pose_over(armature, JOINT_NAMES, frames)
    # Beside another take to be compared with it stands off its place.
    object_world[:, :3, 3] -= np.array(armature.recover_motion_aside.offset)
    world = object_world[:, None] @ matrices
    size = float(np.linalg.norm(object_world[0, :3, 0]))
    rest = np.array([armature.data.bones[name].matrix_local for name in JOINT_NAMES])
    turns = world[..., :3, :3] / np.linalg.norm(world[..., :3, :3], axis=-2, keepdims=True)
    return Performance(
        frames=frames,
        fps=fps,
        turns=turns @ np.swapaxes(rest[:, :3, :3], -1, -2) @ REST_FROM_SMPL,
        places=world[..., :3, 3],
        contacts=contacts,
        rest=size * rest[:, :3, 3] @ REST_FROM_SMPL,
        sole=0.0,
        ground=float(object_world[0, 2, 3]),
    )


def pose_over(
    rig: bpy.types.Object, names: tuple[str, ...] | list[str], frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(N, B, 4, 4) bones in the armature and (N, 4, 4) the object in the world, as Blender shows them."""
    bones = np.empty((len(frames), len(names), 4, 4))
    worlds = np.empty((len(frames), 4, 4))
    with alone(rig) as scene:
        for row, frame in enumerate(frames.tolist()):
            scene.frame_set(int(frame))
            shown = rig.evaluated_get(scene.view_layers[0].depsgraph)
            posed = shown.pose.bones
            bones[row] = [posed[name].matrix for name in names]
            worlds[row] = shown.matrix_world
    return bones, worlds


@contextmanager
def alone(rig: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """A scene with nothing but this object, and what it needs: its frames are quickly shown, and the user's scene stays
    at its own. Who is hidden is shown meanwhile, or nothing of it would move."""
    hidden = rig.hide_viewport
    hiding = [curve for curve in action_curves(rig) if curve.data_path == "hide_viewport" and not curve.mute]
    scene = bpy.data.scenes.new("Recover Motion reading")
    scene.collection.objects.link(rig)
    for curve in hiding:
        curve.mute = True
    if hidden:
        rig.hide_viewport = False
    try:
        yield scene
    finally:
        for curve in hiding:
            curve.mute = False
        if hidden:
            rig.hide_viewport = True
        bpy.data.scenes.remove(scene)

"""Use This Ground, Reset Ground."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ..bases import switch_base
from ..ghmr_engine.errors import RecoverError
from ..layer_keys import keep_hand_made, show_steps
from ..layers.level import levelled, to_level
from ..motion import MotionFileError
from ..scene.camera import write_camera
from ..subjects import subject_of
from ..takes import active_take, clock_of, filming, ground_of, is_linked, motion_of, people_of
from ..translations import fault, told
from .recover import at_work

_STILL = 1e-5


def _ground_missing(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """What poll says where there is no ground to work with."""
    take = active_take(context)
    if at_work(operator):
        return True
    if take is None:
        operator.poll_message_set(told("There is no take in this scene"))
    elif any(is_linked(item) for item in (take, *people_of(take))):
        operator.poll_message_set(told("This take is linked from another file: make it local first"))
    elif ground_of(take) is None:
        operator.poll_message_set(told("The take's ground was deleted"))
    else:
        return False
    return True


class _OnGround:
    """Works on the ground of the active take."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a ground."""
        return not _ground_missing(cls, context)


class RECOVERMOTION_OT_use_ground(_OnGround, bpy.types.Operator):
    """Make the moved or tilted ground the level one: people and camera turn with it, the picture stays as it is"""

    bl_idname = "recover_motion.use_ground"
    bl_label = "Use This Ground"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        take = active_take(context)
        context.view_layer.update()
        try:
            moved = use_ground(take)
        except (RecoverError, MotionFileError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        if not moved:
            self.report({"WARNING"}, told("Move or tilt {ground} first.", ground=take.recover_motion.ground.name))
            return {"CANCELLED"}
        self.report({"INFO"}, told("This is the ground now. Re-solve Feet puts each person's feet on it."))
        return {"FINISHED"}


class RECOVERMOTION_OT_reset_ground(_OnGround, bpy.types.Operator):
    """Put the take's ground back to where it was recovered, or used last"""

    bl_idname = "recover_motion.reset_ground"
    bl_label = "Reset Ground"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        active_take(context).recover_motion.ground.matrix_world = Matrix.Identity(4)
        return {"FINISHED"}


def use_ground(take: bpy.types.Collection) -> bool:
    """Make the ground's plane the world's; whether it was moved. Raises RecoverError, MotionFileError, OSError."""
    ground = ground_of(take)
    turn, shift = to_level(np.array(ground.matrix_world))
    if np.abs(turn - np.eye(3)).max() < _STILL and np.abs(shift).max() < _STILL:
        return False
    people = people_of(take)
    for armature in people:
        keep_hand_made(subject_of(armature))
    switch_base(take, levelled(motion_of(take), turn, shift), "ground moved by hand")
    motion = motion_of(take)
    for armature in people:
        fixes = armature.recover_motion_fixes
        if any(fixes.root_about):
            fixes.root_about = _about_moved(fixes.root_about, turn, shift)
        for _ in show_steps(subject_of(armature)):
            pass
        fixes.unsolved_first, fixes.unsolved_last = 0, motion.meta["frames"] - 1
    if filming(take) is not None:
        write_camera(filming(take), motion, clock_of(take, motion))
    ground.matrix_world = Matrix.Identity(4)
    return True


def _about_moved(about: bpy.types.bpy_prop_array, turn: np.ndarray, shift: np.ndarray) -> tuple[float, ...]:
    """RootFix.about in the turned world."""
    place = turn @ [about[0], about[1], 0.0] + shift
    way = (turn @ [about[2], about[3], 0.0])[:2]
    return (*place[:2], *(way / np.linalg.norm(way)))


_CLASSES = (RECOVERMOTION_OT_use_ground, RECOVERMOTION_OT_reset_ground)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

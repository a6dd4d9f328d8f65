"""Add Foot IK and Remove Foot IK."""

from __future__ import annotations

import bpy

from ..ghmr_engine.errors import RecoverError
from ..scene.foot_ik import SIDES, add_foot_ik, has_foot_ik, remove_foot_ik
from ..takes import active_person, is_linked
from ..translations import fault, told

_NEVER = {
    "left": "The left foot never stands: it has no target",
    "right": "The right foot never stands: it has no target",
}


class RECOVERMOTION_OT_add_foot_ik(bpy.types.Operator):
    """Put targets onto this person's feet that hold each plant with one key; those of before are made anew"""

    bl_idname = "recover_motion.add_foot_ik"
    bl_label = "Add Foot IK"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where bones can be added."""
        reason = _why_not(context)
        if reason:
            cls.poll_message_set(told(reason))
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add, or say why not."""
        render = context.scene.render
        try:
            holds = add_foot_ik(active_person(context), render.fps / render.fps_base)
        except RecoverError as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        count = sum(len(plants) for plants in holds.values())
        self.report({"INFO"}, told("{count} plant is held" if count == 1 else "{count} plants are held", count=count))
        for side in SIDES:
            if side not in holds:
                self.report({"WARNING"}, told(_NEVER[side]))
        return {"FINISHED"}


class RECOVERMOTION_OT_remove_foot_ik(bpy.types.Operator):
    """Take the targets off this person's feet; the legs move by their own keys again"""

    bl_idname = "recover_motion.remove_foot_ik"
    bl_label = "Remove Foot IK"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is something to remove."""
        reason = _why_not(context)
        if not reason and not has_foot_ik(active_person(context)):
            reason = "This person has no foot IK"
        if reason:
            cls.poll_message_set(told(reason))
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove."""
        remove_foot_ik(active_person(context))
        return {"FINISHED"}


def _why_not(context: bpy.types.Context) -> str:
    """Why the person's bones cannot be changed now; empty where they can."""
    person = active_person(context)
    if person is None:
        return "Select a person of a take"
    if is_linked(person):
        return "This person is linked from another file: make it local first"
    if person.mode == "EDIT":
        return "Leave edit mode first"
    return ""


_CLASSES = (RECOVERMOTION_OT_add_foot_ik, RECOVERMOTION_OT_remove_foot_ik)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

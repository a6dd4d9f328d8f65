"""Retarget, Update, Bake and Remove: a person's motion on the animator's own rig."""

from __future__ import annotations

import bpy

from .. import runner
from ..ghmr_engine.errors import RecoverError
from ..motion import MotionFileError
from ..retarget.measure import Report
from ..retarget_settings import settings_of
from ..retargeting import bake, is_retargeted, remove, retarget, update
from ..rig_files import editable_rig
from ..rig_maps import chosen_rig, ensure_map, kept_map, missing
from ..takes import active_person
from ..translations import fault, told

_MOST_WARNINGS = 3


def chosen_person(context: bpy.types.Context, rig: bpy.types.Object | None) -> bpy.types.Object | None:
    """The person that the rig names, else the active one, or the only one of the active take."""
    named = rig.recover_motion_retarget.person if rig is not None else None
    return named or active_person(context)


class _Retargeting:
    """What the buttons share."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Where there is a rig that it can be done with."""
        reason = cls.why_not(context, chosen_rig(context))
        if reason:
            cls.poll_message_set(told(reason))
        return not reason

    @classmethod
    def why_not(cls, _context: bpy.types.Context, rig: bpy.types.Object | None) -> str:
        """Why the button cannot be pressed; empty where it can."""
        if rig is None:
            return "Select your own rig, or choose it in the panel"
        if not is_retargeted(rig):
            return "This rig shows nobody's motion"
        return "Leave edit mode first" if rig.mode == "EDIT" else ""

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, or say why not."""
        try:
            self.work(context, chosen_rig(context))
        except (RecoverError, MotionFileError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RECOVERMOTION_OT_retarget(_Retargeting, bpy.types.Operator):
    """Put this person's motion onto your own rig; what the rig showed before comes back with Remove"""

    bl_idname = "recover_motion.retarget"
    bl_label = "Retarget"

    @classmethod
    def why_not(cls, context: bpy.types.Context, rig: bpy.types.Object | None) -> str:
        """With a rig and a person."""
        if runner.busy():
            return "Wait until what is being worked on is done"
        if rig is None:
            return "Select your own rig, or choose it in the panel"
        if chosen_person(context, rig) is None:
            return "Choose whose motion the rig shall get"
        return "Leave edit mode first" if rig.mode == "EDIT" else ""

    def work(self, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """Retarget."""
        person = chosen_person(context, rig)
        made = editable_rig(context, rig)
        if made != rig:
            context.scene.recover_motion_rig = made
            self.report({"INFO"}, told("{rig} is linked: a library override of it was made", rig=rig.name))
        settings, rig_map = settings_of(made), ensure_map(made)
        _tell(self, made, retarget(person, made, rig_map, settings))


class RECOVERMOTION_OT_update_retarget(_Retargeting, bpy.types.Operator):
    """Put the motion onto the rig once more, as the person, the map and the settings are now"""

    bl_idname = "recover_motion.update_retarget"
    bl_label = "Update"

    def work(self, _context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """Update."""
        _tell(self, rig, update(rig))


class RECOVERMOTION_OT_bake_retarget(_Retargeting, bpy.types.Operator):
    """Make the motion the rig's own: its action stays as an asset, and nothing is put back any more"""

    bl_idname = "recover_motion.bake_retarget"
    bl_label = "Bake"

    def work(self, _context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """Bake."""
        self.report({"INFO"}, told("Baked: {name}", name=bake(rig).name))


class RECOVERMOTION_OT_remove_retarget(_Retargeting, bpy.types.Operator):
    """Take the motion off the rig: action, pose and constraints are as they were before"""

    bl_idname = "recover_motion.remove_retarget"
    bl_label = "Remove"

    def work(self, _context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """Remove."""
        remove(rig)


def _tell(operator: bpy.types.Operator, rig: bpy.types.Object, report: Report) -> None:
    for text in missing(rig, kept_map(rig))[:_MOST_WARNINGS]:  # a bone that was renamed since the map was made
        operator.report({"WARNING"}, text)
    degrees = f"{report.directions_deg.mean:.1f}"
    if report.sliding_mm is None:
        operator.report({"INFO"}, told("Limbs are {degrees} degrees off", degrees=degrees))
        return
    text, sliding = "Limbs are {degrees} degrees off, feet slide {mm} mm a frame", f"{report.sliding_mm.mean:.2f}"
    operator.report({"INFO"}, told(text, degrees=degrees, mm=sliding))


_CLASSES = (
    RECOVERMOTION_OT_retarget,
    RECOVERMOTION_OT_update_retarget,
    RECOVERMOTION_OT_bake_retarget,
    RECOVERMOTION_OT_remove_retarget,
)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

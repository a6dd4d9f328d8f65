"""Reset Root, Measure Slope, and the trim's two ends."""

from __future__ import annotations

import math

import bpy

from ..ghmr_engine.errors import RecoverError
from ..layers.chain import joint_frames, soles
from ..layers.root import path_slope, travel
from ..motion import MotionFileError
from ..subjects import subject_of
from ..takes import active_person
from ..translations import fault, told
from .feet import nobody_here

_ENDS = (("FIRST", "Start", "The motion starts here"), ("LAST", "End", "The motion ends here"))


class _OfPerson:
    """Works on the layers of the active person."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a person."""
        return not nobody_here(cls, context)


class RECOVERMOTION_OT_reset_root(_OfPerson, bpy.types.Operator):
    """Height, slope and heading as they were recovered"""

    bl_idname = "recover_motion.reset_root"
    bl_label = "Reset Root"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        fixes = active_person(context).recover_motion_fixes
        fixes.root_height = fixes.root_slope = fixes.root_heading = 0.0
        return {"FINISHED"}


class RECOVERMOTION_OT_measure_slope(_OfPerson, bpy.types.Operator):
    """Set the slope so that the places where the feet stand lie level along the way"""

    bl_idname = "recover_motion.measure_slope"
    bl_label = "Level by Feet"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        armature = active_person(context)
        try:
            person = subject_of(armature).base
        except (RecoverError, MotionFileError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        fixes = armature.recover_motion_fixes
        about = tuple(fixes.root_about) if any(fixes.root_about) else travel(person)
        slope = path_slope(person, about, soles(person, *joint_frames(person)))
        if slope is None:
            self.report({"WARNING"}, told("The feet stand in one place: no slope can be measured."))
            return {"CANCELLED"}
        fixes.root_slope = math.radians(-slope)
        self.report({"INFO"}, told("The feet climbed by {slope} degrees.", slope=f"{slope:.2f}"))
        return {"FINISHED"}


class RECOVERMOTION_OT_trim_here(_OfPerson, bpy.types.Operator):
    """Let the motion start or end at the current frame; nothing is lost"""

    bl_idname = "recover_motion.trim_here"
    bl_label = "Trim Here"

    end: bpy.props.EnumProperty(name="End", items=_ENDS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        fixes, frame = active_person(context).recover_motion_fixes, context.scene.frame_current
        trimmed, fixes.trim = fixes.trim, True
        other = fixes.trim_last if self.end == "FIRST" else fixes.trim_first
        if (frame >= other) if self.end == "FIRST" else (frame <= other):
            fixes.trim = trimmed
            self.report({"WARNING"}, told("The start has to lie before the end."))
            return {"CANCELLED"}
        setattr(fixes, f"trim_{self.end.lower()}", frame)
        return {"FINISHED"}


_CLASSES = (RECOVERMOTION_OT_reset_root, RECOVERMOTION_OT_measure_slope, RECOVERMOTION_OT_trim_here)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

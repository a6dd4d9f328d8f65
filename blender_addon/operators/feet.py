"""Plant Foot, Lift Foot and Re-solve Feet."""

from __future__ import annotations

import bpy

from ..contacts import set_contact
from ..ghmr_engine.errors import RecoverError
from ..layer_keys import settled
from ..motion import MotionFileError
from ..resolving import AROUND_S, around, ask_to_solve, changed_range
from ..subjects import Subject, subject_of
from ..takes import active_person, is_linked
from ..translations import fault, told
from .recover import at_work, engine_for, finish_in_background

_SIDES = (("LEFT", "Left", "The left foot"), ("RIGHT", "Right", "The right foot"))
_PARTS = (
    ("BOTH", "Whole Foot", "Heel and toe"),
    ("HEEL", "Heel", "Only the heel: the foot turns on it"),
    ("TOE", "Toe", "Only the toe: the heel is free to rise"),
)


_DONE = {
    True: "Planted in frames {first} to {last}. Re-solve Feet makes the body follow.",
    False: "Lifted in frames {first} to {last}. Re-solve Feet makes the body follow.",
}


def nobody_here(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """What poll says where a person is needed that nothing is done with at the moment."""
    if at_work(operator):
        return True
    if active_person(context) is None:
        operator.poll_message_set(told("Select a recovered person: the armature, or its body"))
    elif is_linked(active_person(context)):
        operator.poll_message_set(told("This person is linked from another file: make it local first"))
    else:
        return False
    return True


class _SetContact:
    """Write on the contact curves of the active person."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set
    planted = True

    side: bpy.props.EnumProperty(name="Foot", items=_SIDES)
    part: bpy.props.EnumProperty(name="Part", items=_PARTS)
    use_range: bpy.props.BoolProperty(
        name="Range", description="From one frame to another; otherwise from the current frame to the next change",
        options={"SKIP_SAVE"},
    )  # fmt: skip
    first: bpy.props.IntProperty(name="First", description="First frame of the range", default=1, options={"SKIP_SAVE"})
    last: bpy.props.IntProperty(name="Last", description="Last frame of the range", default=1, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a person."""
        return not nobody_here(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """A range, where one is asked for, begins here."""
        if not self.properties.is_property_set("first"):
            self.first = self.last = context.scene.frame_current
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        try:
            subject = subject_of(active_person(context))
        except (RecoverError, MotionFileError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        first, last = (self.first, self.last) if self.use_range else (context.scene.frame_current, None)
        parts = ("heel", "toe") if self.part == "BOTH" else (self.part.lower(),)
        names = [f"{self.side.lower()}_{part}" for part in parts]
        done = [set_contact(subject, name, self.planted, first, last) for name in names]
        done = [span for span in done if span is not None]
        if not done:
            self.report({"WARNING"}, told("Nothing to do: the foot is that way already, or the person is not there."))
            return {"CANCELLED"}
        first, last = min(a for a, _ in done), max(b for _, b in done)
        self.report({"INFO"}, told(_DONE[self.planted], first=first, last=last))
        return {"FINISHED"}


class RECOVERMOTION_OT_plant_foot(_SetContact, bpy.types.Operator):
    """Say that this foot stands on the ground, from the current frame to where its contact changes next"""

    bl_idname = "recover_motion.plant_foot"
    bl_label = "Plant Foot"


class RECOVERMOTION_OT_lift_foot(_SetContact, bpy.types.Operator):
    """Say that this foot is off the ground, from the current frame to where its contact changes next"""

    bl_idname = "recover_motion.lift_foot"
    bl_label = "Lift Foot"
    planted = False


class RECOVERMOTION_OT_resolve_feet(bpy.types.Operator):
    """Let the body follow its foot contacts: solves legs and way again, only around contacts that were changed"""

    bl_idname = "recover_motion.resolve_feet"
    bl_label = "Re-solve Feet"

    whole: bpy.props.BoolProperty(
        name="All Frames", description="Solve the person's whole motion, whether contacts were changed or not",
        options={"SKIP_SAVE"},
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a person."""
        return not nobody_here(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the engine; what it says is shown later, by a timer."""
        try:
            python = engine_for(context)
            subject = subject_of(active_person(context))
            span = self._range(subject)
            if span is None:
                self.report({"INFO"}, told("No contact was changed: plant or lift a foot first."))
                return {"CANCELLED"}
            ask_to_solve(python, settled(subject), *span)
        except (RecoverError, MotionFileError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return finish_in_background(self)

    def _range(self, subject: Subject) -> tuple[int, int] | None:
        if self.whole:
            return 0, subject.motion.meta["frames"] - 1
        span = changed_range(subject)
        return None if span is None else around(subject, *span, AROUND_S)


_CLASSES = (RECOVERMOTION_OT_plant_foot, RECOVERMOTION_OT_lift_foot, RECOVERMOTION_OT_resolve_feet)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

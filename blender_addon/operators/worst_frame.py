"""Next Worst Frame and Previous Worst Frame."""

from __future__ import annotations

import bpy

from ..ghmr_engine.errors import RecoverError
from ..motion import MotionFileError
from ..ratings import Rated, rated
from ..scene.playhead import go_to
from ..take_list import make_active, person_name
from ..takes import active_take, person_of
from ..translations import fault, told


class ToWorstFrame:
    """What both share: worst frames of all people of the active take, in the order of time."""

    bl_options = {"REGISTER", "UNDO_GROUPED"}  # noqa: RUF012  Blender wants a plain set
    backwards = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There has to be a take."""
        if active_take(context) is None:
            cls.poll_message_set(told("There is no take in this scene: recover one first"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Jump there, make that person the active one and say what is wrong."""
        take, scene = active_take(context), context.scene
        try:
            people = rated(take)
        except (RecoverError, MotionFileError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        places = [(frame, order) for order, person in enumerate(people) for frame in person.scene_frames()]
        if not places:
            self.report({"INFO"}, told("No frame of {take} stands out as bad", take=take.name))
            return {"CANCELLED"}
        frame, order = _beside(sorted(places), _here(context, people), backwards=self.backwards)
        go_to(scene, frame)
        make_active(context.view_layer, people[order].owner)
        said = ", ".join(people[order].why(frame))
        name = person_name(take, people[order].owner)
        self.report({"INFO"}, told("Frame {frame}: {person}, {what}", frame=frame, person=name, what=said))
        return {"FINISHED"}


def _here(context: bpy.types.Context, people: list[Rated]) -> tuple[int, float]:
    """The current frame, and which person is active; between two frames' people where it is none of them."""
    active = person_of(context.view_layer.objects.active)
    order = next((order for order, person in enumerate(people) if person.owner == active), -0.5)
    return context.scene.frame_current, order


def _beside(places: list[tuple[int, int]], here: tuple[int, float], *, backwards: bool) -> tuple[int, int]:
    """The place after (or before) this one; from the last on to the first."""
    if backwards:
        return next((place for place in reversed(places) if place < here), places[-1])
    return next((place for place in places if place > here), places[0])


class RECOVERMOTION_OT_next_worst_frame(ToWorstFrame, bpy.types.Operator):
    """Jump to the next frame in which somebody of the active take is badly off: off the picture, hidden or sliding"""

    bl_idname = "recover_motion.next_worst_frame"
    bl_label = "Next Worst Frame"


class RECOVERMOTION_OT_previous_worst_frame(ToWorstFrame, bpy.types.Operator):
    """Jump back to the frame before this one in which somebody of the active take is badly off"""

    bl_idname = "recover_motion.previous_worst_frame"
    bl_label = "Previous Worst Frame"
    backwards = True


_CLASSES = (RECOVERMOTION_OT_next_worst_frame, RECOVERMOTION_OT_previous_worst_frame)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

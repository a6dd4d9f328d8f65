"""Pin Joint, Clear Pins and Re-solve Near Here."""

from __future__ import annotations

import bpy
import numpy as np

from ..ghmr_engine.errors import RecoverError
from ..layer_keys import settled
from ..motion import JOINT_NAMES, MotionFileError
from ..pins import (
    NEAR_S,
    clear_pins,
    joints_seen,
    looks_through,
    pins_near,
    pins_within,
    set_pin,
    viewing_of,
    window_region,
)  # fmt: skip
from ..resolving import around, ask_to_solve
from ..subjects import subject_of
from ..takes import active_person
from ..translations import fault, local, told
from ..ui.pin_marks import draw_drag
from .feet import nobody_here
from .recover import engine_for, finish_in_background

_REACH_PX = 30
"""How near the mouse has to come to a joint."""
_HELP = "Drag a joint to where it is in the picture. Enter, Esc or right click: done"
_DONE = {"RET", "NUMPAD_ENTER", "ESC", "RIGHTMOUSE"}


class RECOVERMOTION_OT_pin_joint(bpy.types.Operator):
    """Drag joints to where they are in the camera's picture; Re-solve Near Here makes the motion follow"""

    bl_idname = "recover_motion.pin_joint"
    bl_label = "Pin Joint"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    joint: bpy.props.StringProperty(name="Joint", description="The bone whose head it is")
    x: bpy.props.FloatProperty(name="X", description="Pixels of the clip, to the right")
    y: bpy.props.FloatProperty(name="Y", description="Pixels of the clip, down")
    frame: bpy.props.IntProperty(name="Frame", description="Of the scene; the current one by default")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a person."""
        return not nobody_here(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Pin one joint in one frame."""
        given = self.properties.is_property_set("frame")
        try:
            subject = subject_of(active_person(context))
            set_pin(subject, self.frame if given else context.scene.frame_current, self.joint, self.x, self.y)
        except (RecoverError, MotionFileError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Drag joints until the user has done."""
        self._person, self._area, self._near, self._held = active_person(context), context.area, None, False
        try:
            self._size = tuple(subject_of(self._person).motion.meta["image_size"])
        except (RecoverError, MotionFileError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        if (
            context.area.type != "VIEW_3D"
            or not looks_through(context.scene, self._person)
            or not self._viewing(context)
        ):
            self.report({"ERROR"}, told("Look through the take's camera in a 3D viewport first (View, Cameras)."))
            return {"CANCELLED"}
        self._mouse = np.full(2, np.nan)
        self._handle = bpy.types.SpaceView3D.draw_handler_add(draw_drag, (self,), "WINDOW", "POST_PIXEL")
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set(local(_HELP))
        self._area.tag_redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Blender's call at every event."""
        if self._gone(context):
            return self._end(context)
        region = window_region(self._area)
        self._mouse = np.array([event.mouse_x - region.x, event.mouse_y - region.y], dtype=float)
        inside = 0 <= self._mouse[0] < region.width and 0 <= self._mouse[1] < region.height
        if event.type == "MOUSEMOVE":
            if not self._held:
                self._near = self._nearest(context) if inside else None
            self._area.tag_redraw()
            return {"RUNNING_MODAL"} if self._held else {"PASS_THROUGH"}
        if event.type == "LEFTMOUSE" and (self._held or inside):
            return self._press(context, event.value)
        if event.type in _DONE and event.value == "PRESS":
            if self._held:  # only this drag is given up
                self._held = False
                self._area.tag_redraw()
                return {"RUNNING_MODAL"}
            return self._end(context)
        return {"RUNNING_MODAL"} if self._held else {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender's call where the window or the file goes."""
        self._end(context)

    def _press(self, context: bpy.types.Context, value: str) -> set[str]:
        if value == "PRESS":
            self._held = self._near is not None
        elif value == "RELEASE" and self._held:
            self._held = False
            self._pin(context)
        self._area.tag_redraw()
        return {"RUNNING_MODAL"}

    def _pin(self, context: bpy.types.Context) -> None:
        viewing = self._viewing(context)
        if viewing is None:
            return
        try:
            set_pin(subject_of(self._person), context.scene.frame_current, self._near, *viewing.to_picture(self._mouse))
        except (RecoverError, MotionFileError) as error:
            self.report({"WARNING"}, fault(error))
            return
        # A step of its own for each pin: Blender stores none for an operator within another.
        bpy.ops.ed.undo_push(message=local("Pin Joint"))

    def _nearest(self, context: bpy.types.Context) -> str | None:
        seen = joints_seen(self._person, self._area, context.evaluated_depsgraph_get())
        away = np.linalg.norm(seen - self._mouse, axis=1)
        place = int(np.nanargmin(np.where(np.isnan(away), np.inf, away)))
        return JOINT_NAMES[place] if away[place] <= _REACH_PX else None

    def _viewing(self, context: bpy.types.Context) -> object:
        return viewing_of(self._area, context.scene, self._size)

    def _gone(self, context: bpy.types.Context) -> bool:
        """Whether what it works with is no longer there."""
        try:
            return not self._person.recover_motion.number or self._area not in context.screen.areas[:]
        except ReferenceError:
            return True

    def _end(self, context: bpy.types.Context) -> set[str]:
        bpy.types.SpaceView3D.draw_handler_remove(self._handle, "WINDOW")
        context.workspace.status_text_set(None)
        for area in context.screen.areas:
            area.tag_redraw()
        return {"CANCELLED"}  # pins have undo steps of their own


class RECOVERMOTION_OT_clear_pins(bpy.types.Operator):
    """Take away this person's pins; what was solved with them stays"""

    bl_idname = "recover_motion.clear_pins"
    bl_label = "Clear Pins"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    here: bpy.props.BoolProperty(name="Only Here", description="Only those of the current frame")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With pins."""
        if nobody_here(cls, context):
            return False
        if not active_person(context).recover_motion_fixes.pins:
            cls.poll_message_set(told("This person has no pins"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        try:
            count = clear_pins(subject_of(active_person(context)), context.scene.frame_current if self.here else None)
        except (RecoverError, MotionFileError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return {"FINISHED"} if count else {"CANCELLED"}


class RECOVERMOTION_OT_resolve_near(bpy.types.Operator):
    """Let the motion follow the pins near the current frame; the rest of it stays as it is"""

    bl_idname = "recover_motion.resolve_near"
    bl_label = "Re-solve Near Here"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With pins."""
        return RECOVERMOTION_OT_clear_pins.poll.__func__(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the engine; what it says is shown later, by a timer."""
        try:
            python = engine_for(context)
            subject = subject_of(active_person(context))
            span = pins_near(subject, context.scene.frame_current)
            if span is None:
                self.report({"WARNING"}, told("No pin is near the current frame: go to where one is."))
                return {"CANCELLED"}
            first, last = around(subject, *span, NEAR_S)
            ask_to_solve(python, settled(subject), first, last, pins_within(subject, first, last))
        except (RecoverError, MotionFileError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return finish_in_background(self)


_CLASSES = (RECOVERMOTION_OT_pin_joint, RECOVERMOTION_OT_clear_pins, RECOVERMOTION_OT_resolve_near)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

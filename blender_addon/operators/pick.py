"""Pick in the Frame: a click on somebody in the clip ticks them in the list."""

from __future__ import annotations

import bpy
import numpy as np

from ..ghmr_engine.errors import RecoverError
from ..people_file import under
from ..showing import Showing, redraw_clips, showing_in
from ..translations import fault, local, told
from .people import RECOVERMOTION_OT_tick_people

_HELP = "Click on a person: choose only them  |  Shift: choose them too  |  Esc: stop"


class RECOVERMOTION_OT_pick_person(bpy.types.Operator):
    """Click on a person wherever the clip is shown: only they stay ticked; with Shift they are ticked too"""

    bl_idname = "recover_motion.pick_person"
    bl_label = "Pick in the Frame"
    bl_options = {"UNDO"}  # noqa: RUF012  Blender wants a plain set

    x: bpy.props.FloatProperty(name="X", description="In the picture, px to the right", options={"SKIP_SAVE"})
    y: bpy.props.FloatProperty(name="Y", description="In the picture, px down", options={"SKIP_SAVE"})
    frame: bpy.props.IntProperty(name="Frame", description="Of the motion", options={"SKIP_SAVE"})
    extend: bpy.props.BoolProperty(name="Too", description="Keep who is ticked already", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """As all that change the list."""
        listed = RECOVERMOTION_OT_tick_people.poll(context)
        if not listed:
            cls.poll_message_set(told("Find People first, or wait for what is being worked on"))
        return listed

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Tick whom the click meant, and make them the active one."""
        people = context.scene.recover_motion_people
        try:
            place = under(people.boxes_at(self.frame), (self.x, self.y))
        except RecoverError as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        if place is None:
            self.report({"WARNING"}, told("Nobody was found there. Click into one of the boxes."))
            return {"CANCELLED"}
        for other, entry in enumerate(people.people):
            entry.ticked = other == place or (self.extend and entry.ticked)
        people.active = place
        redraw_clips()
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Wait for a click."""
        try:
            context.scene.recover_motion_people.file()
        except RecoverError as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        if not _shown(context):
            self.report(
                {"ERROR"}, told("The clip is not in view. Open it in the Movie Clip editor, or behind the camera.")
            )
            return {"CANCELLED"}
        context.window_manager.modal_handler_add(self)
        context.window.cursor_modal_set("EYEDROPPER")
        context.workspace.status_text_set(local(_HELP))
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """A click into the clip picks; all else is as ever, so that one may go to another frame, or zoom."""
        if event.type in {"ESC", "RIGHTMOUSE"} or not self.poll(context):
            return self._end(context, {"CANCELLED"})
        if event.type != "LEFTMOUSE" or event.value != "PRESS":
            return {"PASS_THROUGH"}
        mouse = np.array([event.mouse_x, event.mouse_y])
        for region, showing in _shown(context):
            if _inside(region, mouse) and not _covered(context, region, mouse):
                at = mouse - (region.x, region.y)
                (self.x, self.y), self.frame = showing.viewing.to_picture(at), showing.frame
                self.extend = event.shift
                done = self.execute(context)
                return self._end(context, done) if done == {"FINISHED"} else {"RUNNING_MODAL"}
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender's call where the window goes."""
        self._end(context, {"CANCELLED"})

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(None)
        return result


def _shown(context: bpy.types.Context) -> list[tuple[bpy.types.Region, Showing]]:
    """The window's regions in which the clip is shown."""
    found = []
    for area in context.window.screen.areas:
        views = _views(area)
        main = (region for region in area.regions if region.type in {"WINDOW", "PREVIEW"})
        for place, region in enumerate(main):
            try:
                showing = showing_in(context.scene, area, region, views[place] if place < len(views) else None)
            except RecoverError:  # a strip that cannot be used says nothing of the other editors
                continue
            if showing is not None:
                found.append((region, showing))
    return found


def _inside(region: bpy.types.Region, mouse: np.ndarray) -> bool:
    at = mouse - (region.x, region.y)
    return bool((at >= 0).all() and (at < (region.width, region.height)).all())


def _covered(context: bpy.types.Context, shown: bpy.types.Region, mouse: np.ndarray) -> bool:
    """Whether a sidebar, which may lie over the picture, is there."""
    area = next(area for area in context.window.screen.areas if shown in list(area.regions))
    return any(_inside(region, mouse) for region in area.regions if region.type not in {"WINDOW", "PREVIEW"})


def _views(area: bpy.types.Area) -> list[bpy.types.RegionView3D]:
    """Of a 3D viewport: one for each of its main regions, of which there are four in a quad view."""
    if area.type != "VIEW_3D":
        return []
    space = area.spaces.active
    return list(space.region_quadviews) or [space.region_3d]


register, unregister = bpy.utils.register_classes_factory((RECOVERMOTION_OT_pick_person,))

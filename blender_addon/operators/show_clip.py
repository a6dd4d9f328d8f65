"""Show Clip: the clip in which people were found, beside the scene."""

from __future__ import annotations

import bpy

from ..showing import clip_editor_of, redraw_clips
from ..sources import loaded_clip
from ..translations import told

_SHARE = 0.5
_LAID_OUT_S = 0.1


class RECOVERMOTION_OT_show_clip(bpy.types.Operator):
    """Open the clip in half of this editor, with a box around everybody who was found"""

    bl_idname = "recover_motion.show_clip"
    bl_label = "Show Clip"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is a place for it, and a clip with people to look at."""
        here = context.area is not None and context.area.type == "VIEW_3D"
        found = here and bool(context.scene.recover_motion_people.path)
        if not found:
            cls.poll_message_set(told("Press it in the 3D viewport, after Find People"))
        return found

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Into a Movie Clip editor that shows none, else into a new one."""
        path = context.scene.recover_motion_people.clip_path
        if not path.is_file():
            self.report({"ERROR"}, told("There is no file {file}. Put it back.", file=path))
            return {"CANCELLED"}
        screen, before = context.screen, set(context.screen.areas)
        empty = (area for area in before if area.type == "CLIP_EDITOR" and area.spaces.active.clip is None)
        area = next(empty, None)
        if area is None:
            bpy.ops.screen.area_split(direction="VERTICAL", factor=_SHARE)
            area = next((area for area in screen.areas if area not in before), None)
        if area is None:
            self.report({"ERROR"}, told("There is no room for another editor here. Make this one wider."))
            return {"CANCELLED"}
        area.type = "CLIP_EDITOR"
        space = area.spaces.active
        space.view, space.show_region_toolbar, space.show_region_ui = "CLIP", False, False  # they fill half an editor
        space.clip = loaded_clip(path) or bpy.data.movieclips.load(str(path), check_existing=True)
        # A new editor stands at a frame of its own until the playhead moves.
        space.clip_user.frame_current = context.scene.frame_current
        # How large it is, is known once it was laid out.
        bpy.app.timers.register(lambda: _fit(context.window, screen, area.as_pointer()), first_interval=_LAID_OUT_S)
        redraw_clips()
        return {"FINISHED"}


def _fit(window: bpy.types.Window, screen: bpy.types.Screen, pointer: int) -> None:
    """The timer's call: all of the clip in view, where the editor is still there."""
    area = next((area for area in screen.areas if area.as_pointer() == pointer), None)
    if area is not None and area.type == "CLIP_EDITOR":
        region = next(region for region in area.regions if region.type == "WINDOW")
        with bpy.context.temp_override(window=window, screen=screen, area=area, region=region):
            bpy.ops.clip.view_all(fit_view=True)


def offer_clip(context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
    """The button, where the clip is in no Movie Clip editor of this screen."""
    if context.area is not None and context.area.type == "VIEW_3D" and clip_editor_of(context) is None:
        layout.operator(RECOVERMOTION_OT_show_clip.bl_idname, icon="TRACKER")


register, unregister = bpy.utils.register_classes_factory((RECOVERMOTION_OT_show_clip,))

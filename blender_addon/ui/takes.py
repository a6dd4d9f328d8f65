"""The list of takes, what the active one is, and what is drawn of it. They only draw."""

from __future__ import annotations

import bpy

from ..comparing import compared_take
from ..ghmr_engine.errors import RecoverError
from ..motion import MotionFileError
from ..take_words import RESEARCH, about, about_without_file, licence_of, warnings_of
from ..takes import active_take, filming, motion_of, people_of, takes_of
from ..translations import fault, local
from .editors import Drawn, in_editors, words


class RECOVERMOTION_UL_takes(bpy.types.UIList):
    """Blender's collections, of which only the scene's takes are shown."""

    def draw_item(
        self, context: bpy.types.Context, layout: bpy.types.UILayout, _data: object, take: bpy.types.Collection,
        _icon: int, _active: object, _property: str,
    ) -> None:  # fmt: skip
        """Blender's call: a row."""
        row, known = layout.row(align=True), take.recover_motion_row
        row.prop(known, "shown", text="", icon="HIDE_OFF" if known.shown else "HIDE_ON", emboss=False)
        name = row.row()
        name.enabled = take.library is None
        name.prop(known, "title", text="", emboss=False)
        end = row.row(align=True)
        end.alignment = "RIGHT"
        if licence_of(take) == RESEARCH:
            end.label(text="research", icon="ERROR")
        end.label(text=str(len(people_of(take))), icon="ARMATURE_DATA")
        if take == active_take(context):
            end.label(icon="BLANK1")
        elif take.recover_motion_compared:
            end.operator("recover_motion.stop_comparing", text="", icon="UV_SYNC_SELECT", depress=True)
        else:
            end.operator("recover_motion.compare_takes", text="", icon="UV_SYNC_SELECT").take = take.name

    def filter_items(self, context: bpy.types.Context, _data: object, _property: str) -> tuple[list[int], list[int]]:
        """Blender's call: which rows there are, in the order of their names."""
        takes, wanted = takes_of(context.scene), self.filter_name.lower()
        return [
            self.bitflag_filter_item if item in takes and wanted in item.name.lower() else 0
            for item in bpy.data.collections
        ], []


class Takes(Drawn):
    """What was recovered so far."""

    bl_label = "Takes"
    bl_order = 2
    parent = "Main"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        take = active_take(context)
        if take is None:
            words(context, layout, "What is recovered is listed here.", "INFO")
            layout.operator("recover_motion.import_motion", icon="IMPORT")
            return
        count = len(takes_of(context.scene))
        row = layout.row()
        row.template_list(
            "RECOVERMOTION_UL_takes", "", bpy.data, "collections", context.scene.recover_motion_takes, "active",
            rows=max(min(count, 6), 3),
        )  # fmt: skip
        side = row.column(align=True)
        side.operator("recover_motion.show_take", text="", icon="SOLO_ON")
        side.operator("recover_motion.use_camera", text="", icon="VIEW_CAMERA")
        side.operator("recover_motion.import_motion", text="", icon="IMPORT")
        side.separator()
        side.operator("recover_motion.delete_take", text="", icon="TRASH")
        _draw_comparing(context, layout, take)
        if filming(take) not in (None, context.scene.camera):
            layout.operator("recover_motion.use_camera", icon="VIEW_CAMERA")
        _draw_trouble(context, layout, take)
        for warning in warnings_of(take):
            words(context, layout, warning, "INFO")


class _OfATake(Drawn):
    """Shown where there is a take."""

    parent = "Takes"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a take."""
        return active_take(context) is not None


class Details(_OfATake):
    """What the active take is, and how good."""

    bl_label = "Details"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender wants a plain set

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        take = active_take(context)
        try:
            lines = about(take)
        except (RecoverError, MotionFileError):
            lines = about_without_file(take)
        column = self.layout.column(align=True)
        for line in lines:
            words(context, column, line, "DOT")


class Overlay(_OfATake):
    """What is drawn over the video and under the keys."""

    bl_label = "Overlay and Quality"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout, chosen = self.layout, context.scene.recover_motion_overlay
        column = layout.column(align=True)
        column.prop(chosen, "skeleton")
        column.prop(chosen, "grid")
        row = column.row()
        row.enabled = chosen.skeleton or chosen.grid
        row.prop(chosen, "viewport")
        column.prop(chosen, "strip")
        row = layout.row(align=True)
        row.operator("recover_motion.previous_worst_frame", text="", icon="PREV_KEYFRAME")
        row.operator("recover_motion.next_worst_frame", icon="NEXT_KEYFRAME")


def _draw_trouble(context: bpy.types.Context, layout: bpy.types.UILayout, take: bpy.types.Collection) -> None:
    """What is wrong with the take's file, and what mends it."""
    try:
        motion_of(take)
    except (RecoverError, MotionFileError) as error:
        box = layout.box()
        words(context, box, fault(error), "ERROR")
        box.operator("recover_motion.locate_motion_file", icon="FILE_FOLDER")


def _draw_comparing(context: bpy.types.Context, layout: bpy.types.UILayout, active: bpy.types.Collection) -> None:
    other = compared_take(context.scene)
    if other is None:
        return
    box, settings = layout.box(), context.scene.recover_motion_comparing
    row = box.row()
    said = local("With {take}", take=other.name) if other != active else local("Others are compared with it")
    row.label(text=said, icon="UV_SYNC_SELECT", translate=False)
    row.operator("recover_motion.stop_comparing", text="", icon="X")
    box.row().prop(settings, "way", expand=True)
    if settings.way == "BESIDE":
        box.prop(settings, "distance")


_CLASSES = (RECOVERMOTION_UL_takes, *in_editors(Takes), *in_editors(Details), *in_editors(Overlay))
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

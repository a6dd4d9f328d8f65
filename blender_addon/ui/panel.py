"""The panel in the 3D viewport's sidebar. It only draws."""

from __future__ import annotations

import textwrap

import bpy

from ..jobs import JOB
from ..preferences import HOW_TO_INSTALL, chosen_engine
from ..properties import CAMERAS_WITH_A_FILE

_STAGES = {
    "video": "Reading the clip", "people": "Finding people",
    "camera": "Following the camera", "lift": "Fitting bodies", "world": "Placing them in the world",
    "refine": "Refining", "write": "Writing",
}  # fmt: skip
_OTHER = {"starting": "Starting the engine", "stopping": "Stopping"}
_PIXELS_A_LETTER = 7.5


class RECOVERMOTION_PT_main(bpy.types.Panel):
    """From a clip to armatures."""

    bl_label = "Recover Motion"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Recover Motion"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        if chosen_engine(context) is None:
            _words(context, layout.box(), f"No engine was found. {HOW_TO_INSTALL} (Preferences, Add-ons).", "ERROR")
        choices = layout.column()
        choices.enabled = not JOB.running
        _draw_choices(choices, context.scene.recover_motion)
        if JOB.running:
            _draw_progress(layout)
            return
        row = layout.row()
        row.scale_y = 1.6
        row.operator("recover_motion.recover", icon="ARMATURE_DATA")
        if JOB.error is not None and JOB.error.code != "cancelled":
            box = layout.box()
            _words(context, box, f"{JOB.error.message} {JOB.error.fix}", "ERROR")
            box.operator("recover_motion.copy_log", icon="COPYDOWN")
        elif JOB.quality:
            box = layout.box()
            for line in JOB.quality.splitlines():
                _words(context, box, line, "CHECKMARK")
            for warning in JOB.done.warnings:
                _words(context, box, warning, "INFO")


def _draw_choices(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    layout.prop(settings, "clip", text="", placeholder="Video")
    layout.prop(settings, "people")
    if settings.people == "number":
        layout.prop(settings, "number")
    layout.prop(settings, "camera")
    if settings.camera in CAMERAS_WITH_A_FILE:
        layout.prop(settings, "camera_file")
    elif settings.camera == "blender":
        layout.prop(settings, "tracked_clip")
    _draw_known(layout, settings, "Lens", "use_lens", "lens")
    if settings.use_lens:
        layout.prop(settings, "sensor")
    layout.prop(settings, "quality")
    _draw_known(layout, settings, "Height", "use_height", "height")
    layout.prop(settings, "use_range")
    if settings.use_range:
        column = layout.column(align=True)
        column.prop(settings, "start")
        column.prop(settings, "end")
    layout.prop(settings, "set_rate")


def _draw_known(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, label: str, use: str, name: str) -> None:
    """A box to tick beside a value that counts only then."""
    row = layout.row(heading=label)
    row.prop(settings, use, text="")
    value = row.row()
    value.enabled = getattr(settings, use)
    value.prop(settings, name, text="")


def _draw_progress(layout: bpy.types.UILayout) -> None:
    text = _OTHER.get(JOB.stage, JOB.stage)
    if JOB.stage in _STAGES:
        left = f", {JOB.eta_s:.0f} s" if JOB.eta_s is not None and JOB.eta_s >= 1 else ""
        text = f"{list(_STAGES).index(JOB.stage) + 1}/{len(_STAGES)} {_STAGES[JOB.stage]}{left}"
    column = layout.column()
    column.progress(factor=min(max(JOB.share, 0.0), 1.0), type="BAR", text=text)
    row = column.row()
    row.enabled = JOB.stage != "stopping"
    row.operator("recover_motion.cancel", icon="CANCEL")


def _words(context: bpy.types.Context, layout: bpy.types.UILayout, text: str, icon: str) -> None:
    """A text over as many lines as the sidebar's width asks for."""
    width = context.region.width / context.preferences.system.ui_scale - 40
    column = layout.column(align=True)
    for place, line in enumerate(textwrap.wrap(text, max(int(width / _PIXELS_A_LETTER), 16))):
        column.label(text=line, icon=icon if place == 0 else "BLANK1")


def register() -> None:
    """Called by the add-on."""
    bpy.utils.register_class(RECOVERMOTION_PT_main)


def unregister() -> None:
    """Called by the add-on."""
    bpy.utils.unregister_class(RECOVERMOTION_PT_main)

"""The panels that lead from a clip to a take. They only draw."""

from __future__ import annotations

import bpy

from .. import runner
from ..ghmr_engine.errors import RecoverError
from ..jobs import JOB
from ..preferences import chosen_engine, draw_missing_engine
from ..properties import CAMERAS_WITH_A_FILE
from ..sources import source_of
from ..translations import fault, local
from .editors import Drawn, in_editors, words
from .pictures import icon

_STAGES = {
    "video": "Reading the clip", "people": "Finding people",
    "camera": "Following the camera", "lift": "Fitting bodies", "world": "Placing them in the world",
    "refine": "Refining", "write": "Writing", "starting": "Starting the engine", "stopping": "Stopping",
}  # fmt: skip
_PREVIEW_SCALE = 9
_STATUS_WIDTH = 16


class Main(Drawn):
    """From a clip to armatures."""

    bl_label = "Recover Motion"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        engine = chosen_engine(context) is not None
        if not engine:
            draw_missing_engine(context, layout.box())
        choices = layout.column()
        choices.enabled = not runner.busy()
        ready = _draw_source(context, choices) and engine
        choices.prop(context.scene.recover_motion, "quality")
        if runner.busy():
            draw_progress(layout)
            return
        row = layout.row()
        row.scale_y = 1.6
        row.enabled = ready
        row.operator("recover_motion.recover", icon="ARMATURE_DATA")
        _draw_outcome(context, layout)


class Options(Drawn):
    """What is known of the clip, and what the scene takes from it."""

    bl_label = "Camera and Scene"
    bl_order = 1
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender wants a plain set
    parent = "Main"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not runner.busy()
        settings = context.scene.recover_motion
        try:
            source = source_of(context, measured=False)
        except RecoverError:
            source = None
        _draw_camera(context, layout, settings, source)
        _draw_height(layout, settings)
        if source is not None and source.timed:
            words(context, layout, "Range and frame rate are the strip's.", "INFO")
            return
        layout.prop(settings, "use_range")
        if settings.use_range:
            column = layout.column(align=True)
            column.prop(settings, "start")
            column.prop(settings, "end")
        layout.prop(settings, "rate")


def _draw_source(context: bpy.types.Context, layout: bpy.types.UILayout) -> bool:
    """Which clip it will be; whether there is one."""
    editor = context.area.type
    if editor == "VIEW_3D":
        layout.prop(context.scene.recover_motion, "clip", text="", placeholder="Video")
    try:
        source = source_of(context, measured=False)
    except RecoverError as error:
        nothing = editor == "VIEW_3D" and not context.scene.recover_motion.clip
        words(context, layout, error.fix if nothing else fault(error), "INFO" if nothing else "ERROR")
        return False
    if editor != "VIEW_3D":
        words(context, layout, source.path.name, "FILE_MOVIE")
    return True


def _draw_camera(
    context: bpy.types.Context, layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, source: object
) -> None:
    layout.prop(settings, "camera")
    if settings.camera in CAMERAS_WITH_A_FILE:
        layout.prop(settings, "camera_file")
    elif settings.camera == "blender":
        layout.prop(settings, "tracked_clip")
    elif settings.camera in ("droid", "dpvo"):
        words(context, layout, "Works where it was added to the engine's environment.", "INFO")
    layout.prop(settings, "lens_from")
    if settings.lens_from == "known":
        layout.prop(settings, "lens")
        layout.prop(settings, "sensor")
    elif settings.lens_from == "clip":
        if source is None or source.clip is None:
            words(context, layout, "Open this clip in the Movie Clip editor, which has the lens.", "ERROR")
        else:
            lens = source.clip.tracking.camera
            layout.prop(lens, "focal_length")
            layout.prop(lens, "sensor_width")


def _draw_height(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """A box to tick beside a value that counts only then."""
    row = layout.row(heading="Height")
    row.prop(settings, "use_height", text="")
    value = row.row()
    value.enabled = settings.use_height
    value.prop(settings, "height", text="")


def _draw_outcome(context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
    """What the last job came to."""
    if JOB.error is not None and JOB.error.code != "cancelled":
        box = layout.box()
        words(context, box, fault(JOB.error), "ERROR")
        box.operator("recover_motion.copy_log", icon="COPYDOWN")
    elif JOB.quality:
        lines = layout.box().column(align=True)
        for line in JOB.quality.splitlines():
            words(context, lines, line, "CHECKMARK")


def progress_words() -> tuple[float, str]:
    """How far what runs is, 0 to 1, and what it does, with the seconds left of that."""
    if runner.building():
        return 1.0, local("Putting it into the scene")
    text, left = local(_STAGES.get(JOB.stage, JOB.stage)), JOB.ahead.seconds
    if JOB.stage in _STAGES and left is not None and JOB.stage != "stopping":
        text = local("{stage}, {time} left", stage=text, time=_rounded(left))
    return min(max(JOB.ahead.whole, 0.0), 1.0), text


def _rounded(seconds: float) -> str:
    """As exactly as it is known."""
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return f"{max(round(seconds / 5) * 5, 5) if seconds > 12 else max(round(seconds), 1)} s"


def draw_progress(layout: bpy.types.UILayout) -> None:
    """A bar, a picture of what was found so far, and a way to stop."""
    share, text = progress_words()
    column = layout.column()
    column.progress(factor=share, type="BAR", text=text)
    picture = icon(JOB.preview) if JOB.preview is not None else 0
    if picture:
        column.template_icon(icon_value=picture, scale=_PREVIEW_SCALE)
    row = column.row()
    row.enabled = JOB.running and JOB.stage != "stopping"
    row.operator("recover_motion.cancel", icon="CANCEL")


def _draw_status(self: bpy.types.Header, _context: bpy.types.Context) -> None:
    """In the status bar, so that it is seen from every editor."""
    if runner.busy():
        share, text = progress_words()
        row = self.layout.row(align=True)
        row.ui_units_x = _STATUS_WIDTH
        row.progress(factor=share, type="BAR", text=f"Recover Motion: {text}")
        row.operator("recover_motion.cancel", text="", icon="X")


_CLASSES = (*in_editors(Main), *in_editors(Options))


def register() -> None:
    """Called by the add-on."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.STATUSBAR_HT_header.append(_draw_status)


def unregister() -> None:
    """Called by the add-on."""
    bpy.types.STATUSBAR_HT_header.remove(_draw_status)
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)

"""Recover Motion, Cancel and Copy Log."""

from __future__ import annotations

import time
from pathlib import Path

import bpy

from ..ghmr_engine.camera_words import camera_line
from ..ghmr_engine.errors import RecoverError
from ..jobs import JOB
from ..motion import MotionFileError, read_motion
from ..preferences import HOW_TO_INSTALL, chosen_engine, data_folder
from ..properties import CAMERAS_WITH_A_FILE
from ..scene.background import clip_to_show
from ..scene.build import build_scene
from ..tracked_camera import find_solved, write_camera

_POLL_S = 0.1


class RECOVERMOTION_OT_recover(bpy.types.Operator):
    """Turn the people in the clip into armatures in this scene"""

    bl_idname = "recover_motion.recover"
    bl_label = "Recover Motion"
    # No REGISTER: repeating the last action would run execute(), which holds Blender until it is done.
    bl_options = {"UNDO"}  # noqa: RUF012  Blender wants a plain set

    _timer: bpy.types.Timer | None = None
    _written: Path | None = None
    """The camera's file, which goes where there will be no take beside it."""

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One at a time."""
        return not JOB.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Recover and build, waiting for the engine: for scripts and for Blender without a window."""
        if not _start(self, context):
            return {"CANCELLED"}
        while JOB.poll():
            time.sleep(_POLL_S)
        return _finish(self, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Recover while Blender stays usable."""
        if bpy.app.background:
            return self.execute(context)
        if not _start(self, context):
            return {"CANCELLED"}
        manager = context.window_manager
        self._timer = manager.event_timer_add(_POLL_S, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Drain the engine's messages ten times a second; everything else passes through."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        running = JOB.poll()
        _redraw(context)
        if running:
            return {"PASS_THROUGH"}
        context.window_manager.event_timer_remove(self._timer)
        result = _finish(self, context)
        if "FINISHED" in result:
            _look_through_camera(context)
        return result

    def cancel(self, _context: bpy.types.Context) -> None:
        """The window is closed or Blender quits: nobody would hear the engine any more."""
        JOB.stop()


class RECOVERMOTION_OT_cancel(bpy.types.Operator):
    """Stop the recovery; nothing is written"""

    bl_idname = "recover_motion.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while something runs."""
        return JOB.running

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask the engine to stop."""
        JOB.cancel()
        return {"FINISHED"}


class RECOVERMOTION_OT_copy_log(bpy.types.Operator):
    """Copy the error and the engine's last lines, to send them to somebody"""

    bl_idname = "recover_motion.copy_log"
    bl_label = "Copy Log"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put it on the clipboard."""
        error = f"{JOB.error.code}: {JOB.error.message} {JOB.error.fix}\n" if JOB.error else ""
        context.window_manager.clipboard = error + (JOB.client.log_tail(200) if JOB.client else "")
        self.report({"INFO"}, "The log is on the clipboard.")
        return {"FINISHED"}


def _start(operator: bpy.types.Operator, context: bpy.types.Context) -> bool:
    """Check what was chosen and ask the engine; says what is wrong otherwise."""
    settings = context.scene.recover_motion
    clip = Path(bpy.path.abspath(settings.clip)).absolute() if settings.clip else None
    if clip is None:
        operator.report({"ERROR"}, "No clip is chosen. Choose a video file.")
        return False
    if not clip.is_file():
        operator.report({"ERROR"}, f"There is no file {clip}. Choose another clip.")
        return False
    python = chosen_engine(context)
    if python is None:
        operator.report({"ERROR"}, f"No engine was found. {HOW_TO_INSTALL}.")
        return False
    try:
        out = _take_path(clip)
    except OSError as error:
        operator.report({"ERROR"}, f"There is no place for the take ({error}). Save the file in another folder.")
        return False
    try:
        options = _options(settings, clip, out)
    except RecoverError as error:
        operator.report({"ERROR"}, str(error))
        return False
    operator._written = Path(options["camera_file"]) if settings.camera == "blender" else None
    try:
        JOB.start(python, data_folder() / "engine.log", clip, out, options)
    except OSError as error:
        _discard(operator)
        operator.report({"ERROR"}, f"The engine cannot be started ({error}). Check its path in the preferences.")
        return False
    return True


def _options(settings: bpy.types.PropertyGroup, clip: Path, out: Path) -> dict[str, object]:
    """What the engine is asked, with the camera's file, which is written where Blender has it. Raises RecoverError."""
    options = settings.options()
    if settings.camera == "blender":
        path = out.with_name(f"{out.name.removesuffix('.motion.npz')}.camera.json")
        try:
            write_camera(find_solved(settings.tracked_clip, clip), path)
        except OSError as error:
            raise RecoverError("no_place", f"The camera cannot be written ({error}).", "Free space there.") from error
        options["camera_file"] = str(path)
    elif settings.camera in CAMERAS_WITH_A_FILE:
        if not settings.camera_file:
            raise RecoverError("no_camera_file", "No camera file is chosen.", "Choose one, or another Camera.")
        if not Path(options["camera_file"]).is_file():
            fix = "Choose another one, or another Camera."
            raise RecoverError("no_camera_file", f"There is no camera file {options['camera_file']}.", fix)
    return options


def _discard(operator: bpy.types.Operator) -> None:
    if operator._written is not None:
        operator._written.unlink(missing_ok=True)


def _take_path(clip: Path) -> Path:
    """A new motion file: beside the saved .blend, else in the add-on's data folder."""
    saved = bpy.data.filepath
    folder = Path(saved).parent / "recover_motion" if saved else data_folder() / "takes"
    folder.mkdir(parents=True, exist_ok=True)
    path, take = folder / f"{clip.stem}.motion.npz", 2
    while path.exists():
        path, take = folder / f"{clip.stem}.{take}.motion.npz", take + 1
    return path


def _finish(operator: bpy.types.Operator, context: bpy.types.Context) -> set[str]:
    """Build the scene of a job that is done, or say why there is none."""
    if JOB.done is None:
        _discard(operator)
        error = JOB.error
        text = f"{error.message} {error.fix}" if error else "Stopped; nothing was written."
        operator.report({"INFO"} if error is None or error.code == "cancelled" else {"ERROR"}, text)
        return {"CANCELLED"}
    path = Path(JOB.done.path)
    try:
        motion = read_motion(path)
        clip = clip_to_show(motion, path, JOB.clip)
        take = build_scene(context.scene, motion, clip, set_scene_rate=context.scene.recover_motion.set_rate)
    except MotionFileError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    _select_people(context, take)
    JOB.quality = _summary(JOB.done.quality, JOB.done.licence, motion.meta.get("camera", {}))
    for warning in JOB.done.warnings:
        operator.report({"WARNING"}, warning)
    operator.report({"INFO"}, f"Done: {JOB.quality.splitlines()[0]}.")
    return {"FINISHED"}


def _summary(quality: dict, licence: str, camera: dict) -> str:
    """Lines for the panel; figures are the worst person's."""
    count = len(quality)
    errors = [figures["reprojection_px"] for figures in quality.values() if figures["reprojection_px"] is not None]
    slides = [figures["sliding_mm"] for figures in quality.values() if figures["sliding_mm"] is not None]
    lines = [f"{count} {'person' if count == 1 else 'people'}, licence: {licence}"]
    lines += [f"Joints {max(errors):.1f} px off the picture"] if errors else []
    lines += [f"Feet slide {max(slides):.1f} mm a frame"] if slides else []
    lines += camera_line(camera)
    return "\n".join(lines)


def _select_people(context: bpy.types.Context, take: bpy.types.Collection) -> None:
    """As after adding anything else in Blender: what is new is selected, the first person is active."""
    people = [item for item in take.all_objects if item.type == "ARMATURE"]
    if context.mode != "OBJECT" or not people:
        return
    for item in context.view_layer.objects:
        item.select_set(item in people)
    context.view_layer.objects.active = people[0]


def _look_through_camera(context: bpy.types.Context) -> None:
    """In the largest viewport: the take and the clip it came from, one over the other."""
    areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
    if areas:
        view = max(areas, key=lambda area: area.width * area.height).spaces.active
        view.region_3d.view_perspective = "CAMERA"
        view.overlay.show_overlays = True


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


@bpy.app.handlers.persistent
def _before_load(*_arguments: object) -> None:
    """Another file is opened: what runs belongs to the one that goes."""
    JOB.forget()


_CLASSES = (RECOVERMOTION_OT_recover, RECOVERMOTION_OT_cancel, RECOVERMOTION_OT_copy_log)


def register() -> None:
    """Called by the add-on."""
    for operator in _CLASSES:
        bpy.utils.register_class(operator)
    bpy.app.handlers.load_pre.append(_before_load)


def unregister() -> None:
    """Called by the add-on; Blender calls it when it quits too."""
    JOB.stop()
    if _before_load in bpy.app.handlers.load_pre:
        bpy.app.handlers.load_pre.remove(_before_load)
    for operator in reversed(_CLASSES):
        bpy.utils.unregister_class(operator)

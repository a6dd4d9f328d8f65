"""Import Motion: another program's result, or a motion file, as a take."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import runner
from ..ghmr_engine import protocol
from ..ghmr_engine.errors import RecoverError
from ..motion import MotionFileError, read_motion
from ..places_of_takes import free, new_path, takes_folder
from ..sources import Source
from ..translations import fault, told
from .recover import Order, at_work, cannot_start, engine_for, finish_in_background

_OWN = ".motion.npz"
_ENDINGS = (".npz", ".pkl", ".pt", ".npy")


class RECOVERMOTION_OT_import_motion(bpy.types.Operator):
    """Make a take of a motion file, or of what WHAM, SLAHMR, GVHMR, TRAM, 4D-Humans, ROMP, TRACE or AMASS wrote"""

    bl_idname = "recover_motion.import_motion"
    bl_label = "Import Motion..."

    filepath: bpy.props.StringProperty(
        name="File", description="The result of another program, or a motion file", subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )  # fmt: skip
    filter_glob: bpy.props.StringProperty(default=";".join(f"*{ending}" for ending in _ENDINGS), options={"HIDDEN"})
    clip: bpy.props.StringProperty(
        name="Video",
        description="The video that it was made of, shown behind the camera where the camera is known; may be empty",
        options={"SKIP_SAVE"},
    )
    rate: bpy.props.FloatProperty(
        name="Frame Rate", description="Frames a second, where neither file nor video tells; 0 where they do",
        min=0.0, max=1000.0, default=0.0,
    )  # fmt: skip

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One at a time."""
        return not at_work(cls)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Choose a file, unless one was dropped."""
        if self.filepath:
            return self.execute(context)
        self.clip = context.scene.recover_motion.clip  # the panel's, to be seen and changed beside the files
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """A motion file needs no engine. In a window the take comes later, by a timer."""
        try:
            path, clip = _existing(self.filepath), _existing(self.clip) if self.clip else None
            if path.name.endswith(_OWN):
                _show(context, path, clip)
            else:
                _ask(context, path, clip, self.rate)
        except (RecoverError, MotionFileError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return finish_in_background(self)


class RECOVERMOTION_FH_motion(bpy.types.FileHandler):
    """Files dropped into a viewport"""

    bl_idname = "RECOVERMOTION_FH_motion"
    bl_label = "Motion"
    bl_import_operator = "recover_motion.import_motion"
    bl_file_extensions = ";".join(_ENDINGS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Where takes are seen."""
        return context.area is not None and context.area.type == "VIEW_3D"


def _existing(chosen: str) -> Path:
    """A path as a script or the file browser gives it. Raises RecoverError where nothing is there."""
    path = Path(bpy.path.abspath(chosen)).absolute()
    if not chosen or not path.exists():
        raise RecoverError("no_file", told("There is no file {file}.", file=path), "Choose another file.")
    return path


def _order(context: bpy.types.Context, clip: Path | None, out: Path) -> Order:
    set_rate = context.scene.recover_motion.rate == "scene"
    return Order(Source(clip), context.scene.name, set_rate, out)


def _show(context: bpy.types.Context, path: Path, clip: Path | None) -> None:
    """A take of a motion file where it lies. Raises MotionFileError."""
    meta = read_motion(path).meta
    quality, warnings = meta.get("quality", {}), meta.get("warnings", [])
    reply = protocol.Done(0, str(path), quality, {}, meta["licence"], warnings)
    runner.do(runner.Task("Import Motion", _order(context, clip, path).build), reply)


def _ask(context: bpy.types.Context, path: Path, clip: Path | None, rate: float) -> None:
    """Have the engine read it, which runs nothing of it. Raises RecoverError."""
    out = new_path(takes_folder(), path.name.partition(".")[0] or "motion", "motion.npz")
    said, fps = None if clip is None else str(clip), rate or None
    order = _order(context, clip, out)
    task = runner.Task("Import Motion", order.build, order.drop)
    try:
        runner.ask(engine_for(context), lambda number: protocol.Import(number, str(path), said, fps, str(out)), task)
    except OSError as error:
        free(out)
        raise cannot_start(error) from error
    except RecoverError:
        free(out)
        raise


def _draw_in_menu(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.operator("recover_motion.import_motion", text="Recovered Motion (.npz/.pkl/.pt/.npy)")


_CLASSES = (RECOVERMOTION_OT_import_motion, RECOVERMOTION_FH_motion)


def register() -> None:
    """Called by the add-on."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.TOPBAR_MT_file_import.append(_draw_in_menu)


def unregister() -> None:
    """Called by the add-on."""
    bpy.types.TOPBAR_MT_file_import.remove(_draw_in_menu)
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)

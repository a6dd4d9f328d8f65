"""Recover Motion, Cancel and Copy Log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from .. import runner
from ..found_people import wanted
from ..ghmr_engine import protocol
from ..ghmr_engine.errors import RecoverError
from ..jobs import JOB
from ..motion import read_motion
from ..people_file import write_identities
from ..places_of_takes import free, new_path, takes_folder
from ..preferences import HOW_TO_INSTALL, chosen_engine
from ..properties import CAMERAS_WITH_A_FILE
from ..scene.background import clip_to_show
from ..scene.build import Placement, build_steps
from ..sources import Source, clip_range, source_of
from ..take_words import summary
from ..takes import clock_of, filming, people_of
from ..tracked_camera import find_solved, write_camera
from ..translations import fault, told

_CAMERA, _IDENTITIES = "camera.json", "identities.json"


class RECOVERMOTION_OT_recover(bpy.types.Operator):
    """Turn the people in the clip into armatures in this scene; Blender stays usable meanwhile"""

    bl_idname = "recover_motion.recover"
    bl_label = "Recover Motion"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One at a time."""
        return not at_work(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the engine. In a window the take comes later, by a timer; without one this waits for it."""
        try:
            ask_for_take(context, source_of(context))
        except (RecoverError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return finish_in_background(self)


class RECOVERMOTION_OT_cancel(bpy.types.Operator):
    """Stop what the engine does; nothing is written"""

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
        self.report({"INFO"}, told("The log is on the clipboard."))
        return {"FINISHED"}


def at_work(operator: type[bpy.types.Operator]) -> bool:
    """What poll says where something is asked of the engine, which does one thing at a time."""
    if runner.busy():
        operator.poll_message_set(told("Something is being worked on: wait for it, or cancel it"))
    return runner.busy()


def finish_in_background(operator: bpy.types.Operator) -> set[str]:
    """What an operator that asked the engine returns: at once in a window, else when all is done."""
    if not bpy.app.background:
        return {"FINISHED"}
    runner.wait()
    if JOB.error is not None:
        operator.report({"ERROR"}, fault(JOB.error))
        return {"CANCELLED"}
    return {"FINISHED"}


def engine_for(context: bpy.types.Context) -> Path:
    """The Python that runs the engine. Raises RecoverError where there is none."""
    python = chosen_engine(context)
    if python is None:
        raise RecoverError("no_engine", "No engine was found.", f"{told(HOW_TO_INSTALL)}.")
    return python


@dataclass(frozen=True)
class Order:
    """A recovery as it was asked for."""

    source: Source
    scene: str
    """Name of the scene that gets the take."""
    set_rate: bool
    out: Path
    """The motion file that is to come."""

    def drop(self) -> None:
        """Nothing came of it: what was written to lie beside the take goes."""
        free(self.out)
        for ending in (_CAMERA, _IDENTITIES):
            with contextlib.suppress(OSError):
                _beside(self.out, ending).unlink(missing_ok=True)

    def build(self, reply: protocol.Done) -> runner.Steps:
        """Read the motion file and build the take, in short steps."""
        scene = bpy.data.scenes.get(self.scene) or bpy.context.scene
        path = Path(reply.path)
        motion = read_motion(path)
        yield
        clip = clip_to_show(motion, path, self.source.path)
        place = Placement(self.set_rate, self.source.start_frame, self.source.step)
        take = yield from build_steps(scene, motion, path, clip, place)
        _select_people(scene, take)
        if filming(take) is not None:
            _look_through_camera(scene)
        scene.recover_motion_people.show_boxes = False
        JOB.quality = summary(reply.quality, reply.licence, motion.meta.get("camera", {}))
        for warning in reply.warnings:
            runner.tell(warning, warn=True)
        runner.tell(told("Done: {what}.", what=JOB.quality.splitlines()[0]))
        end = clock_of(take, motion).last(motion.meta["frames"])
        if end > scene.frame_end:
            text = told("The take goes on to frame {end}, the scene ends at {scene}.", end=end, scene=scene.frame_end)
            runner.tell(text, warn=True)


def ask_for_take(context: bpy.types.Context, source: Source) -> None:
    """Check what was chosen and ask the engine. Raises RecoverError, OSError."""
    settings = context.scene.recover_motion
    python = engine_for(context)
    out = new_path(takes_folder(), source.path.stem, "motion.npz")
    set_rate = settings.rate == "scene" and not source.timed
    order = Order(replace(source, clip=None), context.scene.name, set_rate, out)
    task = runner.Task("Recover Motion", order.build, order.drop)
    try:
        options = _options(context.scene, source, out)
        runner.ask(python, lambda number: protocol.Recover(number, str(source.path), str(out), options), task)
    except OSError as error:
        order.drop()
        raise cannot_start(error) from error
    except RecoverError:
        order.drop()
        raise


def cannot_start(error: OSError) -> RecoverError:
    """What to say where the engine's program does not start."""
    message = told("The engine cannot be started ({error}).", error=error)
    return RecoverError("no_engine", message, "Check its path in the preferences.")


def _options(scene: bpy.types.Scene, source: Source, out: Path) -> dict[str, object]:
    """What the engine is asked; files for it are written beside `out`. Raises RecoverError."""
    settings = scene.recover_motion
    options = {**settings.options(), **clip_range(settings, source)}
    people = wanted(scene, source)
    if people is not None:
        path = _beside(out, _IDENTITIES)
        with _writing("The list of people cannot be written ({error})."):
            write_identities(path, people)
        options["identities"] = str(path)
    if settings.lens_from == "clip":
        options |= _lens_of(source)
    if settings.camera == "blender":
        path = _beside(out, _CAMERA)
        with _writing("The camera cannot be written ({error})."):
            write_camera(find_solved(settings.tracked_clip, source.path), path)
        options["camera_file"] = str(path)
    elif settings.camera in CAMERAS_WITH_A_FILE:
        if not settings.camera_file:
            raise RecoverError("no_camera_file", "No camera file is chosen.", "Choose one, or another Camera.")
        if not Path(options["camera_file"]).is_file():
            fix = "Choose another one, or another Camera."
            message = told("There is no camera file {file}.", file=options["camera_file"])
            raise RecoverError("no_camera_file", message, fix)
    return options


def _beside(motion: Path, ending: str) -> Path:
    """A file that goes with a motion file."""
    return motion.with_name(f"{motion.name.removesuffix('.motion.npz')}.{ending}")


@contextlib.contextmanager
def _writing(otherwise: str) -> Iterator[None]:
    """Trouble with the disk, in the user's words."""
    try:
        yield
    except OSError as error:
        raise RecoverError("no_place", told(otherwise, error=error), "Free space there.") from error


def _lens_of(source: Source) -> dict[str, float]:
    """The lens in Blender's clip settings. Raises RecoverError where the clip is not open there."""
    if source.clip is None:
        raise RecoverError(
            "no_lens", told("{clip} is not open in the Movie Clip editor, which has the lens.", clip=source.path.name),
            "Open it there, or choose another Lens.",
        )  # fmt: skip
    lens = source.clip.tracking.camera
    unit, lens.units = lens.units, "MILLIMETERS"
    millimetres, lens.units = lens.focal_length, unit
    return {"lens": round(millimetres, 4), "sensor": round(lens.sensor_width, 4)}


def _windows(scene: bpy.types.Scene) -> list[bpy.types.Window]:
    return [window for window in bpy.context.window_manager.windows if window.scene == scene]


def _select_people(scene: bpy.types.Scene, take: bpy.types.Collection) -> None:
    """As after adding anything else in Blender: what is new is selected, the first person is active. Not while the user
    is in another mode: there the selection is part of the work."""
    layers = [window.view_layer for window in _windows(scene)] or [scene.view_layers[0]]
    people = people_of(take)
    for layer in layers:
        if not people or (layer.objects.active is not None and layer.objects.active.mode != "OBJECT"):
            continue
        for item in layer.objects:
            item.select_set(item in people, view_layer=layer)
        layer.objects.active = people[0]


def _look_through_camera(scene: bpy.types.Scene) -> None:
    """In each window's largest viewport: the take and the clip it came from, one over the other."""
    if bpy.app.background:
        return
    for window in _windows(scene):
        areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
        if areas:
            view = max(areas, key=lambda area: area.width * area.height).spaces.active
            view.region_3d.view_perspective = "CAMERA"
            view.overlay.show_overlays = True


_CLASSES = (RECOVERMOTION_OT_recover, RECOVERMOTION_OT_cancel, RECOVERMOTION_OT_copy_log)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

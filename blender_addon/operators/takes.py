"""Show Only This, Use Camera, Compare, Delete and Locate Motion File."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..comparing import compare, compared_take, stop
from ..ghmr_engine.errors import RecoverError
from ..motion import MotionFileError, read_motion
from ..removal import remove_take
from ..scene.build import relative
from ..take_list import activate, look_through, show
from ..takes import active_take, filming, holds, people_of, takes_of
from ..translations import fault, local, told

_NAME = {"name": "Take", "description": "Name of the take; the active one where it is empty", "options": {"SKIP_SAVE"}}


class OnTake:
    """What the operators on a take share."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There has to be a take."""
        if not takes_of(context.scene):
            cls.poll_message_set(told("There is no take in this scene: recover one first"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it to the take that is meant."""
        try:
            self.work(context, self.chosen(context))
        except (RecoverError, MotionFileError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def chosen(self, context: bpy.types.Context) -> bpy.types.Collection:
        """The take by that name, else the active one. Raises RecoverError."""
        if not self.take:
            return active_take(context)
        found = next((take for take in takes_of(context.scene) if take.name == self.take), None)
        if found is None:
            raise RecoverError("no_take", f"There is no take {self.take} in this scene.", "Choose one of the list.")
        return found


class RECOVERMOTION_OT_show_take(OnTake, bpy.types.Operator):
    """Show this take and hide all the others, and look through its camera"""

    bl_idname = "recover_motion.show_take"
    bl_label = "Show Only This"

    take: bpy.props.StringProperty(**_NAME)

    def work(self, context: bpy.types.Context, chosen: bpy.types.Collection) -> None:
        """Others first: what is active must be in view."""
        stop(context.scene)
        for take in takes_of(context.scene):
            show(context.view_layer, take, take == chosen)
        activate(context, chosen)


class RECOVERMOTION_OT_use_camera(OnTake, bpy.types.Operator):
    """Make the take's camera the scene's, with the scene's picture as large as the clip's"""

    bl_idname = "recover_motion.use_camera"
    bl_label = "Use Camera"

    take: bpy.props.StringProperty(**_NAME)

    def work(self, context: bpy.types.Context, chosen: bpy.types.Collection) -> None:
        """Its objects stay as they are."""
        if filming(chosen) is None:
            raise RecoverError("no_camera", f"{chosen.name} has no camera any more.", "Undo its removal.")
        look_through(context.scene, chosen)


class RECOVERMOTION_OT_compare_takes(OnTake, bpy.types.Operator):
    """Show another take in one see-through colour with the active one; a click on the other's name changes sides"""

    bl_idname = "recover_motion.compare_takes"
    bl_label = "Compare"

    take: bpy.props.StringProperty(name="With", description="Name of the other take", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """It takes two."""
        if len(takes_of(context.scene)) < 2:
            cls.poll_message_set(told("There is no other take in this scene to compare with"))
            return False
        return True

    def chosen(self, context: bpy.types.Context) -> bpy.types.Collection:
        """The take by that name, else the next one after the active one. Raises RecoverError."""
        takes, active = takes_of(context.scene), active_take(context)
        if not self.take:
            return takes[(takes.index(active) + 1) % len(takes)]
        found = super().chosen(context)
        if found == active:
            raise RecoverError("same_take", f"{found.name} is the active take.", "Choose another one.")
        return found

    def work(self, context: bpy.types.Context, chosen: bpy.types.Collection) -> None:
        """Both are shown."""
        compare(context, chosen)


class RECOVERMOTION_OT_stop_comparing(bpy.types.Operator):
    """Give the compared take its own look and its place back"""

    bl_idname = "recover_motion.stop_comparing"
    bl_label = "Stop Comparing"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while comparing."""
        if compared_take(context.scene) is None:
            cls.poll_message_set(told("No takes are being compared"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Both stay in view."""
        stop(context.scene)
        return {"FINISHED"}


class RECOVERMOTION_OT_delete_take(OnTake, bpy.types.Operator):
    """Delete this take with everything in its collection, actions and all; its motion file stays on disk"""

    bl_idname = "recover_motion.delete_take"
    bl_label = "Delete Take"

    take: bpy.props.StringProperty(**_NAME)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        try:
            take = self.chosen(context)
        except RecoverError as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        title = local("Delete {take}?", take=take.name)
        message = local(
            "{people} people, {all} objects in all.", people=len(people_of(take)), all=len(take.all_objects)
        )
        return context.window_manager.invoke_confirm(
            self, event, title=title, message=message, confirm_text=local("Delete"), icon="WARNING"
        )

    def work(self, context: bpy.types.Context, chosen: bpy.types.Collection) -> None:
        """Who poses one of its people poses no more; the scene goes on looking through another take's camera."""
        if chosen.library is not None:
            message = f"{chosen.name} is linked from another file."
            raise RecoverError("linked", message, "Take the link out in the outliner.")
        compared = compared_take(context.scene)
        if compared is not None and chosen in (compared, active_take(context)):
            stop(context.scene)
        active, scene = context.view_layer.objects.active, context.scene
        if active is not None and active.mode != "OBJECT" and holds(chosen, active):
            bpy.ops.object.mode_set(mode="OBJECT")
        rest = [take for take in takes_of(scene) if take != chosen]
        if rest and scene.camera is not None and scene.camera == filming(chosen):
            # Before it goes: a viewport whose camera is deleted looks from somewhere else.
            look_through(scene, active_take(context) if active_take(context) != chosen else rest[-1])
        name = chosen.name
        remove_take(scene, chosen)
        self.report({"INFO"}, told("{take} is deleted; its motion file stays", take=name))


class RECOVERMOTION_OT_locate_motion_file(OnTake, bpy.types.Operator):
    """Say where the take's motion file is now; it has to be of the same clip and people"""

    bl_idname = "recover_motion.locate_motion_file"
    bl_label = "Locate Motion File"

    take: bpy.props.StringProperty(**_NAME)
    filepath: bpy.props.StringProperty(
        name="Motion File", description="The file with the take's numbers", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Choose a file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def work(self, _context: bpy.types.Context, chosen: bpy.types.Collection) -> None:
        """Look into the file before believing it."""
        path = Path(bpy.path.abspath(self.filepath)).absolute()
        motion = read_motion(path)
        fix = f"Choose the file of {chosen.name}."
        if motion.meta["video"].get("sha256", "") != chosen.get("clip_sha256", ""):
            raise RecoverError("other_clip", f"{path.name} is of another clip, {motion.meta['video']['name']}.", fix)
        missing = [o.name for o in people_of(chosen) if o.recover_motion.number not in motion.people]
        if missing:
            raise RecoverError("other_people", f"{path.name} has no {missing[0]}.", fix)
        chosen.recover_motion.motion = relative(path)


_CLASSES = (
    RECOVERMOTION_OT_show_take,
    RECOVERMOTION_OT_use_camera,
    RECOVERMOTION_OT_compare_takes,
    RECOVERMOTION_OT_stop_comparing,
    RECOVERMOTION_OT_delete_take,
    RECOVERMOTION_OT_locate_motion_file,
)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

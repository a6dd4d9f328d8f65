"""Find a rig's bones, correct which is which, load and save that, and show it in colour."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from .. import rig_colours
from ..ghmr_engine.errors import RecoverError
from ..retarget.roles import SINGLE
from ..rig_maps import (
    chain,
    chosen_rig,
    default_path,
    fitting_file,
    has_rows,
    keep_guess,
    keep_map,
    kept_map,
    load,
    missing,
    ordered,
    save,
    set_role,
)
from ..translations import fault, told

_FILTER = {"default": "*.json", "options": {"HIDDEN"}}


class _OnRig:
    """Works on the map of the active rig."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set
    needs_map = True

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a rig that can be changed, and with a map where one is needed."""
        rig = chosen_rig(context)
        reason = ""
        if rig is None:
            reason = "Select your own rig: an armature, or a mesh on one"
        elif rig.library is not None:
            reason = "This rig is linked: make a library override of it first"
        elif cls.needs_map and (kept_map(rig) is None or not has_rows(rig)):
            reason = "Guess the bones first, or load a map"
        if reason:
            cls.poll_message_set(told(reason))
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        rig = chosen_rig(context)
        try:
            self.work(context, rig)
        except RecoverError as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        if rig_colours.shown(rig) and kept_map(rig) is not None:
            rig_colours.show(rig)
        return {"FINISHED"}

    def say_missing(self, rig: bpy.types.Object) -> None:
        """Report the first thing that keeps the rig from being used."""
        for text in missing(rig, kept_map(rig))[:1]:
            self.report({"WARNING"}, text)


class RECOVERMOTION_OT_guess_rig_map(_OnRig, bpy.types.Operator):
    """Find out which bone of the rig is which part of the body, by the bones' names and by where they are"""

    bl_idname = "recover_motion.guess_rig_map"
    bl_label = "Guess Bones"
    needs_map = False

    def work(self, _context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """A file of the user's comes first where there was no map yet; a map without its list gets that back."""
        kept = kept_map(rig)
        own = fitting_file(rig) if kept is None else None if has_rows(rig) else kept
        if own is not None:
            keep_map(rig, own)
        else:
            for remark in keep_guess(rig).remarks:
                self.report({"WARNING"}, told(remark.text, **remark.values))
        self.say_missing(rig)


class RECOVERMOTION_OT_take_bones(_OnRig, bpy.types.Operator):
    """Let the bones that are selected in pose mode play the part that is chosen in the list"""

    bl_idname = "recover_motion.take_bones"
    bl_label = "Take Selected Bones"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With bones selected, and a row."""
        if not super().poll(context):
            return False
        if not context.selected_pose_bones:
            cls.poll_message_set(told("Select bones in pose mode first"))
            return False
        return True

    def work(self, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """They have to hang one behind the other."""
        own = rig.recover_motion_rig_map
        role = own.roles[min(own.active, len(own.roles) - 1)].name
        bones = ordered(rig, [bone.name for bone in context.selected_pose_bones if bone.id_data == rig])
        if not bones or (role in SINGLE and len(bones) > 1):
            raise RecoverError("one_bone", told("This part is one bone."), told("Select one."))
        whole = chain(rig, bones[0], bones[-1])
        if not set(bones) <= set(whole):
            raise RecoverError(
                "no_chain", told("These bones do not hang one behind the other."), told("Select a chain of bones.")
            )
        set_role(rig, role, bones)


class RECOVERMOTION_OT_load_rig_map(_OnRig, ImportHelper, bpy.types.Operator):
    """Take which bone is which from a file that was saved here"""

    bl_idname = "recover_motion.load_rig_map"
    bl_label = "Load Map"
    needs_map = False

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(**_FILTER)

    def work(self, _context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """A map of another rig is refused."""
        path = _chosen(self.filepath)
        rig_map = load(path)
        used = {bone for bones in rig_map.bones.values() for bone in bones}
        if not used & set(rig.data.bones.keys()):
            raise RecoverError(
                "other_rig", told("{file} is of another rig: none of its bones is here.", file=path.name),
                told("Choose another file, or guess the bones."),
            )  # fmt: skip
        keep_map(rig, rig_map)
        self.say_missing(rig)


class RECOVERMOTION_OT_save_rig_map(_OnRig, ExportHelper, bpy.types.Operator):
    """Write to a file which bone is which; one beside the scene's file is found by itself for rigs of the same bones"""

    bl_idname = "recover_motion.save_rig_map"
    bl_label = "Save Map"
    bl_options = {"REGISTER"}  # noqa: RUF012  Blender wants a plain set

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(**_FILTER)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Choose a file; the name that is found by itself is proposed."""
        self.filepath = str(default_path(chosen_rig(context)))
        return super().invoke(context, event)

    def work(self, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """Without a path: where it is found by itself."""
        path = _chosen(self.filepath) if self.filepath else default_path(chosen_rig(context))
        if path.suffix != ".json":
            path = path.with_name(f"{path.name}.json")
        save(kept_map(rig), path)
        self.report({"INFO"}, told("{file} is saved", file=path.name))


class RECOVERMOTION_OT_colour_rig(_OnRig, bpy.types.Operator):
    """Colour the bones by the parts they play: left blue, right red, doubtful pale; again: as they were"""

    bl_idname = "recover_motion.colour_rig"
    bl_label = "Show in Colour"

    def work(self, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        """On or off."""
        if rig_colours.shown(rig):
            rig_colours.put_back(rig)
        else:
            rig_colours.show(rig)
            if context.mode != "POSE":
                self.report({"INFO"}, told("Colours of bones are seen in pose mode"))


def _chosen(filepath: str) -> Path:
    return Path(bpy.path.abspath(filepath)).absolute()


_CLASSES = (
    RECOVERMOTION_OT_guess_rig_map,
    RECOVERMOTION_OT_take_bones,
    RECOVERMOTION_OT_load_rig_map,
    RECOVERMOTION_OT_save_rig_map,
    RECOVERMOTION_OT_colour_rig,
)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

"""Export: what the active person or armature shows, or everyone of the take, into files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import bpy

from ..exports import KINDS, export_motion, file_name, file_words, why_not
from ..ghmr_engine.errors import RecoverError
from ..motion import MotionFileError
from ..takes import active_person, active_take, people_of, person_of
from ..translations import fault, local, told

_SUFFIXES = {kind.suffix for kind in KINDS.values()}
_MOST_NAMES = 6
_KINDS = tuple((kind.name, kind.label, kind.description) for kind in KINDS.values())


def chosen_rig(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active person, or armature of any kind, or the one that the active mesh hangs on; else the only person of
    the active take."""
    active = context.view_layer.objects.active
    if active is not None and person_of(active) is None:
        if active.type == "ARMATURE":
            return active
        if active.parent is not None and active.parent.type == "ARMATURE":
            return active.parent
    return active_person(context)


class RECOVERMOTION_OT_export(bpy.types.Operator):
    """Write the motion as it is shown, with the body, into a file for another program; nothing in the scene changes"""

    bl_idname = "recover_motion.export"
    bl_label = "Export Motion"
    bl_options = {"REGISTER"}  # noqa: RUF012  Blender wants a plain set

    filepath: bpy.props.StringProperty(
        name="File", description="Where it is written", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    check_existing: bpy.props.BoolProperty(
        name="Ask First", description="Ask before a file is replaced", default=True, options={"HIDDEN"}
    )
    filter_glob: bpy.props.StringProperty(default="*", options={"HIDDEN", "SKIP_SAVE"})
    kind: bpy.props.EnumProperty(name="Format", description="For which program, in which form", items=_KINDS)
    everyone: bpy.props.BoolProperty(
        name="Everyone",
        description="All people of the take, a file each, named after them",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a rig that is not being edited."""
        rig = chosen_rig(context)
        reason = why_not(rig, KINDS["gltf"])
        if rig is None and active_take(context) is not None:
            return True  # everyone can be meant
        if reason:
            cls.poll_message_set(told(reason))
        return not reason

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Choose a file."""
        rig = chosen_rig(context)
        self.everyone = rig is None
        name = file_name(rig.name if rig is not None else active_take(context).name, self.kind)
        folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
        self.filepath = str(folder / name)
        self.filter_glob = f"*{KINDS[self.kind].suffix}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, _context: bpy.types.Context) -> bool:
        """The file's ending follows the format."""
        path, suffix = Path(self.filepath), KINDS[self.kind].suffix
        self.filter_glob = f"*{suffix}"
        if not path.name or path.suffix == suffix:
            return False
        self.filepath = str(
            path.with_suffix(suffix) if path.suffix in _SUFFIXES else path.with_name(path.name + suffix)
        )
        return True

    def draw(self, context: bpy.types.Context) -> None:
        """Beside the files."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "kind")
        take = active_take(context)
        if take is not None and len(people_of(take)) > 1:
            layout.prop(self, "everyone")
        replaced = self.replaced(context)
        if replaced:  # Blender's own question is about the one file that is named
            text = local("Files to be replaced: {count}", count=len(replaced))
            layout.label(text=text, translate=False, icon="ERROR")
            for path in replaced[:_MOST_NAMES]:
                layout.label(text=path.name, translate=False, icon="BLANK1")

    def replaced(self, context: bpy.types.Context) -> list[Path]:
        """Of everyone's files those that are there."""
        with suppress(RecoverError):
            return [path for _, path in self._files(context) if path.exists()] if self.everyone else []
        return []

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write, or say why not."""
        try:
            written = [export_motion(context, rig, path, self.kind) for rig, path in self._files(context)]
        except (RecoverError, MotionFileError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        count = len(written)
        text = "Exported {file}" if count == 1 else "Exported {count} files into {folder}"
        self.report({"INFO"}, told(text, file=written[0].name, count=count, folder=written[0].parent))
        return {"FINISHED"}

    def _files(self, context: bpy.types.Context) -> list[tuple[bpy.types.Object, Path]]:
        """Who is written where. Raises RecoverError."""
        if not self.filepath:
            raise RecoverError("no_file", "No file is chosen.", "Choose where it is written.")
        path = Path(bpy.path.abspath(self.filepath)).absolute()
        if not self.everyone:
            return [(chosen_rig(context), path)]
        take = active_take(context)
        people = people_of(take) if take is not None else []
        if not people:
            raise RecoverError("nobody", "There is nobody in the active take.", "Choose another take.")
        names = file_words([_own_name(rig, take) for rig in people])
        stem = path.stem if path.suffix in _SUFFIXES else path.name
        for name in names:  # what one of them was to be called
            stem = stem.removesuffix(f"_{name}")
        paths = [path.with_name(file_name(f"{stem}_{name}", self.kind)) for name in names]
        return list(zip(people, paths, strict=True))


def _own_name(rig: bpy.types.Object, take: bpy.types.Collection) -> str:
    """What tells a person from the take's others."""
    return rig.name.removeprefix(take.name).strip() or rig.name


_CLASSES = (RECOVERMOTION_OT_export,)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

"""The panel that writes motions for other programs. It only draws."""

from __future__ import annotations

import bpy

from .. import runner
from ..operators.export import chosen_rig
from .editors import Drawn, in_editors, words


class Export(Drawn):
    """Files for other programs."""

    bl_label = "Export"
    bl_order = 6
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender wants a plain set
    parent = "Main"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        rig = chosen_rig(context)
        if rig is not None:
            words(context, layout, rig.name, "OUTLINER_OB_ARMATURE")
        else:
            words(context, layout, "Select a person of a take, or an armature.", "INFO")
        row = layout.row()
        row.enabled = not runner.busy()
        row.operator_menu_enum("recover_motion.export", "kind", text="Export as", icon="EXPORT")


_CLASSES = tuple(in_editors(Export))
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

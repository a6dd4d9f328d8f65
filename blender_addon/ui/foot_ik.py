"""The panel that holds a person's feet for hand animation. It only draws."""

from __future__ import annotations

import bpy

from ..scene.foot_ik import SIDES, has_foot_ik, target_name
from ..takes import active_person
from .editors import Drawn, in_editors, words

_HOLDS = {"left": "Hold Left", "right": "Hold Right"}


class FootIK(Drawn):
    """Targets that hold the planted feet."""

    bl_label = "Foot IK"
    bl_order = 4
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender wants a plain set
    parent = "Main"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        layout.use_property_split = True
        person = active_person(context)
        if person is None:
            words(context, layout, "Select a person of a take.", "INFO")
            return
        words(context, layout, person.name, "OUTLINER_OB_ARMATURE")
        added = has_foot_ik(person)
        row = layout.row(align=True)
        row.operator("recover_motion.add_foot_ik", text="Add Again" if added else "Add Foot IK", icon="CON_KINEMATIC")
        if not added:
            return
        row.operator("recover_motion.remove_foot_ik", text="", icon="X")
        column = layout.column(align=True)
        for side in SIDES:
            target = person.pose.bones.get(target_name(side))
            if target is not None:
                column.prop(target, '["hold"]', text=_HOLDS[side], slider=True)
        words(context, layout, "To move a plant, move its target on the key before the foot lands, and key it.", "INFO")


_CLASSES = tuple(in_editors(FootIK, ("VIEW_3D",)))
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

"""The panel that puts a person's motion onto the animator's rig. It only draws."""

from __future__ import annotations

import bpy

from .. import runner
from ..operators.retarget import chosen_person
from ..retargeting import is_retargeted, report_of
from ..rig_maps import chosen_rig
from ..rigify_controls import is_rigify
from ..translations import local
from .editors import Drawn, in_editors, words


class Retarget(Drawn):
    """A person's motion on your own rig."""

    bl_label = "Retarget"
    bl_order = 5
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender wants a plain set
    parent = "Main"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not runner.busy()
        rig = chosen_rig(context)
        if rig is None or rig == context.scene.recover_motion_rig:
            layout.prop(context.scene, "recover_motion_rig", icon="OUTLINER_OB_ARMATURE")
        else:
            words(context, layout, rig.name, "OUTLINER_OB_ARMATURE")
        if rig is None:
            words(context, layout, "Select your own character's armature, or choose it here.", "INFO")
            return
        own, person = rig.recover_motion_retarget, chosen_person(context, rig)
        layout.prop(own, "person", icon="ARMATURE_DATA")
        if own.person is None and person is not None:
            words(context, layout, person.name, "BLANK1")
        column = layout.column()
        for name in ("root", "scale", "plant_feet", "relaxed_hands"):
            column.prop(own, name)
        for name in ("legs_ik", "arms_ik") if is_rigify(rig) else ():
            column.prop(own, name)
        _draw_buttons(layout, is_retargeted(rig))
        _draw_report(layout, rig)


def _draw_buttons(layout: bpy.types.UILayout, retargeted: bool) -> None:
    row = layout.row(align=True)
    row.scale_y = 1.3
    if not retargeted:
        row.operator("recover_motion.retarget", icon="MOD_ARMATURE")
        return
    row.operator("recover_motion.update_retarget", icon="FILE_REFRESH")
    row.operator("recover_motion.bake_retarget", icon="CHECKMARK")
    row.operator("recover_motion.remove_retarget", text="", icon="X")


def _draw_report(layout: bpy.types.UILayout, rig: bpy.types.Object) -> None:
    """How well it went."""
    report = report_of(rig)
    if report is None:
        return
    column = layout.column(align=True)
    lines = [local("Limbs: {degrees} degrees off", degrees=f"{report.directions_deg.mean:.1f}")]
    if report.sliding_mm is not None:
        lines.append(local("Feet slide: {mm} mm a frame", mm=f"{report.sliding_mm.mean:.2f}"))
    lines.append(local("Size: {factor} of the person's", factor=f"{report.scale:.2f}"))
    for line in lines:
        column.label(text=line, translate=False)


_CLASSES = tuple(in_editors(Retarget))
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

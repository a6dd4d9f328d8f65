"""Which bone of a rig is which part of a body: the list, and what corrects it. It only draws."""

from __future__ import annotations

import bpy

from .. import rig_colours
from ..retarget.guess import SURE
from ..retarget.rig_map import Remark, RigMap, check, doubts
from ..retarget.roles import LABELS, NEEDED, SINGLE
from ..rig_maps import chosen_rig, has_rows, kept_map, label_of, remarks_of, short_label_of
from ..translations import local, told
from .editors import Drawn, in_editors, words

_ROWS = 8
_MOST_REMARKS = 3
_HOW = {
    "name": "By its name; its place tells nothing.",
    "place": "By its place; its name tells nothing.",
    "name against place": "By its name, though its place tells otherwise.",
}


class RECOVERMOTION_UL_rig_roles(bpy.types.UIList):
    """The parts of a body, and the bones that play them."""

    def draw_item(
        self, _context: bpy.types.Context, layout: bpy.types.UILayout, _data: object,
        row: bpy.types.PropertyGroup, _icon: int, _active: object, _property: str,
    ) -> None:  # fmt: skip
        """Blender's call: a row."""
        bones = (kept_map(row.id_data) or RigMap("")).bones.get(row.name, ())
        split = layout.split(factor=0.55, align=True)
        split.label(text=short_label_of(row.name), icon=icon_of(row, bones), translate=False)
        text = bones[0] if len(bones) == 1 else f"{bones[0]} ... {bones[-1]}" if bones else ""
        split.label(text=text, translate=False)

    def filter_items(
        self, _context: bpy.types.Context, data: bpy.types.PropertyGroup, _property: str
    ) -> tuple[list[int], list[int]]:
        """Blender's call: by the part's name, or the bone's."""
        wanted = self.filter_name.lower()
        rig_map = kept_map(data.id_data) or RigMap("")
        return [
            self.bitflag_filter_item
            if any(wanted in text.lower() for text in (label_of(row.name), *rig_map.bones.get(row.name, ())))
            else 0
            for row in data.roles
        ], []


def icon_of(row: bpy.types.PropertyGroup, bones: tuple[str, ...]) -> str:
    """Missing and needed, missing, doubtful, or sure."""
    if not bones:
        return "ERROR" if row.name in NEEDED else "RADIOBUT_OFF"
    return "CHECKMARK" if row.sure >= SURE else "QUESTION"


class RigMapping(Drawn):
    """Which bone is which."""

    bl_label = "Bones"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender wants a plain set
    parent = "Retarget"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a rig of the user's."""
        return chosen_rig(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout, rig = self.layout, chosen_rig(context)
        rig_map, own = kept_map(rig), rig.recover_motion_rig_map
        if rig_map is None or not has_rows(rig):
            layout.operator("recover_motion.guess_rig_map", icon="VIEWZOOM")
            layout.operator("recover_motion.load_rig_map", icon="FILE_FOLDER")
            return
        text = told("Rigify's own bones") if rig_map.kind == "rigify" else rig_map.name
        layout.label(text=text, icon="ARMATURE_DATA", translate=False)
        row = layout.row()
        row.template_list("RECOVERMOTION_UL_rig_roles", "", own, "roles", own, "active", rows=_ROWS)
        side = row.column(align=True)
        side.operator("recover_motion.guess_rig_map", text="", icon="FILE_REFRESH")
        side.operator("recover_motion.load_rig_map", text="", icon="FILE_FOLDER")
        side.operator("recover_motion.save_rig_map", text="", icon="FILE_TICK")
        side.separator()
        colours = rig_colours.shown(rig)
        side.operator("recover_motion.colour_rig", text="", icon="COLOR", depress=colours)
        _draw_role(context, layout, rig, own.roles[min(own.active, len(own.roles) - 1)])
        _draw_remarks(context, layout, rig, rig_map)


def _draw_role(
    context: bpy.types.Context, layout: bpy.types.UILayout, rig: bpy.types.Object, row: bpy.types.PropertyGroup
) -> None:
    """The chosen part's bones, to be set."""
    column = layout.column(align=True)
    column.prop_search(
        row, "first", rig.data, "bones", text=short_label_of(row.name), translate=False, icon="BONE_DATA"
    )
    if row.name not in SINGLE:
        column.prop_search(row, "last", rig.data, "bones", text=local("To"), translate=False, icon="BONE_DATA")
    if context.mode == "POSE":
        layout.operator("recover_motion.take_bones", icon="RESTRICT_SELECT_OFF")
    if row.how in _HOW and row.sure < SURE:
        words(context, layout, _HOW[row.how], "QUESTION")


def _draw_remarks(
    context: bpy.types.Context, layout: bpy.types.UILayout, rig: bpy.types.Object, rig_map: RigMap
) -> None:
    """What is missing; what is needed first."""
    for remark in _remarks(rig, rig_map):
        values = {name: told(value) if value in LABELS.values() else value for name, value in remark.values.items()}
        words(context, layout, local(remark.text, **values), "ERROR" if remark.grave else "INFO")


def _remarks(rig: bpy.types.Object, rig_map: RigMap) -> list[Remark]:
    """The grave ones, else the first few of the others."""
    bones = rig.data.bones
    remarks = check(rig_map, bones.keys())
    grave = [remark for remark in remarks if remark.grave]
    if grave:
        return grave
    place = {bone.name: number for number, bone in enumerate(bones)}
    parents = [place[bone.parent.name] if bone.parent else -1 for bone in bones]
    return [*remarks_of(rig), *doubts(rig_map, list(place), parents), *remarks][:_MOST_REMARKS]


_CLASSES = (RECOVERMOTION_UL_rig_roles, *in_editors(RigMapping))
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

"""The panel in which one sees who is in the clip, and chooses."""

from __future__ import annotations

import bpy

from .. import runner
from ..found_people import RecoverMotionEntry
from ..ghmr_engine.errors import RecoverError
from ..operators.show_clip import offer_clip
from ..people_file import PeopleFile, visible
from ..translations import local
from .editors import Drawn, in_editors, words
from .pictures import icon

_ROWS = 5
_PICTURE = 5.0


class People(Drawn):
    """Who is recovered."""

    bl_label = "People"
    parent = "Main"

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call: the list where it is of this very clip, else the engine's own choice."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not runner.busy()
        people = context.scene.recover_motion_people
        source = people.source_here(context)
        if source is not None and people.holds_for(context.scene.recover_motion, source):
            _draw_list(context, layout, people)
            return
        if people.path:
            other = "Found in {clip}, not in this. Find People again."
            text = "Found in {clip}, which is not open here." if source is None else other
            words(context, layout, local(text, clip=people.where()), "INFO")
        _draw_choice(layout, context.scene.recover_motion)
        row = layout.row(align=True)
        find = row.row(align=True)
        find.enabled = source is not None
        find.operator("recover_motion.find_people", icon="VIEWZOOM")
        if people.path:
            row.operator("recover_motion.forget_people", text="", icon="X")


class RECOVERMOTION_UL_people(bpy.types.UIList):
    """Who was found: tick, picture, name, how long in view"""

    def draw_item(
        self, _context: bpy.types.Context, layout: bpy.types.UILayout, data: bpy.types.PropertyGroup,
        item: RecoverMotionEntry, _icon: int, _active: object, _property: str, *_rest: object,
    ) -> None:  # fmt: skip
        """Blender's call."""
        found = _file_of(data)
        row = layout.row(align=True)
        row.use_property_split = False
        row.prop(item, "ticked", text="")
        row.label(text="", icon_value=_thumbnail(found, item))
        row.prop(item, "name", text="", emboss=False, placeholder=item.title)
        if found is not None:
            seen = row.row()
            seen.alignment = "RIGHT"
            seen.label(text=f"{len(visible(found, item.get_parts())) / max(found.frames, 1):.0%}", translate=False)


def _draw_choice(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """Without a list the engine chooses."""
    layout.prop(settings, "people", text="Recover")
    if settings.people == "number":
        layout.prop(settings, "number")


def _draw_list(context: bpy.types.Context, layout: bpy.types.UILayout, people: bpy.types.PropertyGroup) -> None:
    found = _file_of(people)
    if found is None:
        words(context, layout, "The file that says who is where is gone. Find People again.", "ERROR")
    row = layout.row()
    rows = min(max(len(people.people), 3), _ROWS)
    row.template_list("RECOVERMOTION_UL_people", "", people, "people", people, "active", rows=rows)
    side = row.column(align=True)
    side.operator("recover_motion.tick_people", text="", icon="CHECKBOX_HLT").ticked = True
    side.operator("recover_motion.tick_people", text="", icon="CHECKBOX_DEHLT").ticked = False
    side.separator()
    side.operator("recover_motion.pick_person", text="", icon="EYEDROPPER")
    side.prop(people, "show_boxes", text="", icon="HIDE_OFF" if people.show_boxes else "HIDE_ON")
    offer_clip(context, layout)
    if not people.ticked:
        words(context, layout, "Tick whom you want.", "ERROR")
    if found is not None and people.entry is not None:
        _draw_active(layout, people, found)
    row = layout.row(align=True)
    row.operator("recover_motion.find_people", text="Find Again", icon="FILE_REFRESH")
    row.operator("recover_motion.forget_people", icon="X")


def _draw_active(layout: bpy.types.UILayout, people: bpy.types.PropertyGroup, found: PeopleFile) -> None:
    """A larger picture of the active one, and what can be done with them."""
    entry = people.entry
    row = layout.row()
    row.template_icon(icon_value=_thumbnail(found, entry), scale=_PICTURE)
    column = row.column(align=True)
    column.prop(entry, "name", text="", placeholder=entry.title)
    count = len(visible(found, entry.get_parts()))
    every = count == found.frames
    text = local("In every frame") if every else local("In {count} of {all} frames", count=count, all=found.frames)
    column.label(text=text, translate=False)
    actions = column.column(align=True)
    merge = actions.row(align=True)
    merge.enabled = len(people.people) > 1
    merge.operator_menu_enum("recover_motion.merge_people", "other", text="Merge With", icon="AUTOMERGE_ON")
    actions.operator("recover_motion.split_person", icon="MOD_EDGESPLIT")


def _file_of(people: bpy.types.PropertyGroup) -> PeopleFile | None:
    try:
        return people.file()
    except RecoverError:
        return None


def _thumbnail(found: PeopleFile | None, entry: RecoverMotionEntry) -> int:
    """The picture of the track that makes up most of a person."""
    parts = entry.get_parts()
    if found is None or not parts:
        return 0
    most = parts[0] if len(parts) == 1 else max(parts, key=lambda part: len(visible(found, [part])))
    return icon(found.people[most[0]].thumbnail) if most[0] in found.people else 0


_CLASSES = (RECOVERMOTION_UL_people, *in_editors(People))
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

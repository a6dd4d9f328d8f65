"""The panels that correct a take. They only draw."""

from __future__ import annotations

import bpy

from .. import runner
from ..motion import CONTACT_NAMES
from ..scene.foot_ik import has_foot_ik
from ..takes import active_person, active_take, ground_of, people_of
from ..translations import local
from .editors import Drawn, in_editors, words

_PARTS = ("Hips and Way", "Spine and Head", "Left Arm", "Right Arm", "Left Leg", "Right Leg")
"""As layers.smoothing.PARTS."""


class Fix(Drawn):
    """Correcting a take without recovering it again."""

    bl_label = "Fix"
    bl_order = 3
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender wants a plain set
    parent = "Main"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Where there is something to correct."""
        return active_take(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Who is corrected, or what to select."""
        layout, person = self.layout, active_person(context)
        if runner.busy():
            words(context, layout, "Something is being worked on: wait for it, or cancel it.", "INFO")
        if person is None:
            words(context, layout, "Select a person: the armature, or its body.", "INFO")
            return
        words(context, layout, person.name, "ARMATURE_DATA")
        if has_foot_ik(person):
            words(context, layout, "Foot IK holds the feet as they were: add it again afterwards.", "INFO")


def is_set(value: object) -> bool:
    """Whether a setting, or one of several, is on."""
    return any(value) if isinstance(value, bpy.types.bpy_prop_array) else bool(value)


class _OfPerson(Drawn):
    """A panel for the active person."""

    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender wants a plain set
    parent = "Fix"
    changes: tuple[str, ...] = ()
    """Names of its settings that change the motion."""

    def draw_header(self, context: bpy.types.Context) -> None:
        """A dot where one of them is on: a closed panel must not hide why somebody moves differently."""
        fixes = active_person(context).recover_motion_fixes
        if any(is_set(getattr(fixes, name)) for name in self.changes):
            self.layout.label(text="", icon="DOT")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a person."""
        return active_person(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not runner.busy()
        person = active_person(context)
        self.draw_person(context, layout, person)


class Feet(_OfPerson):
    """Foot contacts."""

    bl_label = "Feet"
    bl_options = set()  # noqa: RUF012  Blender wants a plain set

    def draw_person(self, context: bpy.types.Context, layout: bpy.types.UILayout, person: bpy.types.Object) -> None:
        """Two rows of buttons, and what makes the body follow."""
        now = {name: bool(person.get(f"contact_{name}")) for name in CONTACT_NAMES}
        for side in ("left", "right"):
            row = layout.row(align=True)
            row.label(text=side.title())
            for part in ("heel", "toe", "both"):
                parts = ("heel", "toe") if part == "both" else (part,)
                down = all(now[f"{side}_{one}"] for one in parts)
                name = "recover_motion.lift_foot" if down else "recover_motion.plant_foot"
                text = {"heel": "Heel", "toe": "Toe", "both": "Foot"}[part]
                button = row.operator(name, text=text, depress=down)
                button.side, button.part = side.upper(), part.upper()
        words(context, layout, "Pressed: planted in this frame. Keys and markers: Dope Sheet.", "INFO")
        row = layout.row(align=True)
        row.operator("recover_motion.resolve_feet", icon="FILE_REFRESH")
        row.operator("recover_motion.resolve_feet", text="All Frames").whole = True
        if person.recover_motion_fixes.unsolved_first >= 0:
            words(context, layout, "Feet wait for being solved again.", "ERROR")


class Smooth(_OfPerson):
    """Smoothing by parts of the body."""

    bl_label = "Smooth"
    changes = ("smooth",)

    def draw_person(self, _context: bpy.types.Context, layout: bpy.types.UILayout, person: bpy.types.Object) -> None:
        """One slider for all, and one for each."""
        fixes = person.recover_motion_fixes
        layout.prop(fixes, "smooth_all", slider=True)
        column = layout.column(align=True)
        for place, text in enumerate(_PARTS):
            column.prop(fixes, "smooth", index=place, text=text, slider=True)


class Root(_OfPerson):
    """The whole person moved."""

    bl_label = "Root"
    changes = ("root_height", "root_slope", "root_heading")

    def draw_person(self, _context: bpy.types.Context, layout: bpy.types.UILayout, person: bpy.types.Object) -> None:
        """Three values, and two ways to set them."""
        fixes = person.recover_motion_fixes
        column = layout.column(align=True)
        for name in ("root_height", "root_slope", "root_heading"):
            column.prop(fixes, name)
        row = layout.row(align=True)
        row.operator("recover_motion.measure_slope")
        row.operator("recover_motion.reset_root", text="Reset", icon="LOOP_BACK")


class Pins(_OfPerson):
    """Joints dragged onto the picture."""

    bl_label = "Pins"

    def draw_person(self, context: bpy.types.Context, layout: bpy.types.UILayout, person: bpy.types.Object) -> None:
        """The tool, how many there are, and what makes the motion follow."""
        fixes = person.recover_motion_fixes
        if context.area.type == "VIEW_3D":
            layout.operator("recover_motion.pin_joint", icon="PINNED")
        else:
            words(context, layout, "Joints are pinned in a 3D viewport that looks through the take's camera.", "INFO")
        if fixes.pins:
            left = sum(not pin.solved for pin in fixes.pins)
            text = local("Pins: {count}, to be solved: {left}", count=len(fixes.pins), left=left)
            layout.label(text=text, translate=False)
        layout.operator("recover_motion.resolve_near", icon="FILE_REFRESH")
        row = layout.row(align=True)
        row.operator("recover_motion.clear_pins", text="Clear Here").here = True
        row.operator("recover_motion.clear_pins", text="Clear All").here = False


class Ground(_OfPerson):
    """The plane under the people, and who is who."""

    bl_label = "Ground and People"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a take."""
        return active_take(context) is not None

    def draw_header(self, _context: bpy.types.Context) -> None:
        """Nothing of a person's."""

    def draw_person(
        self, context: bpy.types.Context, layout: bpy.types.UILayout, _person: bpy.types.Object | None
    ) -> None:
        """The ground as an object to move, and the swap."""
        take = active_take(context)
        ground = ground_of(take)
        if ground is not None:
            column = layout.column(align=True)
            column.prop(ground, "location", index=2, text="Height")
            column.prop(ground, "rotation_euler", index=0, text="Tilt X")
            column.prop(ground, "rotation_euler", index=1, text="Y")
        row = layout.row(align=True)
        row.operator("recover_motion.use_ground", icon="CHECKMARK")
        row.operator("recover_motion.reset_ground", text="Reset", icon="LOOP_BACK")
        if len(people_of(take)) > 1:
            layout.separator()
            layout.operator("recover_motion.swap_people", icon="UV_SYNC_SELECT")


class Timing(_OfPerson):
    """In place, part, cycle."""

    bl_label = "Timing"
    changes = ("in_place", "loop", "trim")

    def draw_person(self, _context: bpy.types.Context, layout: bpy.types.UILayout, person: bpy.types.Object) -> None:
        """Three layers."""
        fixes = person.recover_motion_fixes
        layout.prop(fixes, "in_place")
        layout.prop(fixes, "loop")
        row = layout.row(heading="Trim")
        row.prop(fixes, "trim", text="")
        ends = row.row(align=True)
        ends.enabled = fixes.trim
        ends.prop(fixes, "trim_first", text="")
        ends.prop(fixes, "trim_last", text="")
        row = layout.row(align=True)
        row.operator("recover_motion.trim_here", text="Start Here").end = "FIRST"
        row.operator("recover_motion.trim_here", text="End Here").end = "LAST"


_CLASSES = [panel for drawn in (Fix, Feet, Smooth, Root, Pins, Ground, Timing) for panel in in_editors(drawn)]
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

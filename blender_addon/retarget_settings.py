"""What is kept with an animator's rig: whose motion it shows, how, and what it showed before."""

from __future__ import annotations

import bpy

from .retarget.settings import RetargetSettings

_PLAIN = {"options": set(), "override": {"LIBRARY_OVERRIDABLE"}}
_ROOTS = (
    ("root", "Root Bone", "The way over the ground goes onto the root bone; onto the pelvis where the rig has none"),
    ("pelvis", "Pelvis", "The pelvis bone carries all of it; the root bone stays"),
    ("in_place", "In Place", "The character stays where it begins, for games that move it themselves"),
)


def _is_person(_settings: bpy.types.PropertyGroup, item: bpy.types.Object) -> bool:
    return item.type == "ARMATURE" and bool(item.recover_motion.number)


def _is_rig(_scene: bpy.types.Scene, item: bpy.types.Object) -> bool:
    return item.type == "ARMATURE" and not item.recover_motion.number


class RecoverMotionRetarget(bpy.types.PropertyGroup):
    """Kept with the rig; nothing of the rig itself is changed by it."""

    person: bpy.props.PointerProperty(
        type=bpy.types.Object, name="Person", description="Whose motion the rig gets", poll=_is_person,
        override={"LIBRARY_OVERRIDABLE"},
    )  # fmt: skip
    root: bpy.props.EnumProperty(
        name="Root Motion", description="Where the way over the ground goes", items=_ROOTS, **_PLAIN
    )
    scale: bpy.props.FloatProperty(
        name="Scale, 0: Auto", min=0.0, soft_max=3.0, precision=3,
        description="How far the character goes for each metre of the person's. 0: as its legs are long; 1: as far, so "
        "that several characters stay as far apart as the people",
        **_PLAIN,
    )  # fmt: skip
    plant_feet: bpy.props.BoolProperty(
        name="Plant Feet", default=True,
        description="Solve legs and hips again, so that feet stand still on this character's own legs", **_PLAIN,
    )  # fmt: skip
    relaxed_hands: bpy.props.FloatProperty(
        name="Relaxed Hands", default=1.0, min=0.0, max=1.0, subtype="FACTOR",
        description="How far fingers are curled as in a hanging hand; 0: as they rest on the rig", **_PLAIN,
    )  # fmt: skip
    legs_ik: bpy.props.BoolProperty(
        name="Legs in IK", default=True,
        description="The legs follow their controls for IK; those for FK are keyed too, and Rigify's IK-FK switches",
        **_PLAIN,
    )  # fmt: skip
    arms_ik: bpy.props.BoolProperty(
        name="Arms in IK", default=False,
        description="The arms follow their controls for IK; those for FK are keyed too, and Rigify's IK-FK switches",
        **_PLAIN,
    )  # fmt: skip
    map: bpy.props.StringProperty(name="Map", description="Which bone is which", **_PLAIN)
    action: bpy.props.PointerProperty(
        type=bpy.types.Action, description="The motion that was put onto the rig; empty where none is, or it was baked",
        override={"LIBRARY_OVERRIDABLE"},
    )  # fmt: skip
    former: bpy.props.PointerProperty(
        type=bpy.types.Action, description="The rig's own action, which comes back with Remove",
        override={"LIBRARY_OVERRIDABLE"},
    )  # fmt: skip
    before: bpy.props.StringProperty(description="What else Remove puts back", **_PLAIN)
    written: bpy.props.StringProperty(description="What tells the keys as they were written", **_PLAIN)
    report: bpy.props.StringProperty(description="How well it went", **_PLAIN)


def settings_of(rig: bpy.types.Object) -> RetargetSettings:
    """What the panel says of this rig."""
    own = rig.recover_motion_retarget
    return RetargetSettings(own.root, own.scale, own.plant_feet, own.relaxed_hands, own.legs_ik, own.arms_ik)


def keep_settings(rig: bpy.types.Object, settings: RetargetSettings) -> None:
    """Show in the panel with what a motion was put onto the rig."""
    own = rig.recover_motion_retarget
    own.root, own.scale = settings.root, settings.scale
    own.plant_feet, own.relaxed_hands = settings.plant_feet, settings.relaxed_hands
    own.legs_ik, own.arms_ik = settings.legs_ik, settings.arms_ik


def register() -> None:
    """Called by the add-on."""
    bpy.utils.register_class(RecoverMotionRetarget)
    bpy.types.Object.recover_motion_retarget = bpy.props.PointerProperty(
        type=RecoverMotionRetarget, override={"LIBRARY_OVERRIDABLE"}
    )
    bpy.types.Scene.recover_motion_rig = bpy.props.PointerProperty(
        type=bpy.types.Object, name="Rig", description="Your own character's armature", poll=_is_rig
    )


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Scene.recover_motion_rig, bpy.types.Object.recover_motion_retarget
    bpy.utils.unregister_class(RecoverMotionRetarget)

"""What is drawn over the video; kept with the scene."""

from __future__ import annotations

import bpy


class RecoverMotionOverlay(bpy.types.PropertyGroup):
    """What is drawn over the video."""

    skeleton: bpy.props.BoolProperty(
        name="Skeleton",
        description="Draw the take's skeletons over its clip in the Movie Clip editor, as they are posed now; "
        "dashed where a limb was hidden and its place guessed, with dots where a foot is planted",
        default=True,
    )
    grid: bpy.props.BoolProperty(
        name="Ground Grid",
        description="Draw the ground over the take's clip in the Movie Clip editor, in squares of a metre: "
        "a good camera keeps it stuck to the floor",
        default=True,
    )
    viewport: bpy.props.BoolProperty(
        name="In the Camera View Too",
        description="Draw the same in 3D viewports that look through the take's camera",
        default=False,
    )
    strip: bpy.props.BoolProperty(
        name="Quality Strip",
        description="Colour the frames along the bottom of Timeline, Dope Sheet and Movie Clip editor by how good they "
        "are, a row for each person of the active take: green to red, grey where nothing of the person was seen",
        default=True,
    )


def register() -> None:
    """Called by the add-on."""
    bpy.utils.register_class(RecoverMotionOverlay)
    bpy.types.Scene.recover_motion_overlay = bpy.props.PointerProperty(type=RecoverMotionOverlay)


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Scene.recover_motion_overlay
    bpy.utils.unregister_class(RecoverMotionOverlay)

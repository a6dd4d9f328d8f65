"""What the panel asks: kept with the scene, so that a file remembers its clip and choices."""

from __future__ import annotations

import bpy

from .compat import RELATIVE

_PEOPLE = (
    ("main", "Main", "Everyone who is large enough and in view for long enough"),
    ("all", "Everyone", "Everyone who is believable, small ones in the background too"),
    ("number", "Number", "So many, the most important first"),
)
_CAMERAS = (
    ("auto", "Automatic", "Decide from the background whether the camera moved"),
    ("static", "Static", "The camera did not move"),
)
_QUALITIES = (
    ("fast", "Fast", "Without the refinement stage (which is still to come: all levels give the same now)"),
    ("balanced", "Balanced", "The usual choice"),
    ("best", "Best", "Takes longest"),
)


class RecoverMotionSettings(bpy.types.PropertyGroup):
    """Choices for the next recovery."""

    clip: bpy.props.StringProperty(
        name="Clip", description="The video with the people", subtype="FILE_PATH", options=RELATIVE
    )
    use_range: bpy.props.BoolProperty(name="Frame Range", description="Use only a part of the clip")
    start: bpy.props.IntProperty(name="First", description="First frame, counted from 0", min=0)
    end: bpy.props.IntProperty(name="Last", description="Last frame, counted from 0", min=0, default=250)
    people: bpy.props.EnumProperty(name="People", items=_PEOPLE)
    number: bpy.props.IntProperty(name="How Many", min=1, default=1)
    camera: bpy.props.EnumProperty(name="Camera", items=_CAMERAS)
    quality: bpy.props.EnumProperty(name="Quality", items=_QUALITIES, default="balanced")
    use_height: bpy.props.BoolProperty(
        name="Known Height", description="Say how tall person 1 is; otherwise it is estimated"
    )
    height: bpy.props.FloatProperty(
        name="Height", description="Of person 1", min=0.5, max=2.6, default=1.75, unit="LENGTH", precision=3
    )
    set_rate: bpy.props.BoolProperty(
        name="Set Scene Rate", description="Give the scene the clip's frame rate and range", default=True
    )

    def options(self) -> dict[str, object]:
        """As the engine takes them."""
        chosen: dict[str, object] = {
            "people": str(self.number) if self.people == "number" else self.people,
            "camera": self.camera,
            "quality": self.quality,
        }
        if self.use_range:
            chosen |= {"start": self.start, "end": self.end}
        if self.use_height:
            # A property holds 32 bits; the file should say 1.8, not 1.7999999523.
            chosen["height"] = round(self.height, 4)
        return chosen


def register() -> None:
    """Called by the add-on."""
    bpy.utils.register_class(RecoverMotionSettings)
    bpy.types.Scene.recover_motion = bpy.props.PointerProperty(type=RecoverMotionSettings)


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Scene.recover_motion
    bpy.utils.unregister_class(RecoverMotionSettings)

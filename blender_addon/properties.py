"""What the panel asks: kept with the scene, so that a file remembers its clip and choices."""

from __future__ import annotations

import bpy

_PEOPLE = (
    ("main", "Who matters", "Everyone who is large enough and in view for long enough"),
    ("all", "Everyone", "Everyone who is believable, small ones in the background too"),
    ("number", "Number", "So many, the most important first"),
)
_CAMERAS = (
    ("auto", "Find out", "Decide from the background whether the camera moved"),
    ("static", "Static", "The camera did not move"),
)
_QUALITIES = (
    ("fast", "Fast", "Without the last refinement"),
    ("balanced", "Balanced", "The usual choice"),
    ("best", "Best", "Takes longest"),
)


class RecoverMotionSettings(bpy.types.PropertyGroup):
    """Choices for the next recovery."""

    clip: bpy.props.StringProperty(name="Clip", description="The video with the people", subtype="FILE_PATH")
    use_range: bpy.props.BoolProperty(name="Frame range", description="Use only a part of the clip")
    start: bpy.props.IntProperty(name="First", description="First frame, counted from 0", min=0)
    end: bpy.props.IntProperty(name="Last", description="Last frame, counted from 0", min=0, default=250)
    people: bpy.props.EnumProperty(name="People", items=_PEOPLE)
    number: bpy.props.IntProperty(name="How many", min=1, default=1)
    camera: bpy.props.EnumProperty(name="Camera", items=_CAMERAS)
    quality: bpy.props.EnumProperty(name="Quality", items=_QUALITIES, default="balanced")
    height: bpy.props.FloatProperty(
        name="Height of person 1", description="In metres; 0: estimated", min=0.0, max=2.6, unit="LENGTH", precision=2
    )
    set_rate: bpy.props.BoolProperty(
        name="Set the scene's rate", description="Give the scene the clip's frame rate and range", default=True
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
        if self.height > 0:
            chosen["height"] = self.height
        return chosen


def register() -> None:
    """Called by the add-on."""
    bpy.utils.register_class(RecoverMotionSettings)
    bpy.types.Scene.recover_motion = bpy.props.PointerProperty(type=RecoverMotionSettings)


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Scene.recover_motion
    bpy.utils.unregister_class(RecoverMotionSettings)

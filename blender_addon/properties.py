"""What the panel asks: kept with the scene, so that a file remembers its clip and choices."""

from __future__ import annotations

from pathlib import Path

import bpy

from .compat import RELATIVE
from .tracked_camera import is_solved

_PEOPLE = (
    ("main", "Main", "Everyone who is large enough and in view for long enough"),
    ("all", "Everyone", "Everyone who is believable, small ones in the background too"),
    ("number", "Number", "So many, the most important first"),
)
_CAMERAS = (
    ("auto", "Automatic", "Decide from the background whether the camera moved"),
    ("static", "Static", "The camera did not move"),
    ("blender", "Tracked in Blender", "The camera that was solved in the Movie Clip editor"),
    ("file", "From a File", "The camera that another program solved"),
    ("gyro", "Gyroscope", "A phone's gyroscope turned with the camera"),
    ("droid", "DROID-SLAM", "Followed by DROID-SLAM, where it is installed"),
    ("dpvo", "DPVO", "Followed by DPVO, where it is installed"),
)
CAMERAS_WITH_A_FILE = ("file", "gyro")
_LENSES = (
    ("auto", "Automatic", "Found out from the clip, or guessed"),
    ("known", "Known", "Say what lens the clip was filmed with"),
    ("clip", "From the Movie Clip", "Focal length and sensor as set in the Movie Clip editor's Track tab, under Lens"),
)
_RATES = (
    ("scene", "Change the Scene's", "The scene takes the clip's frame rate and range; every frame is as recovered"),
    ("resample", "Resample", "The scene keeps its frame rate; the motion's keys are put on the scene's frames"),
)
_QUALITIES = (
    ("fast", "Fast", "Rough: without fitting bodies closely to the picture"),
    ("balanced", "Balanced", "The usual choice: people, ground and camera are weighed together"),
    ("best", "Best", "Also weighs how people usually move; takes longest"),
)


def _may_be_chosen(_settings: bpy.types.PropertyGroup, clip: bpy.types.MovieClip) -> bool:
    return is_solved(clip)


class RecoverMotionSettings(bpy.types.PropertyGroup):
    """Choices for the next recovery."""

    clip: bpy.props.StringProperty(
        name="Clip", description="The video with the people", subtype="FILE_PATH", options=RELATIVE
    )
    use_range: bpy.props.BoolProperty(name="Frame Range", description="Use only a part of the clip")
    start: bpy.props.IntProperty(name="First", description="First frame, counted from 0", min=0)
    end: bpy.props.IntProperty(name="Last", description="Last frame, counted from 0", min=0, default=250)
    people: bpy.props.EnumProperty(name="People", description="Whom to recover", items=_PEOPLE)
    number: bpy.props.IntProperty(name="How Many", description="So many people, no more", min=1, default=1)
    camera: bpy.props.EnumProperty(
        name="Camera", description="How it is found out where the camera was", items=_CAMERAS
    )
    camera_file: bpy.props.StringProperty(
        name="Camera File", description="What the camera is read from", subtype="FILE_PATH", options=RELATIVE
    )
    tracked_clip: bpy.props.PointerProperty(
        name="Solved Clip",
        description="Movie clip with a solved camera; left empty, the solved one that shows the video is taken",
        type=bpy.types.MovieClip,
        poll=_may_be_chosen,
    )
    lens_from: bpy.props.EnumProperty(name="Lens", description="Where the focal length comes from", items=_LENSES)
    lens: bpy.props.FloatProperty(
        name="Focal Length", description="In millimetres, for a sensor of the width below",
        min=1, max=5000, soft_max=300, default=26, unit="CAMERA", precision=1,
    )  # fmt: skip
    sensor: bpy.props.FloatProperty(
        name="Sensor Width", description="Along the picture's longer side; 36 for a focal length as on full frame",
        min=1, max=200, default=36, unit="CAMERA", precision=1,
    )  # fmt: skip
    quality: bpy.props.EnumProperty(
        name="Quality", description="How much work is put into it", items=_QUALITIES, default="balanced"
    )
    use_height: bpy.props.BoolProperty(
        name="Known Height", description="Say how tall person 1 is; otherwise it is estimated"
    )
    height: bpy.props.FloatProperty(
        name="Height", description="Of person 1", min=0.5, max=2.6, default=1.75, unit="LENGTH", precision=3
    )
    rate: bpy.props.EnumProperty(
        name="Frame Rate", description="What to do where clip and scene have different frame rates", items=_RATES
    )

    def options(self) -> dict[str, object]:
        """As the engine takes them, but for the file of a camera that was tracked in Blender: who writes it adds it."""
        chosen: dict[str, object] = {
            "people": str(self.number) if self.people == "number" else self.people,
            "camera": self.camera,
            "quality": self.quality,
        }
        if self.use_range:
            chosen |= {"start": self.start, "end": self.end}
        if self.camera in CAMERAS_WITH_A_FILE:
            chosen["camera_file"] = str(Path(bpy.path.abspath(self.camera_file)).absolute())
        if self.lens_from == "known":
            chosen |= {"lens": round(self.lens, 4), "sensor": round(self.sensor, 4)}
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

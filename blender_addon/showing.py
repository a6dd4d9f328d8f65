"""Where on the screen the clip is in which people were found, and which frame of the motion is shown there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import bpy

from .compat import sequencer_scene, strip_times
from .ghmr_engine.errors import RecoverError
from .motion import MotionFileError
from .people_file import PeopleFile
from .sources import Source, active_strip, file_of, loaded_clip, strip_source
from .takes import motion_of, takes_of
from .viewing import Viewing, camera_viewing, clip_viewing, preview_viewing

_SAME_RATE = 2e-3
"""Blender reads a clip's rate to three digits or so; rates nearer than this are the same one."""
_SAME_SHAPE = 0.02


@dataclass(frozen=True)
class Showing:
    """A region in which the clip is before one's eyes."""

    viewing: Viewing
    frame: int
    """Of the motion."""


def showing_in(
    scene: bpy.types.Scene, area: bpy.types.Area, region: bpy.types.Region, view: bpy.types.RegionView3D | None
) -> Showing | None:
    """The clip in an editor's main region; None where another or none is shown there, or nobody was looked for.

    view: the region's own, of a 3D viewport. Raises RecoverError where the people file is gone.
    """
    people = scene.recover_motion_people
    if not people.path:
        return None
    if area.type == "SEQUENCE_EDITOR":
        return _in_preview(people, area, region) if region.type == "PREVIEW" else None
    if region.type != "WINDOW":
        return None
    if area.type == "CLIP_EDITOR":
        space = area.spaces.active
        clip = space.clip if space.view == "CLIP" else None
        return _showing(scene, clip, space.clip_user.frame_current, lambda size: clip_viewing(region, size))
    if area.type == "VIEW_3D" and view is not None and view.view_perspective == "CAMERA":
        clip, now = background_clip(scene), scene.frame_current
        return _showing(scene, clip, now, lambda size: _framed(region, view, scene, size))
    return None


def current_frame(context: bpy.types.Context) -> int | None:
    """The frame of the motion that the user means: that of the clip in the editor, else behind the scene's camera, else
    wherever the clip is open; None where it is open nowhere. Raises RecoverError."""
    scene, people = context.scene, context.scene.recover_motion_people
    found = people.file()
    editor = context.area.type if context.area is not None else ""
    if editor == "SEQUENCE_EDITOR":
        return _frame_of_strip(people, strip_source(context), sequencer_scene(context).frame_current)
    if editor == "CLIP_EDITOR" and context.space_data.clip is not None:
        frame = _motion_frame(scene, context.space_data.clip, context.space_data.clip_user.frame_current, found)
        if frame is not None:
            return frame
    clips = (background_clip(scene), loaded_clip(people.clip_path))
    frames = (_motion_frame(scene, clip, scene.frame_current, found) for clip in clips if clip is not None)
    return next((frame for frame in frames if frame is not None), None)


def background_clip(scene: bpy.types.Scene) -> bpy.types.MovieClip | None:
    """The movie clip that the scene's camera shows; None without."""
    camera = scene.camera
    if camera is None or camera.type != "CAMERA" or not camera.data.show_background_images:
        return None
    shown = (
        item for item in camera.data.background_images if item.source == "MOVIE_CLIP" and item.show_background_image
    )
    return next((item.clip for item in shown if item.clip is not None), None)


def clip_editor_of(context: bpy.types.Context) -> bpy.types.Area | None:
    """A Movie Clip editor on this screen in which the clip is open in which people were found; None without."""
    path = context.scene.recover_motion_people.clip_path.resolve()
    editors = (area for area in context.screen.areas if area.type == "CLIP_EDITOR")
    return next((area for area in editors if _open_in(area) == path), None)


def _open_in(area: bpy.types.Area) -> Path | None:
    clip = area.spaces.active.clip
    return file_of(clip).resolve() if clip is not None else None


def redraw_clips() -> None:
    """Draw all editors again that may show the clip."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "CLIP_EDITOR", "SEQUENCE_EDITOR"}:
                area.tag_redraw()


def _showing(
    scene: bpy.types.Scene,
    clip: bpy.types.MovieClip | None,
    now: int,
    look: Callable[[tuple[int, int]], Viewing | None],
) -> Showing | None:
    """now: the scene frame that the editor shows."""
    if clip is None:
        return None
    found = scene.recover_motion_people.file()
    width, height = clip.size
    if not height or abs(width / height * found.size[1] / found.size[0] - 1) > _SAME_SHAPE:
        return None  # Blender 4 shows a clip that was filmed upright lying
    frame = _motion_frame(scene, clip, now, found)
    viewing = look(found.size) if frame is not None else None
    return Showing(viewing, frame) if viewing is not None else None


def _in_preview(people: bpy.types.PropertyGroup, area: bpy.types.Area, region: bpy.types.Region) -> Showing | None:
    """The active strip, where people were found in a strip of its clip: otherwise its speed is not known here."""
    strip, now = active_strip(bpy.context), sequencer_scene(bpy.context).frame_current
    if strip is None or strip.mute or area.spaces.active.display_mode != "IMAGE":
        return None
    times = strip_times(strip)
    frame = _frame_of_strip(people, strip_source(bpy.context, measured=False, known=people.known_lengths), now)
    if frame is None or not times.first <= now <= times.last:
        return None
    viewing = preview_viewing(region, strip, people.file().size)
    return None if viewing is None else Showing(viewing, frame)


def _frame_of_strip(people: bpy.types.PropertyGroup, source: Source, now: int) -> int | None:
    if source.step is None or source.path.resolve() != people.clip_path.resolve():
        return None
    return source.start + round((now - source.start_frame) / source.step) - people.file().start


def _framed(
    region: bpy.types.Region, view: bpy.types.RegionView3D, scene: bpy.types.Scene, size: tuple[int, int]
) -> Viewing | None:
    """The picture fills the camera's frame where that has its shape; elsewhere nobody knows what is cut off."""
    render = scene.render
    shape = render.resolution_x * render.pixel_aspect_x / (render.resolution_y * render.pixel_aspect_y)
    return camera_viewing(region, view, scene, size) if abs(shape * size[1] / size[0] - 1) < _SAME_SHAPE else None


def _motion_frame(scene: bpy.types.Scene, clip: bpy.types.MovieClip, now: int, found: PeopleFile) -> int | None:
    """Which frame of the motion a movie clip shows at a scene frame; None where it is of something else."""
    picture = now - clip.frame_start + clip.frame_offset
    if file_of(clip).resolve() == scene.recover_motion_people.clip_path.resolve():
        return round(picture / _pictures_a_frame(clip, found.fps)) - found.start
    return _frame_of_copy(scene, clip, found, picture)


def _frame_of_copy(scene: bpy.types.Scene, clip: bpy.types.MovieClip, found: PeopleFile, picture: int) -> int | None:
    """The same for the upright copy of the clip that lies beside a take: it has the take's frames only."""
    for take in takes_of(scene):
        if take.recover_motion.clip == clip and take.get("clip_sha256") == found.sha256:
            try:
                meta = motion_of(take).meta
            except (RecoverError, MotionFileError):
                return None
            if meta["video"].get("background") == file_of(clip).name and Fraction(*meta["fps"]) == found.fps:
                return picture + int(meta["video"].get("start", 0)) - found.start
    return None


def _pictures_a_frame(clip: bpy.types.MovieClip, fps: Fraction) -> float:
    """The file's pictures for one frame of the motion."""
    pictures = clip.fps / float(fps) if clip.fps else 1.0
    return 1.0 if abs(pictures - 1) < _SAME_RATE else pictures

"""Which clip is meant, by the editor one is in: the open movie clip, the active strip, else the chosen file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import bpy

from .compat import sequencer_scene, strip_times
from .ghmr_engine.errors import RecoverError
from .translations import told

_SAME_SPEED = 1e-3


@dataclass(frozen=True)
class Source:
    """A clip, and how it lies in the scene's time."""

    path: Path | None
    """None where motion was imported without one."""
    start: int | None = None
    """First picture of the file that is used, counted from 0; None where the user's range says."""
    end: int | None = None
    """Last picture (included)."""
    start_frame: int = 1
    """Scene frame of the first picture that is used."""
    step: float | None = None
    """Scene frames a picture takes; None where the rates say."""
    clip: bpy.types.MovieClip | None = None
    """The movie clip whose settings hold for it."""
    timed: bool = False
    """Range and speed are given with it."""
    pictures: int | None = None
    """In a strip's file, which its range and speed follow from."""


def source_of(context: bpy.types.Context, *, measured: bool = True, known: Mapping[Path, int] | None = None) -> Source:
    """The clip that the editor means. Raises RecoverError with what to do where there is none that can be used.

    measured: ask the file what a strip's range and speed are; panels, which must not, leave both out.
    known: how many pictures there are in files (resolved paths), so that they are not asked.
    """
    editor = context.area.type if context.area is not None else ""
    if editor == "CLIP_EDITOR":
        return _from_clip(context.space_data.clip)
    if editor == "SEQUENCE_EDITOR":
        return strip_source(context, measured=measured, known=known)
    return _from_file(context.scene.recover_motion.clip)


def active_strip(context: bpy.types.Context) -> bpy.types.Strip | None:
    """The strip that is meant in the Sequencer; None without one, or where it is no video."""
    editor = sequencer_scene(context).sequence_editor
    strip = editor.active_strip if editor is not None else None
    return strip if strip is not None and strip.type == "MOVIE" else None


def strip_source(
    context: bpy.types.Context, *, measured: bool = True, known: Mapping[Path, int] | None = None
) -> Source:
    """The active strip's video; arguments and errors as of source_of."""
    strip = active_strip(context)
    if strip is None:
        raise RecoverError("no_strip", "The active strip is no video.", "Select a movie strip.")
    if len(strip.retiming_keys) > 2:
        raise RecoverError(
            "changing_speed", told("{strip} changes its speed.", strip=strip.name), "Use a strip with one speed."
        )
    if strip.use_reverse_frames:
        raise RecoverError("reversed", told("{strip} runs backwards.", strip=strip.name), "Switch Reverse Frames off.")
    times = strip_times(strip)
    path = _existing(Path(bpy.path.abspath(strip.filepath)).absolute())
    pictures = (known or {}).get(path.resolve())
    if pictures is None and not measured:
        return Source(path, start_frame=times.first, clip=loaded_clip(path), timed=True)
    if pictures is None:
        pictures = _pictures_in(path, path.stat().st_mtime_ns)
    speed = pictures / times.length  # pictures of the file a scene frame
    start = round(max(times.trimmed, 0) * speed)
    end = min(start + max(round((times.last + 1 - times.first) * speed), 1), pictures) - 1
    step = 1.0 if abs(speed - 1) < _SAME_SPEED else 1 / speed
    return Source(path, start, end, times.first, step, loaded_clip(path), timed=True, pictures=pictures)


def clip_range(settings: bpy.types.PropertyGroup, source: Source) -> dict[str, int]:
    """The frames of the clip that are used, as the engine's options `start` and `end`, counted from 0; what is left out
    is the clip's first or last. A strip's own range goes before the chosen one, that before a movie clip's offset."""
    if source.timed:
        return {"start": source.start, "end": source.end}
    if settings.use_range:
        return {"start": settings.start, "end": settings.end}
    return {} if source.start is None else {"start": source.start}


def loaded_clip(path: Path) -> bpy.types.MovieClip | None:
    """A movie clip of this file that is open in Blender and is no take's background."""
    backgrounds = {collection.recover_motion.clip for collection in bpy.data.collections}
    for clip in bpy.data.movieclips:
        if clip not in backgrounds and file_of(clip).resolve() == path.resolve():
            return clip
    return None


def file_of(clip: bpy.types.MovieClip) -> Path:
    """The file a movie clip shows."""
    return Path(bpy.path.abspath(clip.filepath, library=clip.library)).absolute()


def _from_file(chosen: str) -> Source:
    if not chosen:
        raise RecoverError("no_clip", "No clip is chosen.", "Choose a video file.")
    path = _existing(Path(bpy.path.abspath(chosen)).absolute())
    return Source(path, clip=loaded_clip(path))


def _from_clip(clip: bpy.types.MovieClip | None) -> Source:
    if clip is None:
        raise RecoverError("no_clip", "No clip is open here.", "Open a video in this editor.")
    if clip.source != "MOVIE":
        raise RecoverError("no_video", told("{clip} is a sequence of pictures.", clip=clip.name), "Open it as a video.")
    start = clip.frame_offset or None
    return Source(_existing(file_of(clip)), start=start, start_frame=clip.frame_start, clip=clip)


@lru_cache(maxsize=16)
def _pictures_in(path: Path, _changed: int) -> int:
    """How many pictures Blender finds in a video: a strip says only how long it is after its speed was changed."""
    clip = bpy.data.movieclips.load(str(path))
    try:
        return clip.frame_duration
    finally:
        bpy.data.movieclips.remove(clip)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise RecoverError("no_file", told("There is no file {file}.", file=path), "Choose another clip.")
    return path

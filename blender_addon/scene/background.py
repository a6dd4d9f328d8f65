"""The clip behind the scene, as seen through its camera, at the same moments."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..motion import Motion
from .timing import Clock


def clip_to_show(motion: Motion, motion_path: Path, clip: Path | None = None) -> Path | None:
    """The file Blender should show: the upright copy beside the motion file where one was needed, else the clip.

    clip: where the user has the clip; None looks beside the motion file. None where there is no such file.
    """
    video = motion.meta["video"]
    copy = video.get("background")
    shown = motion_path.with_name(copy or video["name"])
    if clip is not None and not copy:
        shown = clip
    return shown if shown.is_file() else None


def add_background(camera: bpy.types.Camera, motion: Motion, clip_path: Path, clock: Clock) -> None:
    """Load the clip as the camera's background, its frame `video.start` on the motion's first scene frame."""
    clip = bpy.data.movieclips.load(str(clip_path))
    video = motion.meta["video"]
    first_used = 0 if clip_path.name == video.get("background") else int(video.get("start", 0))
    clip.frame_start = clock.start - first_used
    background = camera.background_images.new()
    background.source = "MOVIE_CLIP"
    background.clip = clip
    background.alpha = 1.0
    background.frame_method = "STRETCH"
    camera.show_background_images = True

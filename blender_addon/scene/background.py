"""The clip behind the scene, as seen through its camera, at the same moments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..compat import new_action
from ..motion import Motion
from .keys import write_steps
from .timing import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

# Blender reads a clip's rate to three digits or so; rates nearer than this are the same one.
_SAME_RATE = 2e-3


def clip_to_show(motion: Motion, motion_path: Path, clip: Path | None = None) -> Path | None:
    """The file Blender should show: the upright copy beside the motion file where one was needed, else the clip.

    clip: where the user has the clip; None looks beside the motion file. None where there is no such file, or no clip.
    """
    video = motion.meta["video"]
    if clip is None and not video.get("sha256"):  # imported, and no clip is known
        return None
    copy = video.get("background")
    shown = motion_path.with_name(copy or video["name"])
    if clip is not None and not copy:
        shown = clip
    return shown if shown.is_file() else None


def add_background(camera: bpy.types.Camera, motion: Motion, clip_path: Path, clock: Clock) -> None:
    """Load the clip as the camera's background, showing at every scene frame what the motion has there."""
    clip = bpy.data.movieclips.load(str(clip_path.absolute()))
    clip.name = f"{camera.name} background"
    background = camera.background_images.new()
    background.source = "MOVIE_CLIP"
    background.clip = clip
    background.alpha = 1.0
    background.frame_method = "STRETCH"
    camera.show_background_images = True
    _straighten(background, motion)

    video, frames = motion.meta["video"], motion.meta["frames"]
    # The upright copy holds only the frames that were used, at the motion's rate.
    is_copy = clip_path.name == video.get("background")
    clip_rate = float(clock.motion_fps) if is_copy or clip.source != "MOVIE" else clip.fps
    first = 0 if is_copy else int(video.get("start", 0))
    scene_frames = np.arange(clock.start, clock.last(frames) + 1)
    starts = clip_starts(scene_frames, clock, clip_rate, first)
    clip.frame_start = int(starts[0])
    if np.ptp(starts):
        curves = new_action(clip.name, clip)
        write_steps(curves, "frame_start", scene_frames, starts, "Clip")


def _straighten(background: bpy.types.CameraBackgroundImage, motion: Motion) -> None:
    """Show the picture without the lens's distortion, as a camera in Blender, which has none, would see it."""
    if not motion.distortion.any():
        return
    # Blender has one focal length for all frames.
    focal_px = float(np.median(motion.K[:, 0, 0]))
    lens = background.clip.tracking.camera
    lens.units, lens.focal_length_pixels = "PIXELS", focal_px
    lens.distortion_model = "DIVISION"
    reach = np.hypot(*motion.meta["image_size"]) / 2 / focal_px
    lens.division_k1, lens.division_k2 = blender_division(motion.distortion, reach)
    background.clip_user.use_render_undistorted = True


def blender_division(distortion: Sequence[float], reach: float) -> tuple[float, float]:
    """k1, k2 of Blender's division model for those of the motion file.

    Both divide by 1 + k1 r^2 + k2 r^4, the file to straighten the picture, r counted in it, Blender to bend the
    straight one, r counted there: so one can only be fitted to the other, out to `reach`, the picture's corner. All
    distances are from the picture's centre, in focal lengths.
    """
    k1, k2 = distortion
    seen = reach * np.arange(1, 101) / 100
    straight = seen / (1 + k1 * seen**2 + k2 * seen**4)
    weight = seen**2 / straight  # from the divisor's error to the place's in the picture
    terms = np.stack([straight**2, straight**4], 1)
    fitted = np.linalg.lstsq(terms * weight[:, None], (straight / seen - 1) * weight, rcond=None)[0]
    return float(fitted[0]), float(fitted[1])


def clip_starts(scene_frames: np.ndarray, clock: Clock, clip_rate: float, first: int) -> np.ndarray:
    """(N,) int: at each scene frame the value of frame_start that brings up the right picture.

    Blender shows picture `frame - frame_start`, counted from 0, one a scene frame whatever the rates are: so
    frame_start itself has to move where they differ. clip_rate: pictures a second in the file; first: the motion's
    frame 0, counted at the motion's rate from the clip's first picture.
    """
    pictures_a_frame = clip_rate / float(clock.motion_fps)
    if abs(pictures_a_frame - 1) < _SAME_RATE:
        pictures_a_frame = 1.0
    motion_frames = (scene_frames - clock.start) / clock.step
    pictures = np.floor((first + motion_frames) * pictures_a_frame + 0.5 + 1e-6)
    return (scene_frames - pictures).astype(np.int64)

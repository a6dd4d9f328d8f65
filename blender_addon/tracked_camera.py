"""A camera that was solved in Blender's Movie Clip editor, as a file for the engine (docs/camera.md)."""

from __future__ import annotations

import json
from pathlib import Path

import bpy

from .ghmr_engine.errors import RecoverError
from .ghmr_engine.part_files import written_whole

_MODELS = {"POLYNOMIAL": ("polynomial", "k"), "DIVISION": ("division", "division_k"), "BROWN": ("brown", "brown_k")}
"""Blender's name of a distortion model: the file's name, and what its coefficients are called in Blender."""
_MOST_COEFFICIENTS = 4
_OFF_CENTRE = 0.02
"""Part of the picture's width that the principal point may lie off its centre: the engine takes the centre."""


def is_solved(clip: bpy.types.MovieClip) -> bool:
    """Whether the camera of this clip was solved."""
    return _camera_object(clip).reconstruction.is_valid


def find_solved(chosen: bpy.types.MovieClip | None, video: Path) -> bpy.types.MovieClip:
    """The clip the user chose, else a solved one that shows `video`. Raises RecoverError."""
    if chosen is not None and is_solved(chosen):
        return chosen
    for clip in bpy.data.movieclips:
        if is_solved(clip) and Path(bpy.path.abspath(clip.filepath, library=clip.library)).resolve() == video.resolve():
            return clip
    raise RecoverError(
        "no_solve", "There is no solved clip.",
        "Track and solve the camera in the Movie Clip editor, or choose another Camera.",
    )  # fmt: skip


def write_camera(clip: bpy.types.MovieClip, path: Path) -> None:
    """Write the solved camera to `path`, whole or not at all. Raises RecoverError, OSError."""
    with written_whole(path) as part:
        part.write_text(json.dumps(camera_content(clip)), encoding="utf-8")


def camera_content(clip: bpy.types.MovieClip) -> dict[str, object]:
    """The file's keys. Raises RecoverError for a lens that cannot be said there."""
    lens = clip.tracking.camera
    width, height = clip.size
    content: dict[str, object] = {"axes": "blender", "frames": [], "camera_to_world": []}
    for camera in _camera_object(clip).reconstruction.cameras:
        content["frames"].append(picture_number(camera.frame, clip.frame_offset))
        content["camera_to_world"].append([list(row) for row in camera.matrix])
    # Pixels are measured along the width: of oblong ones the picture has fewer of these along its height.
    content["picture"] = [width, round(height / lens.pixel_aspect)]
    content["focal_px"] = lens.focal_length_pixels
    if clip.fps > 0:  # a sequence of pictures has no rate of its own
        content["fps"] = clip.fps
    if max(abs(x - half) for x, half in zip(lens.principal_point_pixels, (width / 2, height / 2), strict=True)) > (
        _OFF_CENTRE * width
    ):
        raise _bad_lens(clip, "its optical centre is off the picture's", "Set Optical Center to 0")
    coefficients = _distortion(clip)
    if any(coefficients):
        content["distortion"] = {"model": _MODELS[lens.distortion_model][0], "k": coefficients}
    return content


def picture_number(frame: int, offset: int) -> int:
    """Which picture of the file a marker or a solved camera belongs to, counted from 0.

    Both count from 1 at the clip's start, wherever in the scene that is (frame_start); frame_offset leaves out as many
    pictures of the file.
    """
    return frame - 1 + offset


def _camera_object(clip: bpy.types.MovieClip) -> bpy.types.MovieTrackingObject:
    """The tracking object that is the camera itself; every clip has it, and it cannot be removed."""
    return next(item for item in clip.tracking.objects if item.is_camera)


def _distortion(clip: bpy.types.MovieClip) -> list[float]:
    """k1, k2, ... of the clip's own model."""
    lens = clip.tracking.camera
    if lens.distortion_model not in _MODELS:
        raise _bad_lens(clip, f"its lens distortion is {lens.distortion_model.title()}'s", "Choose another model")
    if lens.distortion_model == "BROWN" and (lens.brown_p1 or lens.brown_p2):
        raise _bad_lens(clip, "its lens distortion is tangential", "Set P1 and P2 to 0, or choose another model")
    prefix = _MODELS[lens.distortion_model][1]
    names = [f"{prefix}{number + 1}" for number in range(_MOST_COEFFICIENTS)]
    return [getattr(lens, name) for name in names if hasattr(lens, name)]


def _bad_lens(clip: bpy.types.MovieClip, why: str, what: str) -> RecoverError:
    return RecoverError(
        "bad_lens", f"The solve of {clip.name} cannot be used: {why}.", f"{what} in the Movie Clip editor, solve again."
    )

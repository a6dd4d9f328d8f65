"""Skeletons and the ground's grid over a take's clip: in the Movie Clip editor, and through its camera in viewports."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np
from mathutils import Color

from ..comparing import COLOR
from ..motion import Motion
from ..scene.background import clip_starts
from ..scene.surroundings import ground_extent
from ..sources import file_of
from ..take_list import is_shown
from ..takes import active_take, clock_of, filming, takes_of
from ..translations import local
from ..viewing import Viewing, camera_viewing, clip_viewing
from .drawing import draw_lines, draw_triangles, draw_words
from .poses import camera_of, known_motion, picture_size, poses_of
from .projection import PictureCamera, grid
from .strokes import Strokes, discs, skeleton_strokes

_GRID = (1.0, 1.0, 1.0, 0.4)
_GRID_WIDTH = 1.2
_PLANTED, _PLANTED_EDGE = (1.0, 0.85, 0.1, 1.0), (0.0, 0.0, 0.0, 0.8)
_DISC, _EDGE = 4.0, 1.5
_SETS = {"left": 0, "right": 3, "middle": 8}
"""The theme's bone colours that the armatures' bones have (scene/armature.py)."""
_WORDS = 12.0
_WARNING = (1.0, 0.7, 0.2, 1.0)
_FURTHEST = 30
"""Squares to each side."""


def draw_in_clip_editor(context: bpy.types.Context) -> None:
    """Over the open clip, where it is a take's."""
    space, region, scene = context.space_data, context.region, context.scene
    clip = space.clip
    if clip is None or space.view != "CLIP" or min(clip.size) < 1:
        return
    if space.clip_user.frame_current != scene.frame_current:
        return  # a script's frame_set leaves the editor at the picture of before
    bends = not space.clip_user.use_render_undistorted
    for take in chosen_takes(context, lambda take: shows(clip, take)):
        motion = known_motion(take)
        off = out_of_step(scene, take, motion, clip)
        if not off:
            viewing = clip_viewing(region, picture_size(take, motion))
            _draw_take(context, take, motion, camera_of(take, motion, bends=bends), viewing)
        elif not take.recover_motion_compared:
            _say_out_of_step(context, take, off)


def draw_in_viewport(context: bpy.types.Context) -> None:
    """Over the picture that a take's camera frames."""
    scene, view = context.scene, context.region_data
    if not scene.recover_motion_overlay.viewport or not context.space_data.overlay.show_overlays:
        return
    for take in chosen_takes(context, lambda take: filming(take) == scene.camera):
        motion = known_motion(take)
        viewing = camera_viewing(context.region, view, scene, picture_size(take, motion))
        if viewing is not None:
            _draw_take(context, take, motion, camera_of(take, motion, bends=False), viewing)


def chosen_takes(
    context: bpy.types.Context, fits: Callable[[bpy.types.Collection], bool]
) -> list[bpy.types.Collection]:
    """Of the takes in view that fit: the compared one and over it the active one, else the last."""
    layer, active = context.view_layer, active_take(context)
    takes = [take for take in takes_of(context.scene) if fits(take) and is_shown(layer, take)]
    top = active if active in takes else next(iter(reversed(takes)), None)
    return [take for take in takes if take.recover_motion_compared and take != top] + ([top] if top else [])


def shows(clip: bpy.types.MovieClip, take: bpy.types.Collection) -> bool:
    """Whether an open clip is the take's: the same file."""
    own = take.recover_motion.clip
    return own is not None and (clip == own or file_of(clip).resolve() == file_of(own).resolve())


def out_of_step(
    scene: bpy.types.Scene, take: bpy.types.Collection, motion: Motion | None, clip: bpy.types.MovieClip
) -> int:
    """By how many pictures the clip is before (negative) or after the take at the scene's frame, 0 where it cannot be
    known: the user may have put another first frame on it, or its rate may not be the scene's."""
    if clip == take.recover_motion.clip or motion is None:
        return 0
    first = int(motion.meta["video"].get("start", 0))
    if motion.meta["video"].get("background"):  # the upright copy holds only what was used
        first, rate = 0, float(clock_of(take, motion).motion_fps)
    else:
        rate = clip.fps if clip.source == "MOVIE" else float(clock_of(take, motion).motion_fps)
    start = clip_starts(np.array([scene.frame_current]), clock_of(take, motion), rate, first)[0]
    return int(start - (clip.frame_start - clip.frame_offset))


def _say_out_of_step(context: bpy.types.Context, take: bpy.types.Collection, off: int) -> None:
    scale = context.preferences.system.ui_scale
    text = "This picture is {count} frames after what {take} shows now."
    if off < 0:
        text = "This picture is {count} frames before what {take} shows now."
    lines = (
        local(text, count=abs(off), take=take.name),
        local("Open {clip} here: it runs with the take.", clip=take.recover_motion.clip.name),
    )
    for place, line in enumerate(reversed(lines)):
        draw_words(line, (20 * scale, (60 + 1.5 * _WORDS * place) * scale), _WORDS * scale, _WARNING)


def _draw_take(
    context: bpy.types.Context, take: bpy.types.Collection, motion: Motion | None, camera: PictureCamera | None,
    viewing: Viewing,
) -> None:  # fmt: skip
    if camera is None:
        return
    chosen, scale = context.scene.recover_motion_overlay, context.preferences.system.ui_scale
    if chosen.grid and motion is not None and not take.recover_motion_compared:
        draw_lines(grid_strokes(motion, camera, viewing, scale))
    if chosen.skeleton:
        colors = _compared_colors() if take.recover_motion_compared else side_colors(context)
        for posed in poses_of(context.scene, take, motion):
            places = viewing.to_region(camera.pixels(camera.seen(posed.joints)))
            for strokes in skeleton_strokes(places, posed.guessed, colors, scale):
                draw_lines(strokes)
            _draw_planted(viewing.to_region(camera.pixels(camera.seen(posed.soles))), scale)


def grid_strokes(motion: Motion, camera: PictureCamera, viewing: Viewing, scale: float) -> Strokes:
    """The ground under everybody's paths, in the squares that the scene's ground has."""
    low, high, square = ground_extent(motion)
    # A result gone wrong may run away for kilometres: its grid need not.
    middle, reach = np.round((low + high) / 2 / square) * square, _FURTHEST * square
    low, high = np.maximum(low, middle - reach), np.minimum(high, middle + reach)
    lines = viewing.to_region(camera.lines(*grid(low, high, square)))
    return Strokes(lines, np.tile(_GRID, (len(lines), 1)), _GRID_WIDTH * scale)


def side_colors(context: bpy.types.Context) -> dict[str, tuple[float, float, float, float]]:
    """The bones' own colours, as the theme has them for the active bone: they are bright enough for a video."""
    sets = context.preferences.themes[0].bone_color_sets
    return {side: (*sets[place].active, 1.0) for side, place in _SETS.items()}


def _compared_colors() -> dict[str, tuple[float, float, float, float]]:
    color = (*Color(COLOR).from_scene_linear_to_srgb(), 0.9)
    return dict.fromkeys(_SETS, color)


def _draw_planted(places: np.ndarray, scale: float) -> None:
    places = places[np.isfinite(places).all(1)]
    for radius, color in ((_DISC + _EDGE, _PLANTED_EDGE), (_DISC, _PLANTED)):
        corners = discs(places, radius * scale)
        draw_triangles(corners, np.tile(color, (len(corners), 1)))

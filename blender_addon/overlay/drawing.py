"""Lines, triangles and words on a region, by Blender's own shaders. All sizes are the region's pixels."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from .strokes import Strokes

_FONT = 0
_SHADOW = (0.0, 0.0, 0.0, 1.0)
_FAILED: set[str] = set()
"""What was already said in the console: a drawing that fails would say it at every redraw."""


def draw_safely(draw: Callable[[bpy.types.Context], None]) -> None:
    """Draw, come what may: an error while drawing must not spoil an editor."""
    try:
        with blended():
            draw(bpy.context)
    except Exception:  # noqa: BLE001
        said = traceback.format_exc()
        if said not in _FAILED:
            _FAILED.add(said)
            traceback.print_exc()


@contextmanager
def blended() -> Iterator[None]:
    """See-through colours, and Blender's state as it was afterwards."""
    before = gpu.state.blend_get()
    gpu.state.blend_set("ALPHA")
    try:
        yield
    finally:
        gpu.state.blend_set(before)


def draw_lines(strokes: Strokes) -> None:
    """Smooth lines."""
    if not len(strokes.lines):
        return
    shader = gpu.shader.from_builtin("POLYLINE_SMOOTH_COLOR")
    # Three numbers a place: what all of the versions take.
    places = np.pad(strokes.lines.reshape(-1, 2), ((0, 0), (0, 1))).astype(np.float32)
    colors = np.repeat(strokes.colors, 2, axis=0).astype(np.float32)
    batch = batch_for_shader(shader, "LINES", {"pos": places, "color": colors})
    shader.bind()
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", strokes.width)
    batch.draw(shader)


def draw_triangles(corners: np.ndarray, colors: np.ndarray) -> None:
    """corners (3 F, 2), colors (3 F, 4)."""
    if not len(corners):
        return
    shader = gpu.shader.from_builtin("SMOOTH_COLOR")
    places = np.pad(corners, ((0, 0), (0, 1))).astype(np.float32)
    batch = batch_for_shader(shader, "TRIS", {"pos": places, "color": colors.astype(np.float32)})
    batch.draw(shader)


def draw_rectangles(low: np.ndarray, high: np.ndarray, colors: np.ndarray) -> None:
    """low (Q, 2), high (Q, 2), colors (Q, 4)."""
    corners = np.stack(
        [low, np.stack([high[:, 0], low[:, 1]], 1), high, low, high, np.stack([low[:, 0], high[:, 1]], 1)], 1
    )
    draw_triangles(corners.reshape(-1, 2), np.repeat(colors, 6, axis=0))


def draw_words(text: str, at: tuple[float, float], size: float, color: tuple[float, float, float, float]) -> None:
    """One line, with a shadow; `at` is where it begins, on its base line."""
    blf.enable(_FONT, blf.SHADOW)
    blf.shadow(_FONT, 3, *_SHADOW)
    blf.size(_FONT, size)
    blf.position(_FONT, at[0], at[1], 0)
    blf.color(_FONT, *color)
    blf.draw(_FONT, text)
    blf.disable(_FONT, blf.SHADOW)

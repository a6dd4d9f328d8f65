"""Whole frames of a clip with the world drawn over them: whether the camera that was found holds the ground still."""

from __future__ import annotations

import cv2
import numpy as np

from ghmr_engine.motion_file import Motion
from ghmr_engine.raster import View, draw_lines, write_words
from ghmr_engine.scene_views import camera_of, grid_lines, ground_area

_GRID, _EDGE, _AXES = (255, 236, 120), (20, 24, 30), ((235, 70, 60), (80, 200, 70), (70, 120, 255))
_MARGIN_M = 2.0  # of ground around all paths
_CELL, _COLUMNS = 520, 3  # pixels of a frame's longer side; frames in a row


def camera_sheet(frames_rgb: dict[int, np.ndarray], motion: Motion) -> np.ndarray:
    """Frames (h, w, 3) by index, in rows: the metre grid of the ground, and the world's axes where the first person
    begins, a metre each: x red, y green, z (up) blue; the camera's confidence below."""
    cells = [_cell(image, motion, index) for index, image in sorted(frames_rgb.items())]
    empty = np.full_like(cells[0], 250)
    columns = min(_COLUMNS, len(cells))
    cells += [empty] * (-len(cells) % columns)
    rows = [np.concatenate(cells[first : first + columns], 1) for first in range(0, len(cells), columns)]
    return np.concatenate(rows)


def draw_world(canvas: np.ndarray, view: View, motion: Motion) -> None:
    """Grid and axes, over a picture, in place."""
    starts, ends = grid_lines(*ground_area(motion, _MARGIN_M))
    draw_lines(canvas, view, starts, ends, np.array(_EDGE), 2.6, 0.35)
    draw_lines(canvas, view, starts, ends, np.array(_GRID), 1.2, 0.9)
    for axis, colour in zip(np.eye(3), _AXES, strict=True):
        draw_lines(canvas, view, np.zeros((1, 3)), axis[None], np.array(colour), 3.5)


def _cell(image: np.ndarray, motion: Motion, index: int) -> np.ndarray:
    height, width = image.shape[:2]
    scale = _CELL / max(height, width)
    size = round(width * scale), round(height * scale)
    view = camera_of(motion, index).cropped(0.0, 0.0, scale, size)
    canvas = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    draw_world(canvas, view, motion)
    first = int(motion.meta["video"].get("start", 0))
    words = f"frame {index + first}, confidence {motion.camera_confidence[index]:.2f}"
    write_words(canvas, words, (8, 22), 16, (255, 255, 255), _EDGE)
    canvas[:, -1] = canvas[-1] = 255
    return canvas

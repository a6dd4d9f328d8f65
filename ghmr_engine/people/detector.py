"""BlazePose's person detector, run on overlapping square tiles so that small and crowded people are found too."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ghmr_engine.crops import Crop, upright_crop

RESOLUTION = 224
_LAYERS = ((28, 2), (14, 2), (7, 6))
"""Cells a side, anchors a cell: MediaPipe's five layers with strides 8, 16, 32, 32, 32, two anchors a layer."""
_SCORE = 0.5
_OVERLAP = 0.3


def anchors() -> np.ndarray:
    """(2254, 2) centres of the detector's anchors, 0 to 1 (x, y), in the order of its outputs."""
    parts = []
    for cells, each in _LAYERS:
        y, x = np.mgrid[:cells, :cells]
        centres = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) / cells
        parts.append(np.repeat(centres, each, axis=0))
    return np.concatenate(parts)


class Detector:
    """The detector with its tensors allocated."""

    def __init__(self, model: Path, threads: int = 2) -> None:
        self._net = Interpreter(str(model), num_threads=threads)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._outputs = sorted(self._net.get_output_details(), key=lambda item: -item["shape"][-1])
        self._anchors = anchors()

    def find(self, picture: np.ndarray, tiles: list[tuple[int, int, int]]) -> list[Crop]:
        """Regions of interest of the people in `tiles` (x, y, side px) of a picture (H, W, 3) uint8, surest first."""
        found = [part for tile in tiles if (part := self._in_tile(picture, tile)) is not None]
        if not found:
            return []
        scores = np.concatenate([part[0] for part in found])
        points = np.concatenate([part[1] for part in found])
        return [upright_crop(points[k, 2], points[k, 3]) for k in suppress(scores, points)]

    def _in_tile(self, picture: np.ndarray, tile: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray] | None:
        """Scores (D,) and points (D, 4, 2) px: box corners, hip centre, top of the circle around the whole body."""
        x, y, side = tile
        height, width = picture.shape[:2]
        patch = np.zeros((RESOLUTION, RESOLUTION, 3), np.float32)
        inside = picture[max(y, 0) : min(y + side, height), max(x, 0) : min(x + side, width)]
        scale = RESOLUTION / side
        size = (max(round(inside.shape[1] * scale), 1), max(round(inside.shape[0] * scale), 1))
        left, top = round(max(-x, 0) * scale), round(max(-y, 0) * scale)
        shrunk = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)[: RESOLUTION - top, : RESOLUTION - left]
        patch[top : top + shrunk.shape[0], left : left + shrunk.shape[1]] = shrunk
        self._net.set_tensor(self._input, (patch / 127.5 - 1)[None])
        self._net.invoke()
        boxes, logits = (self._net.get_tensor(item["index"])[0] for item in self._outputs)
        score = 1 / (1 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -100, 100)))
        keep = score > _SCORE
        if not keep.any():
            return None
        raw = boxes[keep].reshape(-1, 6, 2) / RESOLUTION
        centre = raw[:, 0] + self._anchors[keep]
        corners = np.stack([centre - raw[:, 1] / 2, centre + raw[:, 1] / 2], 1)
        points = np.concatenate([corners, raw[:, 2:4] + self._anchors[keep][:, None]], 1)
        return score[keep], points * side + [x, y]


def suppress(scores: np.ndarray, points: np.ndarray) -> list[int]:
    """Places of detections to keep, surest first. Two are the same person where their boxes overlap by more than
    0.3, or where their hips and sizes agree (a tile's edge may cut a box, not the hips)."""
    kept: list[int] = []
    for k in np.argsort(-scores):
        if all(not _same(points[k], points[other]) for other in kept):
            kept.append(int(k))
    return kept


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    low, high = np.maximum(a[0], b[0]), np.minimum(a[1], b[1])
    shared = np.prod(np.maximum(high - low, 0))
    union = np.prod(a[1] - a[0]) + np.prod(b[1] - b[0]) - shared
    reach = max(np.hypot(*(a[3] - a[2])), np.hypot(*(b[3] - b[2])), 1e-6)
    return bool(shared > _OVERLAP * union or np.hypot(*(a[2] - b[2])) < 0.25 * reach)


def tiles_of(width: int, height: int, small: bool) -> list[tuple[int, int, int]]:
    """Squares (x, y, side): the whole picture, tiles of its short side, and, if `small`, of 0.55 of it; each overlaps
    the next by half."""
    longest, short = max(width, height), min(width, height)
    whole = ((width - longest) // 2, (height - longest) // 2, longest)
    tiles = [whole]
    for side in (short, round(0.55 * short)) if small else (short,):
        tiles += [(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]
    return tiles


def _starts(length: int, side: int) -> list[int]:
    count = max(int(np.ceil((length - side) / (0.5 * side))), 0) + 1
    return [round(place) for place in np.linspace(0, length - side, count)]

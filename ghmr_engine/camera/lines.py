"""Straight edges of the background: door frames, walls, crates, lamp posts, and which of them may be upright."""

from __future__ import annotations

import cv2
import numpy as np

from ghmr_engine.camera.corners import View

_SHORTEST, _LONGEST = 0.05, 0.5  # of the picture's height; longer ones count no more
_STEEP = np.cos(np.radians(50))  # in the picture, against its upright


def straight_lines(view: View) -> np.ndarray:
    """(S, 4) px: both ends of edges outside people (LSD, Grompone von Gioi and others 2010)."""
    found = cv2.createLineSegmentDetector().detect(view.grey)[0]
    if found is None:
        return np.zeros((0, 4))
    lines = found[:, 0].astype(float)
    height, width = view.grey.shape
    x, y = np.round((lines[:, :2] + lines[:, 2:]) / 2).astype(int).T
    free = view.free[y.clip(0, height - 1), x.clip(0, width - 1)] > 0
    return lines[free & (np.hypot(*(lines[:, 2:] - lines[:, :2]).T) > _SHORTEST * height)]


def steep(lines_px: np.ndarray) -> np.ndarray:
    """(S,) bool: which of lines (S, 4) px may be upright."""
    way = lines_px[:, 2:] - lines_px[:, :2]
    return np.abs(way[:, 1]) > _STEEP * np.hypot(*way.T)


def planes_of(lines_px: np.ndarray, R: np.ndarray, focal_px: float, size: tuple[int, int]) -> np.ndarray:
    """(S, 4): unit normals, in the world that R (S, 3, 3) leads from, of the planes through the camera and lines
    (S, 4) px from the centre of a picture of this size, and how much each counts (its length in heights)."""
    rays = [np.column_stack([end / focal_px, np.ones(len(end))]) for end in (lines_px[:, :2], lines_px[:, 2:])]
    normals = np.einsum("sji,sj->si", R, np.cross(*rays))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    length = np.linalg.norm(lines_px[:, 2:] - lines_px[:, :2], axis=1) / size[1]
    return np.column_stack([normals, np.minimum(length, _LONGEST)])

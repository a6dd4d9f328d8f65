"""BlazePose's landmark model: 33 points of the one person in a crop, in the picture and in 3D, and their mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ghmr_engine.crops import Crop, carry, upright_crop

RESOLUTION = 256
MASK_RESOLUTION = 64
_MASKED, _AT_EDGE = 0.6, 1.5
"""Probability of a body in the mask; cells of it from an edge that count as lying there."""


@dataclass(frozen=True)
class Sighting:
    """One person in one frame."""

    presence: float
    """0 to 1: is there a person in the crop."""
    keypoints: np.ndarray
    """(33, 3) px, px, visibility."""
    world: np.ndarray
    """(33, 3) m, origin between the hips, camera axes (x right, y down, z forward)."""
    crop: Crop
    """Where it was looked for."""
    following: Crop
    """Where to look in the next frame."""
    mask: np.ndarray
    """(64, 64) of the crop, probability."""
    agreement: float
    """Share of the seen body points that lie on the mask."""

    @property
    def box(self) -> np.ndarray:
        """(4,) px around the landmarks."""
        points = self.keypoints[:, :2]
        return np.concatenate([points.min(0), points.max(0)])

    @property
    def size(self) -> float:
        """px: the longer side of the box."""
        box = self.box
        return float(max(box[2] - box[0], box[3] - box[1], 1.0))

    def cut(self, width: float) -> float:
        """Share of the body's height at which the left or right edge of a picture (width px) cuts it off, by the mask:
        BlazePose squeezes whoever is half outside into the picture, and is sure of it."""
        y, x = np.nonzero(self.mask > _MASKED)
        points = carry(self.crop.to_picture(MASK_RESOLUTION), np.stack([x, y], 1))
        cell = self.crop.side / MASK_RESOLUTION
        rows = np.round(points[:, 1] / cell)
        at_edge = (points[:, 0] < _AT_EDGE * cell) | (points[:, 0] > width - 1 - _AT_EDGE * cell)
        return len(np.unique(rows[at_edge])) / max(len(np.unique(rows)), 1)


class LandmarkModel:
    """The landmark network with its tensors allocated."""

    def __init__(self, model: Path, threads: int = 2) -> None:
        self._net = Interpreter(str(model), num_threads=threads)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        outputs = {tuple(item["shape"][1:]): item["index"] for item in self._net.get_output_details()}
        self._points, self._world = outputs[(195,)], outputs[(117,)]
        self._flag, self._mask = outputs[(1,)], outputs[(RESOLUTION, RESOLUTION, 1)]

    def look(self, picture: np.ndarray, crop: Crop) -> Sighting:
        """Run on one crop of a picture (H, W, 3) uint8 RGB."""
        patch = crop.cut(picture, RESOLUTION).astype(np.float32) / 255
        self._net.set_tensor(self._input, patch[None])
        self._net.invoke()
        raw = self._net.get_tensor(self._points)[0].reshape(39, 5)
        affine = crop.to_picture(RESOLUTION)
        # The network counts from the crop's edge, pixel centres lie half a pixel in.
        in_crop = raw[:, :2] - 0.5
        points = carry(affine, in_crop)
        visible = _sigmoid(np.minimum(raw[:33, 3], raw[:33, 4]))
        inside = ((points[:33] >= 0) & (points[:33] < [picture.shape[1], picture.shape[0]])).all(1)
        cos, sin = np.cos(crop.angle), np.sin(crop.angle)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        mask = _sigmoid(self._net.get_tensor(self._mask)[0, ::4, ::4, 0])
        return Sighting(
            presence=float(self._net.get_tensor(self._flag)[0, 0]),
            keypoints=np.concatenate([points[:33], (visible * inside)[:, None]], 1),
            world=self._net.get_tensor(self._world)[0].reshape(39, 3)[:33] @ turn.T,
            crop=crop,
            following=upright_crop(points[33], points[34]),
            mask=mask,
            agreement=_agreement(mask, in_crop[11:33], visible[11:33]),
        )


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -60, 60)))


def _agreement(mask: np.ndarray, points: np.ndarray, visible: np.ndarray) -> float:
    """Share of the visible points (crop pixels) that lie on the mask."""
    cells = (points / (RESOLUTION / MASK_RESOLUTION)).astype(int)
    seen = (visible > 0.5) & (cells >= 0).all(1) & (cells < MASK_RESOLUTION).all(1)
    if not seen.any():
        return 0.0
    return float((mask[cells[seen, 1], cells[seen, 0]] > 0.5).mean())

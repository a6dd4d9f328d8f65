"""Measures the table of energy/marks.py on rendered clips: python -m ghmr_engine.train.marks FOLDER..."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from ghmr_engine import places
from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.body.smpl import Body, load_body
from ghmr_engine.energy.marks import JOINT_OF_LANDMARK, side_and_part
from ghmr_engine.train.detections import Detection, detect

_FOUND = 0.08
"""Frames in which landmarks are farther off than this share of the person's size, in the mean, were not understood."""
_VISIBLE = 0.7
_MIRROR = np.array([-1.0, 1.0, 1.0])


def measure_offsets(detections: list[Detection], body: Body) -> np.ndarray:
    """(33, 3) m: by linear least squares, the point beside each true landmark, turning with its joint, that projects
    nearest to where the detector saw it. Left and right count together. Distances in the picture are taken in shares
    of the person's size there, so that near people do not count for more."""
    rows: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for found in detections:
        for place, equations in enumerate(_equations(found, body)):
            side, base = side_and_part(LANDMARK_NAMES[place])
            by, off = equations
            rows.setdefault(base, []).append((by * (_MIRROR if side == "right" else 1.0), off))
    left = {
        base: np.linalg.lstsq(np.concatenate([by for by, _ in parts]), np.concatenate([off for _, off in parts]))[0]
        for base, parts in rows.items()
    }
    left["nose"][0] = 0  # in the middle
    sides = [side_and_part(name) for name in LANDMARK_NAMES]
    return np.array([left[base] * (_MIRROR if side == "right" else 1.0) for side, base in sides])


def _equations(found: Detection, body: Body) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each landmark (M, 3) and (M,): what an offset changes in the picture, and how far the detector was off."""
    motion = (torch.as_tensor(x, dtype=torch.float32) for x in (found.rotations, found.transl, found.betas))
    posed = body.forward(*motion)
    cam = posed.landmarks.numpy().astype(float) @ np.swapaxes(found.R, 1, 2) + found.t[:, None]
    true = (cam @ np.swapaxes(found.K, 1, 2))[..., :2] / cam[..., 2:]
    size = np.ptp(true, axis=1).max(1)
    off = (found.keypoints[..., :2] - true) / size[:, None, None]
    usable = found.seen & (np.linalg.norm(off, axis=-1).mean(1) < _FOUND)
    equations = []
    for place, joint in enumerate(JOINT_OF_LANDMARK):
        which = usable & found.shown[:, place] & (found.keypoints[:, place, 2] > _VISIBLE)
        turned = found.R[which] @ posed.turns[which, joint].numpy()
        x, y, z = np.moveaxis(cam[which, place], -1, 0)
        zero = np.zeros_like(z)
        across = np.stack([np.stack([1 / z, zero, -x / z**2], -1), np.stack([zero, 1 / z, -y / z**2], -1)], 1)
        by = found.K[which][:, [0, 1], [0, 1], None] * across @ turned / size[which, None, None]
        equations.append((by.reshape(-1, 3), off[which, place].reshape(-1)))
    return equations


def main(folders: list[Path]) -> None:
    """Print the table's rows."""
    body = load_body(places.body_path(), "cpu")
    detections = [each for folder in folders for each in detect(folder, lambda _name, _done: None)]
    print(f"{len(detections)} people, {sum(len(each.seen) for each in detections)} frames")  # noqa: T201
    for place, (name, offset) in enumerate(zip(LANDMARK_NAMES, measure_offsets(detections, body), strict=True)):
        side, base = side_and_part(name)
        if side == "left":
            joint = JOINT_NAMES[JOINT_OF_LANDMARK[place]].removeprefix("left_")
            x, y, z = np.round(100 * offset, 1) + 0.0
            print(f'"{base}": ("{joint}", {x}, {y}, {z}),')  # noqa: T201


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])

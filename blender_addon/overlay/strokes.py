"""A skeleton as lines and marks on the screen: sides' colours, guessed limbs dashed, planted feet. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion import JOINT_NAMES, PARENTS

_DASH, _GAP = 5.0, 4.0
_MOST_DASHES = 200
_SHADE = (0.0, 0.0, 0.0, 0.55)
_WIDTH, _THIN, _ROUND = 2.5, 1.5, 2.0
"""Pixels at a screen's scale 1: a line's, a guessed one's, and what its dark edge is wider by."""

Color = tuple[float, float, float, float]


@dataclass(frozen=True)
class Strokes:
    """Lines of one width."""

    lines: np.ndarray
    """(S, 2, 2) the region's pixels."""
    colors: np.ndarray
    """(S, 4)."""
    width: float


def side_of(joint: int) -> str:
    """left, right or middle."""
    side = JOINT_NAMES[joint].split("_")[0]
    return side if side in ("left", "right") else "middle"


def skeleton_strokes(places: np.ndarray, guessed: np.ndarray, colors: dict[str, Color], scale: float) -> list[Strokes]:
    """Lines from each joint to its parent, with a dark edge around the sure ones, the dashed ones of the guessed.

    places (24, 2) the region's pixels, nan where nothing is to be drawn; guessed (24,) bool; colors: one a side.
    """
    children = np.array([joint for joint, parent in enumerate(PARENTS) if parent >= 0])
    lines = places[np.stack([np.array(PARENTS)[children], children], 1)]
    drawn = np.isfinite(lines).all((1, 2))
    children, lines = children[drawn], lines[drawn]
    painted = np.array([colors[side_of(joint)] for joint in children]).reshape(-1, 4)
    unsure = guessed[children]
    sure = lines[~unsure]
    cut, owner = dashes(lines[unsure], _DASH * scale, _GAP * scale)
    return [
        Strokes(sure, np.tile(_SHADE, (len(sure), 1)), (_WIDTH + _ROUND) * scale),
        Strokes(cut, np.tile(_SHADE, (len(cut), 1)), (_THIN + _ROUND) * scale),
        Strokes(sure, painted[~unsure], _WIDTH * scale),
        Strokes(cut, painted[unsure][owner], _THIN * scale),
    ]


def dashes(lines: np.ndarray, dash: float, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Lines (S, 2, 2) px cut into dashes (D, 2, 2), each beginning with one, and whose they are (D,)."""
    cut, owner = [np.zeros((0, 2, 2))], [np.zeros(0, dtype=int)]
    for place, (start, end) in enumerate(lines):
        length = float(np.linalg.norm(end - start))
        count = int(np.clip(np.ceil(length / (dash + gap)), 1, _MOST_DASHES))
        first = np.arange(count) * (dash + gap)
        shares = np.stack([first, np.minimum(first + dash, length)], 1) / max(length, 1e-9)
        cut.append(start + np.clip(shares, 0, 1)[..., None] * (end - start))
        owner.append(np.full(count, place))
    return np.concatenate(cut), np.concatenate(owner)


def discs(centres: np.ndarray, radius: float, corners: int = 14) -> np.ndarray:
    """(D, 2) px -> (3 D corners, 2): the corners of the triangles of filled circles."""
    angle = np.linspace(0, 2 * np.pi, corners + 1)
    rim = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    fan = np.stack([np.zeros((corners, 2)), rim[:-1], rim[1:]], 1).reshape(-1, 2)
    return (centres[:, None] + fan).reshape(-1, 2)

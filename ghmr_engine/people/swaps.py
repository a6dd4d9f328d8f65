"""Left and right kept apart: frames in which the network took a front for a back are turned round again."""

from __future__ import annotations

import numpy as np

from ghmr_engine.body.skeleton import LANDMARK_NAMES, mirror_order

_MIRROR = list(mirror_order(LANDMARK_NAMES))
_BODY = slice(11, 29)
_SWAPPED = 0.01
"""What it costs a frame, in body sizes, to be held for swapped: the network is right more often than not."""
_FORGET = 4
"""Frames of absence after which anything may follow."""


def swapped_frames(frames: np.ndarray, points: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(N,) bool: where left and right must change places so that landmarks move as little as possible.

    frames (N,) int, points (N, 33, 2) px, size (N,) px. The cheapest path through two states a frame (Viterbi 1967).
    """
    both = np.stack([points, points[:, _MIRROR]], 1)[:, :, _BODY]
    moved = np.linalg.norm(both[1:, None] - both[:-1, :, None], axis=-1).mean(-1) / size[1:, None, None]
    moved[np.diff(frames) > _FORGET] = 0
    price = np.array([0.0, _SWAPPED])
    cost = price
    came_from = np.zeros((len(frames), 2), int)
    for place, step in enumerate(moved, 1):
        total = cost[:, None] + step  # from, to
        came_from[place] = total.argmin(0)
        cost = total.min(0) + price
    state = np.zeros(len(frames), int)
    state[-1] = cost.argmin()
    for place in range(len(frames) - 1, 0, -1):
        state[place - 1] = came_from[place, state[place]]
    return state == 1


def set_right(swapped: np.ndarray, *landmarks: np.ndarray) -> list[np.ndarray]:
    """Landmarks (N, 33, ...) with the swapped frames' sides exchanged."""
    turned = []
    for values in landmarks:
        values = values.copy()
        values[swapped] = values[swapped][:, _MIRROR]
        turned.append(values)
    return turned

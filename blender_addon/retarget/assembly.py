"""All bones of a rig from the turns of some and the places of few: what hangs on a bone goes along. NumPy only."""

from __future__ import annotations

import numpy as np

from .standing import Standing
from .turning import back, turned


def rest_turn(rig: Standing) -> np.ndarray:
    """(3, 3) from the rig's rest pose, in SMPL's axes, to the world where its object stands."""
    return rig.rest.world[:3, :3] / rig.unit_m @ rig.axes.T


def posed(rig: Standing, turns: dict[int, np.ndarray], places: dict[int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(N, B, 3, 3) turns from the rig's rest pose to the world, and (N, B, 3) m where the heads are.

    turns: of some bones, (N, 3, 3); places: of some bones' heads, (N, 3).
    """
    count, parents = len(next(iter(turns.values()))), rig.rest.parents
    whole = np.empty((count, len(parents), 3, 3))
    points = np.empty((count, len(parents), 3))
    still = rest_turn(rig)
    world = rig.rest.world
    for bone, parent in enumerate(parents):
        if bone in turns:
            whole[:, bone] = turns[bone]
        else:
            # Without its parent's turn a bone stays as it lies in the object.
            whole[:, bone] = whole[:, parent] if parent >= 0 and rig.rest.inherits[bone] else still
        if bone in places:
            points[:, bone] = places[bone]
        elif parent >= 0:
            points[:, bone] = points[:, parent] + turned(whole[:, parent], rig.heads[bone] - rig.heads[parent])
        else:
            points[:, bone] = world[:3, :3] @ rig.rest.matrices[bone, :3, 3] + world[:3, 3]
    return whole, points


def armature_matrices(rig: Standing, turns: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, B, 4, 4) Blender's PoseBone.matrix of what `posed` gave."""
    world = rig.rest.world
    axes = back(world[:3, :3]) / rig.unit_m
    out = np.zeros((*turns.shape[:2], 4, 4))
    out[..., :3, :3] = axes @ turns @ rig.turns
    out[..., :3, 3] = (points - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T
    out[..., 3, 3] = 1
    return out

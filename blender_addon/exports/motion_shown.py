"""A skeleton's motion as it is shown, frame by frame, as numbers. NumPy only.

What is exported is not the rig's curves but where its bones are: constraints, IK, drivers, layers and strips have done
their work. World axes are Blender's: z up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..scene.rotations import quaternions_from_matrices, without_flips

_SMALL = 1e-9
_SAME_SIZE = 1e-5


@dataclass(frozen=True)
class Shown:
    """B bones, parents before their children, in F frames."""

    names: tuple[str, ...]
    parents: np.ndarray
    """(B,) int, -1 without one."""
    rest: np.ndarray
    """(B, 4, 4) bone to the skeleton's own space at rest: upright, at the origin. y along the bone, no scale."""
    lengths: np.ndarray
    """(B,)."""
    deform: np.ndarray
    """(B,) bool: it moves a mesh."""
    poses: np.ndarray
    """(F, B, 4, 4) bone to world; columns as long as the bone is scaled against its rest."""
    frames: np.ndarray
    """(F,) int, scene frames, one after the other."""
    rate: float
    """Frames a second."""

    @property
    def count(self) -> int:
        """Of bones."""
        return len(self.names)


def unscaled(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., 4, 4) -> the same place and turn without scale and shear, (..., 4, 4), and the scale along x, y, z,
    (..., 3). y, which runs along a bone, keeps its direction."""
    x, y, z = (matrices[..., :3, column] for column in range(3))
    scale = np.stack([np.linalg.norm(axis, axis=-1) for axis in (x, y, z)], -1)
    y = y / np.maximum(scale[..., 1:2], _SMALL)
    x = x - (x * y).sum(-1, keepdims=True) * y
    x = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), _SMALL)
    out = np.zeros_like(matrices)
    out[..., :3, :3] = np.stack([x, y, np.cross(x, y)], -1)
    out[..., :3, 3], out[..., 3, 3] = matrices[..., :3, 3], 1
    return out, scale


def scaled(matrices: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """unscaled the other way round."""
    out = matrices.copy()
    out[..., :3, :3] *= scale[..., None, :]
    return out


def in_units(shown: Shown, turn: np.ndarray, size: float) -> Shown:
    """The same in other axes and units. turn (3, 3): a rotation, size: units a metre."""

    def there(matrices: np.ndarray) -> np.ndarray:
        out = matrices.copy()
        out[..., :3, :3] = turn @ matrices[..., :3, :3]
        out[..., :3, 3] = size * matrices[..., :3, 3] @ turn.T
        return out

    return replace(shown, rest=there(shown.rest), poses=there(shown.poses), lengths=size * shown.lengths)


def channels(shown: Shown, rest: np.ndarray, sizes: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the bones' channels hold: locations (F, B, 3), quaternions (F, B, 4) w x y z without flips, scales
    (F, B, 3). rest (B, 4, 4): as the armature has it, which may differ from `shown` by what floats of 32 bits do.

    A bone that is stretched or squashed would shear what hangs on it: it gets the size that keeps its volume, the same
    along all axes, and what hangs on it is moved to its place. Only bones on which none hang are squashed. Without
    `sizes` no bone is scaled.
    """
    count, bones = shown.poses.shape[:2]
    locations, quaternions, scales = (
        np.empty((count, bones, 3)),
        np.empty((count, bones, 4)),
        np.ones((count, bones, 3)),
    )
    reached = np.empty_like(shown.poses)
    for bone, parent in enumerate(shown.parents):
        above = np.eye(4) if parent < 0 else reached[:, parent]
        local_rest = rest[bone] if parent < 0 else np.linalg.inv(rest[parent]) @ rest[bone]
        turned, scale = unscaled(np.linalg.inv(above @ local_rest) @ shown.poses[:, bone])
        if sizes:
            if bone in shown.parents:
                scale = np.repeat(np.cbrt(scale.prod(-1, keepdims=True)), 3, axis=-1)
            scales[:, bone] = np.where(np.abs(scale - 1) < _SAME_SIZE, 1, scale)
        locations[:, bone] = turned[:, :3, 3]
        quaternions[:, bone] = quaternions_from_matrices(turned[:, :3, :3])
        reached[:, bone] = above @ local_rest @ scaled(turned, scales[:, bone])
    return locations, without_flips(quaternions), scales

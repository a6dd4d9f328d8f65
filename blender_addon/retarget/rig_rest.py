"""An armature at rest as numbers: what the solvers know of the rig. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RigRest:
    """B bones, parents before their children."""

    names: tuple[str, ...]
    parents: np.ndarray
    """(B,) int, -1 without one."""
    matrices: np.ndarray
    """(B, 4, 4) bone to armature at rest (Blender's `matrix_local`; y along the bone), in the armature's units."""
    lengths: np.ndarray
    """(B,) from head to tail, in the armature's units."""
    world: np.ndarray
    """(4, 4) armature to world: place, turn and uniform scale of the object."""
    rotation_modes: tuple[str, ...]
    """Blender's word for each bone: QUATERNION, XYZ, ..., AXIS_ANGLE."""
    inherits: np.ndarray
    """(B,) bool: the bone turns with its parent (`use_inherit_rotation`)."""
    local_place: np.ndarray
    """(B,) bool: its location is in its own axes (`use_local_location`)."""
    connected: np.ndarray
    """(B,) bool: its head cannot leave its parent's tail."""
    bounds: np.ndarray | None = None
    """(2, 3) lowest and highest corner of the meshes that hang on it, at rest, in the armature's units; None without
    any: from there the soles are known."""

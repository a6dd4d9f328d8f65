"""Bones in the armature as what their own channels hold: Blender's PoseBone.matrix to matrix_basis. NumPy only."""

from __future__ import annotations

import numpy as np

from .rig_rest import RigRest
from .turning import back


def basis(rest: RigRest, matrices: np.ndarray, bone: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3, 3) turns and (N, 3) places of one bone against where its parent leaves it.

    matrices (N, B, 4, 4): all bones in the armature. Who does not inherit turns keeps to the armature's; places go
    along the bone's own axes as the parent carries them, or along the parent's.
    """
    own, parent = rest.matrices[bone], int(rest.parents[bone])
    here = matrices[:, bone]
    if parent < 0:
        axes, head = own[:3, :3], own[:3, 3]
        along = axes if rest.local_place[bone] else np.eye(3)
    else:
        above = matrices[:, parent]
        carried = above @ (np.linalg.inv(rest.matrices[parent]) @ own)
        head = carried[:, :3, 3]
        axes = carried[:, :3, :3] if rest.inherits[bone] else own[:3, :3]
        along = carried[:, :3, :3] if rest.local_place[bone] else above[:, :3, :3]
    return back(axes) @ here[:, :3, :3], (back(along) @ (here[:, :3, 3] - head)[..., None])[..., 0]

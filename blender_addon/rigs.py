"""The animator's rigs in the file: what is read of them."""

from __future__ import annotations

import bpy
import numpy as np

from .retarget.rig_rest import RigRest


def rest_of_rig(rig: bpy.types.Object) -> RigRest:
    """All bones of an armature at rest, parents first, as numbers; nothing is changed."""
    bones = sorted(rig.data.bones, key=lambda bone: len(bone.parent_recursive))
    index = {bone.name: place for place, bone in enumerate(bones)}
    return RigRest(
        names=tuple(bone.name for bone in bones),
        parents=np.array([index[bone.parent.name] if bone.parent else -1 for bone in bones], dtype=int),
        matrices=np.array([bone.matrix_local for bone in bones], dtype=np.float64).reshape(-1, 4, 4),
        lengths=np.array([bone.length for bone in bones], dtype=np.float64),
        world=np.array(rig.matrix_world, dtype=np.float64),
        rotation_modes=tuple(rig.pose.bones[bone.name].rotation_mode for bone in bones),
        inherits=np.array([bone.use_inherit_rotation for bone in bones], dtype=bool),
        local_place=np.array([bone.use_local_location for bone in bones], dtype=bool),
        connected=np.array([bone.use_connect for bone in bones], dtype=bool),
    )

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
        bounds=_bounds(rig),
    )


def _bounds(rig: bpy.types.Object) -> np.ndarray | None:
    """(2, 3) corners around the meshes that its bones deform, as they are modelled, in the armature's units."""
    corners = []
    for item in rig.children_recursive:
        deformed = any(modifier.type == "ARMATURE" and modifier.object == rig for modifier in item.modifiers)
        if item.type != "MESH" or not deformed or not len(item.data.vertices):
            continue
        points = np.empty(3 * len(item.data.vertices), dtype=np.float32)
        item.data.vertices.foreach_get("co", points)
        inside = np.linalg.inv(np.array(rig.matrix_world)) @ np.array(item.matrix_world)
        moved = points.reshape(-1, 3) @ inside[:3, :3].T + inside[:3, 3]
        corners += [moved.min(0), moved.max(0)]
    return np.stack([np.min(corners, 0), np.max(corners, 0)]) if corners else None

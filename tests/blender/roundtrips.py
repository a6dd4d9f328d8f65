"""Files read back into Blender, and where the bones are then: what the tests of exporting share."""

import bpy
import numpy as np


def heads_over(armature, names, frames):
    """(F, B, 3) m in the world, at scene frames that may lie between whole ones."""
    out = []
    for frame in frames:
        whole = int(np.floor(frame))
        bpy.context.scene.frame_set(whole, subframe=float(frame - whole))
        shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        out.append([shown.matrix_world @ shown.pose.bones[name].head for name in names])
    return np.array(out)


def vertices_over(body, frames):
    """(F, V, 3) m in the world."""
    out = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        shown = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
        out.append([shown.matrix_world @ vertex.co for vertex in shown.data.vertices])
    return np.array(out)


def read_back(path, fps, fps_base=1.0):
    """The armature and the meshes of a file, in an empty scene of that rate."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    render = bpy.context.scene.render
    render.fps, render.fps_base = fps, fps_base
    _READERS[path.suffix](str(path))
    bpy.context.view_layer.update()
    items = bpy.context.scene.objects
    return next(item for item in items if item.type == "ARMATURE"), [item for item in items if item.type == "MESH"]


def _read_fbx(path):
    bpy.ops.import_scene.fbx(filepath=path, ignore_leaf_bones=False, anim_offset=0.0)


def _read_gltf(path):
    bpy.ops.import_scene.gltf(filepath=path, bone_heuristic="BLENDER")


def _read_bvh(path):
    bpy.ops.import_anim.bvh(filepath=path, global_scale=0.01, frame_start=0, use_fps_scale=True)


def _read_usd(path):
    bpy.ops.wm.usd_import(filepath=path, set_frame_range=True)


_READERS = {".fbx": _read_fbx, ".glb": _read_gltf, ".bvh": _read_bvh, ".usdc": _read_usd}


def keyed_range(armature, part):
    """First and last frame of an armature's keys."""
    curves = list(part("compat").action_curves(armature))
    animation = armature.animation_data
    if not curves and animation is not None:
        strips = [strip for track in animation.nla_tracks for strip in track.strips]
        return min(strip.frame_start for strip in strips), max(strip.frame_end for strip in strips)
    return min(curve.range()[0] for curve in curves), max(curve.range()[1] for curve in curves)

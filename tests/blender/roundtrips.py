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
    armature = next(item for item in items if item.type == "ARMATURE")
    # glTF's importer adds a mesh that its bones look like.
    return armature, [item for item in items if any(modifier.type == "ARMATURE" for modifier in item.modifiers)]


def _read_fbx(path):
    bpy.ops.import_scene.fbx(filepath=path, ignore_leaf_bones=False, anim_offset=0.0)
    # It connects bones, whose places do not count then.
    armature = next(item for item in bpy.context.scene.objects if item.type == "ARMATURE")
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in armature.data.edit_bones:
        bone.use_connect = False
    bpy.ops.object.mode_set(mode="OBJECT")


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


class FBX:
    """What a binary FBX file says, read by Blender's own parser."""

    def __init__(self, path):
        from io_scene_fbx import parse_fbx

        tree, version = parse_fbx.parse(str(path), use_namedtuple=True)
        self.second = 141120000 if version >= 8000 else 46186158000
        self.parts = {element.id.decode(): element for element in tree.elems}
        self.objects = {item.props[0]: item for item in self.parts["Objects"].elems if item.props}
        self.links = [link.props for link in self.parts["Connections"].elems]
        self.models = {_name(item): key for key, item in self.objects.items() if item.id == b"Model"}

    def setting(self, name):
        """One of GlobalSettings."""
        return _properties(self.parts["GlobalSettings"])[name][0]

    def span(self):
        """First and last second of the motion."""
        stack = _properties(next(item for item in self.objects.values() if item.id == b"AnimationStack"))
        return np.array([stack[name][0] for name in ("LocalStart", "LocalStop")], dtype=float) / self.second

    def lcl(self, node, name, otherwise):
        """A model's own property."""
        return np.array(_properties(self.objects[self.models[node]]).get(name, otherwise), dtype=float)

    def parent_of(self, node):
        """The model that a model hangs on; None on the scene itself."""
        above = next(link[2] for link in self.links if link[0] == b"OO" and link[1] == self.models[node])
        return _name(self.objects[above]) if above in self.objects else None

    def rest(self, bone):
        """(4, 4) of a bone in the bind pose, in the file's units."""
        pose = next(item for item in self.objects.values() if item.id == b"Pose")
        for node in (element for element in pose.elems if element.id == b"PoseNode"):
            inner = {element.id: element.props[0] for element in node.elems}
            if inner[b"Node"] == self.models[bone]:
                return np.array(inner[b"Matrix"]).reshape(4, 4).T
        raise AssertionError(f"{bone} is not in the bind pose")

    def key_times(self, bone):
        """(K,) seconds of a bone's keys of location."""
        nodes = {key for key, item in self.objects.items() if item.id == b"AnimationCurveNode"}
        mine = {link[1] for link in self.links if link[1] in nodes and link[2] == self.models[bone]}
        curve = next(link[1] for link in self.links if link[2] in mine and link[1] in self.objects)
        keys = next(element for element in self.objects[curve].elems if element.id == b"KeyTime")
        return np.array(keys.props[0], dtype=float) / self.second


def _name(item):
    return item.props[1].split(b"\x00\x01")[0].decode()


def _properties(element):
    """Name to values of an element's Properties70."""
    group = next((inner for inner in element.elems if inner.id == b"Properties70"), None)
    return {} if group is None else {entry.props[0].decode(): entry.props[4:] for entry in group.elems}

"""An armature and its skinned mesh from a list of bones, as importers leave them."""

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector


@dataclass(frozen=True)
class Part:
    """A bone of a test rig, in the world."""

    name: str
    parent: str | None
    head: np.ndarray
    """(3,) metres."""
    end: np.ndarray
    """(3,) metres: where the limb ends, the tail too unless the bone lies across."""
    thick: float = 0.0
    """Metres: half the width of the box that is skinned to it, 0 without one."""
    ahead: tuple[float, float, float] = (0.0, -1.0, 0.0)
    """Where its z axis points, as far as it can."""
    across: bool = False
    """As FBX files of other programs come in: x along the limb, so that Blender's y, head to tail, goes across it."""
    deform: bool = True


def build(name: str, parts: list[Part], world: Matrix | None = None) -> bpy.types.Object:
    """The armature, in the open collection, with a mesh of boxes as its child. Parents come before children.

    world: the object's own place, turn and scale; wherever the points are given, there they are in the end.
    """
    world = world or Matrix.Identity(4)
    data = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(rig)
    rig.matrix_world = world
    _add_bones(rig, parts, world.inverted())
    add_skin(rig, [(part.name, part.head, part.end, part.thick) for part in parts if part.thick])
    return rig


def _add_bones(rig: bpy.types.Object, parts: list[Part], inside: Matrix) -> None:
    view = bpy.context.view_layer
    view.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bones = rig.data.edit_bones
    for part in parts:
        bone = bones.new(part.name)
        bone.parent = bones[part.parent] if part.parent else None
        bone.use_deform = part.deform
        head, end = inside @ Vector(part.head), inside @ Vector(part.end)
        ahead = inside.to_3x3() @ Vector(part.ahead)
        if part.across:
            bone.head, bone.tail = Vector((0, 0, 0)), Vector((0, (end - head).length, 0))
            bone.matrix = _across(head, end, ahead)
        else:
            bone.head, bone.tail = head, end
            bone.align_roll(ahead)
            bone.use_connect = bone.parent is not None and (bone.parent.tail - head).length < 1e-6
    bpy.ops.object.mode_set(mode="OBJECT")
    assert len(rig.data.bones) == len(parts), "a bone of no length, or a name twice"


def _across(head: Vector, end: Vector, ahead: Vector) -> Matrix:
    along = (end - head).normalized()
    side = ahead.cross(along).normalized()
    turn = Matrix((along, side.cross(along).normalized() * -1, side * -1)).transposed()
    if turn.determinant() < 0:
        turn.col[2].negate()
    return Matrix.Translation(head) @ turn.to_4x4()


def add_skin(rig: bpy.types.Object, boxes: list[tuple[str, np.ndarray, np.ndarray, float]]) -> bpy.types.Object:
    """A mesh of one box a bone, each held by that bone alone: (bone, start, end, half width), in the world."""
    vertices, faces, owners = [], [], []
    for name, start, end, thick in boxes:
        faces += [[len(vertices) + corner for corner in face] for face in _FACES]
        vertices += list(_box(np.asarray(start, dtype=float), np.asarray(end, dtype=float), thick))
        owners += [name] * 8
    mesh = bpy.data.meshes.new(f"{rig.name} body")
    inside = np.array(rig.matrix_world.inverted())
    mesh.from_pydata([tuple(inside[:3, :3] @ vertex + inside[:3, 3]) for vertex in vertices], [], faces)
    mesh.validate()
    body = bpy.data.objects.new(mesh.name, mesh)
    bpy.context.scene.collection.objects.link(body)
    body.parent = rig
    body.matrix_parent_inverse = Matrix.Identity(4)
    for name in dict.fromkeys(owners):
        held = [place for place, owner in enumerate(owners) if owner == name]
        body.vertex_groups.new(name=name).add(held, 1.0, "REPLACE")
    body.modifiers.new("Armature", "ARMATURE").object = rig
    return body


_FACES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def _box(start: np.ndarray, end: np.ndarray, thick: float) -> np.ndarray:
    """(8, 3) corners of a box along a line; what lies along the ground is a foot and gets a flat sole at z = 0."""
    along = (end - start) / np.linalg.norm(end - start)
    foot = min(start[2], end[2]) < 0.05 and abs(along[2]) < 0.8
    up = np.array([0, 0, 1.0]) if abs(along[2]) < 0.8 else np.array([0, -1.0, 0])
    side = np.cross(along, up)
    side *= thick / np.linalg.norm(side)
    high = np.cross(side, along)
    high *= thick / np.linalg.norm(high)
    corners = np.array([p + a * side + b * high for p in (start, end) for a in (-1, 1) for b in (-1, 1)])
    if foot:
        corners[0::2, 2] = 0.0
    return corners

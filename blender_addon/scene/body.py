"""The skinned mesh of one person, and the materials of its regions."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import bpy
import numpy as np

from ..motion import JOINT_NAMES, Motion, Person
from .materials import add_material, shirt_color
from .skeleton import REST_FROM_SMPL, RestSkeleton

_SKIN, _HAIR, _SHOES, _TROUSERS = (0.56, 0.33, 0.23), (0.06, 0.04, 0.03), (0.10, 0.10, 0.11), (0.10, 0.13, 0.22)
_LEAST_WEIGHT = 1e-4


def add_body(
    collection: bpy.types.Collection,
    armature: bpy.types.Object,
    motion: Motion,
    person: Person,
    rest: RestSkeleton,
    place: int,
) -> Generator[None, None, bpy.types.Object]:
    """The rest body as a mesh, bound to `armature` by vertex groups of the bones' names, in steps.

    place: 0 for the first.
    """
    name = f"{armature.name} body"
    mesh = bpy.data.meshes.new(name)
    _fill(mesh, person.vertices @ REST_FROM_SMPL.T + rest.offset, motion.faces)
    _paint(mesh, armature.name, motion.faces, motion.colors, place)
    yield
    mesh.validate()  # last: it may take faces away, and regions are counted by face
    owner = bpy.data.objects.new(name, mesh)
    collection.objects.link(owner)
    owner.parent = armature
    yield from _weigh(owner, person.weights)
    owner.modifiers.new("Armature", "ARMATURE").object = armature
    return owner


def _fill(mesh: bpy.types.Mesh, vertices: np.ndarray, faces: np.ndarray) -> None:
    """vertices (V, 3) m, faces (F, C) with C corners each."""
    count, corners = faces.shape
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
    mesh.loops.add(count * corners)
    mesh.loops.foreach_set("vertex_index", faces.astype(np.int32).ravel())
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", np.arange(0, count * corners, corners, dtype=np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(count, dtype=bool))
    mesh.update(calc_edges=True)


def _paint(mesh: bpy.types.Mesh, name: str, faces: np.ndarray, colors: np.ndarray, place: int) -> None:
    """One material a region; a body without regions (SMPL itself) wears its shirt's colour all over."""
    shirt = shirt_color(place)
    if len(colors) == 0:
        mesh.materials.append(add_material(f"{name} body", shirt))
        return
    # A little of the shirt in the trousers: people differ below the waist too.
    trousers = tuple(0.8 * a + 0.2 * b for a, b in zip(_TROUSERS, shirt, strict=True))
    regions = {"skin": _SKIN, "hair": _HAIR, "shirt": shirt, "trousers": trousers, "shoes": _SHOES}
    for region, color in regions.items():
        mesh.materials.append(add_material(f"{name} {region}", color))
    # The middle one of a face's regions is also the commonest one of a triangle's.
    region_of_face = np.sort(colors[faces], axis=1)[:, faces.shape[1] // 2]
    mesh.polygons.foreach_set("material_index", region_of_face.astype(np.int32))


def _weigh(owner: bpy.types.Object, weights: np.ndarray) -> Iterator[None]:
    """weights (V, 24), a bone a step. Blender takes many vertices at once only where they weigh the same."""
    for bone, name in enumerate(JOINT_NAMES):
        group = owner.vertex_groups.new(name=name)
        vertices = np.flatnonzero(weights[:, bone] > _LEAST_WEIGHT)
        values, which = np.unique(weights[vertices, bone], return_inverse=True)
        order = np.argsort(which, kind="stable")
        ends = np.cumsum(np.bincount(which, minlength=len(values)))
        for value, same in zip(values, np.split(vertices[order], ends[:-1]), strict=True):
            group.add(same.tolist(), float(value), "REPLACE")
        yield

"""What the people move on and along: the ground and the paths of their roots."""

from __future__ import annotations

import bpy
import numpy as np

from ..motion import Motion, Person
from .materials import add_material, shirt_color
from .skeleton import pelvis_world
from .timing import Clock, presence

_MARGIN_M = 1.5
_MOST_SQUARES = 100
_LIGHT, _DARK = (0.42, 0.42, 0.42), (0.30, 0.30, 0.30)
# In the solid view the clip behind the camera shows through; renders have the whole colour.
_SOLID_VIEW_ALPHA = 0.35
_PATH_RADIUS_M = 0.006


def add_path(collection: bpy.types.Collection, name: str, person: Person, clock: Clock, place: int) -> bpy.types.Object:
    """The pelvis' way through the world as a curve object, one spline for each stretch in view; not rendered."""
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions = "3D"
    curve.bevel_depth = _PATH_RADIUS_M
    curve.materials.append(add_material(name, shirt_color(place)))
    draw_path(curve, person, clock)
    owner = bpy.data.objects.new(name, curve)
    owner.hide_render = True
    collection.objects.link(owner)
    return owner


def draw_path(curve: bpy.types.Curve, person: Person, clock: Clock) -> None:
    """Put the path into `curve`, in place of what was there."""
    curve.splines.clear()
    pelvis = pelvis_world(person.joints, person.transl)
    for first, last in presence(person.frames, clock.motion_fps):
        points = pelvis[(person.frames >= first) & (person.frames <= last)]
        spline = curve.splines.new("POLY")
        spline.points.add(len(points) - 1)
        spline.points.foreach_set("co", np.insert(points, 3, 1.0, axis=1).astype(np.float32).ravel())


def add_ground(collection: bpy.types.Collection, name: str, motion: Motion) -> bpy.types.Object:
    """A chequered plane at z = 0 under everybody's path; squares of 1 m, or 10, 100 where the paths are long."""
    low, high, square = ground_extent(motion)
    across, along = np.rint((high - low) / square).astype(int)
    x, y = np.meshgrid(low[0] + square * np.arange(across + 1), low[1] + square * np.arange(along + 1))
    vertices = np.stack([x, y, np.zeros_like(x)], -1).reshape(-1, 3)
    row, column = np.divmod(np.arange(across * along), across)
    corner = row * (across + 1) + column
    faces = np.stack([corner, corner + 1, corner + across + 2, corner + across + 1], 1)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    for shade, color in (("light", _LIGHT), ("dark", _DARK)):
        material = add_material(f"{name} {shade}", color)
        material.diffuse_color[3] = _SOLID_VIEW_ALPHA
        mesh.materials.append(material)
    # Squares keep their colour by their place in the world, so that a longer take has the same ones.
    dark = (np.rint(vertices[corner, :2] / square).sum(1) % 2).astype(np.int32)
    mesh.polygons.foreach_set("material_index", dark)
    owner = bpy.data.objects.new(name, mesh)
    collection.objects.link(owner)
    return owner


def ground_extent(motion: Motion) -> tuple[np.ndarray, np.ndarray, float]:
    """Corners (2,), (2,) m of the ground, on whole squares, and the side of a square in metres."""
    paths = [pelvis_world(person.joints, person.transl)[:, :2] for person in motion.people.values()]
    points = np.concatenate([*paths, np.zeros((1, 2))]) if not any(map(len, paths)) else np.concatenate(paths)
    low, high = points.min(0) - _MARGIN_M, points.max(0) + _MARGIN_M
    square = 1.0
    while (high - low).max() / square > _MOST_SQUARES:
        square *= 10
    return np.floor(low / square) * square, np.ceil(high / square) * square, square

"""Run by Blender: a folder with scene.json in, a folder of pictures out. Only bpy, NumPy and the standard library.

    python in_blender.py FOLDER FIRST LAST                                  (Blender as a Python module)
    blender -b --factory-startup --python in_blender.py -- FOLDER FIRST LAST

render.py writes the folder. The one file of the engine that imports bpy: the engine runs it, and never imports it.
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

_HIGH_M = 80.0


def main(folder: Path, first: int, last: int) -> None:
    """Render frames first to last (included) into folder/frames; those that are there already are left alone."""
    told = json.loads((folder / "scene.json").read_text(encoding="utf-8"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    looks = {name: _material(name, folder / "textures" / f"{name}.png", **how) for name, how in told["looks"].items()}
    for thing in told["sheets"]:
        _add_sheet(looks[thing["look"]], Matrix(thing["matrix"]), thing["size"], thing["tile"])
    for thing in told["boxes"]:
        _add_box(looks[thing["look"]], Matrix(thing["matrix"]), thing["size"])
    people = told["people"]
    bodies = [(_add_body(folder, name, looks), np.load(folder / f"{name}.npy", mmap_mode="r")) for name in people]
    camera = _add_camera(told["lens"])
    places = np.load(folder / "cameras.npy")
    _light(scene, told["light"])
    _settle(scene, told)
    # Workbench shows a picture wrongly when it first draws it: everything is drawn once, from high above.
    camera.matrix_world = Matrix.Translation((0, 0, _HIGH_M))
    if told["engine"] == "workbench":
        bpy.ops.render.render()
    for frame in range(first, last + 1):
        out = folder / "frames" / f"{frame:05d}.bmp"
        if out.exists():
            continue
        for mesh, vertices in bodies:
            mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices[frame], np.float32).ravel())
            mesh.update()
        camera.matrix_world = Matrix(places[frame].tolist())
        scene.cycles.seed = frame
        part = out.with_suffix(".part.bmp")
        scene.render.filepath = str(part)
        bpy.ops.render.render(write_still=True)
        part.replace(out)
        sys.stdout.write(f"frame {frame}\n")
        sys.stdout.flush()


def _material(name: str, picture: Path, roughness: float, extend: bool) -> bpy.types.Material:
    """A rough surface with a picture on it; Workbench shows the same picture, the material's active image."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    image = nodes.new("ShaderNodeTexImage")
    image.image = bpy.data.images.load(str(picture))
    image.extension = "EXTEND" if extend else "REPEAT"
    nodes.active = image
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = roughness
    links.new(image.outputs["Color"], surface.inputs["Base Color"])
    return made


def _add_mesh(corners: np.ndarray, faces: list, uv: np.ndarray, looks: list[bpy.types.Material]) -> bpy.types.Object:
    """corners (n, 3) m, faces as indices, uv (corners of all faces in order, 2)."""
    mesh = bpy.data.meshes.new("mesh")
    mesh.from_pydata(np.asarray(corners).tolist(), [], faces)
    mesh.uv_layers.new().data.foreach_set("uv", np.asarray(uv, dtype=np.float32).ravel())
    for look in looks:
        mesh.materials.append(look)
    thing = bpy.data.objects.new("thing", mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def _add_sheet(look: bpy.types.Material, at: Matrix, size: list[float], tile: list[float]) -> None:
    """A rectangle in its own x, y plane around the origin, its picture repeated every `tile` metres."""
    half = np.array(size) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    sheet = _add_mesh(np.pad(corners, ((0, 0), (0, 1))), [(0, 1, 2, 3)], (corners + half) / np.array(tile), [look])
    sheet.matrix_world = at


def _add_box(look: bpy.types.Material, at: Matrix, size: list[float]) -> None:
    """A box that stands on its own z = 0, the picture once on each side."""
    signs = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)])
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    uv = np.tile([[0, 0], [1, 0], [1, 1], [0, 1]], (6, 1))
    box = _add_mesh(signs * np.array(size), faces, uv, [look])
    box.matrix_world = at


def _add_body(folder: Path, name: str, looks: dict[str, bpy.types.Material]) -> bpy.types.Mesh:
    """A person's mesh with a look for each region of its faces; its vertices are set for every frame."""
    dress = np.load(folder / f"{name}.dress.npz")
    regions = [str(region) for region in dress["regions"]]
    thing = _add_mesh(dress["rest"], dress["faces"].tolist(), dress["uv"], [looks[f"{name}_{r}"] for r in regions])
    mesh = thing.data
    mesh.polygons.foreach_set("material_index", dress["region"].astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    return mesh


def _add_camera(lens: dict[str, float]) -> bpy.types.Object:
    """A camera with this focal length as a share of the picture's width, its axis in the picture's middle."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    data.lens = lens["focal_widths"] * 36.0
    data.clip_end = 300.0
    camera = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    return camera


def _light(scene: bpy.types.Scene, light: dict) -> None:
    """A sun and a sky; Workbench knows only where its light comes from."""
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle, sun.color = light["sun"], math.radians(2.0), light["sun_color"]
    if hasattr(sun, "shadow_maximum_resolution"):
        sun.shadow_maximum_resolution = 0.02
    lamp = bpy.data.objects.new("sun", sun)
    turn = Matrix.Rotation(light["azimuth"], 4, "Z") @ Matrix.Rotation(light["from_zenith"], 4, "X")
    lamp.matrix_world = turn
    scene.collection.objects.link(lamp)
    world = bpy.data.worlds.new("sky")
    scene.world = world
    world.use_nodes, world.color = True, light["sky_color"]
    if hasattr(world, "sun_threshold"):
        world.sun_threshold = 0.0
    sky = world.node_tree.nodes["Background"]
    sky.inputs["Color"].default_value, sky.inputs["Strength"].default_value = (*light["sky_color"], 1), light["sky"]
    # Workbench's light comes from a point in its own axes: x right, y up, z towards the viewer of the front view.
    toward = turn.to_3x3() @ Matrix.Identity(3).col[2]
    scene.display.light_direction = (toward.x, toward.z, -toward.y)


def _settle(scene: bpy.types.Scene, told: dict) -> None:
    """Engine, size, sampling and colours of the pictures."""
    render = scene.render
    render.resolution_x, render.resolution_y = told["size"]
    render.resolution_percentage = round(100 * told["oversize"])
    render.image_settings.file_format = "BMP"
    scene.view_settings.view_transform = "Standard"
    if told["engine"] == "workbench":
        render.engine = "BLENDER_WORKBENCH"
        scene.display.render_aa = str(told["samples"])
        shading = scene.display.shading
        shading.light, shading.color_type, shading.show_shadows = "STUDIO", "TEXTURE", True
        shading.shadow_intensity, shading.show_cavity, shading.show_specular_highlight = 0.55, False, False
        scene.display.shadow_shift = 0.05
    elif told["engine"] == "cycles":
        render.engine = "CYCLES"
        cycles = scene.cycles
        cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling = told["samples"], told["denoise"], False
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 1
        render.use_persistent_data = True
    else:
        engines = bpy.types.RenderSettings.bl_rna.properties["engine"].enum_items.keys()
        render.engine = "BLENDER_EEVEE_NEXT" if "BLENDER_EEVEE_NEXT" in engines else "BLENDER_EEVEE"
        eevee = scene.eevee
        eevee.taa_render_samples, eevee.use_shadows = told["samples"], True
        eevee.shadow_ray_count, eevee.shadow_step_count, eevee.shadow_resolution_scale = 1, 2, 0.5


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    main(Path(given[0]), int(given[1]), int(given[2]))
    sys.stdout.flush()
    os._exit(0)  # the 4.2 module may crash while Python ends, with all work done

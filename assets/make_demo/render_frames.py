"""Second step of the demo clip, run by Blender's Python module (bpy 4.2): pictures of the walk, one PNG a frame.

    python assets/make_demo/render_frames.py WORK_FOLDER [FIRST LAST]

WORK_FOLDER holds what make_motion.py wrote: full.motion.npz, stage.npz and textures/.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ghmr_engine.motion_file import Motion, read_motion
from ghmr_engine.posed import pose_person

REGIONS = ("skin", "hair", "shirt", "trousers", "shoes")
ROUGHNESS = {"skin": 0.55, "hair": 0.6, "shoes": 0.5}
OVERSIZE = 1.5
Vector = tuple[float, float, float]


def main(work: Path, first: int, last: int | None) -> None:
    """Render frames first..last of the motion in `work` to work/frames."""
    motion = read_motion(work / "full.motion.npz")
    stage = Matrix(np.load(work / "stage.npz")["matrix"].tolist())
    bpy.ops.wm.read_factory_settings(use_empty=True)
    build_stage(work / "textures", stage)
    light_stage(stage)
    mesh = build_body(motion, work)
    camera = build_camera(motion)
    scene = settle_render(motion)
    (work / "frames").mkdir(exist_ok=True)
    for frame in range(first, len(motion.R) if last is None else last + 1):
        body = pose_person(motion, "1", frame)
        mesh.vertices.foreach_set("co", body.vertices.astype(np.float32).ravel())
        mesh.update()
        camera.matrix_world = blender_camera(motion.R[frame].astype(float), motion.t[frame].astype(float))
        scene.render.filepath = str(work / "frames" / f"{frame:04d}.png")
        bpy.ops.render.render(write_still=True)


def blender_camera(R: np.ndarray, t: np.ndarray) -> Matrix:
    """World to camera in OpenCV's axes -> Blender's camera object (looks along -z, y up)."""
    matrix = np.eye(4)
    matrix[:3, :3] = R.T @ np.diag([1.0, -1.0, -1.0])
    matrix[:3, 3] = -R.T @ t
    return Matrix(matrix.tolist())


def build_camera(motion: Motion) -> bpy.types.Object:
    """A camera with the motion file's focal length and the axis in the picture's middle."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    data.lens = float(motion.K[0, 0, 0]) / motion.meta["image_size"][0] * 36.0
    camera = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    return camera


def settle_render(motion: Motion) -> bpy.types.Scene:
    """Size, sampling and colours of the pictures."""
    scene = bpy.context.scene
    engines = bpy.types.RenderSettings.bl_rna.properties["engine"].enum_items.keys()
    scene.render.engine = "BLENDER_EEVEE_NEXT" if "BLENDER_EEVEE_NEXT" in engines else "BLENDER_EEVEE"
    # One sample of larger pictures, which encode_clip.py makes smaller, takes half the time of four samples.
    scene.eevee.taa_render_samples = 1
    scene.eevee.use_shadows = True
    scene.eevee.shadow_ray_count, scene.eevee.shadow_step_count = 1, 2
    scene.eevee.shadow_resolution_scale = 0.5
    scene.render.resolution_x, scene.render.resolution_y = motion.meta["image_size"]
    scene.render.resolution_percentage = round(100 * OVERSIZE)
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    return scene


def material(name: str, picture: Path, roughness: float = 0.8, extension: str = "REPEAT") -> bpy.types.Material:
    """A rough surface with a picture on it."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    image = nodes.new("ShaderNodeTexImage")
    image.image = bpy.data.images.load(str(picture))
    image.extension = extension
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = roughness
    links.new(image.outputs["Color"], surface.inputs["Base Color"])
    return made


def add_mesh(
    name: str, corners: np.ndarray, faces: list[tuple[int, ...]], uv: np.ndarray, look: bpy.types.Material, at: Matrix
) -> None:
    """A mesh object: corners (n, 3) m, faces as indices, uv (corners of all faces in order, 2)."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners.tolist(), [], faces)
    mesh.uv_layers.new().data.foreach_set("uv", np.asarray(uv, dtype=np.float32).ravel())
    mesh.materials.append(look)
    thing = bpy.data.objects.new(name, mesh)
    thing.matrix_world = at
    bpy.context.scene.collection.objects.link(thing)


def add_sheet(
    name: str, look: bpy.types.Material, at: Matrix, size: tuple[float, float], tile: tuple[float, float]
) -> None:
    """A rectangle in its own x, y plane around the origin, its picture repeated every `tile` metres."""
    half = np.array(size) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    add_mesh(name, np.pad(corners, ((0, 0), (0, 1))), [(0, 1, 2, 3)], (corners + half) / np.array(tile), look, at)


def add_box(name: str, look: bpy.types.Material, at: Matrix, size: Vector) -> None:
    """A box that stands on its own z = 0, the picture once on each side."""
    signs = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)])
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    uv = np.tile([[0, 0], [1, 0], [1, 1], [0, 1]], (6, 1))
    add_mesh(name, signs * size, faces, uv, look, at)


def upright(x: float, y: float, z: float, turn_degrees: float) -> Matrix:
    """A sheet's place on a wall: standing up, its face turned about z; 0 faces -y."""
    turn = Matrix.Rotation(math.radians(turn_degrees), 4, "Z") @ Matrix.Rotation(math.radians(90), 4, "X")
    return Matrix.Translation((x, y, z)) @ turn


def build_stage(textures: Path, stage: Matrix) -> None:
    """A yard: paving, two walls, a door, posters, crates near and far."""
    looks = {path.stem: material(path.stem, path) for path in sorted(textures.glob("*.png"))}
    add_sheet("ground", looks["paving"], stage, (40, 40), (4, 4))
    add_sheet("wall", looks["bricks"], stage @ upright(-1, 3.4, 1.75, 0), (16, 3.5), (4, 2.5))
    add_sheet("house", looks["plaster"], stage @ upright(7.0, 1.2, 2.6, -42), (6.4, 5.2), (3, 3))
    add_sheet("shed", looks["plaster"], stage @ upright(-6.2, 1.8, 1.5, 58), (6, 3.0), (3, 3))
    add_box("coping", looks["paving"], stage @ Matrix.Translation((-1, 3.45, 3.5)), (16, 0.4, 0.12))
    add_sheet("door", looks["door"], stage @ upright(1.6, 3.38, 1.05, 0), (1.0, 2.1), (1.0, 2.1))
    for k, (x, z) in enumerate(((-2.4, 1.7), (-0.6, 1.8), (3.4, 1.65)), 1):
        add_sheet(f"poster {k}", looks[f"poster_{k}"], stage @ upright(x, 3.37, z, 0), (0.84, 1.2), (0.84, 1.2))
    add_sheet("poster 4", looks["poster_2"], stage @ upright(6.2, 0.45, 1.8, -42), (1.1, 1.5), (1.1, 1.5))
    boxes = (
        ("crate", -3.6, 2.7, 0, 12, 0.8), ("crate_blue", -4.5, 2.5, 0, -20, 0.7), ("crate", -3.9, 2.65, 0.8, 35, 0.55),
        ("crate_blue", 0.4, 2.8, 0, 8, 0.6), ("crate", 2.9, 2.6, 0, -15, 0.75), ("crate", 3.8, 2.3, 0, 28, 0.6),
        ("crate_blue", 3.1, 2.6, 0.75, 10, 0.5), ("crate", -1.9, 1.4, 0, 40, 0.45), ("crate", 5.2, 0.6, 0, 5, 0.55),
        ("crate_blue", -0.9, -2.0, 0, 22, 0.32), ("crate", 3.0, -2.5, 0, -30, 0.28),
    )  # fmt: skip
    for k, (look, x, y, z, turn, side) in enumerate(boxes):
        at = Matrix.Translation((x, y, z)) @ Matrix.Rotation(math.radians(turn), 4, "Z")
        add_box(f"box {k}", looks[look], stage @ at, (side, side, side))


def light_stage(stage: Matrix) -> None:
    """A sun behind the camera's left shoulder, and the sky."""
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle, sun.color = 2.9, math.radians(2.0), (1.0, 0.95, 0.87)
    sun.shadow_maximum_resolution = 0.02
    lamp = bpy.data.objects.new("sun", sun)
    lamp.matrix_world = stage @ Matrix.Rotation(math.radians(-28), 4, "Z") @ Matrix.Rotation(math.radians(48), 4, "X")
    bpy.context.scene.collection.objects.link(lamp)
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes, world.sun_threshold = True, 0.0
    sky = world.node_tree.nodes["Background"]
    sky.inputs["Color"].default_value, sky.inputs["Strength"].default_value = (0.62, 0.74, 0.92, 1), 0.75


def build_body(motion: Motion, work: Path) -> bpy.types.Mesh:
    """The person's mesh with a look for each region; its vertices are set for every frame."""
    person = motion.people["1"]
    mesh = bpy.data.meshes.new("person")
    mesh.from_pydata(person.vertices.tolist(), [], motion.faces.tolist())
    uv = np.load(work / "stage.npz")["uv"].astype(np.float32)
    mesh.uv_layers.new().data.foreach_set("uv", uv.ravel())
    for region in REGIONS:
        picture = work / "textures" / f"{region}.png"
        mesh.materials.append(
            material(region, picture, ROUGHNESS.get(region, 0.9), "EXTEND" if region == "skin" else "REPEAT")
        )
    mesh.polygons.foreach_set("material_index", np.load(work / "stage.npz")["region"].astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(motion.faces), bool))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("person", mesh))
    return mesh


if __name__ == "__main__":
    main(
        Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0, int(sys.argv[3]) if len(sys.argv) > 3 else None
    )

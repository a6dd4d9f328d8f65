"""Runs inside Blender (run_in_blender.py): exporting rigs of all sorts."""

import re

import bpy
import numpy as np
from export_scenes import RIGIFY, can_write, cube_on, export, posed_rigify, rig_of, take_of
from mathutils import Matrix
from roundtrips import FBX, heads_over, read_back, vertices_over
from scenes import addon, of_type, part

RIG_KINDS = ("fbx_unreal", "fbx_unity", "gltf", "bvh", "usd")


@addon
def test_any_rig_comes_with_its_deforming_bones_and_meshes(folder):
    deform = [name for name, bone in RIGIFY.items() if bone[3]]
    frames = range(5, 16)
    for kind in filter(can_write, RIG_KINDS):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.context.scene.render.fps = 25
        rig = posed_rigify()
        truth = heads_over(rig, deform, frames)
        skins = {name: vertices_over(bpy.data.objects[name], (5, 15)) for name in ("Cube", "Eye")}
        read, meshes = read_back(export(rig, folder, kind), 25)
        called = {name: re.sub(r"\W", "_", name) if kind == "usd" else name for name in ("root", *deform)}
        parents = {bone.name: bone.parent and bone.parent.name for bone in read.data.bones}
        above = {
            "root": None, "DEF-spine": "root", "DEF-chest": "DEF-spine", "DEF-arm": "DEF-chest",
            "DEF-arm.001": "DEF-arm",
        }  # fmt: skip
        assert parents == {called[name]: parent and called[parent] for name, parent in above.items()}, kind
        shift = {"gltf": -5, "bvh": -4}.get(kind, 0)
        back = heads_over(read, [called[name] for name in deform], np.array(frames) + shift)
        close = 1e-3 if kind == "usd" else 1e-5  # USD keeps scales, of the squashed chest here, in 16 bits
        assert np.abs(back - truth).max() < close, kind
        assert len(meshes) == (0 if kind == "bvh" else 2)
        for mesh in meshes:
            was = skins["Eye" if "Eye" in mesh.name else "Cube"]
            now = vertices_over(mesh, [5 + shift, 15 + shift])
            far = np.linalg.norm(was[:, :, None] - now[:, None], axis=-1).min(2).max()
            assert far < close, (kind, mesh.name, far)


@addon
def test_a_rig_that_stands_scaled_tipped_and_away_is_upright_in_the_file(folder):
    """As other programs' FBX files come into Blender: centimetres, y up, an object that is scaled and tipped."""
    rig = rig_of({"Hips": ((0, 100, 0), (0, 120, 0), "", True), "Head": ((0, 120, 0), (0, 150, 0), "Hips", True)})
    rig.matrix_world = (
        Matrix.Translation((3, 4, 0)) @ Matrix.Rotation(1.2, 4, "Z") @ Matrix.Rotation(np.pi / 2, 4, "X")
        @ Matrix.Scale(0.01, 4)
    )  # fmt: skip
    cube_on(rig, groups=[("Hips", range(8))])  # FBX tells of rest poses only where there is a mesh
    for frame, turn in ((1, 0.0), (10, 0.9)):
        rig.pose.bones["Head"].rotation_euler.x = turn
        rig.pose.bones["Head"].keyframe_insert("rotation_euler", frame=frame)
        rig.location.x = 3 + turn
        rig.keyframe_insert("location", frame=frame)
    bpy.context.scene.render.fps = 25
    truth = heads_over(rig, ["Hips", "Head"], range(1, 11))
    path = export(rig, folder, "fbx_unreal")
    fbx = FBX(path)
    np.testing.assert_allclose(fbx.rest("Hips")[:3, 3], [0, 0, 100], atol=1e-4)
    read, _ = read_back(path, 25)
    np.testing.assert_allclose(heads_over(read, ["Hips", "Head"], range(1, 11)), truth, atol=1e-5)
    root = heads_over(read, ["root"], range(1, 11))[:, 0]
    np.testing.assert_allclose(root, truth[:, 0] * [1, 1, 0], atol=1e-5)


@addon
def test_hips_that_travel_away_from_a_standing_root_take_it_along(folder):
    bpy.context.scene.render.fps = 25
    bones = {"root": ((0, 0, 0), (0, 0.3, 0), "", True), "hips": ((0, 0, 1), (0, 0, 1.2), "root", True)}
    rig = rig_of(bones)
    for frame, way in ((1, 0.0), (10, 2.0)):
        rig.pose.bones["hips"].location = (way, 0, 0)
        rig.pose.bones["hips"].keyframe_insert("location", frame=frame)
    truth = heads_over(rig, ["hips"], range(1, 11))
    path = export(rig, folder, "fbx_unity")
    read, _ = read_back(path, 25)
    back = heads_over(read, ["root", "hips"], range(1, 11))
    np.testing.assert_allclose(back[:, 1], truth[:, 0], atol=1e-5)
    np.testing.assert_allclose(back[:, 0], truth[:, 0] * [1, 1, 0], atol=1e-5)


@addon
def test_strips_linked_rigs_and_hidden_people_are_exported_as_they_are(folder):
    rig = posed_rigify()
    action = rig.animation_data.action
    strip = rig.animation_data.nla_tracks.new().strips.new("walk", 101, action)
    strip.influence = 1.0
    rig.animation_data.action = None
    bpy.context.scene.render.fps = 25
    truth = heads_over(rig, ["DEF-arm"], range(101, 112))
    read, _ = read_back(export(rig, folder, "fbx_unity"), 25)
    np.testing.assert_allclose(heads_over(read, ["DEF-arm"], range(101, 112)), truth, atol=1e-5)

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 25
    posed_rigify()
    truth = heads_over(bpy.data.objects["Hero"], ["DEF-arm"], range(5, 16))
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "rig.blend"))
    for override in (False, True):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.context.scene.render.fps = 25
        with bpy.data.libraries.load(str(folder / "rig.blend"), link=True) as (_, into):
            into.objects = ["Hero", "Cube"]
        for item in into.objects:
            bpy.context.scene.collection.objects.link(item)
        rig = bpy.data.objects["Hero"]
        if override:
            made = rig.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
            rig = made if made.type == "ARMATURE" else bpy.data.objects[("Hero", None)]
            assert rig.override_library
        path = export(rig, folder, "fbx_unity")
        read, meshes = read_back(path, 25)
        np.testing.assert_allclose(heads_over(read, ["DEF-arm"], range(5, 16)), truth, atol=1e-5)
        assert len(meshes) == 1

    bpy.ops.wm.read_factory_settings(use_empty=True)
    take = take_of(folder, frames=30)
    armature = of_type(take, "ARMATURE")[0]
    truth = heads_over(armature, ["head", "left_foot"], range(1, 31))
    take.recover_motion_row.shown = False
    armature.hide_viewport = True
    bpy.context.view_layer.layer_collection.children[take.name].exclude = True
    read, _ = read_back(export(armature, folder, "fbx_unity"), 30)
    np.testing.assert_allclose(heads_over(read, ["head", "left_foot"], range(1, 31)), truth, atol=1e-5)


@addon
def test_shape_keys_and_modifiers_go_along(folder):
    rig = posed_rigify()
    cube, eye = bpy.data.objects["Cube"], bpy.data.objects["Eye"]
    eye.modifiers.new("Rounder", "SUBSURF").levels = 1
    cube.shape_key_add(name="Basis")
    cube.shape_key_add(name="Wide").data[0].co.x = 1.0
    bpy.context.scene.render.fps = 24
    _, meshes = read_back(export(rig, folder, "fbx_unity"), 24)
    by_name = {mesh.name: mesh for mesh in meshes}
    assert len(by_name["Eye"].data.vertices) == 26
    keys = by_name["Cube"].data.shape_keys.key_blocks
    assert "Wide" in keys
    # Sizes in the file are centimetres; the importer's object is 0.01 large.
    moved = (keys["Wide"].data[0].co - keys[0].data[0].co).length * by_name["Cube"].matrix_world.to_scale()[0]
    assert abs(moved - 1.1) < 1e-4


def test_headings_neither_leap_nor_spin():
    headings, rotations = part("exports.bones").headings, part("scene.rotations")
    turn = rotations.matrices_from_axis_angle
    around = np.linspace(0, 5 * np.pi, 60)
    up, side = np.array([0.0, 0, 1]), np.array([0.0, 1, 0])
    np.testing.assert_allclose(headings(turn(around[:, None] * up)), around, atol=1e-6)
    # Lying down or leaning to a side while one turns changes nothing.
    leaning = turn(around[:, None] * up) @ turn(1.5 * side)
    np.testing.assert_allclose(np.diff(headings(leaning)), np.diff(around), atol=1e-6)
    # A cartwheel faces one way all through.
    wheel = turn(0.4 * up) @ turn(np.linspace(0, 2 * np.pi, 50)[:, None] * np.array([0.0, 1, 0]))
    assert np.ptp(headings(wheel)) < 1e-6

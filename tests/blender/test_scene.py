"""Runs inside Blender (run_in_blender.py): the scene that a motion file becomes, against known answers."""

import dataclasses
import os
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np
from mathutils import Quaternion, Vector
from motions import WALK_SPEED, joints_world, vertices_world, walking_motion
from scenes import at, bone_heads, build, curves_of, keys_of, mesh_vertices, of_type, part, with_person

JOINTS = part("motion").JOINT_NAMES


def test_bone_heads_are_smpl_joints():
    motion = walking_motion(60, people=2)
    people = of_type(build(motion), "ARMATURE")
    assert [armature["person"] for armature in people] == ["1", "2"]
    for frame in (0, 1, 17, 38, 59):
        at(1 + frame)
        for armature in people:
            expected = joints_world(motion.people[armature["person"]])[frame]
            np.testing.assert_allclose(bone_heads(armature), expected, atol=2e-4)


def test_any_pose_and_body_comes_out_as_smpl_says():
    rng = np.random.default_rng(3)
    motion = walking_motion(8)
    person = motion.people["1"]
    motion = with_person(
        motion,
        "1",
        poses=rng.normal(0, 1.2, person.poses.shape),
        transl=rng.normal(0, 2, person.transl.shape),
        joints=person.joints + rng.normal(0, 0.01, (24, 3)),
    )
    collection = build(motion)
    for frame in range(8):
        at(1 + frame)
        expected = joints_world(motion.people["1"])[frame]
        np.testing.assert_allclose(bone_heads(of_type(collection, "ARMATURE")[0]), expected, atol=2e-4)
        skin = vertices_world(motion.people["1"], frame)
        np.testing.assert_allclose(mesh_vertices(of_type(collection, "MESH")[0]), skin, atol=5e-4)


def test_the_mesh_moves_with_the_bones_and_stands_on_the_floor():
    motion = walking_motion(40)
    body = next(item for item in of_type(build(motion), "MESH") if item.parent)
    for frame in (0, 13, 39):
        at(1 + frame)
        expected = vertices_world(motion.people["1"], frame)
        np.testing.assert_allclose(mesh_vertices(body), expected, atol=5e-4)
        assert abs(mesh_vertices(body)[:, 2].min()) < 1e-3
    assert all(polygon.use_smooth for polygon in body.data.polygons)


def test_left_is_left_and_up_is_up():
    motion = walking_motion(31)
    armature = of_type(build(motion), "ARMATURE")[0]
    at(31)  # walks along +x: the left is at +y
    heads = dict(zip(JOINTS, bone_heads(armature), strict=True))
    for name in ("hip", "ankle", "shoulder", "elbow"):
        assert heads[f"left_{name}"][1] > heads[f"right_{name}"][1] + 0.1, name
    assert heads["head"][2] > heads["pelvis"][2] + 0.5 > heads["left_ankle"][2] + 1.0
    assert heads["left_foot"][0] > heads["left_ankle"][0]
    assert abs(heads["pelvis"][0] - WALK_SPEED) < 1e-3


def test_rest_pose_is_one_a_rigger_would_accept():
    armature = of_type(build(walking_motion(5)), "ARMATURE")[0]
    bones = armature.data.bones
    assert [bone.name for bone in bones] and {bone.name for bone in bones} == set(JOINTS)
    assert armature.matrix_world.is_identity
    for bone in bones:
        assert bone.length > 0.03, bone.name
        side = bone.name.split("_")[0]
        if side == "left":
            other = bones[bone.name.replace("left", "right")]
            assert bone.head_local.x > 0 > other.head_local.x
            # Mirrored as Blender mirrors: y and z reflected, x reflected and turned round.
            mine, theirs = np.array(bone.matrix_local.to_3x3()), np.array(other.matrix_local.to_3x3())
            np.testing.assert_allclose(theirs, np.diag([-1, 1, 1]) @ mine @ np.diag([-1, 1, 1]), atol=1e-5)
        elif side not in ("right",):
            assert bone.x_axis.dot(Vector((1, 0, 0))) > 0.999, bone.name
    for name in ("left_knee", "left_ankle", "spine1", "spine2", "spine3", "neck", "head", "left_elbow", "left_hand"):
        assert bones[name].use_connect and (bones[name].head_local - bones[name].parent.tail_local).length < 1e-6
    assert bones["left_foot"].tail_local.y < bones["left_foot"].head_local.y - 0.03  # the toes point to the front
    assert bones["head"].tail_local.z > bones["head"].head_local.z + 0.1
    assert bones["left_hand"].tail_local.x > bones["left_hand"].head_local.x + 0.05


def test_a_positive_turn_about_x_bends_knees_elbows_and_spine():
    armature = of_type(build(walking_motion(5)), "ARMATURE")[0]
    armature.animation_data_clear()
    for turned, moved, direction in (
        ("left_knee", "left_ankle", (0, 1, 0)),
        ("right_knee", "right_ankle", (0, 1, 0)),
        ("left_elbow", "left_wrist", (0, -1, 0)),
        ("right_elbow", "right_wrist", (0, -1, 0)),
        ("spine1", "head", (0, -1, 0)),
    ):
        for bone in armature.pose.bones:
            bone.matrix_basis.identity()
            bone.rotation_quaternion, bone.location = Quaternion(), (0, 0, 0)
        bpy.context.view_layer.update()
        before = armature.pose.bones[moved].head.copy()
        armature.pose.bones[turned].rotation_quaternion = Quaternion((1, 0, 0), 0.5)
        bpy.context.view_layer.update()
        step = armature.pose.bones[moved].head - before
        assert step.dot(Vector(direction)) > 0.8 * step.length > 0.05, turned


def test_contacts_have_a_key_only_where_they_change():
    motion = walking_motion(60)
    armature = of_type(build(motion), "ARMATURE")[0]
    planted = motion.people["1"].contacts > 0.5
    curves = curves_of(armature)
    markers = {(marker.name, marker.frame) for marker in armature.animation_data.action.pose_markers}
    expected = set()
    for index, name in enumerate(("left_heel", "left_toe", "right_heel", "right_toe")):
        curve = curves[f'["contact_{name}"]', 0]
        keys = keys_of(curve)
        turns = np.flatnonzero(np.diff(planted[:, index].astype(int))) + 1
        np.testing.assert_array_equal(keys[:, 0], 1 + np.concatenate([[0], turns]))
        np.testing.assert_array_equal(keys[:, 1], planted[np.concatenate([[0], turns]), index])
        assert {point.interpolation for point in curve.keyframe_points} == {"CONSTANT"}
        for frame in range(60):
            assert curve.evaluate(1 + frame) == planted[frame, index]
        side, where = name.split("_")
        for frame in turns:
            word = "down" if planted[frame, index] else "up"
            expected.add((f"{side[0].upper()} {where} {word}", 1 + frame))
        if planted[0, index]:
            expected.add((f"{side[0].upper()} {where} down", 1))
    assert markers == expected
    at(3)
    assert armature["contact_left_heel"] == 1 and armature["contact_right_heel"] == 0


def test_quaternions_never_flip():
    motion = walking_motion(200)
    poses = motion.people["1"].poses.copy()
    turns = np.linspace(0, 6 * np.pi, 200)  # three whole turns of the head, wrapped as axis-angle wraps
    poses[:, JOINTS.index("head"), 1] = (turns + np.pi) % (2 * np.pi) - np.pi
    motion = with_person(motion, "1", poses=poses)
    armature = of_type(build(motion), "ARMATURE")[0]
    curves = curves_of(armature)
    for name in JOINTS:
        path = f'pose.bones["{name}"].rotation_quaternion'
        quaternions = np.stack([keys_of(curves[path, index])[:, 1] for index in range(4)], 1)
        np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1, atol=1e-5)
        assert ((quaternions[1:] * quaternions[:-1]).sum(1) > 0.9).all(), name


def test_the_scene_takes_the_motions_rate():
    motion = walking_motion(30, fps=Fraction(30000, 1001))
    armature = of_type(build(motion, start_frame=101), "ARMATURE")[0]
    scene = bpy.context.scene
    assert scene.render.fps == 30 and abs(scene.render.fps_base - 1.001) < 1e-6
    assert (scene.frame_start, scene.frame_end) == (101, 130)
    for curve in curves_of(armature).values():
        frames = keys_of(curve)[:, 0]
        np.testing.assert_array_equal(frames, np.rint(frames))


def test_a_motion_is_resampled_onto_whole_frames_where_the_scene_keeps_its_rate():
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base, scene.frame_end = 24, 1.001, 77
    motion = walking_motion(40)
    armature = of_type(build(motion, set_scene_rate=False, start_frame=11), "ARMATURE")[0]
    assert (scene.render.fps, scene.frame_end) == (24, 77)
    expected = joints_world(motion.people["1"])
    for curve in curves_of(armature).values():
        frames = keys_of(curve)[:, 0]
        np.testing.assert_array_equal(frames, np.rint(frames))
    for frame in range(11, 42):
        place = (frame - 11) * 30 / (24 / 1.001)  # in the motion's frames
        before, share = int(place), place - int(place)
        at(frame)
        between = (1 - share) * expected[before] + share * expected[before + 1]
        np.testing.assert_allclose(bone_heads(armature), between, atol=4e-3)  # limbs turn, points go straight
        assert abs(bone_heads(armature)[0, 0] - (frame - 11) / 24 * 1.001 * WALK_SPEED) < 1e-3


def test_a_thousand_frames_in_under_a_second():
    motion = walking_motion(1000)
    performance = part("scene.performance")
    spent, animate = [], performance.animate_person

    def timed(*arguments):
        began = time.perf_counter()
        yield from animate(*arguments)
        spent.append(time.perf_counter() - began)

    module = part("scene.build")
    module.animate_person = timed
    began = time.perf_counter()
    try:
        build(motion)
    finally:
        module.animate_person = animate
    whole = time.perf_counter() - began
    os.write(1, f"1000 frames: keys {spent[0]:.3f} s, whole scene {whole:.3f} s\n".encode())
    assert spent[0] < 1.0
    assert whole < 3.0


def test_somebody_who_is_gone_is_hidden():
    motion = walking_motion(120, people=2, absent=(40, 79))
    stays, leaves = of_type(build(motion), "ARMATURE")
    for frame, there in ((39, True), (40, False), (79, False), (80, True)):
        at(1 + frame)
        layer = bpy.context.evaluated_depsgraph_get()
        body = next(child for child in leaves.children if child.type == "MESH")
        for item in (leaves, body):
            assert item.hide_viewport is not there and item.hide_render is not there, (item.name, frame)
        shown = {instance.object.name for instance in layer.object_instances}
        assert (body.name in shown) is there
        assert not stays.hide_render
    # Blender does not evaluate what is hidden, so the curves are asked: it waits where it left off and does not glide.
    curves = curves_of(leaves)
    for path, index in curves:
        if path.startswith("pose"):
            assert curves[path, index].evaluate(1 + 60) == curves[path, index].evaluate(1 + 39)
    expected = joints_world(motion.people["2"])
    at(1 + 80)
    np.testing.assert_allclose(bone_heads(leaves), expected[40], atol=1e-3)


def test_a_short_gap_is_bridged():
    motion = walking_motion(60, absent=(20, 29))
    armature = of_type(build(motion), "ARMATURE")[0]
    at(1 + 24.5)
    assert not armature.hide_render
    assert abs(bone_heads(armature)[0, 0] - WALK_SPEED * 24.5 / 30) < 1e-3


def test_somebody_who_comes_late_is_hidden_before():
    motion = walking_motion(60, absent=(0, 9))
    armature = of_type(build(motion), "ARMATURE")[0]
    for frame, there in ((0, False), (9, False), (10, True), (59, True)):
        at(1 + frame)
        assert armature.hide_render is not there, frame


def test_a_second_take_leaves_the_first_alone():
    first = build(walking_motion(20))
    kept = {item.name: item.animation_data and item.animation_data.action.name for item in first.all_objects}
    colors = {material.name for material in bpy.data.materials}
    second = build(walking_motion(20), start_frame=50)
    assert first.name == "walk past" and second.name == "walk past.001"
    assert {item.name: item.animation_data and item.animation_data.action.name for item in first.all_objects} == kept
    assert not set(first.all_objects) & set(second.all_objects)
    assert set(bpy.data.objects) == set(first.all_objects) | set(second.all_objects)
    assert colors < {material.name for material in bpy.data.materials}
    assert bpy.context.mode == "OBJECT"


def test_what_was_open_and_selected_stays_so():
    other = bpy.data.objects.new("mine", bpy.data.meshes.new("mine"))
    bpy.context.scene.collection.objects.link(other)
    bpy.context.view_layer.objects.active = other
    other.select_set(True)
    build(walking_motion(5))
    assert bpy.context.view_layer.objects.active == other and other.select_get()
    assert [item for item in bpy.context.scene.objects if item.select_get()] == [other]


def test_everybody_has_a_shirt_of_their_own_and_the_take_its_licence():
    collection = build(walking_motion(5, people=3))
    bodies = [item for item in of_type(collection, "MESH") if item.parent]
    shirts = [
        np.array(slot.diffuse_color[:3]) for body in bodies for slot in body.data.materials if "shirt" in slot.name
    ]
    assert len(shirts) == 3
    assert min(np.abs(a - b).max() for i, a in enumerate(shirts) for b in shirts[:i]) > 0.2
    used = {bodies[0].data.materials[polygon.material_index].name for polygon in bodies[0].data.polygons}
    assert {name.split()[-1] for name in used} == {"skin", "hair", "shirt", "trousers", "shoes"}
    armature = of_type(collection, "ARMATURE")[0]
    assert armature["licence"] == collection["licence"] == "open"
    assert armature["reprojection_px"] == 3.5 and armature["seen"] == 1.0


def test_a_body_without_regions_is_built_too():
    motion = dataclasses.replace(walking_motion(5), colors=np.zeros(0, dtype=np.uint8))
    body = next(item for item in of_type(build(motion), "MESH") if item.parent)
    assert len(body.data.materials) == 1


def test_ground_and_paths_lie_under_the_people():
    motion = walking_motion(90, people=2)
    collection = build(motion)
    ground = next(item for item in of_type(collection, "MESH") if item.parent is None)
    corners = np.array([ground.matrix_world @ vertex.co for vertex in ground.data.vertices])
    assert np.ptp(corners[:, 2]) == 0 == corners[0, 2]
    assert all(polygon.normal.z > 0.99 for polygon in ground.data.polygons)
    paths = of_type(collection, "CURVE")
    for path, person in zip(paths, motion.people.values(), strict=True):
        points = np.array([point.co[:3] for point in path.data.splines[0].points])
        np.testing.assert_allclose(points, joints_world(person)[:, 0], atol=1e-4)
        assert (corners.min(0)[:2] < points.min(0)[:2] - 1).all() and (corners.max(0)[:2] > points.max(0)[:2] + 1).all()


def test_nobody_in_the_clip_still_gives_ground_and_camera():
    motion = walking_motion(10)
    empty = dataclasses.replace(motion, people={})
    collection = build(empty)
    assert not of_type(collection, "ARMATURE") and of_type(collection, "MESH") and of_type(collection, "CAMERA")


def test_a_written_file_is_read_through_the_extension():
    from ghmr_engine.motion_file import write_motion

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "walk.motion.npz"
        write_motion(path, walking_motion(20, people=2))
        motion = part("motion").read_motion(path)
    collection = build(motion)
    at(20)
    expected = joints_world(walking_motion(20, people=2).people["2"])[19]
    np.testing.assert_allclose(bone_heads(of_type(collection, "ARMATURE")[1]), expected, atol=1e-3)


def test_people_of_one_frame_or_none():
    motion = walking_motion(10, people=2, absent=(1, 9))
    nobody = {key: getattr(motion.people["1"], key)[:0] for key in ("frames", "poses", "transl", "contacts")}
    collection = build(with_person(motion, "1", **nobody))
    (armature,) = of_type(collection, "ARMATURE")
    assert armature["person"] == "2" and not armature.hide_render
    at(5)
    assert armature.hide_render


def test_a_long_name_of_a_clip_is_cut_on_a_whole_letter():
    motion = walking_motion(3)
    motion.meta["video"]["name"] = "日本語のとても長い名前のビデオファイル.mp4"
    collection = build(motion)
    assert collection.name and "\ufffd" not in collection.name
    assert len(collection.name.encode()) <= 40

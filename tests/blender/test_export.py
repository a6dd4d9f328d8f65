"""Runs inside Blender (run_in_blender.py): what is exported and read back moves as it did, and nothing else changes."""

import json
import struct
import tempfile
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from motions import walking_motion
from roundtrips import FBX, heads_over, keyed_range, read_back, vertices_over
from scenes import build, of_type, part

from ghmr_engine.amass import read_amass
from ghmr_engine.motion_file import write_motion
from ghmr_engine.posed import joint_transforms, rotation_matrices

J = part("motion").JOINT_NAMES
KINDS = part("exports").KINDS
CLOSE_M = 1e-5
FRONT = Vector((0, -1, 0))


def written(kind):
    return kind.format == "amass" or part("exports.writers").can_write(kind)


def person(folder, motion=None, **choices):
    """A walker's armature and body."""
    motion = motion or walking_motion(30, Fraction(25))
    path = Path(folder) / "take.motion.npz"
    write_motion(path, motion)
    armature = of_type(build(motion, path=path, **choices), "ARMATURE")[0]
    return armature, next(item for item in armature.children if item.type == "MESH")


def export(rig, folder, kind):
    return part("exports").export_motion(bpy.context.scene, rig, Path(folder) / f"out_{kind}", kind)


def names_in(kind):
    """Places of the joints that a file has, and what they are called there."""
    names = part("exports.mixamo").NAMES if kind == "fbx_mixamo" else {name: name for name in J}
    return [index for index, name in enumerate(J) if name in names], [names[name] for name in J if name in names]


def test_every_format_read_back_moves_as_it_did():
    frames = np.arange(11, 41)
    with tempfile.TemporaryDirectory() as folder:
        for kind in (kind for kind in KINDS.values() if kind.format != "amass" and written(kind)):
            bpy.ops.wm.read_factory_settings(use_empty=True)
            armature, body = person(folder, start_frame=11)
            truth, skin = heads_over(armature, J, frames), vertices_over(body, [11, 25, 40])
            path = export(armature, folder, kind.name)
            assert path.name == f"out_{kind.name}{kind.suffix}"
            read, meshes = read_back(path, 25)
            first, last = keyed_range(read, part)
            assert abs(last - first - 29) < 1e-3
            if kind.format in ("fbx", "usd"):
                assert abs(first - 11) < 1e-3
            shift = round(first) - 11
            places, names = names_in(kind.name)
            off = np.linalg.norm(heads_over(read, names, frames + shift) - truth[:, places], axis=-1).max()
            assert off < CLOSE_M, (kind.name, off)
            print(f"{kind.name}: joints {1e3 * off:.4f} mm off")  # noqa: T201
            assert len(meshes) == (kind.format != "bvh")
            for mesh in meshes:
                was, now = skin, vertices_over(mesh, np.array([11, 25, 40]) + shift)
                far = [
                    np.linalg.norm(a[:, None] - b[None], axis=-1).min(1).max() for a, b in zip(was, now, strict=True)
                ]
                assert max(far) < CLOSE_M, (kind.name, far)


def farthest(points, others):
    """m from a point to the nearest of the others, at most: glTF numbers vertices anew."""
    return np.linalg.norm(points[:, None] - others[None], axis=-1).min(1).max()


def test_frames_and_seconds_are_right_at_a_broken_rate():
    """29.97 a second; importers round it, so the files themselves are asked."""
    rate = Fraction(30000, 1001)
    with tempfile.TemporaryDirectory() as folder:
        armature, _ = person(folder, walking_motion(30, rate), start_frame=11)
        for name in ("fbx_unreal", "fbx_unity", "fbx_mixamo"):
            fbx = FBX(export(armature, folder, name))
            assert fbx.setting("TimeMode") == 14 or abs(fbx.setting("CustomFrameRate") - rate) < 1e-3
            np.testing.assert_allclose(fbx.span() * float(rate), [11, 40], atol=1e-4)
            times = fbx.key_times("root" if KINDS[name].rooted else "mixamorig:Hips")
            np.testing.assert_allclose(times * float(rate), np.arange(11, 41), atol=1e-4)
        times = glb(export(armature, folder, "gltf"))[2]
        np.testing.assert_allclose([min(times), max(times)], [0, float(29 / rate)], atol=1e-5)
        text = export(armature, folder, "bvh").read_text()
        assert "Frames: 30\n" in text
        step = next(line for line in text.splitlines() if line.startswith("Frame Time"))
        assert abs(float(step.split()[-1]) * rate - 1) < 1e-6
        with np.load(export(armature, folder, "amass")) as file:
            assert abs(file["mocap_framerate"] / float(rate) - 1) < 1e-6 and len(file["poses"]) == 30
        if written(KINDS["usd"]):
            path = export(armature, folder, "usd")
            bpy.ops.wm.read_factory_settings(use_empty=True)
            bpy.ops.wm.usd_import(filepath=str(path), set_frame_range=True)
            scene = bpy.context.scene
            assert (scene.frame_start, scene.frame_end) == (11, 40)


def glb(path):
    """Names of nodes and of clips, and times of the last keys, of a binary glTF file."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<I", content, 12)
    known = json.loads(content[20 : 20 + length])
    times = [
        end for clip in known["animations"] for sampler in clip["samplers"]
        for end in (known["accessors"][sampler["input"]]["min"][0], known["accessors"][sampler["input"]]["max"][0])
    ]  # fmt: skip
    return {node["name"] for node in known["nodes"]}, [clip["name"] for clip in known["animations"]], times


def test_what_the_files_say_of_axes_units_and_names():
    with tempfile.TemporaryDirectory() as folder:
        armature, body = person(folder)
        bpy.data.objects.new("Armature", None)  # names are lent and given back
        files = {name: FBX(export(armature, folder, name)) for name in ("fbx_unreal", "fbx_unity", "fbx_mixamo")}
        z_up = {"UpAxis": 2, "UpAxisSign": 1, "FrontAxis": 1, "FrontAxisSign": -1, "CoordAxis": 0, "CoordAxisSign": 1}
        y_up = {"UpAxis": 1, "UpAxisSign": 1, "FrontAxis": 2, "FrontAxisSign": 1, "CoordAxis": 0, "CoordAxisSign": 1}
        for name, fbx in files.items():
            axes = z_up if name == "fbx_unreal" else y_up
            assert {key: fbx.setting(key) for key in axes} == axes, name
            assert fbx.setting("UnitScaleFactor") == 1.0  # centimetres
            for node in ("Armature", body.name):
                np.testing.assert_allclose(fbx.lcl(node, "Lcl Scaling", (1, 1, 1)), 1, atol=1e-6)
                np.testing.assert_allclose(fbx.lcl(node, "Lcl Rotation", (0, 0, 0)), 0, atol=1e-4)
            assert set(fbx.models) - {"Armature", body.name} == bones_of(name)
            top = "root" if KINDS[name].rooted else "mixamorig:Hips"
            assert fbx.parent_of(top) == "Armature" and fbx.parent_of("Armature") is None
        # Hips at rest: 90 cm up, in each file's axes.
        unreal, mixamo = files["fbx_unreal"], files["fbx_mixamo"]
        np.testing.assert_allclose(unreal.lcl("root", "Lcl Translation", (0, 0, 0)), 0, atol=1e-4)
        height = float(armature.data.bones["pelvis"].head_local.z)
        np.testing.assert_allclose(mixamo.rest("mixamorig:Hips")[:3, 3], [0, 100 * height, 0], atol=1e-3)
        np.testing.assert_allclose(unreal.rest("pelvis")[:3, 3], [0, 0, 100 * height], atol=1e-3)
        # Feet point to where each file faces.
        toes = unreal.rest("left_foot")[:3, 3] - unreal.rest("left_ankle")[:3, 3]
        assert toes[1] < -10
        ahead = mixamo.rest("mixamorig:LeftToeBase")[:3, 3] - mixamo.rest("mixamorig:LeftFoot")[:3, 3]
        assert ahead[2] > 10
        nodes, clips, _ = glb(export(armature, folder, "gltf"))
        assert clips == [armature.name] and {armature.name, body.name} | set(J) <= nodes
        lines = [line.split() for line in export(armature, folder, "bvh").read_text().splitlines()]
        joints = [words for words in lines if words[0] in ("ROOT", "JOINT")]
        assert joints[0] == ["ROOT", "pelvis"] and {name for _, name in joints} == set(J)
        channels = [words[1:] for words in lines if words[0] == "CHANNELS"]
        assert channels[0][0] == "6" and {tuple(words) for words in channels[1:]} == {
            ("3", "Zrotation", "Xrotation", "Yrotation")
        }
        assert bpy.data.objects["Armature"].type == "EMPTY"


def bones_of(kind):
    if kind != "fbx_mixamo":
        return {"root", *J}
    sided = ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase", "Toe_End")
    middle = ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End")
    return {f"mixamorig:{name}" for name in middle} | {
        f"mixamorig:{side}{name}" for side in ("Left", "Right") for name in sided
    }


def test_the_root_is_on_the_ground_below_the_hips_and_faces_as_they_do():
    with tempfile.TemporaryDirectory() as folder:
        armature, _ = person(folder)
        hips = heads_over(armature, ["pelvis"], range(1, 31))[:, 0]
        for kind in ("fbx_unreal", "fbx_unity"):
            bpy.ops.wm.read_factory_settings(use_empty=True)
            armature, _ = person(folder)
            path = export(armature, folder, kind)
            read, _ = read_back(path, 25)
            root = heads_over(read, ["root"], range(1, 31))[:, 0]
            np.testing.assert_allclose(root[:, :2], hips[:, :2], atol=1e-4)
            np.testing.assert_allclose(root[:, 2], 0, atol=1e-5)
            bpy.context.scene.frame_set(20)
            # It faces -y at rest; the walker looks along x.
            turned = read.matrix_world @ read.pose.bones["root"].matrix
            at_rest = read.matrix_world @ read.data.bones["root"].matrix_local
            facing = (turned.to_3x3() @ at_rest.to_3x3().inverted()) @ FRONT
            assert facing.x > 0.99


def test_keys_layers_and_foot_ik_are_in_the_files_as_shown():
    with tempfile.TemporaryDirectory() as folder:
        motion = walking_motion(60, Fraction(25))
        armature, _ = person(folder, motion)
        head = armature.pose.bones["head"]
        head.rotation_quaternion = (0.8, 0.6, 0, 0)
        head.keyframe_insert("rotation_quaternion", frame=20)
        armature.rotation_euler.z = 0.7
        armature.location = (1, 2, 0)
        part("scene.foot_ik").add_foot_ik(armature, 25.0)
        target = armature.pose.bones["left_foot_ik"]
        target.location.x += 0.1
        target.keyframe_insert("location", frame=1)
        frames = np.arange(1, 61)
        truth = heads_over(armature, J, frames)
        path = export(armature, folder, "amass")
        read = read_amass(path)
        poses = np.zeros((60, 24, 3))
        poses[:, :22] = read.poses[:, :22]
        placed = joint_transforms(rotation_matrices(poses), read.joints, motion.parents)[..., :3, 3]
        off = np.linalg.norm(placed + read.trans[:, None] - truth, axis=-1).max()
        assert off < 2 * CLOSE_M, off
        path = export(armature, folder, "bvh")
        back, _ = read_back(path, 25)
        assert not any("_ik" in bone.name for bone in back.data.bones)
        assert np.linalg.norm(heads_over(back, J, frames) - truth, axis=-1).max() < CLOSE_M

"""Runs inside Blender (run_in_blender.py): exporting any rig, what stays as it was, and what goes wrong."""

import importlib
import os
import re
import stat
import tempfile
from pathlib import Path

import addon_utils
import bpy
import numpy as np
from mathutils import Matrix
from motions import walking_motion
from roundtrips import FBX, heads_over, read_back, vertices_over
from scenes import build, curves_of, keys_of, of_type, part

from ghmr_engine.motion_file import write_motion

KINDS = part("exports").KINDS
RIG_KINDS = ("fbx_unreal", "fbx_unity", "gltf", "bvh", "usd")


def addon(test):
    """With the add-on on, in a folder of its own."""

    def run():
        if hasattr(bpy.types.Collection, "recover_motion"):
            part("takes").unregister()  # another test's build put it there
        package = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
        package.register()
        try:
            with tempfile.TemporaryDirectory() as folder:
                test(Path(folder))
        finally:
            package.unregister()

    return run


def can_write(name):
    return KINDS[name].format == "amass" or part("exports.writers").can_write(KINDS[name])


def export(rig, folder, kind):
    return part("exports").export_motion(bpy.context, rig, Path(folder) / f"out_{kind}", kind)


def take_of(folder, people=1, frames=20, **choices):
    motion = walking_motion(frames, people=people)
    path = Path(folder) / f"take {len(list(Path(folder).iterdir()))}.motion.npz"
    write_motion(path, motion)
    return build(motion, path=path, **choices)


def rig_of(bones, name="Hero"):
    """An armature object. bones: {name: (head, tail, parent, deform)}."""
    data = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(rig)
    with part("scene.armature").edit_mode(rig):
        for bone, (head, tail, parent, deform) in bones.items():
            made = data.edit_bones.new(bone)
            made.head, made.tail, made.use_deform = head, tail, deform
            if parent:
                made.parent = data.edit_bones[parent]
    for bone in rig.pose.bones:
        bone.rotation_mode = "XYZ"
    return rig


def cube_on(rig, bone="", groups=()):
    """A cube of 0.2 m at 1 m height, bound by groups of its vertices, or hanging on one bone."""
    mesh = bpy.data.meshes.new("Cube")
    corners = [(x, y, z) for x in (-0.1, 0.1) for y in (-0.1, 0.1) for z in (0.9, 1.1)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh.from_pydata(corners, [], faces)
    cube = bpy.data.objects.new("Cube", mesh)
    bpy.context.scene.collection.objects.link(cube)
    cube.parent = rig
    if bone:
        cube.parent_type, cube.parent_bone = "BONE", bone
        return cube
    cube.modifiers.new("Rig", "ARMATURE").object = rig
    for name, vertices in groups:
        cube.vertex_groups.new(name=name).add(vertices, 1.0, "REPLACE")
    return cube


# Rigify's way: controls, ORG bones that follow them, DEF bones that follow those, a root that moves no mesh.
RIGIFY = {
    "root": ((0, 0, 0), (0, 0.3, 0), "", False),
    "ORG-spine": ((0, 0, 1), (0, 0, 1.2), "root", False),
    "ORG-chest": ((0, 0, 1.2), (0, 0, 1.5), "ORG-spine", False),
    "ORG-arm": ((0.2, 0, 1.5), (0.8, 0, 1.5), "ORG-chest", False),
    "DEF-spine": ((0, 0, 1), (0, 0, 1.2), "ORG-spine", True),
    "DEF-chest": ((0, 0, 1.2), (0, 0, 1.5), "ORG-chest", True),
    "DEF-arm": ((0.2, 0, 1.5), (0.5, 0, 1.5), "ORG-arm", True),
    "DEF-arm.001": ((0.5, 0, 1.5), (0.8, 0, 1.5), "DEF-arm", True),
}


def posed_rigify():
    rig = rig_of(RIGIFY)
    cube_on(rig, groups=[("DEF-spine", range(8)), ("ORG-spine", [0])])
    eye = cube_on(rig, bone="ORG-arm")
    eye.name = eye.data.name = "Eye"
    for frame, way in ((5, 0.0), (15, 1.5)):
        rig.pose.bones["root"].location = (0, way, 0)
        rig.pose.bones["root"].keyframe_insert("location", frame=frame)
        rig.pose.bones["ORG-arm"].rotation_euler.x = way / 2
        rig.pose.bones["ORG-arm"].keyframe_insert("rotation_euler", frame=frame)
        for name, size in (("DEF-arm.001", (1, 1 + way / 10, 1)), ("DEF-chest", (1 - way / 5, 1 + way / 3, 1))):
            rig.pose.bones[name].scale = size  # the chest is squashed aslant: in the file the arms hang on it
            rig.pose.bones[name].keyframe_insert("scale", frame=frame)
    return rig


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


def state():
    """All that an export could change."""
    scene, layer = bpy.context.scene, bpy.context.view_layer
    kinds = [name for name in dir(bpy.data) if isinstance(getattr(bpy.data, name), bpy.types.bpy_prop_collection)]
    out = {f"data {kind}": [(item.name, item.users) for item in getattr(bpy.data, kind)] for kind in kinds
           if kind not in ("window_managers", "workspaces", "screens")}  # fmt: skip
    out["scene"] = (scene.name, bpy.context.window.scene.name, scene.frame_current, scene.frame_subframe)
    out["time"] = (scene.render.fps, scene.render.fps_base, scene.frame_start, scene.frame_end, scene.camera)
    out["mode"] = (bpy.context.mode, layer.objects.active, list(layer.objects.selected))
    for item in scene.objects:
        own = item.animation_data
        tracks = own.nla_tracks if own else ()
        animated = own and (own.action, getattr(own, "action_slot", None))
        strips = [
            (track.name, track.mute, track.is_solo, strip.name, strip.frame_start, strip.frame_end, strip.influence)
            for track in tracks for strip in track.strips
        ]  # fmt: skip
        own_words = [name for name in dict(item) if not name.startswith("recover_motion")]  # made when looked at
        out[item.name] = (
            np.array(item.matrix_world).tolist(), item.mode, item.hide_viewport, item.parent, animated, strips,
            [(modifier.name, modifier.type) for modifier in item.modifiers], own_words,
            {name: keys_of(curve).tolist() for name, curve in curves_of(item).items()},
        )  # fmt: skip
        for bone in item.pose.bones if item.pose else ():
            out[f"{item.name} {bone.name}"] = (np.array(bone.matrix).tolist(), np.array(bone.matrix_basis).tolist())
    return out


@addon
def test_nothing_else_changes(folder):
    take = take_of(folder, people=2, start_frame=3)
    one, two = of_type(take, "ARMATURE")
    rig = posed_rigify()
    rig.name = rig.data.name = "Armature"
    track = two.animation_data.nla_tracks.new()
    track.strips.new("below", 40, one.animation_data.action)
    track.mute = True
    layer = bpy.context.view_layer
    layer.objects.active = two
    for item in (two, bpy.data.objects["Cube"]):
        item.select_set(True)
    bpy.ops.object.mode_set(mode="POSE")
    bpy.context.scene.frame_set(7, subframe=0.25)
    two.pose.bones["head"].rotation_quaternion = (0.6, 0.8, 0, 0)  # not keyed
    rig.location.z = 0.3
    layer.update()
    before = state()
    for kind in filter(can_write, KINDS):
        for owner in (one, two, rig):
            if owner == rig and KINDS[kind].people_only:
                continue
            export(owner, folder, kind)
            after = state()
            for key in {*before, *after}:
                was, now = before.get(key), after.get(key)
                assert was == now, (kind, owner.name, key, str(was)[:500], str(now)[:500])


def refused(code, call):
    """The line that says why."""
    errors = part("ghmr_engine.errors")
    try:
        call()
    except errors.RecoverError as error:
        assert error.code == code, error
        assert error.message.endswith(".") and error.fix.endswith(".") and "\n" not in str(error)
        return str(error)
    raise AssertionError(f"no {code}")


@addon
def test_what_goes_wrong_is_one_line_and_leaves_nothing(folder):
    armature = of_type(take_of(folder), "ARMATURE")[0]
    rig, exports = posed_rigify(), part("exports")
    before = sorted(item.name for item in folder.iterdir())

    def to(path, kind="bvh", who=armature):
        return lambda: exports.export_motion(bpy.context.scene, who, path, kind)

    refused("no_folder", to(folder / "none" / "x.bvh"))
    (folder / "x.bvh").mkdir()
    refused("bad_name", to(folder / "x.bvh"))
    (folder / "x.bvh").rmdir()
    for kind in ("fbx_mixamo", "amass"):
        refused("cannot_export", to(folder / "x", kind, rig))
    refused("cannot_export", to(folder / "x", "bvh", bpy.data.objects["Cube"]))
    armature.data.pose_position = "REST"
    refused("rest_position", to(folder / "x.bvh"))
    armature.data.pose_position = "POSE"
    if os.geteuid():  # nobody forbids root anything
        locked = folder / "locked"
        locked.mkdir()
        locked.chmod(stat.S_IREAD | stat.S_IEXEC)
        refused("cannot_write", to(locked / "x.bvh"))
        locked.chmod(stat.S_IRWXU)
        locked.rmdir()
    writers, wrote = part("exports.writers"), {}
    real = writers.write
    count = len(bpy.data.objects)
    for error, code in ((OSError(28, "No space left on device"), "disk_full"), (RuntimeError("Error: boom\n"),
                                                                             "export_failed")):  # fmt: skip

        def half(kind, copy, path, error=error):
            path.write_bytes(b"half")
            wrote[path.name] = copy.armature.name
            raise error

        (folder / "old.fbx").write_bytes(b"as it was")
        writers.write = half
        try:
            said = refused(code, to(folder / "old.fbx", "fbx_unreal"))
        finally:
            writers.write = real
        assert code == "disk_full" or "boom" in said
        assert (folder / "old.fbx").read_bytes() == b"as it was"
        (folder / "old.fbx").unlink()
    assert set(wrote.values()) == {"Armature"} and len(wrote) == 1
    assert len(bpy.data.objects) == count and len(bpy.data.scenes) == 1
    addon_utils.disable("io_anim_bvh")
    try:
        assert "BVH" in refused("no_exporter", to(folder / "x.bvh"))
    finally:
        addon_utils.enable("io_anim_bvh")
    if not can_write("usd"):
        assert "without USD" in refused("no_exporter", to(folder / "x", "usd"))
    Path(part("takes").motion_path(take_now())).unlink()
    refused("no_motion_file", to(folder / "x", "amass"))
    assert sorted(item.name for item in folder.iterdir()) == [name for name in before if "motion" not in name]


def take_now():
    return part("takes").takes_of(bpy.context.scene)[0]


@addon
def test_the_button(folder):
    export_button = bpy.ops.recover_motion.export
    assert not export_button.poll()
    take = take_of(folder, people=2)
    one, two = of_type(take, "ARMATURE")
    bpy.context.view_layer.objects.active = None
    assert export_button.poll()
    assert export_button(filepath=str(folder / "all.bvh"), kind="bvh", everyone=True) == {"FINISHED"}
    assert {path.name for path in folder.glob("*.bvh")} == {"all_person_1.bvh", "all_person_2.bvh"}
    for path in folder.glob("*.bvh"):
        path.unlink()
    # The browser's own name is that of one of them, with another format's ending.
    assert export_button(filepath=str(folder / "all_person_1.fbx"), kind="bvh", everyone=True) == {"FINISHED"}
    assert {path.name for path in folder.glob("*.bvh")} == {"all_person_1.bvh", "all_person_2.bvh"}
    body = next(item for item in two.children if item.type == "MESH")
    bpy.context.view_layer.objects.active = body
    assert export_button(filepath=str(folder / "one"), kind="amass") == {"FINISHED"}
    with np.load(folder / "one.npz") as file:
        assert file["trans"][0, 1] > 1  # the second walker's lane
    rig = posed_rigify()
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    assert part("operators.export").chosen_rig(bpy.context) == rig
    for arguments, text in (
        ({"filepath": str(folder / "no" / "x"), "kind": "bvh"}, "There is no folder"),
        ({"filepath": str(folder / "x"), "kind": "amass"}, "Only people of a take"),
        ({"kind": "bvh"}, "No file is chosen"),
    ):
        try:
            export_button(**arguments)
        except RuntimeError as error:
            assert text in str(error), error
        else:
            raise AssertionError(text)
    bpy.context.view_layer.objects.active = one
    bpy.ops.object.mode_set(mode="EDIT")
    assert not export_button.poll()
    bpy.ops.object.mode_set(mode="OBJECT")

"""Runs inside Blender (run_in_blender.py): what an export leaves as it was, what goes wrong, and the button."""

import os
import stat
from pathlib import Path

import addon_utils
import bpy
import numpy as np
from export_scenes import KINDS, can_write, export, posed_rigify, take_of
from scenes import addon, curves_of, keys_of, of_type, part


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

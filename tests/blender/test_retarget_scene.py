"""Runs inside Blender (run_in_blender.py): what retargeting leaves of a rig, in the file and in libraries."""

import tempfile
from pathlib import Path

import bpy
import numpy as np
import rigs
from retarget_scene import AddOn, bones_of, everything, heads, put_on, walker
from scenes import at, curves_of, part


def animated(rig):
    """A rig that somebody works on: keys, a pose on bones without, an NLA track, constraints, a property."""
    first = rig.pose.bones[bones_of(rig, "head")[0]]
    for frame, angle in ((1, 0.0), (20, 1.0)):
        first.rotation_quaternion = (np.cos(angle / 2), np.sin(angle / 2), 0, 0)
        first.keyframe_insert("rotation_quaternion", frame=frame)
    track = rig.animation_data.nla_tracks.new()
    track.strips.new("pushed", 1, rig.animation_data.action)
    rig.animation_data.action_influence = 0.7
    rig.pose.bones[bones_of(rig, "pelvis")[0]].location = (0.1, 0.2, 0.3)
    rig.pose.bones[bones_of(rig, "left_upper_arm")[0]].rotation_quaternion = (0.8, 0.6, 0, 0)
    limit = rig.pose.bones[bones_of(rig, "left_forearm")[0]].constraints.new("LIMIT_ROTATION")
    limit.use_limit_x, limit.max_x = True, 0.1
    reach = rig.pose.bones[bones_of(rig, "left_hand")[0]].constraints.new("IK")
    reach.chain_count = 3
    muted = rig.pose.bones[bones_of(rig, "head")[0]].constraints.new("COPY_ROTATION")
    muted.mute = True
    rig["mood"] = 3
    at(5)
    return rig


def test_remove_brings_everything_back():
    with AddOn():
        for maker in (rigs.mixamo, rigs.unreal):
            person, rig = walker(30), animated(maker())
            before, actions = everything(rig), set(bpy.data.actions)
            for _ in range(2):
                put_on(person, rig)
                at(5)
                assert rig.animation_data.action.name.startswith(rig.name) and not rig.animation_data.use_nla
                # What was keyed is what is shown, whatever constraints were there.
                assert np.abs(heads(rig, (1, 30)) - heads(rig, (1, 30))).max() == 0
                part("retargeting").remove(rig)
                at(5)
                after = everything(rig)
                assert after == before, [key for key in before if before[key] != after[key]]
            assert set(bpy.data.actions) == actions
        person, rig = walker(30), rigs.vrm()
        before = everything(rig)
        put_on(person, rig)
        part("retargeting").remove(rig)
        assert everything(rig) == before and rig.animation_data is None


def test_a_rig_in_use_moves_as_a_fresh_one():
    with AddOn():
        person, rig = walker(30), rigs.unreal()
        put_on(person, rig)
        expected = heads(rig, (1, 10, 20, 30))
        part("retargeting").remove(rig)
        animated(rig)
        put_on(person, rig)
        np.testing.assert_allclose(heads(rig, (1, 10, 20, 30)), expected, atol=1e-5)


def test_update_takes_what_changed_and_keeps_hand_made_keys():
    with AddOn():
        person, rig = walker(30), rigs.unreal()
        retargeting = part("retargeting")
        put_on(person, rig)
        (hand,) = bones_of(rig, "left_hand")
        before = heads(rig, (15,), [hand])
        curves = part("compat").own_curves(person)
        elbow = curves.fcurves.find('pose.bones["left_elbow"].rotation_quaternion', index=1)
        for point in elbow.keyframe_points:
            point.co.y += 0.4
        elbow.update()
        count = len(bpy.data.actions)
        retargeting.update(rig)
        assert np.linalg.norm(heads(rig, (15,), [hand]) - before) > 0.03
        assert len(bpy.data.actions) == count
        # Somebody keys on top: an update must not throw that away.
        curve = next(iter(part("compat").action_curves(rig)))
        curve.keyframe_points[3].co.y += 0.2
        curve.update()
        rig.recover_motion_retarget.relaxed_hands = 0.0
        retargeting.update(rig)
        kept = [action for action in bpy.data.actions if action.name.endswith("edited")]
        assert len(kept) == 1 and kept[0].use_fake_user and len(bpy.data.actions) == count + 1
        assert rig.recover_motion_retarget.relaxed_hands == 0.0


def test_bake_is_final():
    with AddOn():
        person, rig = walker(30), animated(rigs.mixamo())
        retargeting = part("retargeting")
        put_on(person, rig)
        expected = heads(rig, (1, 30))
        action = retargeting.bake(rig)
        assert action == rig.animation_data.action and action.asset_data is not None
        assert action.asset_data.license == "open" and not retargeting.is_retargeted(rig)
        np.testing.assert_allclose(heads(rig, (1, 30)), expected, atol=1e-6)
        for after in (retargeting.update, retargeting.remove, retargeting.bake):
            try:
                after(rig)
            except part("ghmr_engine.errors").RecoverError as error:
                assert error.code == "not_retargeted" and error.fix
            else:
                raise AssertionError(after)
        put_on(person, rig)  # it is an action like any other, and comes back
        retargeting.remove(rig)
        assert rig.animation_data.action == action


def test_only_bones_of_the_map_are_keyed():
    with AddOn():
        person, rig = walker(20), rigs.unreal()
        put_on(person, rig)
        keyed = {path.split('"')[1] for path, _ in curves_of(rig)}
        assert keyed == {bone for bones in part("rig_maps").map_for(rig).bones.values() for bone in bones}
        placed = {path.split('"')[1] for path, _ in curves_of(rig) if path.endswith("location")}
        assert placed == {"root", "pelvis"}


def saved_rigs(folder):
    """A .blend with a character, a prop with a skeleton and a lamp."""
    rig = rigs.unreal()
    prop = bpy.data.objects.new("crane", bpy.data.armatures.new("crane"))
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    group = bpy.data.collections.new("Hero")
    bpy.context.scene.collection.children.link(group)
    for item in (rig, *rig.children):
        bpy.context.scene.collection.objects.unlink(item)
        group.objects.link(item)
    for item in (prop, lamp):
        bpy.context.scene.collection.objects.link(item)
    path = Path(folder) / "hero.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return path


def test_a_rig_from_a_file_comes_with_its_meshes_once_a_person():
    with tempfile.TemporaryDirectory() as folder:
        path = saved_rigs(folder)
        with AddOn():
            files = part("rig_files")
            first, second = files.rigs_from_file(path), files.rigs_from_file(path)
            assert first != second and all("upperarm_l" in rig.data.bones for rig in (first, second))
            assert all(any(child.type == "MESH" for child in rig.children) for rig in (first, second))
            assert {item.type for item in bpy.data.objects} == {"ARMATURE", "MESH"} and len(bpy.data.objects) == 4
            put_on(walker(20), second)
            assert first.animation_data is None


def test_a_file_without_a_rig_says_so():
    with tempfile.TemporaryDirectory() as folder, AddOn():
        errors = part("ghmr_engine.errors")
        nothing, broken = Path(folder) / "nothing.blend", Path(folder) / "broken.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(nothing))
        broken.write_bytes(b"no blend")
        crane = Path(folder) / "crane.blend"
        data = bpy.data.armatures.new("crane")
        bpy.context.scene.collection.objects.link(bpy.data.objects.new("crane", data))
        bpy.ops.wm.save_as_mainfile(filepath=str(crane))
        for path, code in (
            (crane, "own_file"), (nothing, "no_rig"), (broken, "cannot_read"), (crane, "map_lacks")
        ):  # fmt: skip
            if code == "no_rig":
                bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / "open.blend"))
            count = len(bpy.data.objects)
            try:
                part("rig_files").rigs_from_file(path)
            except errors.RecoverError as error:
                assert error.code == code and error.fix and path.name in error.message
            else:
                raise AssertionError(path)
            assert len(bpy.data.objects) == count


def test_a_linked_rig_becomes_an_override_and_its_library_stays():
    with tempfile.TemporaryDirectory() as folder:
        path = saved_rigs(folder)
        written = path.read_bytes()
        with AddOn():
            person = walker(20)
            with bpy.data.libraries.load(str(path), link=True) as (_, taken):
                taken.collections = ["Hero"]
            bpy.context.scene.collection.children.link(taken.collections[0])
            rig = next(item for item in taken.collections[0].objects if item.type == "ARMATURE")
            bpy.context.view_layer.objects.active = None
            bpy.context.scene.recover_motion_rig = rig
            rig_map, errors = part("rig_maps").map_for(rig), part("ghmr_engine.errors")
            try:
                part("retargeting").retarget(person, rig, rig_map, part("retarget.settings").RetargetSettings())
            except errors.RecoverError as error:
                assert error.code == "linked_rig"
            else:
                raise AssertionError("the library was changed")
            bpy.context.view_layer.objects.active = person
            assert bpy.ops.recover_motion.retarget() == {"FINISHED"}
            made = bpy.context.scene.recover_motion_rig
            assert made != rig and made.override_library is not None and part("retargeting").is_retargeted(made)
            assert np.ptp(heads(made, (1, 20), bones_of(made, "pelvis")), axis=0).max() > 0.5
            assert rig.animation_data is None and path.read_bytes() == written


def test_the_buttons():
    with AddOn():
        scene, layer = bpy.context.scene, bpy.context.view_layer
        layer.objects.active = None
        assert not bpy.ops.recover_motion.retarget.poll()
        person, rig = walker(20), rigs.odd()
        layer.objects.active = person
        assert not bpy.ops.recover_motion.retarget.poll()
        scene.recover_motion_rig = rig
        assert bpy.ops.recover_motion.retarget.poll() and not bpy.ops.recover_motion.bake_retarget.poll()
        assert bpy.ops.recover_motion.retarget() == {"FINISHED"}
        own = rig.recover_motion_retarget
        assert own.person == person and own.map and part("retargeting").report_of(rig).frames == 20
        own.root = "in_place"
        assert bpy.ops.recover_motion.update_retarget() == {"FINISHED"}
        assert part("retargeting").report_of(rig).sliding_mm is None
        toe, rig_maps = bones_of(rig, "left_toe")[0], part("rig_maps")
        rig.data.bones[toe].name = "renamed"
        assert bpy.ops.recover_motion.update_retarget() == {"FINISHED"}
        assert rig_maps.missing(rig, rig_maps.kept_map(rig)) == [f"The rig has no bone {toe} for Left Toes."]
        rig.data.bones["renamed"].name = toe
        assert bpy.ops.recover_motion.update_retarget() == {"FINISHED"}
        assert not rig_maps.missing(rig, rig_maps.kept_map(rig))
        layer.objects.active = rig
        bpy.ops.object.mode_set(mode="EDIT")
        assert not bpy.ops.recover_motion.update_retarget.poll()
        bpy.ops.object.mode_set(mode="OBJECT")
        assert bpy.ops.recover_motion.remove_retarget() == {"FINISHED"}
        assert not bpy.ops.recover_motion.remove_retarget.poll() and rig.animation_data is None
        assert bpy.ops.recover_motion.retarget() == {"FINISHED"}
        assert bpy.ops.recover_motion.bake_retarget() == {"FINISHED"}
        own.map = own.map.replace(bones_of(rig, "left_thigh")[0], "no such bone")
        try:
            bpy.ops.recover_motion.retarget()
        except RuntimeError as error:
            assert "left thigh" in str(error).lower()
        else:
            raise AssertionError("retargeted without a thigh")

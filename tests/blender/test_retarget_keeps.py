"""Runs inside Blender (run_in_blender.py): what an animator may do to a rig meanwhile, and what stays of it."""

import tempfile
from pathlib import Path

import bpy
import numpy as np
import rigs
from retarget_scene import AddOn, bones_of, everything, heads, put_on, walker
from scenes import at, part
from test_retarget_scene import animated


def refused(code, call, *arguments):
    try:
        call(*arguments)
    except part("ghmr_engine.errors").RecoverError as error:
        assert error.code == code and error.fix, error
    else:
        raise AssertionError(code)


def push_down(rig):
    """As the NLA editor's button does it."""
    animation = rig.animation_data
    strip = animation.nla_tracks.new().strips.new("pushed", 1, animation.action)
    if hasattr(strip, "action_slot"):
        strip.action_slot = animation.action_slot
    animation.action = None
    return strip


def key_by_hand(rig):
    curve = next(iter(part("compat").action_curves(rig)))
    curve.keyframe_points[3].co.y += 0.2
    curve.update()


def moves(rig):
    return np.ptp(heads(rig, (1, 20), bones_of(rig, "pelvis")), axis=0).max()


def test_a_rig_in_tweak_mode_is_refused_and_left_alone():
    with AddOn():
        person, rig = walker(20), animated(rigs.mixamo())
        animation = rig.animation_data
        animation.action = None
        track = animation.nla_tracks.active = animation.nla_tracks[0]
        track.select = track.strips[0].select = True
        before = everything(rig)
        animation.use_tweak_mode = True
        refused("tweak_mode", put_on, person, rig)
        animation.use_tweak_mode = False
        at(5)
        after = everything(rig)
        assert after["constraints"] == before["constraints"] and not part("retargeting").is_retargeted(rig)
        put_on(person, rig)
        animation.use_tweak_mode = True
        for call in ("update", "remove", "bake") if animation.use_tweak_mode else ():
            refused("tweak_mode", getattr(part("retargeting"), call), rig)


def test_what_fails_halfway_leaves_the_rig_as_it_was():
    with AddOn():
        retargeting = part("retargeting")
        person, rig = walker(20), animated(rigs.mixamo())
        before, write = everything(rig), retargeting.write_curves

        def broken(*_arguments):
            raise MemoryError

        retargeting.write_curves = broken
        try:
            put_on(person, rig)
        except MemoryError:
            at(5)
            assert everything(rig) == before and not retargeting.is_retargeted(rig)
        else:
            raise AssertionError("nothing failed")
        finally:
            retargeting.write_curves = write


def test_another_action_that_the_rig_was_given_stays():
    with AddOn():
        person, rig = walker(20), animated(rigs.mixamo())
        former = rig.animation_data.action
        put_on(person, rig)
        key_by_hand(rig)
        mine = rig.animation_data.action = bpy.data.actions.new("mine")
        rig.pose.bones[0].keyframe_insert("location", frame=3)
        refused("other_action", part("retargeting").bake, rig)
        part("retargeting").remove(rig)
        assert rig.animation_data.action == former and mine.use_fake_user
        edited = [action for action in bpy.data.actions if action.name.endswith("edited")]
        assert len(edited) == 1 and edited[0].use_fake_user  # keyed by hand before it was laid aside


def test_a_motion_whose_action_was_deleted_can_still_be_taken_off():
    with AddOn():
        person, rig = walker(20), animated(rigs.mixamo())
        before = everything(rig)
        put_on(person, rig)
        bpy.data.actions.remove(rig.animation_data.action)
        refused("other_action", part("retargeting").bake, rig)
        part("retargeting").remove(rig)
        at(5)
        assert everything(rig) == before


def test_baked_motion_may_be_pushed_down_and_the_former_action_stays():
    with AddOn():
        person, rig = walker(20), animated(rigs.mixamo())
        former = rig.animation_data.action
        rig.animation_data.nla_tracks.remove(rig.animation_data.nla_tracks[0])
        put_on(person, rig)
        part("retargeting").bake(rig)
        assert former.use_fake_user and moves(rig) > 0.5
        push_down(rig)
        assert moves(rig) > 0.5


def test_saved_and_opened_in_between():
    with tempfile.TemporaryDirectory() as folder, AddOn():
        path = str(Path(folder) / "work.blend")
        person, rig = walker(20), animated(rigs.mixamo())
        before, name = everything(rig), rig.name
        before["action"] = before["action"].name
        put_on(person, rig)
        for step in ("update", "remove"):
            bpy.ops.wm.save_as_mainfile(filepath=path)
            bpy.ops.wm.open_mainfile(filepath=path)
            getattr(part("retargeting"), step)(bpy.data.objects[name])
        at(5)
        after = everything(bpy.data.objects[name])
        after["action"] = after["action"].name
        assert after == before, [key for key in before if before[key] != after[key]]
        assert not any(action.name.endswith("edited") for action in bpy.data.actions)


def test_bones_that_were_posed_larger_do_not_spoil_the_feet():
    with AddOn():
        person, rig = walker(20), rigs.mixamo()
        put_on(person, rig)
        expected = heads(rig, (1, 10, 20))
        part("retargeting").remove(rig)
        for role in ("left_thigh", "head"):
            rig.pose.bones[bones_of(rig, role)[0]].scale = (1.5, 1.5, 1.5)
        before = everything(rig)
        put_on(person, rig)
        np.testing.assert_allclose(heads(rig, (1, 10, 20)), expected, atol=1e-5)
        part("retargeting").remove(rig)
        assert everything(rig) == before


def test_a_rig_that_a_script_has_just_made_and_moved():
    with AddOn():
        person, rig = walker(20), rigs.mixamo()
        put_on(person, rig)
        expected = heads(rig, (1, 20))
        part("retargeting").remove(rig)
        twin = bpy.data.objects.new("twin", rig.data)
        bpy.context.scene.collection.objects.link(twin)
        twin.scale, twin.location, twin.rotation_euler = rig.scale, (5, 4, 1), (0, 0, 1)
        put_on(person, twin)
        np.testing.assert_allclose(heads(twin, (1, 20)), expected, atol=1e-4)


def test_no_two_people_get_one_file():
    names = ["Anna", "anna", "Bo B", "Bo_B", "person1", "名前"]
    assert part("exports").file_words(names) == ["Anna_1", "anna_2", "Bo_B_3", "Bo_B_4", "person1", "名前"]


def test_a_rig_from_a_file_keeps_what_it_hangs_on_and_what_it_needs():
    with tempfile.TemporaryDirectory() as folder:
        rig = rigs.mixamo()
        link = bpy.context.scene.collection.objects.link
        root, slider = (bpy.data.objects.new(name, None) for name in ("Root", "slider"))
        unneeded = bpy.data.objects.new("unneeded", None)
        cage = bpy.data.objects.new("cage", rig.children[0].data.copy())
        for item in (root, slider, cage, unneeded):
            link(item)
        root.scale = (0.5, 0.5, 0.5)
        rig.parent = root
        rig.children[0].modifiers.new("tight", "SHRINKWRAP").target = cage
        driver = rig.pose.bones[0].driver_add("scale", 0).driver
        variable = driver.variables.new()
        variable.type, variable.targets[0].id, driver.expression = "TRANSFORMS", slider, "1.0"
        bpy.context.view_layer.update()
        world, path = np.array(rig.matrix_world), Path(folder) / "hero.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
        bpy.ops.wm.read_factory_settings(use_empty=True)
        with AddOn():
            rig = part("rig_files").rigs_from_file(path)
            np.testing.assert_allclose(np.array(rig.matrix_world), world)
            assert rig.parent is not None and rig.parent.name in bpy.context.scene.objects
            assert rig.children[0].modifiers["tight"].target is not None
            assert rig.animation_data.drivers[0].driver.variables[0].targets[0].id is not None
            assert "unneeded" not in bpy.data.objects

"""Runs inside Blender: contacts edited as keys, and solving again what they change; the engine is fake_engine.py."""

import bpy
import fake_engine
import numpy as np
from scenes import curves_of, keys_of, part
from takes_on_disk import Registered, file_of, now, pose_keys, refuses, same_keys, select, take_of


def contact(armature, name):
    return curves_of(armature)[(f'["contact_{name}"]', 0)]


def value(armature, name, frame):
    return contact(armature, name).evaluate(frame)


def test_plant_and_lift_go_to_the_next_change():
    with Registered() as ops:
        _, (armature,), _ = take_of()
        steps = keys_of(contact(armature, "left_heel"))  # down in frames 1 to 12, up in 13 to 30, down again
        assert steps[:3].tolist() == [[1, 1], [13, 0], [31, 1]]
        bpy.context.scene.frame_set(20)
        assert ops.plant_foot(side="LEFT", part="HEEL") == {"FINISHED"}
        assert keys_of(contact(armature, "left_heel"))[:3].tolist() == [[1, 1], [13, 0], [20, 1]]
        assert value(armature, "left_toe", 25) == 0  # only the heel was asked for
        points = contact(armature, "left_heel").keyframe_points
        assert {point.interpolation for point in points} == {"CONSTANT"}
        assert [point.type for point in points][:3] == ["EXTREME", "BREAKDOWN", "EXTREME"]
        markers = armature.animation_data.action.pose_markers
        assert sorted(mark.frame for mark in markers if mark.name == "L heel down")[:2] == [1, 20]
        bpy.context.scene.frame_set(5)
        assert ops.lift_foot(side="RIGHT", use_range=True, first=16, last=18) == {"FINISHED"}
        assert [value(armature, "right_heel", frame) for frame in (15, 18, 19)] == [0, 0, 1]
        assert [value(armature, "right_toe", frame) for frame in (18, 19)] == [0, 1]


def test_nothing_to_plant_is_said():
    with Registered() as ops:
        _, (armature,), _ = take_of()
        before = keys_of(contact(armature, "left_heel")).tolist()
        bpy.context.scene.frame_set(3)
        assert ops.plant_foot(side="LEFT", part="HEEL") == {"CANCELLED"}
        assert ops.plant_foot(side="LEFT", use_range=True, first=100, last=120) == {"CANCELLED"}
        assert keys_of(contact(armature, "left_heel")).tolist() == before
        bpy.context.view_layer.objects.active = None
        for item in bpy.data.collections["walk past"].all_objects:
            item.recover_motion.number = ""
        assert not ops.plant_foot.poll()


def test_feet_are_solved_again_only_around_what_was_changed():
    with Registered() as ops:
        collection, (armature, other), motion = take_of(frames=120, people=2)
        old_file, old_bytes = file_of(collection), file_of(collection).read_bytes()
        other_keys = pose_keys(other)
        assert ops.resolve_feet() == {"CANCELLED"}  # nothing was changed
        assert file_of(collection) == old_file
        ops.lift_foot(side="LEFT", use_range=True, first=64, last=66)
        assert ops.resolve_feet() == {"FINISHED"}
        assert file_of(collection).name == "walk.edit2.motion.npz" and file_of(collection).parent == old_file.parent
        assert old_file.read_bytes() == old_bytes
        person, before = now(collection).people["1"], motion.people["1"]
        raised = person.transl[:, 2] - before.transl[:, 2]
        first, last = 63 - 15, 65 + 15  # half a second more on both sides
        expected = np.zeros(120)
        expected[first : last + 1] = fake_engine.RESOLVED_M
        np.testing.assert_allclose(raised, expected, atol=1e-6)
        by_hand = person.contacts != before.contacts  # what was planted before is free, the rest as sure as it was
        assert np.argwhere(by_hand).tolist() == [[f, part] for f in (63, 64, 65) for part in (0, 1)]
        assert (person.contacts[by_hand] == 0).all()
        assert same_keys(pose_keys(other), other_keys)
        rest = part("takes").rest_of(collection, "1")
        skeleton = part("scene.skeleton")
        location = skeleton.pelvis_locations(rest, skeleton.pelvis_world(person.joints, person.transl))
        shown = keys_of(curves_of(armature)[('pose.bones["pelvis"].location', 2)])[:, 1]
        np.testing.assert_array_equal(shown, location[:, 2].astype(np.float32))
        assert armature["sliding_mm"] == fake_engine.QUALITY["sliding_mm"]
        assert now(collection).meta["edits"] == [{"people": ["1"], "first": 48, "last": 80, "pins": []}]
        assert ops.resolve_feet() == {"CANCELLED"}  # all is done
        assert ops.resolve_feet(whole=True) == {"FINISHED"}
        assert file_of(collection).name == "walk.edit3.motion.npz"


def test_contacts_drawn_by_hand_in_the_dope_sheet_count():
    with Registered() as ops:
        collection, (armature,), _ = take_of(frames=120)
        curve = contact(armature, "right_toe")
        point = curve.keyframe_points.insert(50, 0.0)  # in the middle of a plant
        point.interpolation = "CONSTANT"
        frames = part("contacts").contacts_changed(part("subjects").subject_of(armature))
        assert np.flatnonzero(frames)[0] == 49
        assert ops.resolve_feet() == {"FINISHED"}
        assert now(collection).people["1"].contacts[49, 3] == 0
        marks = {mark.frame for mark in armature.animation_data.action.pose_markers if mark.name == "R toe up"}
        assert 50 in marks  # drawn anew as the rest


def test_other_rates_shift_no_contact():
    with Registered() as ops:
        bpy.context.scene.render.fps = 24
        _, (armature,), _ = take_of(frames=90, set_scene_rate=False, start_frame=11)
        subject = part("subjects").subject_of(armature)
        assert abs(subject.clock.step - 0.8) < 1e-12
        assert not part("contacts").contacts_changed(subject).any()
        bpy.context.scene.frame_set(48)
        assert ops.plant_foot(side="LEFT") == {"FINISHED"}
        changed = np.flatnonzero(part("contacts").contacts_changed(subject))
        assert abs(changed[0] - (48 - 11) / 0.8) <= 1 and (np.diff(changed) == 1).all()


def test_an_engine_that_is_not_there_and_a_file_that_is_gone_are_said():
    with Registered() as ops:
        collection, (armature,), _ = take_of()
        ops.lift_foot(side="LEFT", use_range=True, first=2, last=4)
        file_of(collection).unlink()
        for operator in (ops.resolve_feet, ops.plant_foot):
            try:
                operator()
            except RuntimeError as error:
                assert "walk.motion.npz is not there" in str(error)
            else:
                raise AssertionError("no error")
        select(armature)


def test_a_range_or_all_frames_are_not_meant_again_by_the_next_click():
    """Blender puts what was chosen last into a button that says nothing of it."""
    with Registered() as ops:
        for name, chosen in (("plant_foot", ("use_range", "first", "last")), ("resolve_feet", ("whole",)),
                             ("lift_foot", ("use_range", "first", "last")), ("swap_people", ("other",))):  # fmt: skip
            known = getattr(ops, name).get_rna_type().properties
            assert all(known[one].is_skip_save for one in chosen), name


def test_pins_that_were_not_asked_for_are_not_solved():
    with Registered() as ops:
        _, (armature,), _ = take_of(120)
        ops.pin_joint(joint="head", x=100, y=100, frame=20)
        assert ops.resolve_feet(whole=True) == {"FINISHED"}
        assert not armature.recover_motion_fixes.pins[0].solved


def test_keys_that_two_people_share_are_not_written():
    with Registered() as ops:
        _, (one, two), _ = take_of(60, people=2)
        own = two.animation_data.action
        two.animation_data.action = one.animation_data.action
        if part("compat").LAYERED_ACTIONS:
            two.animation_data.action_slot = one.animation_data.action_slot
        before = pose_keys(one)
        two.recover_motion_fixes.root_height = 0.5
        select(two)
        refuses(ops.plant_foot, "share their keys", side="LEFT")
        assert same_keys(pose_keys(one), before)
        two.animation_data.action = own  # and, where there are any, the slot that it had there
        two.recover_motion_fixes.root_height = 0.6
        assert not same_keys(pose_keys(two), before)


def test_a_linked_person_is_left_alone():
    with Registered() as ops:
        collection, (armature,), _ = take_of(30)
        library = file_of(collection).with_name("library.blend")
        bpy.data.libraries.write(str(library), {collection})
        collection.name, armature.name = "local", "local person"
        with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
            wanted.collections = ["walk past"]
        (linked,) = wanted.collections
        bpy.context.scene.collection.children.link(linked)
        (person,) = part("takes").people_of(linked)
        armature.name = person.name  # a name that both have
        assert part("takes").take_of(bpy.context.scene, person) == linked
        assert part("takes").take_of(bpy.context.scene, armature) == collection
        assert part("subjects").subject_of(person).take == linked
        select(person)
        for name in ("plant_foot", "resolve_feet", "pin_joint", "reset_root", "use_ground", "add_foot_ik"):
            assert not getattr(ops, name).poll(), name
        select(armature)
        assert ops.plant_foot.poll() and ops.use_ground.poll() and ops.add_foot_ik.poll()


def test_a_person_may_get_another_name_and_the_file_another_place_while_feet_are_solved():
    with Registered():
        collection, (armature,), motion = take_of(60)
        folder = file_of(collection).parent
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
        collection.recover_motion.motion = "//walk.motion.npz"
        python = part("operators.recover").engine_for(bpy.context)
        part("resolving").ask_to_solve(python, part("subjects").subject_of(armature), 0, 59)
        part("take_list").rename(collection, "crossing")
        (folder / "later").mkdir()
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "later" / "shot.blend"))
        part("runner").wait()
        assert part("jobs").JOB.error is None and armature.name == "crossing person 1"
        raised = now(collection).people["1"].transl - motion.people["1"].transl
        np.testing.assert_allclose(raised[:, 2], fake_engine.RESOLVED_M, atol=1e-5)
        part("resolving").ask_to_solve(python, part("subjects").subject_of(armature), 0, 59)
        armature.recover_motion.number = ""
        part("runner").wait()
        assert part("jobs").JOB.error.message.startswith("The take was changed")

"""Runs inside Blender: pins, people swapped, the ground moved, root tools; the engine is fake_engine.py."""

from dataclasses import replace

import bpy
import fake_engine
import numpy as np
from mathutils import Euler, Matrix, Vector
from motions import joints_world
from scenes import at, bone_heads, curves_of, part
from takes_on_disk import Registered, file_of, now, pose_keys, refuses, same_keys, select, take_of

JOINTS = part("motion").JOINT_NAMES


def fixes(armature):
    return armature.recover_motion_fixes


def seen_in_picture(motion, points, frame):
    """px where world points (n, 3) are in the clip's picture."""
    camera = points @ motion.R[frame].T + motion.t[frame]
    image = camera @ motion.K[frame].T
    return image[:, :2] / image[:, 2:]


def test_pins_are_kept_with_the_person_and_solved_near_here():
    with Registered() as ops:
        collection, (armature,), motion = take_of(120)
        assert not ops.resolve_near.poll() and not ops.clear_pins.poll()
        assert ops.pin_joint(joint="left_wrist", x=300.5, y=200.25, frame=61) == {"FINISHED"}
        bpy.context.scene.frame_set(63)
        ops.pin_joint(joint="right_knee", x=310, y=400)
        ops.pin_joint(joint="right_knee", x=311, y=401)  # moved again
        ops.pin_joint(joint="head", x=100, y=100, frame=20)
        pins = [(pin.frame, pin.joint, pin.x, pin.y) for pin in fixes(armature).pins]
        assert pins == [(60, "left_wrist", 300.5, 200.25), (62, "right_knee", 311, 401), (19, "head", 100, 100)]
        refuses(ops.pin_joint, "There is no joint tail", joint="tail", x=1, y=1)
        refuses(ops.pin_joint, "is not seen in this frame", joint="head", x=1, y=1, frame=200)

        bpy.context.scene.frame_set(90)
        assert ops.resolve_near() == {"CANCELLED"}  # none near
        bpy.context.scene.frame_set(61)
        assert ops.resolve_near() == {"FINISHED"}
        asked = now(collection).meta["edits"][-1]
        assert (asked["first"], asked["last"]) == (60 - 12, 62 + 12)
        assert [(pin["joint"], pin["frame"]) for pin in asked["pins"]] == [("left_wrist", 60), ("right_knee", 62)]
        assert asked["pins"][0]["x"] == 300.5 and asked["pins"][0]["person"] == "1"
        assert [pin.solved for pin in fixes(armature).pins] == [True, True, False]
        turned = now(collection).people["1"].poses - motion.people["1"].poses
        assert np.argwhere(np.abs(turned).max(-1) > 0.1).tolist() == [[60, 20], [62, 5]]
        np.testing.assert_allclose(turned[60, 20, 0], fake_engine.PINNED_RAD, atol=1e-6)
        assert ops.clear_pins(here=True) == {"FINISHED"} and len(fixes(armature).pins) == 2
        assert ops.clear_pins() == {"FINISHED"} and not fixes(armature).pins


def test_keys_made_by_hand_reach_the_engine_and_stay():
    with Registered() as ops:
        collection, (armature,), _ = take_of(120)
        for index in range(3):
            curve = curves_of(armature)[('pose.bones["pelvis"].location', index)]
            curve.keyframe_points[100].co[1] += 0.1
            curve.update()
        at(101)
        by_hand = bone_heads(armature)
        ops.pin_joint(joint="head", x=100, y=100, frame=20)
        bpy.context.scene.frame_set(20)
        assert ops.resolve_near() == {"FINISHED"}
        at(101)
        np.testing.assert_allclose(bone_heads(armature), by_hand, atol=1e-4)
        words = [edit.get("by_hand", "") for edit in now(collection).meta["edits"]]
        assert words == ["keys made by hand on person 1", ""]


def test_keys_made_by_hand_under_smoothing_hide_nothing_that_was_solved():
    """The smoothed frames around a key look like made by hand for as long as they are not written."""
    with Registered() as ops:
        collection, (armature,), motion = take_of(120)
        fixes(armature).smooth_all = 1.0
        curve = curves_of(armature)[('pose.bones["pelvis"].location', 2)]
        curve.keyframe_points[60].co[1] += 0.1
        curve.update()
        assert ops.resolve_feet(whole=True) == {"FINISHED"}
        raised = now(collection).people["1"].transl - motion.people["1"].transl
        others = np.arange(120) != 60
        np.testing.assert_allclose(raised[others], np.tile([0, 0, fake_engine.RESOLVED_M], (119, 1)), atol=1e-5)
        assert np.linalg.norm(raised[60] - [0, 0, fake_engine.RESOLVED_M]) > 0.05


def test_layers_stay_over_what_is_solved_again():
    with Registered() as ops:
        _, (armature,), _ = take_of(60)
        fixes(armature).root_height = 0.5
        ops.resolve_feet(whole=True)
        at(31)
        assert abs(bone_heads(armature)[0, 2] - (0.9 + 0.5 + fake_engine.RESOLVED_M)) < 1e-3


def test_people_are_swapped_from_a_frame_on():
    with Registered() as ops:
        collection, (one, two), motion = take_of(60, people=2)
        a, b = (joints_world(motion.people[number]) for number in "12")
        ops.lift_foot(side="LEFT", use_range=True, first=33, last=40)  # waits for being solved: it goes along
        ops.pin_joint(joint="head", x=1, y=2, frame=50)
        bpy.context.scene.frame_set(31)
        assert ops.swap_people() == {"FINISHED"}
        for frame, mine, others in ((30, a, b), (31, b, a), (60, b, a)):
            at(frame)
            np.testing.assert_allclose(bone_heads(one), mine[frame - 1], atol=3e-4)
            np.testing.assert_allclose(bone_heads(two), others[frame - 1], atol=3e-4)
        assert not one.recover_motion_fixes.pins and fixes(two).pins[0].joint == "head"
        lifted = [curves_of(item)[('["contact_left_heel"]', 0)].evaluate(36) for item in (one, two)]
        planted = [curves_of(item)[('["contact_left_heel"]', 0)].evaluate(32) for item in (one, two)]
        assert lifted[1] == 0 and planted == [1, 1]
        assert (fixes(one).unsolved_first, fixes(one).unsolved_last) == (30, 59)
        new, old = now(collection).people, motion.people
        for key in ("contacts", "keypoints", "confidence", "reprojection"):
            np.testing.assert_array_equal(getattr(new["1"], key)[30:], getattr(old["2"], key)[30:])
        np.testing.assert_array_equal(new["1"].betas, old["1"].betas)
        assert ops.resolve_feet() == {"FINISHED"}
        assert now(collection).meta["edits"][-1]["first"] == 15 and fixes(one).unsolved_first == -1


def test_longer_legs_do_not_sink_when_people_are_swapped():
    with Registered():
        person = part("motion").read_motion(file_of(take_of(30)[0])).people["1"]
        tall = replace(person, joints=person.joints * 1.2, vertices=person.vertices * 1.2)
        worn, chain = part("layers.exchange").worn, part("layers.chain")
        for motion, body in ((person, tall), (tall, person)):
            shown = worn(motion, body)
            lows = [chain.soles(p, *chain.joint_frames(p))[..., 2].min(1) for p in (motion, shown)]
            np.testing.assert_allclose(*lows, atol=1e-5)
            pelvis = [chain.joint_frames(p)[1][:, 0, :2] for p in (motion, shown)]
            np.testing.assert_allclose(*pelvis, atol=1e-6)


def test_somebody_who_is_away_can_be_swapped_too():
    with Registered() as ops:
        collection, (one, two), motion = take_of(90, people=2, absent=(40, 89))
        bpy.context.scene.frame_set(51)
        assert ops.swap_people(other="2") == {"FINISHED"}
        new = now(collection).people
        assert new["1"].frames.tolist() == list(range(50))
        assert new["2"].frames.tolist() == [*range(40), *range(50, 90)]
        bpy.context.scene.frame_set(80)
        assert one.hide_viewport and not two.hide_viewport and two.children[0].hide_render is False
        assert one.children[0].hide_viewport
        at(80)
        np.testing.assert_allclose(bone_heads(two), joints_world(motion.people["1"])[79], atol=3e-4)
        bpy.context.scene.frame_set(1)
        assert ops.swap_people() == {"FINISHED"}
        assert now(collection).people["1"].frames.tolist() == [*range(40), *range(50, 90)]


def test_a_swap_with_nobody_is_said():
    with Registered() as ops:
        _, (one, *_), _ = take_of(30, people=3)
        for item in bpy.context.selected_objects:
            item.select_set(False)
        refuses(ops.swap_people, "Select both people.")
        bpy.context.scene.frame_set(200)
        refuses(ops.swap_people, "Neither of them is there", other="2")
        select(one)
        take_of(30)
        assert not ops.swap_people.poll()


def test_the_ground_moved_by_hand_is_level_then_and_the_picture_stays():
    with Registered() as ops:
        collection, (armature, other), motion = take_of(60, people=2)
        ground, camera = collection.recover_motion.ground, collection.recover_motion.camera
        assert ops.use_ground() == {"CANCELLED"}  # it was not moved
        tilt = Matrix.Translation((0.5, 1.0, -0.12)) @ Euler((0.05, -0.03, 0.4)).to_matrix().to_4x4()
        before = {}
        for frame in (1, 31, 60):
            at(frame)
            before[frame] = [camera.matrix_world.inverted() @ Vector(head) for head in bone_heads(armature)]
            before[frame, 2] = [camera.matrix_world.inverted() @ Vector(head) for head in bone_heads(other)]
        ground.matrix_world = tilt
        normal, point = np.array(tilt.col[2][:3]), np.array(tilt.translation)
        height = (joints_world(motion.people["1"])[30] - point) @ normal
        assert ops.use_ground() == {"FINISHED"}
        for frame in (1, 31, 60):
            at(frame)
            for person, key in ((armature, frame), (other, (frame, 2))):
                after = [camera.matrix_world.inverted() @ Vector(head) for head in bone_heads(person)]
                np.testing.assert_allclose(np.array(after), np.array(before[key]), atol=1e-3)
        at(31)
        np.testing.assert_allclose(bone_heads(armature)[:, 2], height, atol=1e-3)
        new = now(collection)
        for frame in (0, 30, 59):
            was = seen_in_picture(motion, joints_world(motion.people["1"])[frame], frame)
            np.testing.assert_allclose(
                seen_in_picture(new, joints_world(new.people["1"])[frame], frame), was, atol=0.05
            )
        assert ground.matrix_world.is_identity and fixes(armature).unsolved_last == 59
        assert ops.resolve_feet() == {"FINISHED"}
        ground.location.z = 1
        assert ops.reset_ground() == {"FINISHED"} and ground.matrix_world.is_identity


def test_the_slope_is_measured_and_the_root_reset():
    with Registered() as ops:
        collection, (armature,), _ = take_of(90)
        raw = pose_keys(armature)
        collection.recover_motion.ground.rotation_euler[1] = np.radians(4)
        ops.use_ground()  # along +x the walk climbs now
        assert ops.measure_slope() == {"FINISHED"}
        assert abs(abs(np.degrees(fixes(armature).root_slope)) - 4) < 0.1
        at(1)
        start = bone_heads(armature)[0, 2]
        at(90)
        assert abs(bone_heads(armature)[0, 2] - start) < 0.02
        tilted = pose_keys(armature)
        assert ops.reset_root() == {"FINISHED"}
        assert fixes(armature).root_slope == 0 and not same_keys(pose_keys(armature), tilted)
        assert not any(fixes(armature).root_about) and not same_keys(pose_keys(armature), raw)


def test_trimming_at_the_current_frame():
    with Registered() as ops:
        _, (armature,), _ = take_of(60)
        bpy.context.scene.frame_set(10)
        assert ops.trim_here(end="FIRST") == {"FINISHED"}
        assert (fixes(armature).trim_first, fixes(armature).trim_last) == (10, 60)
        assert ops.trim_here(end="LAST") == {"CANCELLED"}
        bpy.context.scene.frame_set(40)
        assert ops.trim_here(end="LAST") == {"FINISHED"}
        keys = next(iter(pose_keys(armature).values()))
        assert keys[[0, -1], 0].tolist() == [10, 40]


def test_undo_brings_the_old_file_back():
    with Registered() as ops:
        collection, (armature, _), _ = take_of(60, people=2)
        names, raw, old = (armature.name, collection.name), pose_keys(armature), file_of(collection)
        bpy.context.scene.frame_set(31)
        bpy.ops.ed.undo_push(message="before")
        ops.swap_people()
        bpy.ops.ed.undo_push(message="swapped")
        bpy.ops.ed.undo()
        armature, collection = bpy.data.objects[names[0]], bpy.data.collections[names[1]]
        assert file_of(collection) == old and same_keys(pose_keys(armature), raw)
        assert part("takes").motion_of(collection).meta.get("edits") is None

"""Runs inside Blender: layers that rewrite a person's curves and can be taken off again, and keys made by hand."""

import tempfile
import time
from pathlib import Path

import bpy
import numpy as np
from motions import joints_world
from scenes import at, bone_heads, curves_of, keys_of, part
from takes_on_disk import Registered, file_of, now, pose_keys, same_keys, take_of

HEAD = ('pose.bones["head"].rotation_quaternion', 1)


def fixes(armature):
    return armature.recover_motion_fixes


def checksum(armature):
    return part("handmade").checksum(part("compat").own_curves(armature))


def test_every_layer_goes_back_to_the_very_keys():
    with Registered():
        collection, (armature,), _ = take_of(90)
        raw, name = pose_keys(armature), file_of(collection)
        for setting, value, off in (
            ("smooth_all", 1.0, 0.0), ("root_height", 0.3, 0.0), ("root_slope", 0.07, 0.0), ("root_heading", 0.5, 0.0),
            ("in_place", True, False), ("loop", 12, 0), ("trim", True, False),
        ):  # fmt: skip
            fixes(armature).trim_first, fixes(armature).trim_last = 20, 60
            setattr(fixes(armature), setting, value)
            assert not same_keys(pose_keys(armature), raw), setting
            setattr(fixes(armature), setting, off)
            assert same_keys(pose_keys(armature), raw), setting
            assert not any(curve.modifiers for curve in curves_of(armature).values())
        assert file_of(collection) == name


def test_one_slider_sets_all_and_each_can_be_set_alone():
    with Registered():
        _, (armature,), _ = take_of()
        fixes(armature).smooth_all = 0.5
        assert list(fixes(armature).smooth) == [0.5] * 6
        fixes(armature).smooth[2] = 0.0
        arm = [key for key in pose_keys(armature) if "left_wrist" in key[0] or "left_elbow" in key[0]]
        with_arm = pose_keys(armature)
        fixes(armature).smooth = (0, 0, 0, 0, 0, 0)
        raw = pose_keys(armature)
        assert all(np.array_equal(with_arm[key], raw[key]) for key in arm)


def test_what_is_shown_is_what_the_layers_say():
    with Registered():
        _, (armature,), motion = take_of(60)
        fixes(armature).root_height, fixes(armature).root_heading = 0.5, np.pi / 2
        at(31)
        raw = joints_world(motion.people["1"])[30]
        expected = np.stack([-raw[:, 1], raw[:, 0], raw[:, 2] + 0.5], 1)
        np.testing.assert_allclose(bone_heads(armature), expected, atol=2e-4)
        path = armature.recover_motion.path.data.splines[0].points
        np.testing.assert_allclose(path[30].co[:3], expected[0], atol=1e-4)


def test_a_loop_repeats_after_its_last_key_and_walks_on():
    with Registered():
        _, (armature,), _ = take_of(61)
        fixes(armature).loop = 10
        at(61)
        end = bone_heads(armature)
        at(61 + 60)
        again = bone_heads(armature)
        way = again - end
        assert np.abs(way - way[0]).max() < 1e-3 and abs(way[0, 0] - 2.4) < 1e-3 and abs(way[0, 2]) < 1e-3
        fixes(armature).in_place = True
        at(61)
        end = bone_heads(armature)
        at(61 + 60)
        np.testing.assert_allclose(bone_heads(armature), end, atol=1e-3)


def test_trim_counts_the_scene_s_frames():
    with Registered():
        _, (armature,), _ = take_of(60, start_frame=101)
        fixes(armature).trim_first, fixes(armature).trim_last = 110, 140
        fixes(armature).trim = True
        keys = keys_of(curves_of(armature)[HEAD])
        assert keys[[0, -1], 0].tolist() == [110, 140]


def test_dragging_is_fast_enough():
    with Registered():
        _, (armature,), _ = take_of(300)
        fixes(armature).smooth_all = 0.1
        seconds = []
        for value in (0.2, 0.3, 0.4, 0.5, 0.6):
            began = time.perf_counter()
            fixes(armature).smooth_all = value
            seconds.append(time.perf_counter() - began)
        assert min(seconds) < 0.2, seconds  # 0.07 s where nothing else runs


def test_keys_made_by_hand_become_part_of_the_motion():
    with Registered():
        collection, (armature,), motion = take_of(60)
        curve = curves_of(armature)[HEAD]
        curve.keyframe_points[20].co[1] += 0.2
        curve.update()
        wanted = curve.evaluate(21)
        fixes(armature).root_height = 0.25
        assert file_of(collection).name == "walk.edit2.motion.npz"
        assert now(collection).meta["edits"] == [{"by_hand": "keys made by hand on person 1"}]
        base, before = now(collection).people["1"], motion.people["1"]
        differs = (base.poses != before.poses).any(-1)
        assert np.argwhere(differs).tolist() == [[20, 15]]
        np.testing.assert_array_equal(base.transl, before.transl)
        turn = np.array([curves_of(armature)[(HEAD[0], index)].evaluate(21) for index in range(4)])
        assert abs(np.linalg.norm(turn) - 1) < 1e-6
        assert turn[1] / wanted > 0.9 and turn[1] > 0.15  # as keyed, made a unit quaternion
        fixes(armature).root_height = 0.0
        assert abs(curves_of(armature)[HEAD].evaluate(21) - turn[1]) < 1e-6
        assert file_of(collection).name == "walk.edit2.motion.npz"  # nothing more was made by hand


def test_keys_between_whole_frames_are_not_taken_for_made_by_hand():
    """Late in a long scene, and where somebody leaves and comes back between two whole frames."""
    with Registered():
        bpy.context.scene.render.fps = 24
        for choices in ({"start_frame": 10_000}, {"people": 2, "absent": (41, 92)}):
            collection, armatures, motion = take_of(150, set_scene_rate=False, **choices)
            armature = armatures[-1]
            fixes(armature).root_height = 0.2
            assert file_of(collection).name == "walk.motion.npz", choices
            curve = curves_of(armature)[('pose.bones["pelvis"].location', 2)]
            curve.keyframe_points[3].co[1] += 0.1
            curve.update()
            fixes(armature).root_height = 0.0
            number = armature.recover_motion.number
            base, before = now(collection).people[number], motion.people[number]
            moved = np.abs(base.transl - before.transl).max(1) > 1e-4
            assert np.flatnonzero(moved).tolist() == [3, 4], choices  # the two on both sides of frame 3 of 24 a second


def test_keys_before_and_after_the_motion_stay():
    with Registered():
        collection, (armature,), _ = take_of(30, start_frame=11)
        points = curves_of(armature)[HEAD].keyframe_points
        for frame, value, look in ((1, 0.3, "BEZIER"), (60, 0.5, "SINE")):
            points.insert(frame, value).interpolation = look
        ends = ((0, [1, 0.3], "BEZIER"), (-1, [60, 0.5], "SINE"))
        for setting, value in (("root_height", 0.2), ("smooth_all", 0.4), ("smooth_all", 0.0), ("root_height", 0.0)):
            setattr(fixes(armature), setting, value)
            points = curves_of(armature)[HEAD].keyframe_points
            assert len(points) == 32
            for place, at_, look in ends:
                np.testing.assert_allclose(points[place].co, at_, atol=1e-6)
                assert points[place].interpolation == look
        fixes(armature).trim_first, fixes(armature).trim_last, fixes(armature).trim = 15, 25, True
        assert keys_of(curves_of(armature)[HEAD])[:, 0].tolist() == [1, *range(15, 26), 60]
        fixes(armature).trim = False
        assert len(curves_of(armature)[HEAD].keyframe_points) == 32
        assert file_of(collection).name == "walk.motion.npz"


def test_a_refused_trim_changes_nothing():
    with Registered() as ops:
        _, (armature,), _ = take_of(60)
        fixes(armature).trim_first, fixes(armature).trim_last = 10, 20
        raw = pose_keys(armature)
        bpy.context.scene.frame_set(30)
        assert ops.trim_here(end="FIRST") == {"CANCELLED"}
        assert not fixes(armature).trim and same_keys(pose_keys(armature), raw)


def test_keys_made_by_hand_over_a_root_fix_are_kept_where_they_are():
    with Registered():
        collection, (armature,), _ = take_of(60)
        fixes(armature).root_heading, fixes(armature).root_slope, fixes(armature).root_height = 0.7, 0.05, 0.2
        for index in range(3):
            curve = curves_of(armature)[('pose.bones["pelvis"].location', index)]
            curve.keyframe_points[30].co[1] += 0.1 * (index + 1)
            curve.update()
        at(31)
        bpy.context.view_layer.update()
        by_hand = bone_heads(armature)
        fixes(armature).root_height = 0.3
        at(31)
        np.testing.assert_allclose(bone_heads(armature) - by_hand, np.full((24, 3), [0, 0, 0.1]), atol=1e-4)
        assert len(now(collection).meta["edits"]) == 1


def test_an_untouched_take_of_another_session_has_no_keys_made_by_hand():
    with Registered():
        collection, (armature,), _ = take_of(60)
        fixes(armature).smooth_all = 0.4
        shown = pose_keys(armature)
        blend = Path(tempfile.mkdtemp()) / "shot.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(blend))
        bpy.ops.wm.open_mainfile(filepath=str(blend))
        armature = next(item for item in bpy.data.objects if item.type == "ARMATURE")
        collection = bpy.data.collections["walk past"]
        assert same_keys(pose_keys(armature), shown)
        assert abs(fixes(armature).smooth_all - 0.4) < 1e-6
        fixes(armature).smooth_all = 0.0
        assert file_of(collection).name == "walk.motion.npz"
        assert not same_keys(pose_keys(armature), shown)


def test_undo_brings_settings_and_keys_back_together():
    with Registered():
        _, (armature,), _ = take_of(60)
        name = armature.name
        raw = pose_keys(armature)
        bpy.ops.ed.undo_push(message="as recovered")
        fixes(armature).smooth_all = 0.8
        smooth = pose_keys(armature)
        bpy.ops.ed.undo_push(message="smoothed")
        bpy.ops.ed.undo()
        armature = bpy.data.objects[name]
        assert fixes(armature).smooth_all == 0 and same_keys(pose_keys(armature), raw)
        bpy.ops.ed.redo()
        armature = bpy.data.objects[name]
        assert fixes(armature).smooth_all > 0.7 and same_keys(pose_keys(armature), smooth)


def test_an_undo_step_stored_before_the_keys_were_written_is_made_good():
    with Registered():
        _, (armature,), _ = take_of(60)
        layer_keys = part("layer_keys")
        fixes(armature).smooth_all = 0.8
        smooth = pose_keys(armature)
        fixes(armature).smooth_all = 0.0
        on_time, part("fixes").changed = part("fixes").changed, lambda _armature: None  # the timer has not come yet
        try:
            fixes(armature).smooth_all = 0.8
        finally:
            part("fixes").changed = on_time
        assert not same_keys(pose_keys(armature), smooth)
        layer_keys._after_undo()
        assert same_keys(pose_keys(armature), smooth)


def test_a_motion_file_that_is_gone_ends_nothing():
    with Registered():
        collection, (armature,), _ = take_of(60)
        raw = pose_keys(armature)
        file_of(collection).unlink()
        fixes(armature).smooth_all = 0.8
        assert same_keys(pose_keys(armature), raw)

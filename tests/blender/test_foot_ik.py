"""Runs inside Blender (run_in_blender.py): targets that hold planted feet, against a walk whose feet are known."""

import importlib
import os

import bpy
import numpy as np
from motions import walking_motion
from scenes import at, bone_heads, build, curves_of, keys_of, of_type, part, with_person

J = part("motion").JOINT_NAMES
BONES = {
    f"{side}_{name}" for side in ("left", "right") for name in ("foot_ik", "heel_roll", "toe_roll", "foot_ik_ankle")
}


def armature_of(motion, **choices):
    return of_type(build(motion, **choices), "ARMATURE")[0]


def add(armature, fps=30.0):
    return part("scene.foot_ik").add_foot_ik(armature, fps)


def remove(armature):
    part("scene.foot_ik").remove_foot_ik(armature)


def heads_at(armature, frames):
    """(N, 24, 3)."""
    heads = []
    for frame in frames:
        at(frame)
        heads.append(bone_heads(armature))
    return np.array(heads)


def rests(motion, side):
    """First and last row of each rest of a foot."""
    person = motion.people["1"]
    column = 2 * ("left", "right").index(side)
    planted = (person.contacts[:, column : column + 2] > 0.5).any(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], planted.astype(int), [0]])))
    return list(zip(edges[::2], edges[1::2] - 1, strict=True))


def hold_curve(armature, side):
    return curves_of(armature)[(f'pose.bones["{side}_foot_ik"]["hold"]', 0)]


def everything(armature):
    """All that adding could change."""
    animation = armature.animation_data
    return {
        "bones": [
            (bone.name, np.array(bone.matrix_local).tolist(), bone.parent and bone.parent.name)
            for bone in armature.data.bones
        ],
        "constraints": [(bone.name, list(bone.constraints)) for bone in armature.pose.bones],
        "own": [(bone.name, bone.rotation_mode, list(bone.keys()), bone.custom_shape) for bone in armature.pose.bones],
        "drivers": len(animation.drivers),
        "curves": {name: keys_of(curve).tolist() for name, curve in curves_of(armature).items()},
        "groups": [group.name for group in part("compat").own_curves(armature).groups],
        "collections": [group.name for group in armature.data.collections],
        "data": [len(getattr(bpy.data, name)) for name in ("objects", "meshes", "scenes", "actions", "armatures")],
    }


def test_nothing_moves_where_nothing_is_changed():
    motion = walking_motion(90)
    armature = armature_of(motion)
    frames, between = np.arange(1, 91), np.arange(1.5, 90)
    before, before_between = heads_at(armature, frames), heads_at(armature, between)
    holds = add(armature)
    after = heads_at(armature, frames)
    assert np.linalg.norm(after - before, axis=-1).max() < 2e-3
    jolts = [np.linalg.norm(np.diff(heads, 2, axis=0), axis=-1).max() for heads in (before, after)]
    assert jolts[1] < 1.01 * jolts[0]
    # This walk has corners where feet leave the floor, which smooth curves round off between two frames.
    assert np.linalg.norm(heads_at(armature, between) - before_between, axis=-1).max() < 0.02
    curves = curves_of(armature)
    for side in ("left", "right"):
        plants = rests(motion, side)
        assert [(hold.plant.first, hold.plant.last) for hold in holds[side]] == plants
        for channel in ("location", "rotation_quaternion"):
            keys = curves[(f'pose.bones["{side}_foot_ik"].{channel}', 0)].keyframe_points
            assert len(keys) == len(plants) and {key.interpolation for key in keys} == {"CONSTANT"}
        for roll in ("heel", "toe"):
            assert len(keys_of(curves[(f'pose.bones["{side}_{roll}_roll"].rotation_euler', 0)])) <= 4 * len(plants)


def test_feet_are_held_in_plants_and_free_between_them():
    motion = walking_motion(90)
    armature = armature_of(motion)
    add(armature)
    for side in ("left", "right"):
        curve, plants = hold_curve(armature, side), rests(motion, side)
        firm = np.array([curve.evaluate(frame) for frame in range(1, 91)])
        for (first, last), following in zip(plants, [*plants[1:], None], strict=True):
            assert (firm[first : last + 1] == 1).all()
            if following is not None:
                assert firm[(last + following[0]) // 2] == 0
                assert (np.abs(np.diff(firm[last : following[0] + 1])) < 0.5).all()
        at(plants[1][0] + 3)
        shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for joint in ("knee", "ankle"):
            assert shown.pose.bones[f"{side}_{joint}"].constraints["Foot IK"].influence == 1


def test_feet_that_slide_stand_still_afterwards():
    motion = walking_motion(90)
    person = motion.people["1"]
    drift = np.zeros((90, 3))
    drift[:, 1] = 0.03 * np.sin(np.arange(90) / 9)
    armature = armature_of(with_person(motion, "1", transl=person.transl + drift))
    before = heads_at(armature, range(1, 91))
    add(armature)
    after = heads_at(armature, range(1, 91))
    for side in ("left", "right"):
        for joint in ("ankle", "foot"):
            column = J.index(f"{side}_{joint}")
            spans = [
                np.ptp(heads[a : b + 1, column], axis=0).max()
                for heads in (before, after)
                for a, b in rests(motion, side)
            ]
            assert min(spans[: len(spans) // 2]) > 0.005
            assert max(spans[len(spans) // 2 :]) < 5e-5
    bodies = [J.index(name) for name in ("pelvis", "head", "left_wrist")]
    np.testing.assert_allclose(after[:, bodies], before[:, bodies], atol=1e-6)


def test_one_key_moves_one_plant():
    motion = walking_motion(120)
    armature = armature_of(motion)
    add(armature)
    before = heads_at(armature, range(1, 121))
    # The target's channels run along its rest axes; the walker's left is the world's +y.
    rest = np.array(armature.data.bones["left_foot_ik"].matrix_local)[:3, :3]
    for index, step in enumerate(0.1 * np.array([0, 1.0, 0]) @ rest):
        curve = curves_of(armature)[('pose.bones["left_foot_ik"].location', index)]
        key = curve.keyframe_points[1]
        key.co.y += step
        key.handle_left.y += step
        key.handle_right.y += step
        curve.update()
    moved = heads_at(armature, range(1, 121)) - before
    plants = rests(motion, "left")
    for number, (first, last) in enumerate(plants):
        for joint in ("left_ankle", "left_foot"):
            expected = [0, 0.1 if number == 1 else 0, 0]
            np.testing.assert_allclose(
                moved[first : last + 1, J.index(joint)], np.tile(expected, (last + 1 - first, 1)), atol=1e-4
            )
    others = [index for index, name in enumerate(J) if name not in ("left_knee", "left_ankle", "left_foot")]
    assert np.abs(moved[:, others]).max() < 1e-6
    # It goes there and comes back within the steps on both sides of it, without a leap.
    away = np.linalg.norm(moved[:, J.index("left_ankle")], axis=1)
    assert (away[: plants[0][1] + 1] < 1e-4).all() and (away[plants[2][0] :] < 1e-4).all()
    assert np.abs(np.diff(away)).max() < 0.04


def test_removing_leaves_the_armature_as_it_was():
    armature = armature_of(walking_motion(60))
    before = everything(armature)
    add(armature)
    assert {bone.name for bone in armature.data.bones} == set(J) | BONES
    assert not any(armature.data.bones[name].use_deform for name in BONES)
    once = everything(armature)
    add(armature)
    again = everything(armature)
    assert again["curves"] == once["curves"] and again["data"] == once["data"]
    assert again["drivers"] == once["drivers"] == 4
    for _ in range(2):
        remove(armature)
        after = everything(armature)
        assert after == before, [name for name in before if before[name] != after[name]]


def test_who_poses_goes_on_posing():
    armature = armature_of(walking_motion(60))
    scene, layer = bpy.context.scene, bpy.context.view_layer
    layer.objects.active = armature
    armature.select_set(True)
    bpy.ops.object.mode_set(mode="POSE")
    armature.data.bones.active = armature.data.bones["left_elbow"]
    add(armature)
    assert armature.mode == "POSE" and bpy.context.scene == scene and layer.objects.active == armature
    assert armature.data.bones.active.name == "left_elbow" and armature.select_get()
    remove(armature)
    assert armature.mode == "POSE" and armature.data.bones.active.name == "left_elbow"


def test_changed_contacts_count():
    motion = walking_motion(90)
    armature = armature_of(motion)
    first = add(armature)
    for part_of_foot in ("heel", "toe"):
        curve = curves_of(armature)[(f'["contact_left_{part_of_foot}"]', 0)]
        for key in curve.keyframe_points:
            if 20 < key.co.x < 50:
                key.co.y = 0
        curve.update()
    again = add(armature)
    assert len(again["left"]) == len(first["left"]) - 1 and len(again["right"]) == len(first["right"])
    keys = keys_of(curves_of(armature)[('pose.bones["left_foot_ik"].location', 0)])
    assert len(keys) == len(again["left"])


def test_who_never_stands_is_left_alone():
    motion = walking_motion(40)
    contacts = motion.people["1"].contacts.copy()
    contacts[:] = 0
    armature = armature_of(with_person(motion, "1", contacts=contacts))
    before = everything(armature)
    errors = part("ghmr_engine.errors")
    try:
        add(armature)
    except errors.RecoverError as error:
        assert error.code == "never_stands" and error.fix
    else:
        raise AssertionError("targets for feet that never stand")
    assert everything(armature) == before
    contacts[10:20, 3] = 1
    armature = armature_of(with_person(motion, "1", contacts=contacts))
    assert list(add(armature)) == ["right"]
    assert {bone.name for bone in armature.data.bones} - set(J) == {name for name in BONES if "right" in name}


def test_an_armature_without_contacts_or_keys_says_so():
    armature = armature_of(walking_motion(20))
    errors = part("ghmr_engine.errors")
    for spoil, code in (
        (lambda: _forget_contacts(armature), "no_contacts"),
        (armature.animation_data_clear, "no_pose"),
    ):
        spoil()
        try:
            add(armature)
        except errors.RecoverError as error:
            assert error.code == code
        else:
            raise AssertionError(code)


def _forget_contacts(armature):
    curves = part("compat").own_curves(armature)
    for curve in [curve for curve in curves.fcurves if "contact" in curve.data_path]:
        curves.fcurves.remove(curve)
    for name in [name for name in dict(armature) if name.startswith("contact")]:
        del armature[name]


def test_who_leaves_is_not_held_while_away():
    motion = walking_motion(150, absent=(50, 100))
    armature = armature_of(motion)
    seen = motion.people["1"].frames + 1
    before = heads_at(armature, seen)
    add(armature)
    assert np.linalg.norm(heads_at(armature, seen) - before, axis=-1).max() < 2e-3
    for side in ("left", "right"):
        assert all(hold_curve(armature, side).evaluate(frame) == 0 for frame in range(60, 95))


def test_a_scene_of_another_rate():
    scene = bpy.context.scene
    scene.render.fps = 24
    armature = armature_of(walking_motion(90), set_scene_rate=False, start_frame=11)
    frames = range(11, 82)
    before = heads_at(armature, frames)
    holds = add(armature, 24.0)
    # Between two of the motion's frames joints' turns are mixed, so that feet stray by a millimetre or two.
    assert np.linalg.norm(heads_at(armature, frames) - before, axis=-1).max() < 4e-3
    assert [len(holds[side]) for side in ("left", "right")] == [3, 3]


def test_the_buttons():
    if hasattr(bpy.types.Collection, "recover_motion"):
        part("takes").unregister()  # another test's build put it there
    addon = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
    addon.register()
    try:
        armature = armature_of(walking_motion(60))
        bpy.context.view_layer.objects.active = armature
        assert not bpy.ops.recover_motion.remove_foot_ik.poll()
        assert bpy.ops.recover_motion.add_foot_ik() == {"FINISHED"}
        assert armature.data.bones.get("left_foot_ik")
        assert bpy.ops.recover_motion.remove_foot_ik() == {"FINISHED"}
        assert not armature.data.bones.get("left_foot_ik")
        bpy.ops.object.mode_set(mode="EDIT")
        assert not bpy.ops.recover_motion.add_foot_ik.poll()
        bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        addon.unregister()


def test_who_is_away_at_this_frame_gets_targets_and_stays_hidden():
    for absent, frame in (((50, 99), 70), ((0, 49), 1)):
        motion = walking_motion(150, absent=absent)
        armature = armature_of(motion)
        bpy.context.scene.frame_set(frame)
        assert armature.hide_viewport
        add(armature)
        assert "left_foot_ik" in armature.data.bones and armature.hide_viewport
        remove(armature)
        assert "left_foot_ik" not in armature.data.bones and armature.hide_viewport


def test_targets_do_not_go_round_with_a_loop():
    """Their first and last keys are not the cycle's: after its end they would hold the feet at wrong places."""
    armature = armature_of(walking_motion(61))
    add(armature)
    part("scene.performance").write_cycle(part("compat").own_curves(armature), True, stays=False)
    round_and_round = {path.split('"')[1] for (path, _), curve in curves_of(armature).items() if len(curve.modifiers)}
    assert round_and_round == set(J)
    assert hold_curve(armature, "left").evaluate(100) == 0

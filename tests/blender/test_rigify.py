"""Runs inside Blender (run_in_blender.py): Rigify's controls bring its bones to where they shall be."""

import importlib
import os
from contextlib import contextmanager
from dataclasses import dataclass

import addon_utils
import bpy
import numpy as np
from mathutils import Matrix
from motions import walking_motion
from rigify_motions import walk
from rigs import rigify
from scenes import at, build, curves_of, keys_of, of_type, part

FINGERS = {"thumb": "thumb", "index": "f_index", "middle": "f_middle", "ring": "f_ring", "little": "f_pinky"}
SIDED = {
    "clavicle": ["shoulder"], "upper_arm": ["upper_arm"], "forearm": ["forearm"], "hand": ["hand"],
    "thigh": ["thigh"], "shin": ["shin"], "foot": ["foot"], "toe": ["toe"],
    **{role: [f"{name}.0{place}" for place in (1, 2, 3)] for role, name in FINGERS.items()},
}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """What the writer reads of a solved motion."""

    frames: np.ndarray
    matrices: np.ndarray
    contacts: np.ndarray


def map_of(rig):
    spine = [f"ORG-spine.00{place}" for place in range(1, 7)]
    bones = {"root": ["root"], "pelvis": ["ORG-spine"], "spine": spine[:3], "neck": spine[3:5]}
    bones["head"] = spine[5:]
    for role, names in SIDED.items():
        for side, letter in (("left", "L"), ("right", "R")):
            bones[f"{side}_{role}"] = [f"ORG-{name}.{letter}" for name in names]
    here = {role: tuple(name for name in names if name in rig.data.bones) for role, names in bones.items()}
    return part("retarget.rig_map").RigMap("Rigify", "rigify", {role: names for role, names in here.items() if names})


def written(rig, first=1, frames=60, root=False, **settings):
    """Walk on a rig: what was wanted, by bone, and what put_back takes."""
    rest, rig_map = part("rigs").rest_of_rig(rig), map_of(rig)
    bones = part("retarget.rigify").org_skeleton(rest, rig_map)
    poses, contacts = walk(bones, rig_map, frames, root)
    taken = Taken(np.arange(first, first + frames), poses, contacts)
    curves = part("compat").new_action("walk", rig)
    chosen = part("retarget.settings").RetargetSettings(**settings)
    before = part("rigify_controls").write_rigify(rig, curves, rest, rig_map, taken, 24.0, chosen)
    return dict(zip(bones.names, np.moveaxis(poses, 1, 0), strict=True)), contacts, before


def shown(rig, names):
    evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {name: np.array(evaluated.pose.bones[name].matrix) for name in names}


def apart(a, b):
    """Degrees and armature's units."""
    turns = [matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0) for matrix in (a, b)]
    cosine = (np.trace(turns[0].T @ turns[1]) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1))), np.linalg.norm(a[:3, 3] - b[:3, 3])


def compared(wanted):
    """The bone to look at for each that is wanted: DEF where it is whole, ORG where it has a twist of its own."""
    whole = ("spine", "shoulder", "hand", "foot", "toe", "thumb", "f_")
    names = {name: name.removeprefix("ORG-") for name in wanted}
    return {name: f"DEF-{short}" if short.startswith(whole) else name for name, short in names.items()}


def off(rig, wanted, frames, first=1):
    """The greatest error of any bone at some frames: degrees and millimetres, with the bones' names."""
    seen, errors = compared(wanted), []
    for frame in frames:
        at(frame)
        poses = shown(rig, seen.values())
        errors += [(*apart(poses[bone], wanted[name][frame - first]), bone, frame) for name, bone in seen.items()]
    turned, moved = max(errors), max(errors, key=lambda error: error[1])
    return (turned[0], turned[2:]), (1000 * moved[1], moved[2:])


def close(found, degrees=0.1, mm=0.3):
    (turned, who), (moved, which) = found
    assert turned < degrees and moved < mm, f"{turned:.3f} degrees at {who}, {moved:.3f} mm at {which}"


def switch(rig, leg=None, arm=None):
    for limb, value in (("thigh", leg), ("upper_arm", arm)):
        for side in "LR":
            if value is not None:
                rig.pose.bones[f"{limb}_parent.{side}"]["IK_FK"] = value
    rig.update_tag()


def test_bones_are_where_they_shall_be_in_fk_and_in_ik_and_nothing_jumps():
    rig = rigify()
    wanted, _, before = written(rig)
    assert rig.pose.bones["thigh_parent.L"]["IK_FK"] == 0 and rig.pose.bones["upper_arm_parent.R"]["IK_FK"] == 1
    close(off(rig, wanted, range(1, 61, 6)))
    switch(rig, leg=1.0, arm=0.0)
    close(off(rig, wanted, range(2, 61, 8)))
    switch(rig, leg=0.5, arm=0.5)
    close(off(rig, wanted, (7, 33)))
    part("rigify_controls").put_back(rig, before)
    parent = rig.pose.bones["thigh_parent.L"]
    assert (parent["IK_FK"], parent["IK_Stretch"], parent["pole_vector"]) == (0.0, 1.0, False)
    assert all(found.use_stretch for found in rig.pose.bones["MCH-shin_ik.L"].constraints if found.type == "IK")


def test_feet_stand_still_on_one_key_at_each_end_of_a_plant():
    rig = rigify()
    _, contacts, _ = written(rig, first=101)
    runs = part("retarget.rigify_feet").runs
    for side, columns in (("L", contacts[:, :2]), ("R", contacts[:, 2:])):
        plants = [plant for plant in runs(columns.any(1), np.arange(60)) if plant[1] - plant[0] > 4]
        assert len(plants) >= 2
        place = curves_of(rig)[f'pose.bones["foot_ik.{side}"].location', 1]
        keys = dict(keys_of(place))
        for begin, end in plants:
            assert [frame for frame in keys if 101 + begin <= frame < 101 + end] == [101 + begin, 100 + end]
            assert abs(keys[101 + begin] - keys[100 + end]) < 1e-6
        assert len(keys) < 60
        # The ball stays where it is while the heel is off the ground, the toes with it.
        begin, end = plants[0]
        places = []
        for frame in range(101 + begin + 4, 101 + end):
            at(frame)
            places.append(shown(rig, [f"DEF-toe.{side}"])[f"DEF-toe.{side}"][:3, 3])
        assert np.ptp(places, axis=0).max() < 2e-4


def test_it_does_not_matter_how_the_rig_is_set_and_posed():
    rig = rigify()
    bones = rig.pose.bones
    bones["torso"]["head_follow"], bones["torso"]["neck_follow"] = 1.0, 0.2
    for side, parent in (("L", 2), ("R", 4)):
        bones[f"upper_arm_parent.{side}"]["FK_limb_follow"] = 1.0
        bones[f"upper_arm_parent.{side}"]["IK_parent"] = parent
        bones[f"thigh_parent.{side}"]["FK_limb_follow"] = 0.4
        bones[f"thigh_parent.{side}"]["pole_parent"] = 1
    bones["hips"].location = (0.1, 0.05, 0)
    bones["f_index.01_master.L"].rotation_quaternion = (0.9, 0.3, 0, 0)
    bones["foot_spin_ik.R"].location = (0, 0.1, 0)
    rig.hide_viewport = True
    wanted, _, before = written(rig, root=True, legs_ik=False, arms_ik=True)
    assert bones["thigh_parent.L"]["IK_parent"] == 0  # else the moving root would drag planted feet along
    assert rig.hide_viewport and len(bpy.data.scenes) == 1
    rig.hide_viewport = False
    close(off(rig, wanted, range(1, 61, 12)))
    switch(rig, leg=0.0, arm=1.0)
    close(off(rig, wanted, range(5, 61, 15)))
    part("rigify_controls").put_back(rig, before)
    assert bones["thigh_parent.L"]["IK_parent"] == 1 and bones["upper_arm_parent.L"]["IK_parent"] == 2


def generated(change=None, **parameters):
    """The rig of Rigify's basic human: no fingers, no face. change: of each end of a bone; parameters of all parts."""
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_basic_human_metarig_add()
    metarig = bpy.context.object
    if change is not None:
        bpy.ops.object.mode_set(mode="EDIT")
        ends = [(bone, end, tuple(getattr(bone, end))) for bone in metarig.data.edit_bones for end in ("head", "tail")]
        for bone, end, point in ends:
            setattr(bone, end, change(*point))
        bpy.ops.object.mode_set(mode="OBJECT")
    for bone in metarig.pose.bones:
        for name, value in parameters.items():
            setattr(bone.rigify_parameters, name, value)
    bpy.ops.pose.rigify_generate()
    return bpy.context.object


def test_a_short_rig_without_fingers_and_face_that_was_moved_and_turned():
    rig = generated(lambda x, y, z: (0.8 * x, 0.9 * y, 0.6 * z if z < 1 else z - 0.4))
    rig.matrix_world = Matrix.Translation((1, 2, 0.3)) @ Matrix.Rotation(0.7, 4, "Z") @ Matrix.Scale(1.4, 4)
    wanted, _, _ = written(rig, frames=40)
    close(off(rig, wanted, range(1, 41, 8)))
    switch(rig, leg=1.0, arm=0.0)
    close(off(rig, wanted, range(3, 41, 12)))


def test_rigs_that_were_generated_with_other_parameters():
    plain = {"extra_ik_toe": False, "foot_pivot_type": "ANKLE", "make_custom_pivot": True, "make_fk_controls": False}
    rolling = {"extra_ik_toe": True, "foot_pivot_type": "TOE", "extra_toe_roll": True, "pivot_pos": 1}
    for parameters in (plain, rolling):
        rig = generated(**parameters)
        for in_ik in (True, False):
            wanted, _, _ = written(rig, frames=30, legs_ik=in_ik, arms_ik=in_ik)
            close(off(rig, wanted, range(1, 31, 9)))


@contextmanager
def registered():
    """With the add-on on."""
    package = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
    if hasattr(bpy.types.Collection, "recover_motion"):
        part("takes").unregister()  # another test's build put it there
    package.register()
    try:
        yield
    finally:
        package.unregister()


def test_a_person_walks_on_a_rig_and_leaves_it_as_it_was():
    with registered():
        retargeting = part("retargeting")
        person = of_type(build(walking_motion()), "ARMATURE")[0]
        rig = rigify()
        rig.pose.bones["chest"].rotation_quaternion = (0.9, 0.3, 0, 0)
        poses = {bone.name: np.array(bone.matrix_basis) for bone in rig.pose.bones}
        settings = part("retarget.settings").RetargetSettings(arms_ik=True)
        report = retargeting.retarget(person, rig, part("rig_maps").map_for(rig), settings)
        assert report.directions_deg.mean < 1 and report.directions_deg.greatest < 3, report
        assert report.sliding_mm.greatest < 0.1, report
        assert rig.pose.bones["upper_arm_parent.L"]["IK_FK"] == 0 and rig.animation_data.action is not None
        retargeting.remove(rig)
        assert rig.animation_data.action is None and rig.pose.bones["thigh_parent.L"]["IK_Stretch"] == 1
        for bone in rig.pose.bones:
            assert np.allclose(bone.matrix_basis, poses[bone.name], atol=1e-6), bone.name


def test_a_meta_rig_that_is_not_generated_yet_gets_the_motion_on_its_own_bones():
    addon_utils.enable("rigify", default_set=True)
    with registered():
        person = of_type(build(walking_motion(20)), "ARMATURE")[0]
        bpy.ops.object.armature_basic_human_metarig_add()
        metarig = bpy.context.object
        rig_map = part("rig_maps").map_for(metarig)
        assert (rig_map.kind, rig_map.bones["pelvis"]) == ("bones", ("spine",))
        report = part("retargeting").retarget(person, metarig, rig_map, part("retarget.settings").RetargetSettings())
        assert report.directions_deg.greatest < 3 and report.sliding_mm.greatest < 0.1, report

"""Runs inside Blender (run_in_blender.py): the bones of rigs as they are met in the wild are found."""

import dataclasses
import math

import bpy
import rigs
from mathutils import Matrix
from rig_names import FINGER, NAMED, german, japanese, mangled, shuffled, spanish
from scenes import part

SIDES = ("left", "right")


def roles():
    return part("retarget.roles")


def read(rig):
    """The rig at rest, and which of its bones deform."""
    return part("rigs").rest_of_rig(rig), {bone.name for bone in rig.data.bones if bone.use_deform}


def guess(rig, rename=None):
    """The guess; rename: a name for every bone, by its name."""
    rest, deforming = read(rig)
    if rename is not None:
        new = {name: rename(name) for name in rest.names}
        assert len(set(new.values())) == len(new), "the test's names are no names"
        rest = dataclasses.replace(rest, names=tuple(new[name] for name in rest.names))
        deforming = {new[name] for name in deforming}
    return part("retarget.guess").guess_map(rest, deforming)


def without_presets(rig, rename=None):
    """The guess by names and places alone."""
    module = part("retarget.guess")
    kept, module.matching = module.matching, lambda _names: None
    try:
        return guess(rig, rename)
    finally:
        module.matching = kept


def assert_right(found, rig_name, rename=lambda name: name, fingers=True, but=()):
    """Every role that the rig has got its own bones."""
    wanted = {role: tuple(map(rename, bones)) for role, bones in NAMED[rig_name].items() if role not in but}
    if not fingers:
        wanted = {role: bones for role, bones in wanted.items() if not role.endswith(FINGER)}
    wrong = {role: (found.map.bones.get(role), bones) for role, bones in wanted.items()
             if found.map.bones.get(role) != bones}  # fmt: skip
    assert not wrong, (rig_name, wrong)
    assert set(roles().NEEDED) <= set(found.map.bones) and set(found.found) == set(found.map.bones)
    assert not part("retarget.rig_map").check(found.map, {bone for b in found.map.bones.values() for bone in b})


def test_known_rigs_are_known_by_their_names():
    called = {"mixamo": "Mixamo", "unreal": "Unreal Mannequin", "vrm": "VRM (VRoid)", "mpfb": "MakeHuman (MPFB)"}
    for name, title in called.items():
        found = guess(getattr(rigs, name)())
        assert found.map.name == title and found.map.kind == "bones" and not found.remarks
        assert_right(found, name)
        assert {one.how for one in found.found.values()} == {"preset"}


def test_names_may_have_something_before_and_behind():
    for prefix in ("mixamorig:", "mixamorig7:", "mixamorig", "", "Armature|mixamorig_"):
        found = guess(rigs.mixamo(prefix=prefix))
        assert found.map.name == "Mixamo", prefix
        assert_right(found, "mixamo", lambda name, prefix=prefix: prefix + name.removeprefix("mixamorig:"))
    found = guess(rigs.unreal(), lambda name: f"{name.title()}.001")
    assert found.map.name == "Unreal Mannequin" and found.map.bones["left_thigh"] == ("Thigh_L.001",)


def test_the_same_rigs_are_found_without_knowing_them():
    for name in ("mixamo", "unreal", "vrm", "mpfb"):
        found = without_presets(getattr(rigs, name)())
        assert_right(found, name)
        assert all(one.sure >= part("retarget.guess").SURE for role, one in found.found.items()
                   if role in roles().NEEDED), name  # fmt: skip


def test_other_languages_and_other_spellings():
    for rename in (german, spanish, japanese, mangled):
        for name in ("mixamo", "unreal"):
            rig = getattr(rigs, name)()
            new = rename(name, [bone.name for bone in rig.data.bones])
            found = without_presets(rig, new.get)
            assert_right(found, name, new.get)
            sided = [one for role, one in found.found.items() if role in roles().NEEDED]
            assert all(one.how == "both" for one in sided), (rename.__name__, name, found.found)


def test_places_alone_are_enough():
    for name in ("mixamo", "unreal", "vrm", "mpfb"):
        rig = getattr(rigs, name)()
        new = shuffled([bone.name for bone in rig.data.bones])
        found = guess(rig, new.get)
        assert_right(found, name, new.get)
        assert {one.how for one in found.found.values()} == {"place"}
    for names in ("numbers", "finnish"):
        rig = rigs.odd(names=names)
        found = guess(rig)
        assert set(roles().NEEDED) <= set(found.map.bones)
        bones = rig.data.bones
        for role, listed in found.map.bones.items():
            side = {"left": 1, "right": -1}.get(role.split("_")[0])
            assert side is None or all(bones[bone].head_local.x * side > 0 for bone in listed), role
        if names == "finnish":
            assert_right(found, "odd")


def test_sides_follow_who_looks_where():
    for turn in (90, 180, 270):
        rig = rigs.odd(names="finnish")
        rig.matrix_world = Matrix.Rotation(math.radians(turn), 4, "Z")
        bpy.context.view_layer.update()
        assert_right(guess(rig), "odd")
    rig = rigs.vrm()
    rig.matrix_world = Matrix.Rotation(math.radians(180), 4, "Z")
    bpy.context.view_layer.update()
    assert_right(without_presets(rig), "vrm")
    lying = rigs.mixamo()
    lying.matrix_world = Matrix.Scale(0.01, 4)
    bpy.context.view_layer.update()
    new = shuffled([bone.name for bone in lying.data.bones])
    assert_right(guess(lying, new.get), "mixamo", new.get)


def test_sides_by_name_that_are_the_other_way_round_are_told():
    rig = rigs.unreal()
    new = {bone.name: bone.name for bone in rig.data.bones}
    new |= {name: f"{name[:-2]}_{'r' if name.endswith('_l') else 'l'}" for name in new if name[-2:] in ("_l", "_r")}
    for found in (guess(rig, new.get), without_presets(rig, new.get)):
        assert any("other way round" in str(remark) for remark in found.remarks)
        assert found.map.bones["left_thigh"] == ("thigh_l",)


def test_names_of_a_known_rig_that_are_meant_otherwise():
    called = {
        "Hips": "hips",
        "Spine": "spine",
        "Spine1": "spine.001",
        "Spine2": "chest",
        "Neck": "neck",
        "Head": "head",
    }
    limbs = {"Shoulder": "shoulder", "Arm": "upper_arm", "ForeArm": "forearm", "Hand": "hand", "UpLeg": "thigh",
             "Leg": "shin", "Foot": "foot", "ToeBase": "toe"}  # fmt: skip
    for side in ("Left", "Right"):
        called |= {f"{side}{old}": f"{new}.{side[0]}" for old, new in limbs.items()}
    rig = rigs.mixamo(prefix="")
    found = guess(rig, lambda name: called.get(name, name))
    assert found.map.bones["pelvis"] == ("hips",) and found.map.bones["spine"] == ("spine", "spine.001", "chest")
    for role in ("left_upper_arm", "right_shin", "pelvis"):
        assert found.found[role].how == "both"


def test_proportions_do_not_matter():
    people = ({"height": 1.1, "legs": 0.7, "arms": 1.3}, {"height": 2.4, "legs": 1.3}, {"drop": 80}, {"apart": 20})
    for proportions in people:
        for name in ("mixamo", "unreal", "mpfb", "vrm"):
            rig = getattr(rigs, name)(**proportions)
            new = shuffled([bone.name for bone in rig.data.bones])
            assert_right(guess(rig, new.get), name, new.get)


def test_a_generated_rigify_rig_is_known():
    rig = rigs.rigify()
    found = guess(rig)
    assert found.map.kind == "rigify" and found.map.name == "Rigify" and set(found.map.bones) == set(roles().ROLES)
    assert found.map.bones["left_upper_arm"] == ("ORG-upper_arm.L",) and found.map.bones["root"] == ("root",)
    assert found.map.bones["spine"] == ("ORG-spine.001", "ORG-spine.002", "ORG-spine.003")
    names = set(rig.data.bones.keys())
    assert not part("retarget.rig_map").check(found.map, names)
    # A rig of controls that is not known: those that obey their keys, not the deforming ones that constraints hold.
    rest, deforming = read(rig)
    driven = {bone.name for bone in rig.pose.bones if len(bone.constraints)}
    module = part("retarget.guess")
    kept, module.matching = module.matching, lambda _names: None
    try:
        other = module.guess_map(rest, deforming, driven)
    finally:
        module.matching = kept
    for role, bone in (("left_upper_arm", "upper_arm_fk.L"), ("right_shin", "shin_fk.R"), ("left_foot", "foot_fk.L")):
        assert other.map.bones[role] == (bone,)


def test_a_chair_is_nobody():
    data = bpy.data.armatures.new("chair")
    rig = bpy.data.objects.new("chair", data)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    seat = data.edit_bones.new("seat")
    seat.head, seat.tail = (0, 0, 0.45), (0, -0.4, 0.45)
    for x in (-0.2, 0.2):
        for y in (-0.2, 0.2):
            leg = data.edit_bones.new("leg")
            leg.parent, leg.head, leg.tail = seat, (x, y, 0.45), (x, y, 0)
    back = data.edit_bones.new("back")
    back.parent, back.head, back.tail = seat, (0, 0.2, 0.45), (0, 0.25, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    found = guess(rig)
    said = [str(remark) for remark in part("retarget.rig_map").check(found.map, set(data.bones.keys()))]
    assert "Left Thigh is missing." in said or "Left Shin is missing." in said, said
    assert sum(role in found.map.bones for role in roles().NEEDED) < len(roles().NEEDED) / 2, found.map
    empty = bpy.data.objects.new("empty", bpy.data.armatures.new("empty"))
    bpy.context.scene.collection.objects.link(empty)
    assert not guess(empty).map.bones

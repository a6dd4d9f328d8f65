"""Armatures as they are met in the wild, each with a body of boxes: for the tests of maps and of retargeting.

Every function makes one in the open scene and returns it. Proportions (rig_bodies.py) may be given by name:
unreal(height=1.5, legs=0.8) is a short one with short legs.
"""

import math
import os
import tempfile
from pathlib import Path

import addon_utils
import bpy
import numpy as np
from mathutils import Matrix
from rig_bodies import FINGERS, Proportions, human
from rig_building import Part, add_skin, build

SIDES = ("left", "right")
FBX = Matrix.Rotation(math.radians(90), 4, "X") @ Matrix.Scale(0.01, 4)
"""Where Blender's importer puts an armature in centimetres with y up."""


def between(a: np.ndarray, b: np.ndarray, count: int) -> list[np.ndarray]:
    """count + 1 points from a to b."""
    return [a + (b - a) * place / count for place in range(count + 1)]


def moved(point: np.ndarray, *by: float) -> np.ndarray:
    """The point moved in x, y and z."""
    return point + np.array(by)


def chain(names: list[str], parent: str | None, points: list[np.ndarray], thick: float = 0.0, **more) -> list[Part]:
    """Bones one behind the other."""
    parents = [parent, *names]
    ends = zip(names, parents, points, points[1:], strict=False)
    return [Part(name, above, head, end, thick, **more) for name, above, head, end in ends]


def mixamo(prefix: str = "mixamorig:", **proportions) -> bpy.types.Object:
    """Mixamo's, T-posed, as its FBX file comes in: in centimetres, y up, the object turned and at a scale of 0.01."""
    p = human(Proportions(**proportions))
    spine = between(p["waist"], p["neck"], 3)
    parts = chain(["Hips"], None, [p["pelvis"], p["waist"]], 0.13)
    parts += chain(["Spine", "Spine1", "Spine2"], "Hips", spine, 0.12)
    parts += chain(["Neck"], "Spine2", [p["neck"], p["head"]], 0.05)
    parts += chain(["Head"], "Neck", [p["head"], p["crown"]], 0.09)
    parts += [Part("HeadTop_End", "Head", p["crown"], p["crown"] + (0, 0, 0.1))]
    for side in SIDES:
        s, q = side.title(), {name: p[f"{side}_{name}"] for name in _sided(p)}
        parts += chain([f"{s}Shoulder"], "Spine2", [q["clavicle"], q["shoulder"]], 0.05)
        arm = [q["shoulder"], q["elbow"], q["wrist"], q["knuckles"]]
        parts += chain([f"{s}Arm", f"{s}ForeArm", f"{s}Hand"], f"{s}Shoulder", arm, 0.045, ahead=(0, 0, -1))
        for finger in FINGERS:
            called = {"little": "Pinky"}.get(finger, finger.title())
            joints = [q[f"{finger}_{place}"] for place in range(4)]
            joints.append(2 * joints[3] - joints[2])
            names = [f"{s}Hand{called}{place}" for place in (1, 2, 3, 4)]
            parts += chain(names, f"{s}Hand", joints, 0.009, ahead=(0, 0, -1))
        parts += chain([f"{s}UpLeg", f"{s}Leg"], "Hips", [q["hip"], q["knee"], q["ankle"]], 0.065)
        foot = [q["ankle"], q["ball"], q["toe"], q["toe"] + (0, -0.05, 0)]
        parts += chain([f"{s}Foot", f"{s}ToeBase", f"{s}Toe_End"], f"{s}Leg", foot, 0.045, ahead=(0, 0, 1))
    named = {part.name: prefix + part.name for part in parts}
    return build("Armature", _renamed(parts, named.get), FBX)


def unreal(**proportions) -> bpy.types.Object:
    """Unreal Engine 5's mannequin (SKM_Manny), A-posed, in centimetres, bones across their limbs."""
    p = human(Proportions(**{"height": 1.8, "drop": 48, "bend": 15, "apart": 5, **proportions}))
    spine = between(p["waist"], p["neck"], 5)
    across = {"across": True}
    parts = [Part("root", None, np.zeros(3), np.array([0, 0, 0.2]), across=True)]
    parts += chain(["pelvis"], "root", [p["pelvis"], p["waist"]], 0.14, **across)
    parts += chain([f"spine_{place:02d}" for place in range(1, 6)], "pelvis", spine, 0.12, **across)
    neck = between(p["neck"], p["head"], 2)
    parts += chain(["neck_01", "neck_02", "head"], "spine_05", [*neck, p["crown"]], 0.07, **across)
    for side in SIDES:
        parts += _unreal_side(side[0], {name: p[f"{side}_{name}"] for name in _sided(p)})
    for name, above in (("ik_foot_root", "root"), ("ik_hand_root", "root"), ("ik_hand_gun", "ik_hand_root")):
        parts.append(Part(name, above, np.zeros(3), np.array([0, 0, 0.1]), deform=False))
    for side in SIDES:
        for name, above, point in (("foot", "root", "ankle"), ("hand", "gun", "wrist")):
            at = p[f"{side}_{point}"]
            parent = "ik_foot_root" if name == "foot" else f"ik_hand_{above}"
            parts.append(Part(f"ik_{name}_{side[0]}", parent, at, moved(at, 0, 0, 0.1), deform=False))
    return build("SKM_Manny", parts, Matrix.Scale(0.01, 4))


def _unreal_side(s: str, q: dict[str, np.ndarray]) -> list[Part]:
    across = {"across": True}
    parts = chain([f"clavicle_{s}"], "spine_05", [q["clavicle"], q["shoulder"]], 0.05, **across)
    arm = [q["shoulder"], q["elbow"], q["wrist"], q["knuckles"]]
    parts += chain([f"upperarm_{s}", f"lowerarm_{s}", f"hand_{s}"], f"clavicle_{s}", arm, 0.045, **across)
    for finger in FINGERS:
        called = {"little": "pinky"}.get(finger, finger)
        joints = [q[f"{finger}_{place}"] for place in range(4)]
        names = [f"{called}_{place:02d}_{s}" for place in (1, 2, 3)]
        if finger != "thumb":
            joints.insert(0, q["wrist"] + 0.35 * (joints[0] - q["wrist"]))
            names.insert(0, f"{called}_metacarpal_{s}")
        parts += chain(names, f"hand_{s}", joints, 0.009, **across)
    leg = [q["hip"], q["knee"], q["ankle"]]
    parts += chain([f"thigh_{s}", f"calf_{s}"], "pelvis", leg, 0.065, **across)
    foot = [q["ankle"], q["ball"], q["toe"]]
    parts += chain([f"foot_{s}", f"ball_{s}"], f"calf_{s}", foot, 0.045, ahead=(0, 0, 1), **across)
    limbs = (("upperarm", "shoulder", "elbow"), ("lowerarm", "elbow", "wrist"))
    for limb, start, end in (*limbs, ("thigh", "hip", "knee"), ("calf", "knee", "ankle")):
        a, b = q[start], q[end]
        for place in (1, 2):
            head = a + (b - a) * place / 3
            parts.append(Part(f"{limb}_twist_{place:02d}_{s}", f"{limb}_{s}", head, head + (b - a) / 4, across=True))
    for limb, point in (("upperarm", "shoulder"), ("thigh", "hip")):
        at = q[point]
        parts.append(Part(f"{limb}_correctiveRoot_{s}", f"{limb}_{s}", at, moved(at, 0, 0, 0.05), across=True))
    return parts


def vrm(**proportions) -> bpy.types.Object:
    """A VRoid character, T-posed, in metres, with hair and skirt bones."""
    p = human(Proportions(**{"height": 1.6, "legs": 1.08, **proportions}))
    spine = between(p["waist"], p["neck"], 3)
    parts = [Part("Root", None, np.zeros(3), np.array([0, 0, 0.1]), deform=False)]
    parts += chain(["J_Bip_C_Hips"], "Root", [p["pelvis"], p["waist"]], 0.12)
    names = ["J_Bip_C_Spine", "J_Bip_C_Chest", "J_Bip_C_UpperChest"]
    parts += chain(names, "J_Bip_C_Hips", spine, 0.1)
    parts += chain(["J_Bip_C_Neck", "J_Bip_C_Head"], names[-1], [p["neck"], p["head"], p["crown"]], 0.06)
    for place in range(3):
        at = p["head"] + ((place - 1) * 0.08, 0.1, 0.1)
        hair = [f"J_Sec_Hair{part}_{place + 1:02d}" for part in (1, 2, 3)]
        parts += chain(hair, "J_Bip_C_Head", [at, at - (0, 0, 0.1), at - (0, 0, 0.2), at - (0, 0, 0.3)])
    for side in SIDES:
        s, q = side[0].upper(), {name: p[f"{side}_{name}"] for name in _sided(p)}
        arm = [q["clavicle"], q["shoulder"], q["elbow"], q["wrist"], q["knuckles"]]
        limb = [f"J_Bip_{s}_{name}" for name in ("Shoulder", "UpperArm", "LowerArm", "Hand")]
        parts += chain(limb, names[-1], arm, 0.035, ahead=(0, 0, 1))
        for finger in FINGERS:
            joints = [q[f"{finger}_{place}"] for place in range(4)]
            fingers = [f"J_Bip_{s}_{finger.title()}{place}" for place in (1, 2, 3)]
            parts += chain(fingers, limb[-1], joints, 0.008, ahead=(0, 0, 1))
        leg = [f"J_Bip_{s}_{name}" for name in ("UpperLeg", "LowerLeg", "Foot", "ToeBase")]
        points = [q["hip"], q["knee"], q["ankle"], q["ball"], q["toe"]]
        parts += chain(leg, "J_Bip_C_Hips", points, 0.05)
        bust = p["chest"] + (0.07 * (1 if side == "left" else -1), -0.08, 0.08)
        parts.append(Part(f"J_Sec_{s}_Bust1", names[1], bust, moved(bust, 0, -0.06, 0)))
        skirt = q["hip"] + (0, 0.08, 0)
        parts += chain([f"J_Sec_{s}_SkirtBack{place}_01" for place in (0, 1)], "J_Bip_C_Hips",
                       [skirt, skirt - (0, 0, 0.2), skirt - (0, 0, 0.4)])  # fmt: skip
    return build("Armature", parts)


def mpfb(**proportions) -> bpy.types.Object:
    """MakeHuman's and MPFB2's default rig: limbs of two bones each, a back counted from above down."""
    p = human(Proportions(**{"height": 1.68, "drop": 48, "bend": 40, "apart": 6, **proportions}))
    back = p["pelvis"] + (0, 0.08, 0)
    spine = [f"spine{place:02d}" for place in (5, 4, 3, 2, 1)]
    parts = chain(["root"], None, [back, p["pelvis"]])
    parts += chain(spine, "root", between(p["pelvis"], p["neck"], 5), 0.12)
    neck = between(p["neck"], p["head"], 3)
    parts += chain(["neck01", "neck02", "neck03", "head"], "spine01", [*neck, p["crown"]], 0.07)
    jaw = p["head"] + (0, -0.05, 0)
    parts += [
        Part("jaw", "head", jaw, moved(jaw, 0, -0.05, -0.06)),
        Part("tongue00", "jaw", jaw, moved(jaw, 0, -0.04, 0.01)),
    ]
    for side in SIDES:
        parts += _mpfb_side(side[0].upper(), {name: p[f"{side}_{name}"] for name in _sided(p)}, p)
    return build("Human.rig", parts)


def _mpfb_side(s: str, q: dict[str, np.ndarray], p: dict[str, np.ndarray]) -> list[Part]:
    sign = np.sign(q["hip"][0])
    eye = p["head"] + (0.03 * sign, -0.09, 0.06)
    parts = [Part(f"eye.{s}", "head", eye, moved(eye, 0, -0.03, 0))]
    breast = p["chest"] + (0.1 * sign, -0.12, 0.05)
    parts.append(Part(f"breast.{s}", "spine02", p["chest"], breast))
    middle = q["clavicle"] + 0.5 * (q["shoulder"] - q["clavicle"])
    parts += chain([f"clavicle.{s}", f"shoulder01.{s}"], "spine01", [q["clavicle"], middle, q["shoulder"]], 0.05)
    upper, lower = between(q["shoulder"], q["elbow"], 3), between(q["elbow"], q["wrist"], 2)
    arm = [f"{name}.{s}" for name in ("upperarm01", "upperarm02", "lowerarm01", "lowerarm02", "wrist")]
    hand = q["wrist"] + 0.35 * (q["knuckles"] - q["wrist"])
    parts += chain(arm, f"shoulder01.{s}", [upper[0], upper[1], *lower, hand], 0.045)
    for number, finger in enumerate(FINGERS, 1):
        joints = [q[f"{finger}_{place}"] for place in range(4)]
        above = f"wrist.{s}"
        if number > 1:
            above = f"metacarpal{number - 1}.{s}"
            parts.append(Part(above, f"wrist.{s}", q["wrist"] + 0.2 * (joints[0] - q["wrist"]), joints[0], 0.012))
        parts += chain([f"finger{number}-{place}.{s}" for place in (1, 2, 3)], above, joints, 0.009)
    parts += chain([f"pelvis.{s}"], "root", [p["pelvis"], q["hip"]])
    thigh, shin = between(q["hip"], q["knee"], 4), between(q["knee"], q["ankle"], 2)
    leg = [f"{name}.{s}" for name in ("upperleg01", "upperleg02", "lowerleg01", "lowerleg02", "foot")]
    middle = q["ankle"] + 0.5 * (q["ball"] - q["ankle"])
    parts += chain(leg, f"pelvis.{s}", [q["hip"], thigh[1], *shin, middle], 0.06)
    for number in range(1, 6):
        base = q["ball"] + (sign * 0.018 * (number - 2), 0.004 * number, 0)
        joints = between(base, moved(base, 0, -0.06 + 0.006 * number, -0.012), 2 if number == 1 else 3)
        names = [f"toe{number}-{place}.{s}" for place in range(1, len(joints))]
        parts += chain(names, f"foot.{s}", joints, 0.01)
    return parts


def rigify() -> bpy.types.Object:
    """The rig that Rigify generates from its human meta-rig, with a body on its DEF bones.

    Takes 5 to 15 s, so it is kept in a file: in RECOVER_MOTION_RIGS for several Blenders in turn, else for this one.
    """
    kept = Path(os.environ.get("RECOVER_MOTION_RIGS") or _OWN.name) / f"rigify {bpy.app.version_string}.blend"
    if not kept.is_file():
        rig = _generate()
        bpy.data.libraries.write(str(kept), {rig, *rig.children}, fake_user=True)
        return rig
    with bpy.data.libraries.load(str(kept)) as (stored, taken):
        taken.objects = [name for name in stored.objects if name in ("rig", "rig body")]
    for item in taken.objects:
        bpy.context.scene.collection.objects.link(item)
    rig = next(item for item in taken.objects if item.type == "ARMATURE")
    bpy.context.view_layer.update()
    return rig


_OWN = tempfile.TemporaryDirectory()


def _generate() -> bpy.types.Object:
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    metarig = bpy.context.object
    bpy.ops.pose.rigify_generate()
    rig = bpy.context.object
    assert rig is not metarig and rig.name == "rig" and "ORG-spine" in rig.data.bones
    bpy.data.objects.remove(metarig)
    body = [bone for bone in rig.data.bones if bone.use_deform and bone.name.startswith("DEF-") and not _of_face(bone)]
    add_skin(rig, [(bone.name, bone.head_local, bone.tail_local, bone.length / 4) for bone in body])
    return rig


def _of_face(bone: bpy.types.Bone) -> bool:
    return any(above.name in ("DEF-spine.006", "ORG-face", "ORG-spine.006") for above in bone.parent_recursive)


def odd(names: str = "numbers", **proportions) -> bpy.types.Object:
    """A short toon with long arms, a tail and helper bones, whose sides only their places tell.

    names: `numbers` (Bone, Bone.001, ...) or `finnish`, a language that no list of ours has.
    """
    p = human(Proportions(**{"height": 1.1, "legs": 0.7, "arms": 1.25, "drop": 40, **proportions}))
    parts = [Part("maa", None, np.zeros(3), np.array([0, -0.2, 0]), deform=False)]
    parts += chain(["lantio"], "maa", [p["pelvis"], p["waist"]], 0.1)
    parts += chain(["ranka", "rinta"], "lantio", between(p["waist"], p["neck"], 2), 0.09)
    parts += chain(["kaula", "kallo"], "rinta", [p["neck"], p["head"], p["crown"]], 0.09)
    tail = between(p["pelvis"] + (0, 0.06, 0), p["pelvis"] + (0, 0.5, -0.2), 4)
    parts += chain([f"häntä{place}" for place in range(4)], "lantio", tail, 0.02)
    for side in SIDES:
        q = {name: p[f"{side}_{name}"] for name in _sided(p)}
        end = "" if side == "left" else ".001"
        arm = [q["clavicle"], q["shoulder"], q["elbow"], q["wrist"], q["knuckles"]]
        limb = [f"{name}{end}" for name in ("solis", "olka", "kyynär", "kämmen")]
        parts += chain(limb, "rinta", arm, 0.03, ahead=(0, 0, 1))
        for finger in ("thumb", "index", "ring"):
            called = {"thumb": "peukalo", "index": "etu", "ring": "keski"}[finger]
            joints = [q[f"{finger}_{place}"] for place in range(4)]
            parts += chain([f"{called}{place}{end}" for place in (1, 2, 3)], limb[-1], joints, 0.008)
        leg = [q["hip"], q["knee"], q["ankle"], q["ball"], q["toe"]]
        parts += chain([f"{name}{end}" for name in ("reisi", "sääri", "jalka", "varvas")], "lantio", leg, 0.045)
        elbow = moved(q["elbow"], 0, 0.3, 0)
        parts.append(Part(f"napa{end}", "maa", elbow, moved(elbow, 0, 0.05, 0), deform=False))
        twist = q["shoulder"] + 0.5 * (q["elbow"] - q["shoulder"])
        parts.append(Part(f"kierto{end}", limb[1], twist, q["elbow"]))
        ear = p["crown"] + (0.06 * np.sign(q["hip"][0]), 0, -0.03)
        parts += chain(
            [f"korva{place}{end}" for place in (1, 2)], "kallo", between(ear, moved(ear, 0, 0, 0.15), 2), 0.015
        )
    if names == "numbers":
        numbered = {part.name: "Bone" if place == 0 else f"Bone.{place:03d}" for place, part in enumerate(parts)}
        parts = _renamed(parts, numbered.get)
    return build("toon", parts)


def _sided(points: dict[str, np.ndarray]) -> list[str]:
    """Names of the points that have a side, without it."""
    return [name.removeprefix("left_") for name in points if name.startswith("left_")]


def _renamed(parts: list[Part], new) -> list[Part]:
    return [Part(**{**vars(part), "name": new(part.name), "parent": new(part.parent)}) for part in parts]

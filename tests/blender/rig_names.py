"""Which bones of the test rigs (rigs.py) play which parts, and other names for them."""

import random
import re

FINGERS = ("thumb", "index", "middle", "ring", "little")
FINGER = FINGERS
"""What a finger's role ends with."""


def _both(roles: dict[str, tuple[str, ...]], left: str, right: str) -> dict[str, tuple[str, ...]]:
    return {
        f"{side}_{role}": tuple(bone.replace("@", word) for bone in bones)
        for side, word in (("left", left), ("right", right))
        for role, bones in roles.items()
    }


def _numbered(pattern: str, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    fingers = zip(FINGERS, names, strict=False)
    return {finger: tuple(pattern.format(name, place) for place in (1, 2, 3)) for finger, name in fingers}


_MIXAMO = {
    "clavicle": ("@Shoulder",), "upper_arm": ("@Arm",), "forearm": ("@ForeArm",), "hand": ("@Hand",),
    "thigh": ("@UpLeg",), "shin": ("@Leg",), "foot": ("@Foot",), "toe": ("@ToeBase",),
    **_numbered("@Hand{}{}", ("Thumb", "Index", "Middle", "Ring", "Pinky")),
}  # fmt: skip
_UNREAL = {
    "clavicle": ("clavicle_@",), "upper_arm": ("upperarm_@",), "forearm": ("lowerarm_@",), "hand": ("hand_@",),
    "thigh": ("thigh_@",), "shin": ("calf_@",), "foot": ("foot_@",), "toe": ("ball_@",),
    **_numbered("{}_0{}_@", ("thumb", "index", "middle", "ring", "pinky")),
}  # fmt: skip
_VRM = {
    "clavicle": ("J_Bip_@_Shoulder",), "upper_arm": ("J_Bip_@_UpperArm",), "forearm": ("J_Bip_@_LowerArm",),
    "hand": ("J_Bip_@_Hand",), "thigh": ("J_Bip_@_UpperLeg",), "shin": ("J_Bip_@_LowerLeg",),
    "foot": ("J_Bip_@_Foot",), "toe": ("J_Bip_@_ToeBase",),
    **_numbered("J_Bip_@_{}{}", ("Thumb", "Index", "Middle", "Ring", "Little")),
}  # fmt: skip
_MPFB = {
    "clavicle": ("clavicle.@", "shoulder01.@"), "upper_arm": ("upperarm01.@", "upperarm02.@"),
    "forearm": ("lowerarm01.@", "lowerarm02.@"), "hand": ("wrist.@",), "thigh": ("upperleg01.@", "upperleg02.@"),
    "shin": ("lowerleg01.@", "lowerleg02.@"), "foot": ("foot.@",), "toe": ("toe1-1.@",),
    **_numbered("finger{}-{}.@", ("1", "2", "3", "4", "5")),
}  # fmt: skip
_ODD = {
    "clavicle": ("solis@",), "upper_arm": ("olka@",), "forearm": ("kyynär@",), "hand": ("kämmen@",),
    "thigh": ("reisi@",), "shin": ("sääri@",), "foot": ("jalka@",), "toe": ("varvas@",),
    **_numbered("{}{}@", ("peukalo", "etu", "keski")),
}  # fmt: skip
_SPINE = {"spine": tuple(f"mixamorig:{name}" for name in ("Spine", "Spine1", "Spine2"))}

NAMED = {
    "mixamo": {
        "pelvis": ("mixamorig:Hips",), **_SPINE, "neck": ("mixamorig:Neck",), "head": ("mixamorig:Head",),
        **_both({role: tuple(f"mixamorig:{bone}" for bone in bones) for role, bones in _MIXAMO.items()},
                "Left", "Right"),
    },
    "unreal": {
        "root": ("root",), "pelvis": ("pelvis",), "spine": tuple(f"spine_0{place}" for place in range(1, 6)),
        "neck": ("neck_01", "neck_02"), "head": ("head",), **_both(_UNREAL, "l", "r"),
    },
    "vrm": {
        "root": ("Root",), "pelvis": ("J_Bip_C_Hips",),
        "spine": ("J_Bip_C_Spine", "J_Bip_C_Chest", "J_Bip_C_UpperChest"),
        "neck": ("J_Bip_C_Neck",), "head": ("J_Bip_C_Head",), **_both(_VRM, "L", "R"),
    },
    "mpfb": {
        "pelvis": ("root",), "spine": tuple(f"spine0{place}" for place in (5, 4, 3, 2, 1)),
        "neck": ("neck01", "neck02", "neck03"), "head": ("head",), **_both(_MPFB, "L", "R"),
    },
    "odd": {
        "root": ("maa",), "pelvis": ("lantio",), "spine": ("ranka", "rinta"), "neck": ("kaula",), "head": ("kallo",),
        **_both(_ODD, "", ".001"),
    },
}  # fmt: skip
"""Rig to role to bones."""


def _by_role(rig: str, names: list[str], say) -> dict[str, str]:
    """Every name anew: say(role, place in it) for bones that play a part, helpers keep a name that says so."""
    new = {name: f"helper_{place}" for place, name in enumerate(names)}
    for role, bones in NAMED[rig].items():
        for place, bone in enumerate(bones):
            new[bone] = say(role, place)
    return new


def _worded(listed: tuple[str, ...], left: str, right: str, form: str):
    words = dict(zip(_PARTS, listed, strict=True))

    def say(role: str, place: int) -> str:
        side = {"left": left, "right": right}.get(role.split("_")[0], "")
        part = words[role.split("_", 1)[1] if side else role]
        number = f"{place + 1}" if place else ""
        return form.format(side=side, part=part, number=number) if side else part + number

    return say


_PARTS = ("root", "pelvis", "spine", "neck", "head", "clavicle", "upper_arm", "forearm", "hand", "thigh", "shin",
          "foot", "toe", *FINGERS)  # fmt: skip


def german(rig: str, names: list[str]) -> dict[str, str]:
    """Oberschenkel_Links."""
    words = ("Wurzel", "Becken", "Wirbelsäule", "Hals", "Kopf", "Schlüsselbein", "Oberarm", "Unterarm", "Hand",
             "Oberschenkel", "Unterschenkel", "Fuß", "Zehen", "Daumen", "Zeigefinger", "Mittelfinger", "Ringfinger",
             "KleinerFinger")  # fmt: skip
    return _by_role(
        rig, names, _worded(dict(zip(_PARTS, words, strict=True)), "Links", "Rechts", "{part}{number}_{side}")
    )


def spanish(rig: str, names: list[str]) -> dict[str, str]:
    """izq muslo."""
    words = ("raíz", "caderas", "columna", "cuello", "cabeza", "clavícula", "brazo", "antebrazo", "mano", "muslo",
             "pantorrilla", "pie", "toe", "pulgar", "índice", "medio", "anular", "meñique")  # fmt: skip
    return _by_role(rig, names, _worded(words, "izq", "der", "{side} {part} {number}"))


def japanese(rig: str, names: list[str]) -> dict[str, str]:
    """左ひざ, as MikuMikuDance writes."""
    words = ("全ての親", "センター", "上半身", "首", "頭", "肩", "腕", "ひじ", "手首", "足", "ひざ", "足首", "つま先",
             "親指", "人指", "中指", "薬指", "小指")  # fmt: skip
    return _by_role(rig, names, _worded(words, "左", "右", "{side}{part}{number}"))


def mangled(rig: str, names: list[str]) -> dict[str, str]:
    """Chr.L-LOWER_leg.001 and the like: prefixes, capitals, another place for the side."""
    words = ("Master", "HIPS", "Chest", "neck", "HEAD", "collar", "UPPER_Arm", "foreArm", "wrist", "upper-LEG",
             "lower_leg", "ANKLE", "toes", "Thumb", "pointer", "mid", "ring", "pinkie")  # fmt: skip
    say = _worded(words, "L", "R", "Chr.{side}-{part}_{number}bn")
    return {name: re.sub("helper", "twist", new) for name, new in _by_role(rig, names, say).items()}


def shuffled(names: list[str]) -> dict[str, str]:
    """Names that say nothing, in no order."""
    numbers = list(range(len(names)))
    random.Random(7).shuffle(numbers)
    return {name: f"node{number}" for name, number in zip(names, numbers, strict=True)}

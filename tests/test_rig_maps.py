"""Maps of rigs: the JSON file, what is missing in one, the presets and the words; and, in every Blender, the rest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from addon_parts import addon_parts
from test_blender_scene import INNER, _commands, _named, needs_blender, package, run_inside  # noqa: F401


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    with addon_parts(tmp_path_factory.mktemp("maps"), "rig_maps_under_test") as load:
        yield load


@pytest.fixture(scope="module")
def rig_map(part):
    return part("retarget.rig_map")


def full(rig_map, **changes):
    """A map of all that is needed, and what else is given."""
    roles = ("pelvis", *(f"{side}_{one}" for side in ("left", "right")
                         for one in ("upper_arm", "forearm", "thigh", "shin", "foot")))  # fmt: skip
    bones = {role: (f"{role} bone",) for role in roles} | changes
    return rig_map.RigMap("A rig", "bones", {role: own for role, own in bones.items() if own})


def said(remarks):
    return [str(remark) for remark in remarks]


def test_a_map_comes_back_from_its_file(rig_map):
    whole = full(rig_map, spine=("Rücken", "首"), left_toe=('a "quoted" \\ one',))
    text = rig_map.to_text(whole)
    assert rig_map.from_text(text) == whole
    assert "首" in text and list(json.loads(text)["bones"])[:2] == ["pelvis", "spine"]
    assert rig_map.from_text(rig_map.to_text(rig_map.RigMap("", "rigify"))) == rig_map.RigMap("", "rigify")


WRONG = {
    "no JSON": "{",
    "nothing": "",
    "a list": "[]",
    "deep": "[" * 100_000,
    "another format": '{"format": "recover-motion-people", "version": 1}',
    "a newer version": '{"format": "recover-motion-rig-map", "version": 2}',
    "no bones": '{"format": "recover-motion-rig-map", "version": 1, "name": "x", "kind": "bones"}',
    "no name": '{"format": "recover-motion-rig-map", "version": 1, "name": 1, "kind": "bones", "bones": {}}',
    "another kind": '{"format": "recover-motion-rig-map", "version": 1, "name": "x", "kind": "y", "bones": {}}',
    "a kind that is a list": '{"format": "recover-motion-rig-map", "version": 1, "name": "x", "kind": [], "bones": {}}',
}
WRONG_BONES = {
    "an unknown role": {"tail": ["x"]},
    "a word for a list": {"pelvis": "hips"},
    "a number": {"pelvis": [1]},
    "an empty name": {"pelvis": [""]},
    "a bone twice": {"pelvis": ["a"], "spine": ["b", "a"]},
    "a bone twice in one": {"spine": ["a", "a"]},
    "half a character": {"pelvis": ["\ud800"]},
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_map_is_refused_in_one_line(rig_map, text):
    with pytest.raises(rig_map.RecoverError) as error:
        rig_map.from_text(text)
    assert "\n" not in error.value.message and error.value.message.endswith(".") and error.value.fix.endswith(".")


@pytest.mark.parametrize("bones", WRONG_BONES.values(), ids=WRONG_BONES.keys())
def test_bones_that_are_none_are_refused(rig_map, bones):
    head = {"format": "recover-motion-rig-map", "version": 1, "name": "x", "kind": "bones"}
    with pytest.raises(rig_map.RecoverError) as error:
        rig_map.from_text(json.dumps({**head, "bones": bones}))
    assert error.value.code == "bad_rig_map"
    with pytest.raises(rig_map.RecoverError, match="unknown entry: more"):
        rig_map.from_text(json.dumps({**head, "bones": {}, "more": 1}))


def test_what_is_missing_is_said(rig_map):
    whole = full(rig_map)
    names = {bone for bones in whole.bones.values() for bone in bones}
    assert not rig_map.check(whole, names)
    assert said(rig_map.check(full(rig_map, left_shin=()), names)) == ["Left Shin is missing."]
    assert "The rig has no bone x for Right Foot." in said(rig_map.check(full(rig_map, right_foot=("x",)), names))
    twice = rig_map.check(full(rig_map, spine=("pelvis bone",)), names)
    assert said(twice) == ["pelvis bone is Spine and Hips at once."] and twice[0].grave
    assert said(rig_map.check(full(rig_map, head=("a", "b")), {*names, "a", "b"})) == ["Head can be one bone only."]
    lopsided = rig_map.check(full(rig_map, right_thumb=("a",)), {*names, "a"})
    assert said(lopsided) == ["Left Thumb is missing, Right Thumb is there."] and not lopsided[0].grave
    assert len(rig_map.check(rig_map.RigMap("empty"), ())) == 11


def test_bones_that_hang_wrongly_are_doubtful(rig_map):
    names = ["hips", "a", "b", "shin", "thigh", "foot"]
    parents = [-1, 0, 0, 0, 3, 3]
    bones = {"pelvis": ("hips",), "spine": ("a", "b"), "left_thigh": ("thigh",), "left_shin": ("shin",)}
    doubts = rig_map.doubts(rig_map.RigMap("x", "bones", bones), names, parents)
    assert said(doubts) == ["b of Spine does not hang on the bone before it.", "Left Shin does not hang on Left Thigh."]
    assert not rig_map.doubts(rig_map.RigMap("x", "rigify", bones), names, parents)
    straight = {"pelvis": ("hips",), "left_thigh": ("shin",), "left_foot": ("foot",)}
    assert not rig_map.doubts(rig_map.RigMap("x", "bones", straight), names, parents)


def test_every_preset_has_all_that_is_needed_and_finds_its_own_names(part):
    roles, presets = part("retarget.roles"), part("retarget.presets")
    every = presets.presets()
    assert len(every) == len({preset.map.name for preset in every}) > 15
    for preset in every:
        assert set(roles.NEEDED) <= set(preset.map.bones) <= set(roles.ROLES), preset.map.name
        names = [bone for bones in preset.map.bones.values() for bone in bones]
        assert len(set(names)) == len(names), preset.map.name
        found = presets.matching((*names, *preset.needs, "something else"))
        assert found == preset.map, (found.name, preset.map.name)
        found = presets.matching(tuple(f"Rig:{name}" for name in (*names, *preset.needs)))
        assert found.name == preset.map.name and found.bones["pelvis"][0].startswith("Rig:")


def test_no_preset_without_what_is_needed(part):
    presets = part("retarget.presets")
    mixamo = next(preset.map for preset in presets.presets() if preset.map.name == "Mixamo")
    names = [bone for role, bones in mixamo.bones.items() for bone in bones if role != "left_shin"]
    assert presets.matching(tuple(names)) is None and presets.matching(()) is None


NAMES = {
    ("LeftUpLeg", "RightUpLeg"): ("left", "thigh"),
    ("Oberschenkel_Links", "Oberschenkel_Rechts"): ("left", "thigh"),
    ("fuß.l.001", "fuß.r.001"): ("left", "foot"),
    ("Avant-bras gauche", "Avant-bras droit"): ("left", "forearm"),
    ("antebrazo.izq", "antebrazo.der"): ("left", "forearm"),
    ("左ひざ", "右ひざ"): ("left", "shin"),
    ("leftarm", "rightarm"): ("left", "upper_arm"),
    ("RIG|L_HAND", "RIG|R_HAND"): ("left", "hand"),
    ("lThigh", "rThigh"): ("left", "thigh"),
    ("Bip01 L UpperArm", "Bip01 R UpperArm"): ("left", "upper_arm"),
    ("hip_l", "hip_r"): ("left", "thigh"),
    ("hand_index_03_l", "hand_index_03_r"): ("left", "index"),
    ("pinky-metacarpal.L", "pinky-metacarpal.R"): None,
    ("upperarm_twist_01_l", "upperarm_twist_01_r"): None,
    ("foot_ik.L", "foot_ik.R"): None,
    ("toe_index_1_l", "toe_index_1_r"): None,
    ("eye_l", "eye_r"): None,
}


@pytest.mark.parametrize(("pair", "wanted"), NAMES.items(), ids=lambda value: str(value[0]) if value else "nothing")
def test_what_names_say(part, pair, wanted):
    read = part("retarget.bone_words").read_names((*pair, "Hips"))
    assert read["Hips"].side == "" and read["Hips"].parts == ("pelvis",)
    if wanted is None:
        assert not set(pair) & set(read)
        return
    assert (read[pair[0]].side, read[pair[0]].parts[0]) == wanted
    assert (read[pair[1]].side, read[pair[1]].parts[0]) == ("right", wanted[1])


def test_a_side_needs_its_other_side(part):
    read = part("retarget.bone_words").read_names(("L_hand", "d_head", "left", "neck"))
    assert all(not meaning.side for meaning in read.values())


def test_every_word_means_one_thing(part):
    words = json.loads(part("retarget.bone_words").FILE.read_text(encoding="utf-8"))
    listed = [word for words in words["parts"].values() for word in words]
    assert len(set(listed)) == len(listed) and not set(listed) & set(words["either"])
    assert not set(words["helpers"]) & set(words["ignored"])
    tokens = part("retarget.bone_words").tokens
    assert all("".join(tokens(word)) == word for word in [*listed, *words["either"]]), "spelled as names are read"


def test_a_rig_without_bones_has_no_map(part):
    rest = part("retarget.rig_rest").RigRest(
        (), np.empty(0, int), np.empty((0, 4, 4)), np.empty(0), np.eye(4), (),
        np.empty(0, bool), np.empty(0, bool), np.empty(0, bool),
    )  # fmt: skip
    assert not part("retarget.guess").guess_map(rest).map.bones


def test_the_add_on_s_zip_carries_presets_and_words():
    from installer.addon import extension_files

    files = extension_files()
    assert "assets/rig_maps/mixamo.json" in files and "assets/bone_words.json" in files


@needs_blender
@pytest.mark.parametrize("command", _commands() or [[]], ids=_named)
def test_maps_in_blender(command: list[str], package: Path) -> None:  # noqa: F811
    # Guessing is numbers alone: held in the oldest and the newest Blender.
    ends = command in (_commands()[0], _commands()[-1])
    files = [INNER / "test_rig_maps.py", *([INNER / "test_rig_guess.py"] if ends else [])]
    assert " 0 failed" in run_inside(command, package, *files)

"""Runs inside Blender (run_in_blender.py): a rig's map is kept, shown, corrected, saved, loaded, and coloured."""

import tempfile
from pathlib import Path

import bpy
import rigs
from layouts import draw, editor_context
from map_scene import WithRigMaps
from scenes import part


def op(name):
    return getattr(bpy.ops.recover_motion, name)


def choose(rig):
    bpy.context.view_layer.objects.active = rig
    return rig


def refused(name, **values):
    """What an operator says that cannot work."""
    try:
        op(name)("EXEC_DEFAULT", **values)
    except RuntimeError as error:
        return str(error)
    raise AssertionError(f"{name} was not refused")


def panel():
    return bpy.types.RECOVERMOTION_PT_rigmapping


def drawn(rig):
    choose(rig)
    return draw(panel(), editor_context("VIEW_3D"))


def test_a_guess_is_kept_shown_and_corrected():
    with WithRigMaps():
        maps = part("rig_maps")
        assert not op("guess_rig_map").poll()
        rig = choose(rigs.unreal())
        assert maps.kept_map(rig) is None and maps.map_for(rig).name == "Unreal Mannequin"
        assert not rig.recover_motion_retarget.map, "asking changes nothing"
        assert ("operator", "recover_motion.guess_rig_map") in drawn(rig)
        assert not op("colour_rig").poll() and not op("save_rig_map").poll()
        assert op("guess_rig_map")() == {"FINISHED"}
        own = rig.recover_motion_rig_map
        assert len(own.roles) == 31 and maps.kept_map(rig) == maps.map_for(rig)
        assert own.roles["left_shin"].first == "calf_l" == own.roles["left_shin"].last
        assert (own.roles["spine"].first, own.roles["spine"].last) == ("spine_01", "spine_05")
        own.roles["spine"].last = "spine_03"
        assert maps.kept_map(rig).bones["spine"] == ("spine_01", "spine_02", "spine_03")
        own.roles["spine"].first = "spine_02"
        assert maps.kept_map(rig).bones["spine"] == ("spine_02", "spine_03")
        own.roles["left_shin"].first = "calf_twist_01_l"
        assert maps.kept_map(rig).bones["left_shin"] == ("calf_twist_01_l",)
        own.roles["left_shin"].first = "foot_l"
        assert maps.kept_map(rig).bones["left_shin"] == ("foot_l",) and "left_foot" not in maps.kept_map(rig).bones
        names = [name for _, name in drawn(rig)]
        assert "Left Foot is missing." in names and "first" in names and "RECOVERMOTION_UL_rig_roles" in names
        own.roles["head"].first = ""
        assert "head" not in maps.kept_map(rig).bones
        assert op("guess_rig_map")() == {"FINISHED"} and "head" in maps.kept_map(rig).bones


def test_what_a_guess_has_to_say_stays_in_the_panel():
    with WithRigMaps():
        maps, rig = part("rig_maps"), choose(rigs.unreal())
        new = {bone.name: f"{bone.name[:-2]}_{'r' if bone.name.endswith('_l') else 'l'}" for bone in rig.data.bones
               if bone.name[-2:] in ("_l", "_r")}  # fmt: skip
        for old in new:
            rig.data.bones[old].name = f"moving {old}"
        for old, name in new.items():
            rig.data.bones[f"moving {old}"].name = name
        assert maps.ensure_map(rig).name == "Unreal Mannequin" and maps.kept_map(rig) == maps.ensure_map(rig)
        assert any("other way round" in name for _, name in drawn(rig))
        maps.keep_map(rig, maps.kept_map(rig))
        assert not maps.remarks_of(rig) and not any("other way round" in name for _, name in drawn(rig))


def test_bones_are_taken_from_pose_mode():
    with WithRigMaps():
        maps, rig = part("rig_maps"), choose(rigs.odd(names="finnish"))
        op("guess_rig_map")()
        own = rig.recover_motion_rig_map
        assert not op("take_bones").poll()
        bpy.ops.object.mode_set(mode="POSE")
        _select(rig, "ranka", "rinta", "lantio")
        own.active = own.roles.find("spine")
        assert op("take_bones")() == {"FINISHED"}
        assert maps.kept_map(rig).bones["spine"] == ("lantio", "ranka", "rinta")
        assert "pelvis" not in maps.kept_map(rig).bones
        own.active = own.roles.find("pelvis")
        assert "one bone" in refused("take_bones")
        _select(rig, "olka", "olka.001")
        own.active = own.roles.find("left_upper_arm")
        assert "one behind the other" in refused("take_bones")
        bpy.ops.object.mode_set(mode="OBJECT")


def _select(rig, *names):
    """5.x has it on the pose's bones, older ones on the armature's."""
    for bone in rig.pose.bones:
        owner = bone if hasattr(bone, "select") else bone.bone
        owner.select = bone.name in names


def test_maps_are_saved_and_loaded_and_found_again():
    folder = Path(tempfile.mkdtemp())
    with WithRigMaps():
        maps, rig = part("rig_maps"), choose(rigs.odd())
        op("guess_rig_map")()
        rig.recover_motion_rig_map.roles["neck"].first = ""
        kept, path = maps.kept_map(rig), folder / "töön rig.json"
        assert op("save_rig_map")(filepath=str(path)) == {"FINISHED"} and not list(folder.glob("*.part"))
        assert maps.load(path) == kept
        other = choose(rigs.odd())
        assert op("load_rig_map")(filepath=str(path)) == {"FINISHED"} and maps.kept_map(other) == kept
        assert other.recover_motion_rig_map.roles["pelvis"].sure == 1
        assert "none of its bones" in (choose(rigs.vrm()) and refused("load_rig_map", filepath=str(path)))
        for name, text in (("bad", "{"), ("old", '{"format": "recover-motion-rig-map", "version": 9}')):
            (folder / f"{name}.json").write_text(text)
            assert refused("load_rig_map", filepath=str(folder / f"{name}.json"))
        assert refused("load_rig_map", filepath=str(folder / "nowhere.json"))
        (folder / "latin.json").write_bytes(b"\xff\xfe\x00")
        assert "no map" in refused("load_rig_map", filepath=str(folder / "latin.json"))
        # A map beside the scene's file is taken for a rig with the same bones, before any guess.
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
        third = choose(rigs.odd())
        assert "neck" in maps.map_for(third).bones
        choose(other)
        assert op("save_rig_map")() == {"FINISHED"} and len(list(folder.glob("*.rig_map.json"))) == 1
        assert maps.map_for(third) == kept
        choose(third)
        assert op("guess_rig_map")() == {"FINISHED"} and maps.kept_map(third) == kept
        assert op("guess_rig_map")() == {"FINISHED"} and "neck" in maps.kept_map(third).bones
        # A map that is broken by hand is none.
        third.recover_motion_retarget.map = "nonsense"
        assert maps.kept_map(third) is None and maps.map_for(third) == kept


def test_a_list_that_blender_forgot_comes_back_with_what_was_corrected():
    with WithRigMaps():
        rig = rigs.mixamo()
        bpy.context.view_layer.objects.active = rig
        bpy.ops.recover_motion.guess_rig_map()
        part("rig_maps").set_role(rig, "head", ("mixamorig:Neck",))
        corrected = part("rig_maps").kept_map(rig)
        rig.recover_motion_rig_map.roles.clear()
        assert not bpy.ops.recover_motion.save_rig_map.poll() and not bpy.ops.recover_motion.take_bones.poll()
        bpy.ops.recover_motion.guess_rig_map()
        assert part("rig_maps").kept_map(rig) == corrected and part("rig_maps").has_rows(rig)


def test_what_is_kept_comes_back_with_the_file():
    path = Path(tempfile.mkdtemp()) / "kept.blend"
    with WithRigMaps():
        maps, rig = part("rig_maps"), choose(rigs.mixamo())
        op("guess_rig_map")()
        op("colour_rig")()
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
        bpy.ops.wm.open_mainfile(filepath=str(path))
        rig = next(item for item in bpy.data.objects if item.type == "ARMATURE")
        assert maps.kept_map(rig).name == "Mixamo" and len(rig.recover_motion_rig_map.roles) == 31
        choose(rig)
        assert op("colour_rig")() == {"FINISHED"}
        assert all(bone.color.palette == "DEFAULT" for bone in rig.pose.bones)


def _look(rig):
    colours = [(bone.color.palette, tuple(bone.color.custom.normal), tuple(bone.color.custom.select),
                tuple(bone.color.custom.active), bone.color.custom.show_colored_constraints)
               for bone in rig.pose.bones]  # fmt: skip
    return colours, rig.data.show_bone_colors, rig.show_in_front


def test_colours_are_put_back_exactly():
    with WithRigMaps():
        colours, rig = part("rig_colours"), choose(rigs.odd(names="finnish"))
        rig.data.show_bone_colors, rig.show_in_front = False, False
        rig.pose.bones["olka"].color.palette = "THEME05"
        own = rig.pose.bones["reisi"].color
        own.palette, own.custom.normal = "CUSTOM", (0.1, 0.2, 0.3)
        before = _look(rig)
        op("guess_rig_map")()
        assert _look(rig) == before
        assert op("colour_rig")() == {"FINISHED"} and colours.shown(rig)
        shown = {bone.name: tuple(round(value, 2) for value in bone.color.custom.normal) for bone in rig.pose.bones}
        assert shown["häntä1"] == tuple(round(value, 2) for value in colours.NOBODY)
        assert shown["reisi"] == tuple(round(value, 2) for value in colours.colour_of("left_thigh", False))
        rig.recover_motion_rig_map.roles["left_thigh"].first = "reisi"
        op("guess_rig_map")()
        assert op("colour_rig")() == {"FINISHED"} and not colours.shown(rig)
        assert _look(rig) == before
        rig.recover_motion_rig_map.roles["left_thigh"].first = "reisi"
        op("colour_rig")()
        red, _, blue = rig.pose.bones["reisi"].color.custom.normal
        assert blue > red, "left is blue, and what somebody said is not doubtful"
        op("colour_rig")()
        assert _look(rig) == before
        assert not rig.recover_motion_rig_map.colours


def test_who_may_have_a_map():
    with WithRigMaps():
        rig = choose(rigs.vrm())
        choose(rig.children[0])
        assert op("guess_rig_map").poll() and op("guess_rig_map")() == {"FINISHED"}
        assert part("rig_maps").kept_map(rig) is not None
        rig.recover_motion.number = "1"
        assert not op("guess_rig_map").poll(), "a recovered person is nobody's rig"
        assert drawn(rig) is None
        cube = bpy.data.objects.new("cube", None)
        bpy.context.scene.collection.objects.link(cube)
        choose(cube)
        assert not op("guess_rig_map").poll()

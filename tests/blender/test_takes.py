"""The list of takes inside Blender: show, rename, activate, compare, delete, locate."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
from motions import walking_motion
from scenes import addon, at, mesh_vertices, of_type, part
from take_scenes import OPS, active, click, everything, new_take, refused, row, scene, shown

from ghmr_engine.motion_file import write_motion


@addon
def test_hiding_a_take_holds_everywhere_and_is_taken_back(folder):
    take, other = new_take(folder), new_take(folder)
    layer = scene().view_layers.new("second")
    take.recover_motion_row.shown = False
    assert not shown(take) and shown(other)
    assert take.hide_render and not layer.layer_collection.children[take.name].is_visible
    scene().view_layers.new("third")
    assert not any(places.layer_collection.children[take.name].is_visible for places in scene().view_layers)
    take.recover_motion_row.shown = True
    assert shown(take) and not take.hide_render
    bpy.context.view_layer.layer_collection.children[take.name].exclude = True  # as the outliner's box does
    assert not take.recover_motion_row.shown
    take.recover_motion_row.shown = True
    assert shown(take)


@addon
def test_only_one_is_shown(folder):
    takes = [new_take(folder) for _ in range(3)]
    assert OPS.show_take(take=takes[1].name) == {"FINISHED"}
    assert [shown(take) for take in takes] == [False, True, False]
    assert active() == takes[1] and scene().camera == takes[1].recover_motion.camera
    refused("no take nobody", OPS.show_take, take="nobody")


@addon
def test_a_click_makes_a_take_active_and_its_camera_the_scene_s(folder):
    wide = new_take(folder)
    tall = new_take(folder, walking_motion(20, image_size=(720, 1280)))
    assert scene().recover_motion_takes.active == row(tall)
    click(wide)
    assert active() == wide and scene().recover_motion_takes.active == row(wide)
    assert scene().camera == wide.recover_motion.camera
    assert (scene().render.resolution_x, scene().render.resolution_y) == (1280, 720)
    people = part("takes").people_of(wide)
    assert bpy.context.view_layer.objects.active == people[0] and bpy.context.selected_objects == [people[0]]
    tall.recover_motion_row.shown = False
    click(tall)
    assert active() == tall and not shown(tall)
    tall.recover_motion_row.shown = True
    bpy.context.view_layer.layer_collection.children[tall.name].exclude = True
    click(wide)
    click(tall)  # what is left out of the view layer can only be active when it is in
    assert active() == tall and shown(tall)


@addon
def test_who_poses_goes_on_posing(folder):
    first, second = new_take(folder), new_take(folder)
    click(first)
    bpy.ops.object.mode_set(mode="POSE")
    click(second)
    assert active() == second and bpy.context.mode == "POSE"
    assert all(item.mode == "OBJECT" for item in first.all_objects)


@addon
def test_a_camera_is_used_without_touching_the_rest(folder):
    first, second = new_take(folder), new_take(folder, walking_motion(20, image_size=(720, 1280)))
    click(second)
    assert OPS.use_camera(take=first.name) == {"FINISHED"}
    assert scene().camera == first.recover_motion.camera and active() == second
    Path(first.recover_motion.motion).unlink()
    scene().camera = None
    OPS.use_camera(take=first.name)  # it is in the scene, the file is not needed
    assert scene().camera == first.recover_motion.camera and scene().render.resolution_x == 854  # the clip's
    bpy.data.objects.remove(first.recover_motion.camera)
    refused("has no camera any more", OPS.use_camera, take=first.name)


@addon
def test_a_camera_that_was_deleted_is_not_used(folder):
    take = new_take(folder)
    camera = take.recover_motion.camera
    bpy.context.view_layer.objects.active = camera
    for item in bpy.data.objects:
        item.select_set(item == camera)
    bpy.ops.object.delete()
    assert take.recover_motion.camera == camera  # Blender keeps what a property names
    scene().camera = None
    refused("has no camera any more", OPS.use_camera)
    OPS.show_take()
    assert scene().camera is None


@addon
def test_a_name_goes_through_the_whole_take(folder):
    take, other = new_take(folder), new_take(folder)
    mine = bpy.data.objects.new("my prop", None)
    other.objects.link(mine)
    assert other.name == "walk past.001"
    other.recover_motion_row.title = " Hero "
    assert other.name == "Hero" and other.recover_motion_row.title == "Hero" and take.name == "walk past"
    armatures = part("takes").people_of(other)
    assert [item.name for item in armatures] == ["Hero person 1", "Hero person 2"]
    assert armatures[0].animation_data.action.name == armatures[0].data.name == "Hero person 1"
    assert mine.name == "my prop"
    assert not [item.name for item in other.all_objects if item.name.startswith("walk")]
    assert {item.name for item in take.all_objects} == {
        name.replace("Hero", "walk past") for name in (item.name for item in other.all_objects) if name != "my prop"
    }
    at(10)
    assert abs(armatures[0].pose.bones["pelvis"].location.length) > 0  # its action still moves it
    other.recover_motion_row.title = "  "
    assert other.name == "Hero"
    assert part("take_list").person_name(other, armatures[1]) == "person 2"


@addon
def test_a_compared_take_stands_beside_and_comes_back_as_it_was(folder):
    first, second = new_take(folder), new_take(folder)
    click(first)
    at(10)
    armature = part("takes").people_of(second)[0]
    body = next(item for item in armature.children if item.type == "MESH")
    armature.delta_location = (0, 0, 0.25)
    bpy.context.view_layer.update()
    before, names = mesh_vertices(body), everything()
    second.recover_motion_row.shown = False
    assert OPS.compare_takes(take=second.name) == {"FINISHED"}
    assert shown(first) and shown(second)
    np.testing.assert_allclose(mesh_vertices(body), before, atol=1e-6)  # over each other
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    assert {evaluated.materials[face.material_index].name for face in evaluated.polygons} == {"Recover Motion compared"}
    assert second.recover_motion.ground.hide_viewport and not first.recover_motion.ground.hide_viewport
    settings = scene().recover_motion_comparing
    settings.way, settings.distance = "BESIDE", 2.0
    bpy.context.view_layer.update()
    moved = mesh_vertices(body) - before
    right = np.array(first.recover_motion.camera.matrix_world)[:3, 0]
    np.testing.assert_allclose(moved[:, 2], 0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 2, atol=1e-5)
    assert moved[0] @ right > 1.9
    settings.way, settings.distance = "OVER", 1.5
    assert OPS.stop_comparing() == {"FINISHED"}
    bpy.context.view_layer.update()
    np.testing.assert_allclose(mesh_vertices(body), before, atol=1e-5)
    assert not second.recover_motion.ground.hide_viewport and everything() == names
    assert all(len(item.modifiers) == 1 for item in of_type(second, "MESH") if item.parent)
    assert not OPS.stop_comparing.poll()


@addon
def test_a_click_on_the_compared_take_changes_sides(folder):
    first, second, third = (new_take(folder) for _ in range(3))
    click(first)
    OPS.compare_takes()
    compared = part("comparing").compared_take
    assert compared(scene()) == second
    refused("is the active take", OPS.compare_takes, take=first.name)
    click(second)
    assert active() == second and compared(scene()) == first
    click(third)
    assert active() == third and compared(scene()) == first
    OPS.delete_take(take=first.name)
    assert compared(scene()) is None and not bpy.data.node_groups
    assert not bpy.data.materials.get("Recover Motion compared")


@addon
def test_one_take_cannot_be_compared(folder):
    assert not OPS.compare_takes.poll() and not OPS.delete_take.poll()
    new_take(folder)
    assert not OPS.compare_takes.poll() and OPS.delete_take.poll()


@addon
def test_a_deleted_take_leaves_nothing_but_its_motion_file(folder):
    cube = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
    scene().collection.objects.link(cube)
    absent = walking_motion(120, people=2, absent=(40, 79))  # actions of bodies too
    first = new_take(folder)
    names, camera = everything(), scene().camera
    second = new_take(folder, absent)
    bpy.context.view_layer.objects.active = part("takes").people_of(second)[1]
    bpy.ops.object.mode_set(mode="POSE")
    file = Path(second.recover_motion.motion)
    assert OPS.delete_take(take=second.name) == {"FINISHED"}
    assert everything() == names and file.is_file()
    assert scene().camera == camera and active() == first and bpy.context.mode == "OBJECT"
    assert OPS.delete_take() == {"FINISHED"}
    assert {item.name for item in bpy.data.objects} == {"cube"} and not part("takes").takes_of(scene())
    assert not bpy.data.actions and not bpy.data.materials and not bpy.data.movieclips and not bpy.data.armatures


@addon
def test_what_others_use_survives_a_deleted_take(folder):
    take = new_take(folder)
    armature = part("takes").people_of(take)[0]
    action, material = armature.animation_data.action, of_type(take, "MESH")[0].data.materials[0]
    kept_action, kept_material = action.name, material.name
    rig = bpy.data.objects.new("rig", None)
    rig.animation_data_create().action = action
    mesh = bpy.data.meshes.new("mine")
    mesh.materials.append(material)
    other = bpy.data.collections.new("keep")
    scene().collection.children.link(other)
    camera = take.recover_motion.camera
    other.objects.link(camera)
    layered = part("takes").people_of(take)[1]
    track = layered.animation_data.nla_tracks.new()
    track.strips.new("a layer", 1, bpy.data.actions.new("a layer"))
    OPS.delete_take()
    assert {item.name for item in bpy.data.actions} == {kept_action, camera.animation_data.action.name}
    assert [item.name for item in bpy.data.materials] == [kept_material]
    assert set(bpy.data.objects) == {camera, rig} and camera.data.name in bpy.data.cameras and rig.animation_data.action


@addon
def test_a_take_in_two_scenes_only_leaves_one(folder):
    take = new_take(folder)
    other = bpy.data.scenes.new("other")
    other.collection.children.link(take)
    count = len(bpy.data.objects)
    OPS.delete_take()
    assert part("takes").takes_of(scene()) == [] and part("takes").takes_of(other) == [take]
    assert len(bpy.data.objects) == count
    bpy.data.scenes.remove(other)


@addon
def test_undo_brings_a_deleted_take_back(folder):
    new_take(folder)
    bpy.ops.ed.undo_push(message="take")
    names = everything()
    OPS.delete_take("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    assert everything() == names
    take = part("takes").takes_of(scene())[0]
    assert part("takes").motion_of(take).meta["frames"] == 30 and scene().camera == take.recover_motion.camera


@addon
def test_a_moved_motion_file_is_found_again(folder):
    take = new_take(folder)
    moved = folder / "elsewhere.motion.npz"
    Path(take.recover_motion.motion).rename(moved)
    refused("not there", OPS.next_worst_frame)
    assert "Joints 3.5 px off the picture" in part("take_words").about_without_file(take)
    motion = walking_motion(30)
    other_clip = {**motion.meta, "video": {**motion.meta["video"], "sha256": "1" * 64, "name": "other.mp4"}}
    write_motion(folder / "a.npz", dataclasses.replace(motion, meta=other_clip))
    write_motion(folder / "b.npz", motion)
    refused("another clip, other.mp4", OPS.locate_motion_file, filepath=str(folder / "a.npz"))
    refused("has no walk past person 2", OPS.locate_motion_file, filepath=str(folder / "b.npz"))
    refused("no file", OPS.locate_motion_file, filepath=str(folder / "c.npz"))
    assert OPS.locate_motion_file(filepath=str(moved)) == {"FINISHED"}
    assert part("takes").motion_path(take) == moved


@addon
def test_takes_go_along_when_a_file_gets_its_place(folder):
    unsaved = part("places_of_takes").unsaved_takes()
    unsaved.mkdir(parents=True, exist_ok=True)
    stray = new_take(folder)  # lies in a folder of the user's: that is left alone
    take = new_take(unsaved)
    old, elsewhere = part("takes").motion_path(take), stray.recover_motion.motion
    stem = old.name.removesuffix(".motion.npz")
    beside, other = old.with_name(f"{stem}.camera.json"), old.with_name(f"{stem}.2.camera.json")
    beside.write_text("{}")
    other.write_text("{}")
    (folder / "shot").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot" / "shot.blend"))
    assert take.recover_motion.motion == f"//recover_motion/{old.name}" and stray.recover_motion.motion == elsewhere
    assert part("takes").motion_of(take).meta["frames"] == 30 and old.is_file()
    assert sorted(path.name for path in (folder / "shot" / "recover_motion").iterdir()) == [beside.name, old.name]
    bpy.ops.wm.open_mainfile(filepath=str(folder / "shot" / "shot.blend"))
    assert {item.recover_motion.motion for item in part("takes").takes_of(scene())} == {
        elsewhere, f"//recover_motion/{old.name}"
    }  # fmt: skip
    for path in (old, beside, other):
        path.unlink()


@addon
def test_a_file_saved_in_another_folder_finds_its_files(folder):
    for name in ("one", "two", "copies"):
        (folder / name / "recover_motion").mkdir(parents=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "one" / "shot.blend"))
    take = new_take(folder / "one" / "recover_motion")
    motion = part("takes").motion_path(take)
    write_motion(folder / "two" / "recover_motion" / motion.name, walking_motion(20))  # another shot's
    scene().recover_motion.clip = "//walk.mp4"
    scene().recover_motion_people.path = "//recover_motion/walk.people.json"
    stored = take.recover_motion.motion
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "copies" / "shot.blend"), copy=True)
    assert take.recover_motion.motion == stored and scene().recover_motion.clip == "//walk.mp4"
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "two" / "shot.blend"))
    for name in ("two", "copies"):
        bpy.ops.wm.open_mainfile(filepath=str(folder / name / "shot.blend"))
        (take,) = part("takes").takes_of(scene())
        assert take.recover_motion.motion.startswith("//..")
        assert part("takes").motion_path(take).resolve() == motion.resolve()
        assert Path(bpy.path.abspath(scene().recover_motion.clip)).resolve() == (folder / "one/walk.mp4").resolve()
        people = Path(bpy.path.abspath(scene().recover_motion_people.path))
        assert people.resolve() == (folder / "one/recover_motion/walk.people.json").resolve()


@addon
def test_an_appended_take_finds_its_motion_file(folder):
    (folder / "one" / "recover_motion").mkdir(parents=True)
    (folder / "two").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "one" / "shot.blend"))
    motion = part("takes").motion_path(new_take(folder / "one" / "recover_motion"))
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "two" / "shot.blend"))
    bpy.ops.wm.append(directory=f"{folder / 'one' / 'shot.blend'}/Collection/", filename="walk past")
    (take,) = part("takes").takes_of(scene())
    found = part("takes").motion_path(take)
    if part("compat").TELLS_IMPORTS:
        assert take.recover_motion.motion.startswith("//..") and found.resolve() == motion.resolve()
    else:  # it has to be told
        assert not found.is_file() and OPS.locate_motion_file(filepath=str(motion)) == {"FINISHED"}


@addon
def test_a_file_of_the_same_name_and_another_clip_is_not_taken_for_the_take_s(folder):
    take = new_take(folder)
    part("takes").motion_of(take)
    other = walking_motion(20)
    other.meta["video"]["sha256"] = "1" * 64
    write_motion(part("takes").motion_path(take), other)
    armature = part("takes").people_of(take)[0]
    bpy.context.view_layer.objects.active = armature
    refused("is of another clip than walk past", OPS.plant_foot)
    armature.recover_motion_fixes.root_height = 1.0
    at(20)
    assert mesh_vertices(of_type(take, "MESH")[0])[:, 2].max() < 2


@addon
def test_what_a_take_is_is_said(folder):
    motion = walking_motion(30, people=2)
    motion.meta["options"] = {"quality": "best"}
    motion.meta["licence"], motion.meta["warnings"] = "research-only", ["It is dark."]
    motion.meta["video"]["start"] = 10
    take = new_take(folder, motion)
    said = part("take_words")
    assert said.about(take) == [
        "walk past.mp4, pictures 10 to 39, 1.0 s at 30 fps", "Recover Motion 0.1.0, quality best",
        "Joints 3.5 px off the picture", "Feet slide 0.0 mm a frame",
        "Camera: turned on the spot, focal length a typical phone's",
        "Licence: research only, a model it was made with forbids paid work",
    ]  # fmt: skip
    assert said.warnings_of(take) == ["It is dark."] and said.licence_of(take) == said.RESEARCH


@addon
def test_a_linked_take_is_hidden_by_the_view_layer_and_not_deleted(folder):
    new_take(folder)
    file = folder / "take.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(file), link=True) as (_, here):
        here.collections = ["walk past"]
    scene().collection.children.link(here.collections[0])
    (take,) = part("takes").takes_of(scene())
    assert part("takes").motion_of(take).meta["frames"] == 30
    take.recover_motion_row.shown = False
    assert not shown(take)
    take.recover_motion_row.shown = True
    assert shown(take)
    refused("linked from another file", OPS.delete_take)


@addon
def test_the_rows_are_the_scene_s_takes_whatever_else_there_is(folder):
    bpy.data.collections.new("a loose one")
    elsewhere = bpy.data.scenes.new("other")
    takes = [new_take(folder), new_take(folder)]
    scene().collection.children.link(bpy.data.collections.new("mine"))
    hidden = new_take(folder)
    elsewhere.collection.children.link(hidden)
    scene().collection.children.unlink(hidden)
    kind = part("ui.takes").RECOVERMOTION_UL_takes
    listed = SimpleNamespace(bitflag_filter_item=1, filter_name="")
    flags, _ = kind.filter_items(listed, bpy.context, bpy.data, "collections")
    assert [item for item, flag in zip(bpy.data.collections, flags, strict=True) if flag] == takes
    listed.filter_name = ".001"
    flags, _ = kind.filter_items(listed, bpy.context, bpy.data, "collections")
    assert sum(flags) == 1
    bpy.data.scenes.remove(elsewhere)

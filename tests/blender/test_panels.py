"""Every panel drawn in every editor, in every state, in background; test_blender_addon.py lays out the places."""

import os
from pathlib import Path

import bpy
from layouts import Layout, draw, editor_context
from scenes import part
from takes_on_disk import Registered, take_of

CLIPS = Path(os.environ["RECOVER_MOTION_CLIPS"])
EDITORS = {"VIEW_3D": "", "CLIP_EDITOR": "_clip", "SEQUENCE_EDITOR": "_strip"}


def panels(ending):
    """Ours of one editor."""
    names = [name for name in dir(bpy.types) if name.startswith("RECOVERMOTION_PT_")]
    others = [other for other in EDITORS.values() if other and other != ending]
    mine = [name for name in names if name.endswith(ending) and not any(name.endswith(other) for other in others)]
    assert len(mine) > 8, mine
    return {name.removesuffix(ending): getattr(bpy.types, name) for name in mine}


def draw_all():
    """Everything in every editor: {(editor, panel): what was drawn}."""
    clip = bpy.data.movieclips.load(str(CLIPS / "walk.mp4"))
    drawn = {}
    for editor, ending in EDITORS.items():
        context = editor_context(editor, clip=clip)
        for name, panel in panels(ending).items():
            drawn[editor, name] = draw(panel, context)
    bpy.data.movieclips.remove(clip)
    return drawn


def words_of(drawn):
    return " ".join(text for items in drawn.values() if items for what, text in items if what == "label")


def shows(drawn, what, editor="VIEW_3D"):
    return any(what in name for (where, _), items in drawn.items() if where == editor and items for _, name in items)


def test_panels_are_the_same_in_all_editors():
    with Registered():
        viewport, *others = (set(panels(ending)) for ending in EDITORS.values())
        only_there = {"RECOVERMOTION_PT_footik"}  # bones are posed in the viewport
        assert all(viewport - other == only_there and not other - viewport for other in others), (viewport, others)


def test_nothing_yet():
    with Registered():
        drawn = draw_all()
        assert shows(drawn, "recover_motion.recover") and shows(drawn, "recover_motion.find_people", "CLIP_EDITOR")
        assert "Select a movie strip" in words_of(drawn)


def test_every_camera_and_lens():
    with Registered():
        settings = bpy.context.scene.recover_motion
        settings.clip = str(CLIPS / "walk.mp4")
        choices = {name: settings.bl_rna.properties[name].enum_items for name in ("camera", "lens_from")}
        for camera in choices["camera"]:
            for lens in choices["lens_from"]:
                settings.camera, settings.lens_from = camera.identifier, lens.identifier
                draw_all()
        settings.use_range, settings.people, settings.rate = True, "number", "resample"
        assert shows(draw_all(), "start") and shows(draw_all(), "number")


def test_a_take_with_every_tool_open():
    with Registered() as ops:
        _, armatures, _ = take_of(40, people=2)
        drawn = draw_all()
        for name in ("resolve_feet", "plant_foot", "use_ground", "swap_people",
                     "next_worst_frame", "delete_take"):  # fmt: skip
            assert all(shows(drawn, f"recover_motion.{name}", editor) for editor in EDITORS), name
        assert shows(drawn, "recover_motion.pin_joint") and shows(drawn, "recover_motion.add_foot_ik")
        dots = [icon for (editor, _), items in drawn.items() if items for icon in items if icon == ("label", "DOT")]
        assert not dots
        armatures[0].recover_motion_fixes.trim = True
        assert ("label", "DOT") in draw_all()["VIEW_3D", "RECOVERMOTION_PT_timing"]
        bpy.context.scene.frame_set(20)
        assert ops.pin_joint(joint="left_wrist", x=600.0, y=300.0, frame=19) == {"FINISHED"}
        assert ops.add_foot_ik() == {"FINISHED"}
        assert shows(draw_all(), "recover_motion.remove_foot_ik")
        take_of(40)
        names = [take.name for take in part("takes").takes_of(bpy.context.scene)]
        assert ops.compare_takes(take=names[0]) == {"FINISHED"}
        drawn = draw_all()
        assert shows(drawn, "recover_motion.stop_comparing")
        part("takes").motion_path(part("takes").takes_of(bpy.context.scene)[0]).unlink()
        part("takes").motion_path(part("takes").takes_of(bpy.context.scene)[1]).unlink()
        assert shows(draw_all(), "recover_motion.locate_motion_file")


def test_people_were_found_and_while_something_runs():
    with Registered() as ops:
        settings = bpy.context.scene.recover_motion
        settings.clip = str(CLIPS / "walk.mp4")
        assert ops.find_people() == {"FINISHED"}
        drawn = draw_all()
        assert shows(drawn, "RECOVERMOTION_UL_people") and shows(drawn, "recover_motion.merge_people")
        runner, protocol = part("runner"), part("ghmr_engine.protocol")
        clip, out = str(CLIPS / "slow.mp4"), str(CLIPS / "slow.motion.npz")
        task = runner.Task("Recover Motion", lambda _reply: iter(()))
        python = part("preferences").find_engine()
        runner.ask(python, lambda number: protocol.Recover(number, clip, out, {}), task)
        while part("jobs").JOB.stage != "people":
            part("jobs").JOB.poll()
        drawn = draw_all()
        assert all(shows(drawn, "recover_motion.cancel", editor) for editor in EDITORS)
        assert not shows(drawn, "recover_motion.recover")
        ops.cancel()
        runner.wait()
        drawn = draw_all()
        assert shows(drawn, "recover_motion.recover") and not shows(drawn, "recover_motion.copy_log")
        settings.clip = str(CLIPS / "crash.mp4")
        try:
            ops.recover()
        except RuntimeError:
            assert shows(draw_all(), "recover_motion.copy_log")


def test_lists_draw_their_rows():
    with Registered():
        collection, _, _ = take_of(20)
        kind = bpy.types.RECOVERMOTION_UL_takes
        layout = Layout()
        context = editor_context("VIEW_3D")
        kind.draw_item(None, context, layout, bpy.data, collection, 0, None, "active")
        assert ("prop", "title") in layout.drawn

"""The extension inside Blender, its engine played by fake_engine.py; test_blender_addon.py lays out the places.

RECOVER_MOTION_HOME: a home whose engine is the fake; RECOVER_MOTION_CLIPS: clips named for what the engine shall do.
"""

import importlib
import json
import os
from pathlib import Path

import bpy
import numpy as np
from motions import joints_world, walking_motion
from scenes import at, bone_heads, of_type, part
from solves import FIRST, LAST, solve

CLIPS = Path(os.environ["RECOVER_MOTION_CLIPS"])


class Registered:
    """The add-on, switched on for one test."""

    def __enter__(self):
        self.addon = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
        self.addon.register()
        return bpy.context.scene.recover_motion

    def __exit__(self, *_error):
        self.addon.unregister()


def recover_fails(text):
    """Run the operator; it has to say `text`, and to leave the scene alone."""
    before = set(bpy.data.objects), set(bpy.data.collections)
    try:
        result = bpy.ops.recover_motion.recover()
    except RuntimeError as error:  # how an error report reaches a script
        assert text in str(error), str(error)
    else:
        raise AssertionError(f"{result} without an error")
    assert (set(bpy.data.objects), set(bpy.data.collections)) == before


def footprint():
    return (
        {name for name in dir(bpy.types) if "RECOVER" in name.upper()},
        hasattr(bpy.types.Scene, "recover_motion"),
        list(bpy.app.handlers.load_pre),
        dir(bpy.ops.recover_motion),
    )


def test_it_comes_and_goes_twice_and_leaves_nothing():
    before = footprint()
    for _ in range(2):
        with Registered():
            assert hasattr(bpy.types, "RECOVERMOTION_PT_main") and "recover" in dir(bpy.ops.recover_motion)
        assert footprint() == before


def test_a_clip_becomes_a_take_in_the_scene():
    with Registered() as settings:
        settings.clip = str(CLIPS / "walk.mp4")
        assert bpy.ops.recover_motion.recover() == {"FINISHED"}
        take = bpy.data.collections["walk"]
        armatures = of_type(take, "ARMATURE")
        assert [len(armature.data.bones) for armature in armatures] == [24, 24]
        assert bpy.context.object == armatures[0] and set(bpy.context.selected_objects) == set(armatures)
        assert bpy.context.scene.frame_end == 30 and bpy.context.scene.render.fps == 30
        at(11)
        truth = joints_world(walking_motion(frames=30, people=2).people["1"])[10]
        assert np.abs(bone_heads(armatures[0]) - truth).max() < 1e-4
        assert Path(bpy.path.abspath(bpy.data.movieclips[0].filepath)) == CLIPS / "walk.mp4"
        job = part("jobs").JOB
        assert job.quality.splitlines() == [
            "2 people, licence: open", "Joints 3.5 px off the picture", "Feet slide 0.4 mm a frame",
            "Camera: turned on the spot, focal length a typical phone's",
        ]  # fmt: skip
        assert not job.running and Path(job.done.path).is_file()
        assert bpy.ops.recover_motion.recover() == {"FINISHED"}  # a second take takes nothing from the first
        assert len(of_type(bpy.data.collections["walk.001"], "ARMATURE")) == 2


def test_choices_reach_the_engine():
    with Registered() as settings:
        settings.clip = str(CLIPS / "walk.mp4")
        settings.people, settings.number, settings.camera, settings.quality = "number", 3, "static", "best"
        settings.use_range, settings.start, settings.end = True, 5, 40
        settings.use_height, settings.height, settings.rate = True, 1.8, "resample"
        bpy.context.scene.render.fps, bpy.context.scene.frame_end = 24, 77
        bpy.ops.recover_motion.recover()
        motion = part("motion").read_motion(Path(part("jobs").JOB.done.path))
        assert motion.meta["options"] == {
            "people": "3", "camera": "static", "quality": "best", "start": 5, "end": 40, "height": 1.8
        }  # fmt: skip
        part("ghmr_engine.options").options_from(motion.meta["options"])
        assert (bpy.context.scene.render.fps, bpy.context.scene.frame_end) == (24, 77)


def options_asked():
    return part("motion").read_motion(Path(part("jobs").JOB.done.path)).meta["options"]


def test_every_camera_is_asked_as_the_engine_takes_it():
    with Registered() as settings:
        settings.clip = str(CLIPS / "walk.mp4")
        path = CLIPS / "camera.json"
        path.write_text("{}")
        settings.camera_file = os.path.relpath(path)
        for camera in ("auto", "static", "file", "gyro", "droid", "dpvo"):
            settings.camera = camera
            assert bpy.ops.recover_motion.recover() == {"FINISHED"}
            asked = options_asked()
            assert asked["camera"] == camera and not {"lens", "sensor"} & set(asked)
            assert ("camera_file" in asked) == (camera in ("file", "gyro"))
            part("ghmr_engine.options").options_from(asked)
        assert {item.identifier for item in settings.bl_rna.properties["camera"].enum_items} == {
            "auto", "static", "blender", "file", "gyro", "droid", "dpvo"
        }  # fmt: skip
        settings.camera, settings.lens_from = "gyro", "known"
        settings.lens, settings.sensor = 23.4, 17.3
        bpy.ops.recover_motion.recover()
        asked = options_asked()
        assert (asked["lens"], asked["sensor"]) == (23.4, 17.3)
        assert Path(asked["camera_file"]).is_absolute() and Path(asked["camera_file"]).resolve() == path.resolve()
        assert settings.bl_rna.properties["lens"].unit == "CAMERA"  # shown in mm


def test_a_camera_that_was_tracked_in_blender_lies_beside_the_take():
    with Registered() as settings:
        settings.clip, settings.camera = str(CLIPS / "walk.mp4"), "blender"
        solve(CLIPS / "walk.mp4", frame_offset=3)
        assert bpy.ops.recover_motion.recover() == {"FINISHED"}
        asked, take = options_asked(), Path(part("jobs").JOB.done.path)
        path = Path(asked["camera_file"])
        assert asked["camera"] == "blender" and path == take.with_name(take.name.replace(".motion.npz", ".camera.json"))
        assert json.loads(path.read_text())["frames"] == list(range(FIRST + 2, LAST + 3))
        part("ghmr_engine.options").options_from(asked)
        before = set(path.parent.iterdir())
        settings.clip, settings.tracked_clip = str(CLIPS / "nobody.mp4"), bpy.data.movieclips["walk.mp4"]
        recover_fails("There is nobody in the clip.")
        assert set(path.parent.iterdir()) == before  # no take, no camera beside it


def test_a_camera_that_is_not_there_is_said():
    with Registered() as settings:
        settings.clip, settings.camera = str(CLIPS / "walk.mp4"), "blender"
        recover_fails("There is no solved clip. Track and solve the camera in the Movie Clip editor, or choose another")
        solve(CLIPS / "walk.mp4").tracking.camera.distortion_model = "NUKE"
        recover_fails("Choose another model in the Movie Clip editor, solve again.")
        for settings.camera in ("file", "gyro"):
            settings.camera_file = ""
            recover_fails("No camera file is chosen. Choose one")
            settings.camera_file = str(CLIPS / "nothing.json")
            recover_fails("nothing.json. Choose another one")


def test_every_known_source_of_a_camera_has_its_words():
    camera_line = part("ghmr_engine.camera_words").camera_line
    assert camera_line({"motion_source": "path", "focal_source": "background"}) == [
        "Camera: path found, focal length from the background"
    ]
    assert camera_line({"motion_source": "dpvo"}) == ["Camera: path from DPVO"]
    assert camera_line({"motion_source": "new", "focal_source": "new"}) == camera_line({}) == []


def test_the_take_lies_beside_a_saved_file_and_the_file_remembers_its_choices():
    with Registered() as settings:
        folder = CLIPS / f"shot {bpy.app.version_string}"
        folder.mkdir(exist_ok=True)
        settings.clip = ""
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
        bpy.context.scene.recover_motion.clip = "//../walk.mp4"
        bpy.ops.recover_motion.recover()
        assert Path(part("jobs").JOB.done.path).parent == folder / "recover_motion"
        bpy.ops.wm.save_mainfile()
        client = part("jobs").JOB.client
        bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))
        assert bpy.context.scene.recover_motion.clip == "//../walk.mp4"
        job = part("jobs").JOB
        assert not client.alive and job.quality == "" and job.done is None


def test_the_clip_may_lie_relative_to_the_file_without_being_shown_red():
    with Registered() as settings:
        clip = settings.bl_rna.properties["clip"]
        assert getattr(clip, "is_path_supports_blend_relative", True)  # absent where it needs no permission


def test_what_is_wrong_is_said_and_nothing_is_built():
    with Registered() as settings:
        recover_fails("Choose a video file")
        settings.clip = str(CLIPS / "missing.mp4")
        recover_fails("missing.mp4. Choose another clip.")
        settings.clip = str(CLIPS / "nobody.mp4")
        recover_fails("There is nobody in the clip. Choose another.")
        settings.clip = str(CLIPS / "crash.mp4")
        recover_fails("RuntimeError: the card fell out")
        assert "many words" in part("jobs").JOB.client.log_tail()
        assert bpy.ops.recover_motion.copy_log() == {"FINISHED"}
        settings.clip = str(CLIPS / "walk.mp4")
        assert bpy.ops.recover_motion.recover() == {"FINISHED"}  # and the next one is well


def test_a_place_that_cannot_be_written_is_said():
    with Registered():
        folder = CLIPS / f"full {bpy.app.version_string}"
        folder.mkdir(exist_ok=True)
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
        (folder / "recover_motion").write_text("a file where a folder should be")
        bpy.context.scene.recover_motion.clip = str(CLIPS / "walk.mp4")
        recover_fails("Save the file in another folder.")


def test_no_engine_is_said():
    home = os.environ["RECOVER_MOTION_HOME"]
    with Registered() as settings:
        settings.clip = str(CLIPS / "walk.mp4")
        os.environ["RECOVER_MOTION_HOME"] = str(CLIPS)
        try:
            recover_fails("No engine was found. Press Install Engine in the add-on's preferences.")
        finally:
            os.environ["RECOVER_MOTION_HOME"] = home


def test_cancel_is_there_only_while_something_runs():
    with Registered():
        assert not bpy.ops.recover_motion.cancel.poll() and bpy.ops.recover_motion.recover.poll()
        job = part("jobs").JOB
        python = part("preferences").find_engine()
        runner, protocol = part("runner"), part("ghmr_engine.protocol")
        clip, out = str(CLIPS / "slow.mp4"), str(CLIPS / "slow.motion.npz")
        task = runner.Task("Recover Motion", lambda _reply: iter(()))
        runner.ask(python, lambda number: protocol.Recover(number, clip, out, {}), task)
        assert bpy.ops.recover_motion.cancel.poll() and not bpy.ops.recover_motion.recover.poll()
        assert bpy.ops.recover_motion.cancel() == {"FINISHED"}
        runner.wait()
        assert job.error.code == "cancelled" and bpy.ops.recover_motion.recover.poll()
        client = job.client
    assert not client.alive  # switching the add-on off ends its engine

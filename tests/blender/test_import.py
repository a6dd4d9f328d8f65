"""Runs inside Blender: another program's result and motion files come in as takes; the engine is fake_engine.py.

RECOVER_MOTION_HOME and RECOVER_MOTION_CLIPS as in test_addon.py.
"""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
from motions import joints_world, walking_motion
from scenes import at, bone_heads, of_type, part
from takes_on_disk import Registered, refuses

CLIPS = Path(os.environ["RECOVER_MOTION_CLIPS"])
OWN = "shot one.motion.npz"


def folder():
    return Path(tempfile.mkdtemp(prefix="recover_motion_test_"))


def own_file(where, filmed=True):
    motion = walking_motion(frames=30, people=2)
    if not filmed:
        video = {**motion.meta["video"], "sha256": "", "name": "wham_output"}
        motion = replace(motion, meta={**motion.meta, "camera": {"motion_source": "none"}, "video": video})
    part("motion").write_motion(where / OWN, motion)
    return motion


def test_a_motion_file_needs_no_engine():
    here = folder()
    motion = own_file(here)
    with Registered() as operators:
        bpy.context.scene.recover_motion.rate = "scene"
        assert operators.import_motion(filepath=str(here / OWN)) == {"FINISHED"}
        take = bpy.data.collections["walk past"]
        people = part("takes").people_of(take)
        assert len(people) == 2 and part("takes").motion_path(take) == here / OWN
        assert part("jobs").JOB.client is None  # nothing was started
        assert bpy.context.object == people[0] and bpy.context.scene.camera == take.recover_motion.camera
        at(11)
        assert np.abs(bone_heads(people[0]) - joints_world(motion.people["1"])[10]).max() < 1e-4
        assert not bpy.data.movieclips  # the clip is not beside it
        # The clip may be said.
        assert operators.import_motion(filepath=str(here / OWN), clip=str(CLIPS / "walk.mp4")) == {"FINISHED"}
        assert Path(bpy.path.abspath(bpy.data.movieclips[0].filepath)) == CLIPS / "walk.mp4"


def test_a_take_without_clip_and_camera():
    here = folder()
    own_file(here, filmed=False)
    (here / "wham_output").write_bytes(b"no clip")
    with Registered() as operators:
        scene = bpy.context.scene
        size = scene.render.resolution_x, scene.render.resolution_y
        assert operators.import_motion(filepath=str(here / OWN)) == {"FINISHED"}
        take = bpy.data.collections["wham_output"]
        assert len(of_type(take, "ARMATURE")) == 2 and of_type(take, "MESH") and not of_type(take, "CAMERA")
        assert scene.camera is None and (scene.render.resolution_x, scene.render.resolution_y) == size
        assert part("takes").filming(take) is None and scene.frame_end == 30
        refuses(operators.use_camera, "has no camera")
        assert part("take_words").about(take)
        assert operators.delete_take() == {"FINISHED"} and not bpy.data.armatures


def test_another_program_s_result_goes_through_the_engine():
    here = folder()
    for name in ("wham_output.pkl", "unsafe.pkl"):
        (here / name).write_bytes(b"x")
    with Registered() as operators:
        assert operators.import_motion(filepath=str(here / "wham_output.pkl")) == {"FINISHED"}
        take = bpy.data.collections["wham_output"]
        assert not of_type(take, "CAMERA") and part("takes").motion_path(take).name == "wham_output.motion.npz"
        assert part("jobs").JOB.quality.splitlines()[:2] == [
            "1 person, licence: research-only",
            "Feet slide 0.4 mm a frame",
        ]
        clip = str(CLIPS / "walk.mp4")
        operators.import_motion(filepath=str(here / "wham_output.pkl"), clip=clip, rate=25.0)
        filmed = bpy.data.collections["walk"]
        assert len(of_type(filmed, "CAMERA")) == 1 and filmed.recover_motion.clip is not None
        assert part("takes").motion_of(filmed).meta["imported"] == {"system": "WHAM", "fps": 25.0}
        before = set(bpy.data.collections)
        refuses(operators.import_motion, "asks for os.system", filepath=str(here / "unsafe.pkl"))
        refuses(operators.import_motion, "There is no file", filepath=str(here / "none.pkl"))
        refuses(
            operators.import_motion, "There is no file", filepath=str(here / "unsafe.pkl"), clip=str(here / "x.mp4")
        )
        (here / OWN).write_bytes(b"PK\x03\x04")
        refuses(operators.import_motion, "is damaged", filepath=str(here / OWN))
        assert set(bpy.data.collections) == before


def test_it_is_in_the_menu_and_takes_dropped_files():
    with Registered():
        handler = bpy.types.RECOVERMOTION_FH_motion
        assert handler.bl_import_operator == "recover_motion.import_motion" and ".npz" in handler.bl_file_extensions
        drawn = [call.__module__ for call in bpy.types.TOPBAR_MT_file_import.draw._draw_funcs]
        assert any(name.endswith("import_motion") for name in drawn)
    drawn = [call.__module__ for call in bpy.types.TOPBAR_MT_file_import.draw._draw_funcs]
    assert not any(name.endswith("import_motion") for name in drawn)

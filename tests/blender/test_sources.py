"""Which clip the add-on means: a file, the open movie clip, the active strip; inside Blender.

RECOVER_MOTION_CLIPS: a folder with walk.mp4, 150 pictures at 30 a second.
"""

import os
from pathlib import Path
from types import SimpleNamespace

import bpy
from scenes import part

CLIPS = Path(os.environ["RECOVER_MOTION_CLIPS"])
WALK = CLIPS / "walk.mp4"


def context(editor, **space):
    """What an operator called in an editor sees; background Blenders have none."""
    return SimpleNamespace(
        area=SimpleNamespace(type=editor), space_data=SimpleNamespace(**space), scene=bpy.context.scene,
        sequencer_scene=bpy.context.scene,
    )  # fmt: skip


def source(editor, **space):
    return part("sources").source_of(context(editor, **space))


def refused(text, editor, **space):
    try:
        found = source(editor, **space)
    except part("ghmr_engine.errors").RecoverError as error:
        assert text in str(error), str(error)
    else:
        raise AssertionError(f"{found} is no error")


def registered(test):
    """With the settings and the takes' properties, which sources.py reads."""

    def run():
        modules = [part("properties"), part("takes")]
        for module in modules:
            if not hasattr(bpy.types.Collection if module is modules[1] else bpy.types.Scene, "recover_motion"):
                module.register()
        test()

    return run


def new_strip(path=WALK, frame=10):
    editor = bpy.context.scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_movie("walk", str(path), 1, frame)
    editor.active_strip = strip
    return strip


@registered
def test_a_file():
    settings = bpy.context.scene.recover_motion
    refused("Choose a video file", "VIEW_3D")
    settings.clip = str(CLIPS / "none.mp4")
    refused("none.mp4. Choose another clip.", "VIEW_3D")
    settings.clip = str(WALK)
    found = source("VIEW_3D")
    assert (found.path, found.start, found.start_frame, found.timed, found.clip) == (WALK, None, 1, False, None)
    clip = bpy.data.movieclips.load(str(WALK))
    assert source("VIEW_3D").clip == clip  # its lens may be asked for


@registered
def test_the_open_movie_clip_where_it_lies_in_the_scene():
    refused("Open a video in this editor", "CLIP_EDITOR", clip=None)
    clip = bpy.data.movieclips.load(str(WALK))
    clip.frame_start, clip.frame_offset = 21, 7
    found = source("CLIP_EDITOR", clip=clip)
    assert (found.path, found.start, found.start_frame, found.clip) == (WALK, 7, 21, clip)


@registered
def test_the_active_strip_with_its_trim():
    refused("Select a movie strip", "SEQUENCE_EDITOR")
    strip = new_strip()
    found = source("SEQUENCE_EDITOR")
    assert (found.path, found.start, found.end, found.start_frame, found.step) == (WALK, 0, 149, 10, 1.0)
    strip.frame_final_start, strip.frame_final_end = 30, 91
    found = source("SEQUENCE_EDITOR")
    assert (found.start, found.end, found.start_frame, found.step) == (20, 80, 30, 1.0)
    text = bpy.context.scene.sequence_editor
    strips = text.strips if hasattr(text, "strips") else text.sequences
    try:
        other = strips.new_effect(name="colour", type="COLOR", channel=2, frame_start=1, frame_end=20)
    except TypeError:  # 5.x counts lengths
        other = strips.new_effect(name="colour", type="COLOR", channel=2, frame_start=1, length=20)
    text.active_strip = other
    refused("Select a movie strip", "SEQUENCE_EDITOR")


@registered
def test_a_strip_that_plays_at_half_its_speed():
    strip = new_strip(frame=1)
    strip.retiming_keys.add(timeline_frame=1)
    if len(strip.retiming_keys) < 2:
        return  # before 5.1 only an operator in a window makes the first key
    strip.retiming_keys[-1].timeline_frame = 301
    found = source("SEQUENCE_EDITOR")
    assert abs(found.step - 2) < 0.01 and (found.start, found.start_frame) == (0, 1), found
    assert found.end == 149, found
    strip.frame_final_start = 101
    found = source("SEQUENCE_EDITOR")
    assert abs(found.step - 2) < 0.01 and abs(found.start - 50) <= 1 and found.start_frame == 101, found

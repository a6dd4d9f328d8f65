"""Find People in a real window: the list comes by itself, boxes lie over the clip, clicks pick, undo brings all back.

RECOVER_MOTION_CLIPS: holds walk.mp4, for fake_engine.py.
"""

import os
from pathlib import Path

import bpy
import gpu
import numpy as np
from scenes import part
from screens import in_view, largest, part_of, show_tab, window
from test_sources import new_strip

CLIP = Path(os.environ["RECOVER_MOTION_CLIPS"]) / "walk.mp4"
OPS = bpy.ops.recover_motion
SEEN = {}
"""What was on the screen, by the kind of editor: (height, width, 3) of its main region, the first row lowest."""


def listed():
    people = bpy.context.scene.recover_motion_people
    return [(entry.number, entry.name, entry.ticked, entry.get_parts()) for entry in people.people]


def look():
    """Keep what the region shows; called after our own drawing, which was there first."""
    _, _, width, height = gpu.state.viewport_get()
    pixels = gpu.state.active_framebuffer_get().read_color(0, 0, width, height, 3, 0, "UBYTE")
    SEEN[bpy.context.area.type] = np.array(pixels.to_list(), dtype=np.uint8).reshape(height, width, 3)


def shown_in(area):
    """The region with the picture."""
    return part_of(area, "PREVIEW" if area.type == "SEQUENCE_EDITOR" else "WINDOW")


def showing(area):
    view = area.spaces.active.region_3d if area.type == "VIEW_3D" else None
    return part("showing").showing_in(bpy.context.scene, area, shown_in(area), view)


def place_of(area, person, x, y):
    """(2,) in the region, of a place in a person's box: from left and top, as parts of it."""
    shown = showing(area)
    box = bpy.context.scene.recover_motion_people.boxes_at(shown.frame)[person]
    return shown.viewing.to_region(box[:2] + (box[2:] - box[:2]) * (x, y))


def has_box(area, person, color):
    """Whether the left edge of somebody's box is in this colour on the screen."""
    x, y = np.round(place_of(area, person, 0, 0.5)).astype(int)
    near = SEEN[area.type][y, x - 3 : x + 4].astype(float) / 255
    return bool((abs(near - color[:3]).max(1) < 0.05).any())


def click(area, person, **keys):
    """Pick in the Frame, and a click into the middle of somebody's box."""
    with in_view(area.type):
        assert OPS.pick_person("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    region = shown_in(area)
    x, y = (round(value) for value in place_of(area, person, 0.5, 0.5))
    for kind, value in (("MOUSEMOVE", "NOTHING"), ("LEFTMOUSE", "PRESS"), ("LEFTMOUSE", "RELEASE")):
        window().event_simulate(kind, value, x=region.x + x, y=region.y + y, **keys)


def session():
    """Called by run_in_window.py."""
    scene, area = bpy.context.scene, largest()
    area.type = "CLIP_EDITOR"
    space = area.spaces.active
    space.clip = bpy.data.movieclips.load(str(CLIP))
    for kind, region in part("ui.boxes")._REGIONS:
        kind.draw_handler_add(look, (), region, "POST_PIXEL")
    scene.frame_current = 16
    yield from show_tab(area.type)
    with in_view(area.type):
        bpy.ops.clip.view_all()
        bpy.ops.ed.undo_push(message="Open")
        assert OPS.find_people() == {"FINISHED"}
    while part("runner").busy():
        yield 0.1
    everybody = listed()
    assert [entry[0] for entry in everybody] == [1, 2, 3, 4]
    yield 1.0
    yield from check_boxes(area)
    yield from check_undo(area, everybody)
    yield from check_picking(area)
    yield from check_camera(area)
    yield from check_show_clip()
    yield from check_strip(area)
    addon = part("ui.boxes")
    addon.unregister()
    assert not addon._HANDLES
    addon.register()


def check_boxes(area):
    """Those who are ticked are shown in their colours, the others in grey."""
    person_color, grey = part("ui.boxes").person_color, part("ui.boxes")._GREY
    assert showing(area).frame == 15
    assert has_box(area, 0, person_color(1)) and has_box(area, 1, person_color(2)) and has_box(area, 2, grey)
    bpy.context.scene.recover_motion_people.people[0].ticked = False
    part("showing").redraw_clips()
    yield 1.0
    assert has_box(area, 0, grey)
    bpy.context.scene.recover_motion_people.people[0].ticked = True


def check_undo(area, everybody):
    """One action is one step, and a find one too."""
    people = bpy.context.scene.recover_motion_people
    with in_view(area.type):
        people.active = 1
        bpy.ops.ed.undo_push(message="Choose")
        OPS.merge_people("EXEC_DEFAULT", True, other="4")
        merged = listed()
        assert len(merged) == 3
    yield 0.2
    with in_view(area.type):
        bpy.context.scene.recover_motion_people.active = 0
        OPS.split_person("EXEC_DEFAULT", True)
        assert [parts for number, _, _, parts in listed() if number in (1, 5)] == [[(1, 0, 14)], [(1, 15, 29)]]
    yield 0.2
    for expected in (merged, everybody, everybody, []):
        with in_view(area.type):
            bpy.ops.ed.undo()
        yield 0.3
        assert listed() == expected, (listed(), expected)
    for expected in (everybody, everybody, merged):
        with in_view(area.type):
            bpy.ops.ed.redo()
        yield 0.3
        assert listed() == expected, (listed(), expected)


def check_picking(area):
    """A click chooses one, with Shift one more; a click beside everybody chooses nobody and waits on."""
    yield 0.5
    click(area, 2)
    yield 0.5
    people = bpy.context.scene.recover_motion_people
    assert [entry.number for entry in people.ticked] == [3] and people.active == 2
    click(area, 0, shift=True)
    yield 0.5
    assert [entry.number for entry in bpy.context.scene.recover_motion_people.ticked] == [1, 3]
    with in_view(area.type):
        bpy.ops.ed.undo()
    yield 0.3
    assert [entry.number for entry in bpy.context.scene.recover_motion_people.ticked] == [3]


def check_camera(area):
    """The same boxes lie over the clip behind the scene's camera."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 854, 480
    background = scene.camera.data.background_images.new()
    background.source, background.clip = "MOVIE_CLIP", bpy.data.movieclips[CLIP.name]
    scene.camera.data.show_background_images = True
    area.type = "VIEW_3D"
    assert showing(area) is None
    area.spaces.active.region_3d.view_perspective = "CAMERA"
    yield 2.0
    assert showing(area).frame == 15 and has_box(area, 2, part("ui.boxes").person_color(3))
    click(area, 0)
    yield 0.5
    assert [entry.number for entry in bpy.context.scene.recover_motion_people.ticked] == [1]


def check_show_clip():
    """In the viewport, where no clip is in view after Find People: half of it becomes the clip, boxes and all."""
    clip = bpy.data.movieclips[CLIP.name]
    with in_view("VIEW_3D"):
        assert OPS.show_clip() == {"FINISHED"}
    yield 1.5
    (beside,) = (area for area in window().screen.areas if area.type == "CLIP_EDITOR")
    assert beside.spaces.active.clip == clip
    assert showing(beside) is not None and has_box(beside, 0, part("ui.boxes").person_color(1))
    beside.type = "OUTLINER"
    yield 0.3


def check_strip(area):
    """And over a strip in the Sequencer's preview, where it is larger and moved."""
    area.type = "SEQUENCE_EDITOR"
    area.spaces.active.view_type = "SEQUENCER_PREVIEW"
    yield 0.5
    strip, scene = new_strip(CLIP, 11), bpy.context.scene
    strip.transform.scale_x, strip.transform.scale_y, strip.transform.offset_x = 0.8, 0.9, 40
    if hasattr(window().workspace, "sequencer_scene"):
        window().workspace.sequencer_scene = scene
    scene.frame_current = 26
    with in_view(area.type):
        assert OPS.find_people() == {"FINISHED"}
    while part("runner").busy():
        yield 0.1
    yield 2.0
    assert showing(area).frame == 15
    assert has_box(area, 0, part("ui.boxes").person_color(1)) and has_box(area, 2, part("ui.boxes")._GREY)
    click(area, 2)
    yield 0.5
    assert [entry.number for entry in scene.recover_motion_people.ticked] == [3]
    scene.frame_current = 10
    assert showing(area) is None

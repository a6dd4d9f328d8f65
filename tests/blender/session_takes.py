"""A session in a window with two takes: everything is drawn in every editor without an error, and undone step by step.

RECOVER_MOTION_CLIPS: a folder with walk.mp4.
"""

import dataclasses
import os
import tempfile
from pathlib import Path

import bpy
import gpu
import numpy as np
from mathutils import Matrix
from motions import walking_motion
from scenes import part
from screens import in_view, largest, show_tab

from ghmr_engine.motion_file import write_motion

CLIP = Path(os.environ["RECOVER_MOTION_CLIPS"]) / "walk.mp4"
FOLDER = Path(tempfile.mkdtemp())


def session():
    one, two = two_takes()
    yield from show_tab()
    yield from drawn_in_every_editor(one)
    yield from compared_and_undone(one, two)
    yield from deleted_and_undone(two)
    yield from imported_and_undone()
    yield from lines_and_rectangles()
    assert not part("overlay.drawing")._FAILED, part("overlay.drawing")._FAILED


def two_takes():
    motion = walking_motion(60, people=2)
    pixels = np.full(60, 3.5)
    pixels[30] = 60
    confidence = np.where(np.arange(24) > 21, 0.2, 1.0) * np.ones((60, 1))
    changed = dataclasses.replace(motion.people["1"], reprojection=pixels, confidence=confidence)
    motion = dataclasses.replace(
        motion, people={**motion.people, "1": changed}, distortion=np.array([-0.1, 0.0]), meta={**motion.meta}
    )
    path, build = FOLDER / "walk.motion.npz", part("scene.build")
    write_motion(path, motion)
    takes = [build.build_scene(bpy.context.scene, motion, path, CLIP) for _ in range(2)]
    bpy.ops.ed.undo_push(message="two takes")
    return [take.name for take in takes]


def taken(name):
    return bpy.data.collections[name]


def drawn_in_every_editor(one):
    scene, area = bpy.context.scene, largest("VIEW_3D")
    scene.recover_motion_takes.active = bpy.data.collections.find(one)
    bpy.ops.ed.undo_push(message="active")
    area.spaces.active.region_3d.view_perspective = "CAMERA"
    scene.recover_motion_overlay.viewport = True
    drawn = counted("draw_lines")
    yield 1.0
    assert drawn.pop("draw_lines", 0), "nothing over the viewport"
    area.type = "CLIP_EDITOR"
    yield 0.5
    area.spaces.active.clip = bpy.data.movieclips.load(str(CLIP))
    yield from show_tab("CLIP_EDITOR")
    drawn.clear()
    with in_view("CLIP_EDITOR"):
        assert bpy.ops.recover_motion.next_worst_frame("INVOKE_DEFAULT") == {"FINISHED"}
    assert scene.frame_current == 31
    yield 1.0
    assert drawn.get("draw_lines", 0) >= 5, "no grid and two skeletons over the clip"
    scene.frame_set(20)  # the editor stays at its picture, to which another frame's skeleton does not belong
    drawn.clear()
    area.tag_redraw()
    yield 0.5
    assert area.spaces.active.clip_user.frame_current == 31 and not drawn
    part("scene.playhead").go_to(scene, 31)
    yield 0.5
    assert drawn
    for mode in ("DOPESHEET", "ACTION"):
        area.type = "DOPESHEET_EDITOR"
        area.spaces.active.mode = mode
        yield 0.5
    area.type = "VIEW_3D"
    yield 0.5


def counted(name):
    """Count the calls of a drawing function, where over_clip.py calls it."""
    module, count = part("overlay.over_clip"), {}
    draw = getattr(module, name)

    def counting(*arguments):
        count[name] = count.get(name, 0) + 1
        draw(*arguments)

    setattr(module, name, counting)
    return count


def compared_and_undone(one, two):
    compared = part("comparing").compared_take
    bpy.context.scene.recover_motion_comparing.way = "BESIDE"
    bpy.ops.ed.undo_push(message="beside")
    with in_view():
        bpy.ops.recover_motion.compare_takes("EXEC_DEFAULT", True, take=two)
    yield 0.5
    person = part("takes").people_of(taken(two))[0]
    assert compared(bpy.context.scene) == taken(two) and person.delta_location.length > 1
    with in_view():
        bpy.ops.ed.undo()
    yield 0.5
    person = part("takes").people_of(taken(two))[0]
    assert compared(bpy.context.scene) is None and person.delta_location.length == 0
    assert not bpy.data.node_groups and part("takes").active_take(bpy.context) == taken(one)


def deleted_and_undone(two):
    objects, actions, own = len(bpy.data.objects), len(bpy.data.actions), len(taken(two).all_objects)
    with in_view():
        bpy.ops.recover_motion.delete_take("EXEC_DEFAULT", True, take=two)
    yield 0.5
    assert two not in bpy.data.collections and len(bpy.data.objects) == objects - own
    with in_view():
        bpy.ops.ed.undo()
    yield 0.5
    assert len(bpy.data.objects) == objects and len(bpy.data.actions) == actions
    assert taken(two).recover_motion.clip is not None


def imported_and_undone():
    """A motion file from elsewhere comes in by the timer, without an engine; one undo takes it away again."""
    before, path = {item.name for item in bpy.data.collections}, FOLDER / "from elsewhere.motion.npz"
    motion = walking_motion(60, people=2)
    video = {**motion.meta["video"], "name": "from elsewhere", "sha256": ""}
    meta = {**motion.meta, "video": video, "camera": {"motion_source": "none"}}
    write_motion(path, dataclasses.replace(motion, meta=meta))
    camera = bpy.context.scene.camera
    assert bpy.ops.recover_motion.import_motion("INVOKE_DEFAULT", filepath=str(path)) == {"FINISHED"}
    assert "from elsewhere" not in bpy.data.collections and part("runner").busy()
    waited = 0
    while part("runner").busy():
        yield 0.1
        waited += 1
        assert waited < 300
    take = bpy.data.collections["from elsewhere"]
    assert len(part("takes").people_of(take)) == 2 and part("takes").filming(take) is None
    assert part("jobs").JOB.client is None and bpy.context.scene.camera == camera
    yield 0.3
    bpy.ops.ed.undo()
    yield 0.3
    assert {item.name for item in bpy.data.collections} == before


def lines_and_rectangles():
    """Drawn into a picture of their own, whose pixels are read."""
    drawing, strokes = part("overlay.drawing"), part("overlay.strokes")
    picture = gpu.types.GPUOffScreen(64, 64)
    with picture.bind(), gpu.matrix.push_pop():
        gpu.state.active_framebuffer_get().clear(color=(0, 0, 0, 0))
        gpu.matrix.load_matrix(Matrix.Translation((-1, -1, 0)) @ Matrix.Diagonal((1 / 32, 1 / 32, 1, 1)))
        gpu.matrix.load_projection_matrix(Matrix.Identity(4))
        with drawing.blended():
            line = strokes.Strokes(np.array([[[4.0, 50], [60, 50]]]), np.array([[1.0, 0, 0, 1]]), 6.0)
            drawing.draw_lines(line)
            drawing.draw_rectangles(np.array([[8.0, 8]]), np.array([[24.0, 20]]), np.array([[0.0, 1, 0, 1]]))
        buffer = gpu.state.active_framebuffer_get().read_color(0, 0, 64, 64, 4, 0, "FLOAT")
    pixels = np.array(buffer.to_list()).reshape(64, 64, 4)
    picture.free()
    assert pixels[50, 32, 0] > 0.9 and pixels[50, 32, 1] < 0.1, pixels[50, 32]
    assert pixels[14, 16, 1] > 0.9 and pixels[14, 40].max() < 0.1 and pixels[30, 16].max() < 0.1
    yield 0.1

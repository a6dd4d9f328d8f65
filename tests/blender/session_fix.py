"""Correcting in a real window: a slider whose keys come by a timer, a joint dragged in the camera's view, feet solved
again while Blender is used, and undo through all of it. The engine is fake_engine.py."""

import bpy
import fake_engine
import gpu
import numpy as np
from scenes import part
from screens import in_view, largest, part_of, show_tab, window
from takes_on_disk import file_of, now, pose_keys, same_keys, take_of

OPS = bpy.ops.recover_motion
SEEN = []
"""What was on the screen last: (height, width, 3) of the viewport's main region, the first row lowest."""
FAR = np.array([40, 25])
"""px to the right and up that the joint is dragged."""


def look():
    """Keep what the region shows; called after our own drawing, which was there first."""
    _, _, width, height = gpu.state.viewport_get()
    pixels = gpu.state.active_framebuffer_get().read_color(0, 0, width, height, 3, 0, "UBYTE")
    SEEN[:] = [np.array(pixels.to_list(), dtype=np.uint8).reshape(height, width, 3)]


def has_color(at, color):
    """Whether something in this colour is near a place (2,) of the region."""
    x, y = np.round(at).astype(int)
    near = SEEN[0][y - 6 : y + 7, x - 6 : x + 7].astype(float) / 255
    return bool((abs(near - color[:3]).max(-1) < 0.06).any())


def person():
    return next(item for item in bpy.data.objects if item.type == "ARMATURE")


def settings():
    return person().recover_motion_fixes


def history(action):
    with in_view():
        getattr(bpy.ops.ed, action)()


def session():
    """Called by run_in_window.py."""
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    collection, _, _ = take_of(60)
    name = collection.name
    largest("VIEW_3D").spaces.active.region_3d.view_perspective = "CAMERA"
    yield from show_tab()
    bpy.context.scene.frame_set(31)
    with in_view():
        bpy.ops.ed.undo_push(message="Built")
    yield from check_slider()
    yield from check_pin()
    yield from check_solving(name)


def check_slider():
    """The keys come when the mouse rests; undo and redo have both or make it good."""
    raw = pose_keys(person())
    part("layer_keys")._AT_ONCE = 10
    for value in (0.3, 0.6, 0.9):
        settings().smooth_all = value
    assert same_keys(pose_keys(person()), raw)
    with in_view():
        bpy.ops.ed.undo_push(message="Smooth")  # as when the mouse is released before the timer came
    yield 2.0
    smooth = pose_keys(person())
    assert not same_keys(smooth, raw)
    history("undo")
    yield 2.0
    assert settings().smooth_all == 0 and same_keys(pose_keys(person()), raw)
    history("redo")
    yield 2.0
    assert settings().smooth_all > 0.8 and same_keys(pose_keys(person()), smooth)
    history("undo")
    yield 0.5


def joint_at(joint):
    """(2,) in the region."""
    seen = part("pins").joints_seen(person(), largest("VIEW_3D"), bpy.context.evaluated_depsgraph_get())
    return seen[part("motion").JOINT_NAMES.index(joint)]


def mouse(kind, value, at):
    region = part_of(largest("VIEW_3D"))
    x, y = np.round(at).astype(int)
    window().event_simulate(kind, value, x=region.x + int(x), y=region.y + int(y))


def check_pin():
    """Hovered, dragged, let go: a pin lies where the mouse was, and is one undo step."""
    marks = part("ui.pin_marks")
    with in_view():
        assert OPS.pin_joint("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    bpy.types.SpaceView3D.draw_handler_add(look, (), "WINDOW", "POST_PIXEL")  # after the tool's own
    start = joint_at("left_wrist")
    mouse("MOUSEMOVE", "NOTHING", start + np.array([2, 1]))
    yield 2.0
    assert has_color(start + np.array([0, marks._RING_PX]), marks._HELD)
    mouse("LEFTMOUSE", "PRESS", start + np.array([2, 1]))
    yield 0.3
    mouse("MOUSEMOVE", "NOTHING", start + FAR)
    yield 2.0
    assert has_color(start + FAR, marks._HELD)
    mouse("LEFTMOUSE", "RELEASE", start + FAR)
    yield 0.5
    mouse("MOUSEMOVE", "NOTHING", (60, 60))
    yield 2.0
    pin = settings().pins[0]
    assert (pin.frame, pin.joint, len(settings().pins)) == (30, "left_wrist", 1)
    viewing = part("pins").viewing_of(largest("VIEW_3D"), bpy.context.scene, (1280, 720))
    np.testing.assert_allclose(viewing.to_region(np.array([pin.x, pin.y])), np.round(start + FAR), atol=0.01)
    assert has_color(start + FAR, marks._OPEN)
    window().event_simulate("ESC", "PRESS", x=200, y=200)
    yield 0.5
    assert not len(window().modal_operators)
    history("undo")
    yield 0.5
    assert not settings().pins
    history("redo")
    yield 0.5
    assert len(settings().pins) == 1


def check_solving(name):
    """Blender goes on while the engine works; what comes is one undo step."""
    raw, file = pose_keys(person()), file_of(bpy.data.collections[name])
    with in_view():
        assert OPS.resolve_near("INVOKE_DEFAULT") == {"FINISHED"}
    assert part("runner").busy() and not OPS.plant_foot.poll()
    while part("runner").busy():
        yield 0.1
    take = bpy.data.collections[name]
    assert file_of(take).name == "walk.edit2.motion.npz" and settings().pins[0].solved
    heights = [motion.people["1"].transl[30, 2] for motion in (part("motion").read_motion(file), now(take))]
    assert abs(heights[1] - heights[0] - fake_engine.RESOLVED_M) < 1e-5
    solved = pose_keys(person())
    assert not same_keys(solved, raw)
    history("undo")
    yield 0.5
    assert file_of(bpy.data.collections[name]) == file and same_keys(pose_keys(person()), raw)
    assert not settings().pins[0].solved
    history("redo")
    yield 0.5
    assert same_keys(pose_keys(person()), solved) and settings().pins[0].solved

"""A session in a window while the engine works: used, cancelled, undone, killed, closed. The engine is the fake one.

RECOVER_MOTION_CLIPS: clips named for what the engine shall do.
"""

import os
import signal
import time
from pathlib import Path

import bpy
from scenes import part
from screens import in_view, largest, show_tab

CLIPS = Path(os.environ["RECOVER_MOTION_CLIPS"])


def takes():
    return [take.name for take in part("takes").takes_of(bpy.context.scene)]


def recover(name):
    bpy.context.scene.recover_motion.clip = str(CLIPS / f"{name}.mp4")
    with in_view():
        assert bpy.ops.recover_motion.recover() == {"FINISHED"}


def reported():
    """What the Info editor lists, as the status bar showed it."""
    area = next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "PROPERTIES")
    area.type = "INFO"
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region):
        bpy.ops.info.select_all("EXEC_DEFAULT", action="SELECT")
        bpy.ops.info.report_copy("EXEC_DEFAULT")
    area.type = "PROPERTIES"
    return bpy.context.window_manager.clipboard.splitlines()


def until(holds, seconds=30):
    waited = 0.0
    while not holds():
        waited += 0.05
        assert waited < seconds, "it takes too long"
        yield 0.05


def idle():
    return not part("runner").busy()


def session():
    yield from show_tab()
    yield from used_meanwhile_and_cancelled()
    yield from built_beside_an_edit_mode()
    yield from one_undo_step()
    yield from undone_while_it_is_built()
    yield from killed()
    yield from opened_again()
    yield from without_its_scene()


def used_meanwhile_and_cancelled():
    runner, job = part("runner"), part("jobs").JOB
    recover("slow")
    yield from until(lambda: job.stage == "people")
    with in_view():
        bpy.ops.mesh.primitive_monkey_add("EXEC_DEFAULT", True)  # as the user does: an undo step
        bpy.ops.transform.translate("EXEC_DEFAULT", True, value=(1, 0, 0))
        bpy.ops.ed.undo()
        bpy.ops.ed.undo()
    assert "Suzanne" not in bpy.data.objects and runner.busy() and job.running
    yield 0.3
    assert bpy.ops.recover_motion.cancel() == {"FINISHED"}
    yield from until(idle)
    assert job.error.code == "cancelled" and not takes() and job.client.alive


def built_beside_an_edit_mode():
    job = part("jobs").JOB
    with in_view():
        bpy.ops.mesh.primitive_cube_add("EXEC_DEFAULT", True)
        bpy.ops.object.mode_set("EXEC_DEFAULT", True, mode="EDIT")
    active = bpy.context.view_layer.objects.active
    recover("walk")
    yield from until(idle)
    assert takes() == ["walk"] and job.error is None, job.error
    yield 0.3
    assert any(line.startswith("Done:") for line in reported()), reported()
    assert bpy.context.view_layer.objects.active == active and active.mode == "EDIT"
    assert len(bpy.data.scenes) == 1
    with in_view():
        bpy.ops.object.mode_set("EXEC_DEFAULT", True, mode="OBJECT")


def one_undo_step():
    recover("walk")
    yield from until(idle)
    assert takes() == ["walk", "walk.001"]
    with in_view():
        bpy.ops.ed.undo()
        assert takes() == ["walk"]
        bpy.ops.ed.redo()
    found = part("takes")
    assert takes() == ["walk", "walk.001"]
    people = [person for take in found.takes_of(bpy.context.scene) for person in found.people_of(take)]
    assert [len(person.data.bones) for person in people] == [24] * 4


def undone_while_it_is_built():
    runner, job = part("runner"), part("jobs").JOB
    before, steps = takes(), part("scene.build").build_steps
    began = []

    def slowly(*arguments):  # a step a call of the timer, so that there is a middle
        began.append(1)
        built = steps(*arguments)
        while True:
            try:
                next(built)
            except StopIteration as end:
                return end.value
            time.sleep(0.04)
            yield

    part("operators.recover").build_steps = slowly
    try:
        recover("walk")
        yield from until(runner.building)
        yield 0.3
        assert runner.building()
        with in_view():
            bpy.ops.ed.undo()
        yield from until(idle)
    finally:
        part("operators.recover").build_steps = steps
    # The undo took the last take, and with it what was built so far; that was begun again.
    assert job.error is None and len(began) == 2, (job.error, began)
    assert takes() == before, (before, takes())


def killed():
    job, before = part("jobs").JOB, len(takes())
    recover("slow")
    yield from until(lambda: job.stage == "people")
    os.kill(job.client.process_id, signal.SIGKILL)
    yield from until(idle)
    assert job.error.code == "engine_died" and len(takes()) == before
    with in_view():
        assert bpy.ops.recover_motion.copy_log() == {"FINISHED"}
    assert "engine_died" in bpy.context.window_manager.clipboard
    recover("walk")
    yield from until(idle)
    assert job.error is None and len(takes()) == before + 1


def opened_again():
    runner, job, before = part("runner"), part("jobs").JOB, len(takes())
    path = CLIPS / f"session {bpy.app.version_string}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    recover("slow")
    yield from until(lambda: job.stage == "people")
    client = job.client
    bpy.ops.wm.open_mainfile(filepath=str(path))
    yield 0.5
    assert not client.alive and not runner.busy() and len(takes()) == before
    first = part("takes").takes_of(bpy.context.scene)[0]
    assert part("takes").motion_of(first).meta["frames"] == 30


def without_its_scene():
    job, before = part("jobs").JOB, len(takes())
    scene = bpy.data.scenes.new("other")
    bpy.context.window.scene = scene
    recover("walk")
    bpy.context.window.scene = bpy.data.scenes["Scene"]
    bpy.data.scenes.remove(scene)
    yield from until(idle)
    assert job.error is None and len(takes()) == before + 1
    assert largest("VIEW_3D").spaces.active.region_3d.view_perspective == "CAMERA"

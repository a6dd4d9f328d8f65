"""A whole session in a real window with the real engine: from a clip to a corrected take, saved and opened again.

RECOVER_MOTION_CLIPS: holds demo.mp4.
"""

import os
import time
from pathlib import Path

import bpy
import numpy as np
from scenes import curves_of, keys_of, part
from screens import in_view, largest, show_tab

CLIPS = Path(os.environ["RECOVER_MOTION_CLIPS"])
OPS = bpy.ops.recover_motion
FRAMES = 48


def until(holds, seconds=240):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it takes too long"
        yield 0.05


def idle():
    return not part("runner").busy()


def call(name, **values):
    with in_view():
        assert getattr(OPS, name)(**values) == {"FINISHED"}, name


def takes():
    return part("takes").takes_of(bpy.context.scene)


def person():
    return part("takes").people_of(takes()[-1])[0]


def leg():
    """(N, 4) the keys of a turn that solving feet changes."""
    curves = curves_of(person())
    return np.stack([keys_of(curves['pose.bones["left_hip"].rotation_quaternion', i])[:, 1] for i in range(4)], 1)


def session():
    """Called by run_in_window.py."""
    yield from show_tab()
    # The clip is chosen in the viewport's tab.
    settings = bpy.context.scene.recover_motion
    settings.clip = str(CLIPS / "demo.mp4")
    settings.start, settings.end = 20, 20 + FRAMES - 1
    yield from cancelled(settings)
    settings.use_range = True
    yield from found()
    yield from recovered()
    yield from corrected()
    yield from opened_again()


def cancelled(settings):
    """All of the clip with the priors: that is never done, so that no earlier run's is at hand."""
    job = part("jobs").JOB
    settings.use_range, settings.quality = False, "best"
    call("recover")
    yield from until(lambda: job.stage not in ("", "starting"))
    call("cancel")
    yield from until(idle)
    assert job.error.code == "cancelled" and not takes()
    settings.quality = "balanced"


def found():
    job = part("jobs").JOB
    call("find_people")
    yield from until(idle)
    assert job.error is None, job.error
    people = bpy.context.scene.recover_motion_people.people
    assert [entry.ticked for entry in people] == [True]
    people[0].name = "Walker"


def recovered():
    job = part("jobs").JOB
    call("recover")
    yield from until(idle)
    assert job.error is None, job.error
    assert len(takes()) == 1 and "Walker" in person().name and job.previews > 0
    assert largest("VIEW_3D").spaces.active.region_3d.view_perspective == "CAMERA"
    assert bpy.context.scene.frame_end == FRAMES


def corrected():
    """A contact is edited, the feet are solved again; undo and redo."""
    job, raw, first_file = part("jobs").JOB, leg(), takes()[0].recover_motion.motion
    bpy.context.scene.frame_set(FRAMES // 2)
    side = "RIGHT" if person()["contact_left_heel"] else "LEFT"
    call("plant_foot", side=side, part="BOTH", use_range=True, first=FRAMES // 2 - 4, last=FRAMES // 2 + 4)
    call("resolve_feet")
    yield from until(idle)
    assert job.error is None, job.error
    solved = leg()
    assert takes()[0].recover_motion.motion != first_file
    assert side == "RIGHT" or np.abs(solved - raw).max() > 1e-3
    with in_view():
        bpy.ops.ed.undo()
        assert takes()[0].recover_motion.motion == first_file and np.array_equal(leg(), raw)
        bpy.ops.ed.redo()
        assert np.array_equal(leg(), solved)


def opened_again():
    solved, path = leg(), CLIPS / f"whole {bpy.app.version_string}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    yield 1.0
    assert len(takes()) == 1 and np.array_equal(leg(), solved)
    assert part("takes").motion_of(takes()[0]).meta["edits"]
    call("add_foot_ik")
    yield 0.5
    call("remove_foot_ik")
    assert np.array_equal(leg(), solved)

"""Asks the engine for something and does what follows with its answer, in small pieces, while Blender stays usable.

A timer looks ten times a second whether the engine has answered. What is done then is a generator that is resumed for
a few hundredths of a second at a time. Nothing here hangs on a window, an operator or the undo history: any may go.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from .ghmr_engine import protocol
from .ghmr_engine.errors import RecoverError
from .jobs import JOB
from .motion import MotionFileError
from .preferences import data_folder
from .translations import fault

_POLL_S = 0.1
_PIECE_S = 0.02
"""How long Blender is held at a time, and by the last step begun in it; it draws in between."""
_BETWEEN_PIECES_S = 0.005
_SOON_S = 0.01
_MOST_TRIES = 3

Steps = Iterator[None]


@dataclass(frozen=True)
class Task:
    """What to do with one answer of the engine."""

    title: str
    """Names the undo step."""
    finish: Callable[[protocol.Done | protocol.Found], Steps]
    """Does what follows in steps; raises errors whose text is for the user (OSError, MotionFileError, RecoverError).
    It is begun anew where the user undid something in its middle."""
    dropped: Callable[[], None] = lambda: None
    """Called where nothing came of it."""


@dataclass
class _Running:
    """The task that runs, and the rest of its steps; kept here as the process is in JOB."""

    task: Task | None = None
    steps: Steps | None = None
    tries: int = 0
    shown: tuple = ()
    """What the panels were last drawn with."""


_RUNNING = _Running()


def ask(python: Path, request: Callable[[int], protocol.Request], task: Task) -> None:
    """Ask the engine, and do `task` with its answer later. Raises OSError where the engine cannot be started."""
    JOB.start(python, data_folder() / "engine.log", request)
    _RUNNING.task, _RUNNING.steps, _RUNNING.tries = task, None, 0
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_POLL_S, persistent=True)


def do(task: Task, reply: protocol.Done) -> None:
    """Do `task` with an answer that is there already: what needs no engine."""
    JOB.done, JOB.error, JOB.quality = reply, None, ""
    _RUNNING.task, _RUNNING.steps, _RUNNING.tries = task, task.finish(reply), 0
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_SOON_S, persistent=True)


def wait() -> None:
    """Do now what the timer does: for scripts, and for Blender without a window, where timers never fire."""
    while (pause := _tick()) is not None:
        time.sleep(pause)


def busy() -> bool:
    """Whether something is asked, or its answer being built."""
    return _RUNNING.task is not None


def building() -> bool:
    """Whether the engine is done and the scene is being built."""
    return _RUNNING.steps is not None


def drop() -> None:
    """Forget what was asked: the file it belongs to goes."""
    task, _RUNNING.task, _RUNNING.steps = _RUNNING.task, None, None
    if task is not None:
        task.dropped()
    JOB.forget()


def _tick() -> float | None:
    """The timer's call: seconds until the next one, None when all is done."""
    if _RUNNING.task is None:
        return None
    if _RUNNING.steps is None and JOB.poll():
        shown = JOB.stage, round(JOB.ahead.whole * 200), JOB.previews
        if shown != _RUNNING.shown:
            _RUNNING.shown = shown
            redraw()
        return _POLL_S
    more = _work()
    redraw()
    return _BETWEEN_PIECES_S if more else None


def _work() -> bool:
    """Do a piece of what follows the answer; whether there is more."""
    task = _RUNNING.task
    if _RUNNING.steps is None:
        if JOB.done is None:
            return _end(task, failed=True)
        _RUNNING.steps = task.finish(JOB.done)
    until = time.perf_counter() + _PIECE_S
    try:
        while time.perf_counter() < until:
            next(_RUNNING.steps)
    except StopIteration:
        return _end(task, failed=False)
    except ReferenceError:  # an undo took away what was built so far
        _RUNNING.tries += 1
        _RUNNING.steps = None
        if _RUNNING.tries < _MOST_TRIES:
            return True
        JOB.error = _failure("The scene was changed while the take was built.", "Recover again: it goes fast now.")
        return _end(task, failed=True)
    except Exception as error:  # noqa: BLE001  whatever it is, the panel says it and the next run starts cleanly
        if not isinstance(error, (RecoverError, MotionFileError, OSError)):
            traceback.print_exc()
        fix = getattr(error, "fix", "")
        JOB.error = _failure(getattr(error, "message", None) or f"{error}", fix)
        return _end(task, failed=True)
    return True


def _failure(message: str, fix: str) -> protocol.Error:
    return protocol.Error(JOB.number, "not_built", message, fix)


def _end(task: Task, *, failed: bool) -> bool:
    _RUNNING.task = _RUNNING.steps = None
    if failed:
        task.dropped()
        if JOB.error is not None:
            tell(fault(JOB.error), warn=JOB.error.code != "cancelled")
        return False
    if not bpy.app.background:
        with _any_window():
            bpy.ops.ed.undo_push(message=task.title)
    return False


def tell(text: str, *, warn: bool = False) -> None:
    """Say something in the status bar and the info log."""
    if bpy.app.background:
        return
    with _any_window():
        bpy.ops.recover_motion.tell("INVOKE_DEFAULT", text=" ".join(text.split()), warn=warn)


def _any_window() -> object:
    """The context of a window: a timer has none."""
    return bpy.context.temp_override(window=bpy.context.window_manager.windows[0])


def redraw() -> None:
    """Draw again what shows progress: our panels' editors and the status bar."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "CLIP_EDITOR", "SEQUENCE_EDITOR", "DOPESHEET_EDITOR", "PREFERENCES"}:
                for region in area.regions:
                    if region.type == "UI" or area.type == "PREFERENCES":
                        region.tag_redraw()
        # The status bar is in no screen's list; saying its text anew, which is none, draws it. A tool in use has its
        # hints there.
        if not len(window.modal_operators):
            window.workspace.status_text_set_internal(None)


class RECOVERMOTION_OT_tell(bpy.types.Operator):
    """Say what the engine came to"""

    bl_idname = "recover_motion.tell"
    bl_label = "Recover Motion"
    bl_options = {"INTERNAL"}  # noqa: RUF012  Blender wants a plain set

    text: bpy.props.StringProperty(name="Text", description="What is said", options={"SKIP_SAVE"})
    warn: bpy.props.BoolProperty(name="Warning", description="Say it in yellow", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Wait for Blender's next event: the status bar shows no report of a call from Python."""
        self._timer = context.window_manager.event_timer_add(_SOON_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Report it. An error would be a popup that stands in the way of whatever the user does by now."""
        context.window_manager.event_timer_remove(self._timer)
        self.report({"WARNING"} if self.warn else {"INFO"}, self.text)
        return {"FINISHED", "PASS_THROUGH"}


@bpy.app.handlers.persistent
def _before_load(*_arguments: object) -> None:
    """Another file is opened: what runs belongs to the one that goes."""
    drop()


def register() -> None:
    """Called by the add-on."""
    bpy.utils.register_class(RECOVERMOTION_OT_tell)
    bpy.app.handlers.load_pre.append(_before_load)


def unregister() -> None:
    """Called by the add-on; Blender calls it when it quits too."""
    drop()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    if _before_load in bpy.app.handlers.load_pre:
        bpy.app.handlers.load_pre.remove(_before_load)
    bpy.utils.unregister_class(RECOVERMOTION_OT_tell)

"""Install Engine, Cancel, Copy Log and Uninstall Engine."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import bpy

from .. import runner
from ..engine_state import ROOT
from ..ghmr_engine import places
from ..installing import INSTALL, INSTALL_ARGUMENTS, REMOVE_ARGUMENTS
from ..jobs import JOB
from ..preferences import data_folder, preferences_of, state_of
from ..pythons import candidates
from ..ui.install_box import why_not

_POLL_S = 0.2


class RECOVERMOTION_OT_install_engine(bpy.types.Operator):
    """Download the engine and its models into a folder of its own and try them; goes on where it was stopped"""

    bl_idname = "recover_motion.install_engine"
    bl_label = "Install Engine"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Where Blender may go online, or has a folder to take all from."""
        reason = _at_work() or _why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start it. In a window it goes on beside Blender; without one this waits for it."""
        own = preferences_of(context)
        wheels = own.wheels_folder() if own else None
        if wheels is None and not bpy.app.online_access:
            wheels = data_folder()  # has none: whatever should be asked for after all, the network is not asked
        arguments = [*INSTALL_ARGUMENTS, *(["--wheels", str(wheels)] if wheels is not None else [])]
        return _run(self, arguments)


class RECOVERMOTION_OT_uninstall_engine(bpy.types.Operator):
    """Remove the engine, its models and its cache from this machine; takes, clips and the add-on stay"""

    bl_idname = "recover_motion.uninstall_engine"
    bl_label = "Uninstall Engine"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Not while something is at work."""
        reason = _at_work()
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_props_dialog(self, width=460, confirm_text="Uninstall")

    def draw(self, _context: bpy.types.Context) -> None:
        """Blender's call."""
        column = self.layout.column(align=True)
        column.label(text=f"All of {places.home()} is removed:", translate=False)
        column.label(text="engine, models that were fetched, results kept for the next run.")
        column.label(text="Takes, clips and the add-on stay.")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Start it."""
        return _run(self, REMOVE_ARGUMENTS)


class RECOVERMOTION_OT_cancel_install(bpy.types.Operator):
    """Stop the installation; Retry goes on where it was"""

    bl_idname = "recover_motion.cancel_install"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while it runs."""
        return INSTALL.state == "running"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Tell it."""
        INSTALL.cancel()
        return {"FINISHED"}


class RECOVERMOTION_OT_copy_install_log(bpy.types.Operator):
    """Copy what went wrong and the end of the installation's log, to send them to somebody"""

    bl_idname = "recover_motion.copy_install_log"
    bl_label = "Copy Log"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put it on the clipboard."""
        context.window_manager.clipboard = INSTALL.report(places.home() / "setup.log")
        self.report({"INFO"}, "The log is on the clipboard.")
        return {"FINISHED"}


def _at_work() -> str:
    """What keeps the engine from being touched now; empty where nothing does."""
    if INSTALL.running:
        return "The engine is being installed or removed: wait, or cancel it"
    if runner.busy():
        return "The engine is at work: wait for it, or cancel it"
    return ""


def _why_not(context: bpy.types.Context) -> str:
    state, own = state_of(context), preferences_of(context)
    if not state.installs:
        return state.text
    return why_not(state, own.wheels_folder() if own else None)


def _run(operator: bpy.types.Operator, arguments: Sequence[str]) -> set[str]:
    JOB.stop()  # a warm engine would hold the files that change
    INSTALL.start(candidates(), ROOT, arguments, data_folder() / "install.log")
    if not bpy.app.background:
        if not bpy.app.timers.is_registered(_tick):
            bpy.app.timers.register(_tick, first_interval=_POLL_S, persistent=True)
        return {"FINISHED"}
    _wait()
    if INSTALL.failure is not None:
        operator.report({"ERROR"}, f"{INSTALL.failure.message} {INSTALL.failure.fix}")
        return {"CANCELLED"}
    return {"FINISHED"}


def _tick() -> float | None:
    """The timer's call."""
    before = INSTALL.state, INSTALL.text, INSTALL.share
    running = INSTALL.poll()
    if before != (INSTALL.state, INSTALL.text, INSTALL.share):
        runner.redraw()
    if running:
        return _POLL_S
    if INSTALL.failure is not None:
        runner.tell(f"{INSTALL.failure.message} {INSTALL.failure.fix}", warn=True)
    elif INSTALL.state == "done":
        runner.tell("The engine is removed." if INSTALL.removing else "The engine is installed.")
    return None


def _wait() -> None:
    """Without a window timers never fire; steps go to the terminal."""
    shown = ""
    while INSTALL.poll():
        step = INSTALL.text.partition(":")[0]
        if step != shown:
            shown = step
            sys.stderr.write(f"{shown}\n")
            sys.stderr.flush()
        time.sleep(_POLL_S)


_CLASSES = (
    RECOVERMOTION_OT_install_engine, RECOVERMOTION_OT_uninstall_engine, RECOVERMOTION_OT_cancel_install,
    RECOVERMOTION_OT_copy_install_log,
)  # fmt: skip


def register() -> None:
    """Called by the add-on."""
    for operator in _CLASSES:
        bpy.utils.register_class(operator)


def unregister() -> None:
    """Called by the add-on; Blender calls it when it quits too."""
    INSTALL.stop()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    for operator in reversed(_CLASSES):
        bpy.utils.unregister_class(operator)

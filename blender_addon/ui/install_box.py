"""The engine's state and its installation, as the preferences and the panels show them. Only draws."""

from __future__ import annotations

import functools
import shutil
import sys
from pathlib import Path

import bpy

from ..engine_state import EngineState
from ..ghmr_engine import places
from ..installing import INSTALL
from .editors import words

_ICONS = {"missing": "INFO", "unfinished": "ERROR", "outdated": "ERROR", "ready": "CHECKMARK"}
_BUTTONS = {"missing": "Install Engine", "unfinished": "Go On Installing", "outdated": "Update Engine"}


def draw_install(
    context: bpy.types.Context, layout: bpy.types.UILayout, state: EngineState, wheels: Path | None
) -> None:
    """A box: how the engine is, and what can be done about it; while it is being installed, how far that is."""
    if INSTALL.running:
        _draw_progress(layout)
        return
    failed = INSTALL.state == "failed" and state.installs and (state.kind != "ready" or INSTALL.removing)
    if failed:
        words(context, layout, f"{INSTALL.failure.message} {INSTALL.failure.fix}", "ERROR")
    else:
        words(context, layout, state.text, _ICONS[state.kind])
    if state.kind == "ready" and not failed:
        words(context, layout, "Its models are open: takes made with them may be used for paid work.", "BLANK1")
    elif state.kind != "ready" and state.installs:
        _draw_button(context, layout, state, wheels, again=failed and not INSTALL.removing)
    if failed:
        layout.operator("recover_motion.copy_install_log", icon="COPYDOWN")


def _draw_button(
    context: bpy.types.Context, layout: bpy.types.UILayout, state: EngineState, wheels: Path | None, *, again: bool
) -> None:
    """What the click will do, why it cannot be clicked, and the button."""
    if state.downloads and not again:
        words(context, layout, before_the_click(wheels), "BLANK1")
    _draw_why_not(context, layout, state, wheels)
    row = layout.row()
    row.scale_y = 1.4
    text, icon = ("Retry", "FILE_REFRESH") if again else (_BUTTONS[state.kind], "IMPORT")
    row.operator("recover_motion.install_engine", text=text, icon=icon)


def draw_removal(layout: bpy.types.UILayout) -> None:
    """The way back, small."""
    if not INSTALL.running:
        row = layout.row()
        row.alignment = "RIGHT"
        row.operator("recover_motion.uninstall_engine", icon="TRASH")


def why_not(state: EngineState, wheels: Path | None) -> str:
    """Why it cannot be installed now; empty where it can."""
    if not state.downloads:
        return ""
    if wheels is not None:
        return "" if wheels.is_dir() else f"There is no folder {wheels}. Choose another folder of wheels"
    if not bpy.app.online_access:
        return (
            "Blender may not go online, so that nothing can be downloaded. Allow Online Access (Preferences, System, "
            "Network), or choose a Folder of Wheels in the add-on's preferences"
        )
    return ""


def before_the_click(wheels: Path | None) -> str:
    """What the button will do. Measured on Linux: 0.59 GB without, 3.1 GB with what an NVIDIA GPU needs."""
    loads, takes = ("3 GB", "6 GB") if _has_gpu() else ("0.6 GB", "3 GB")
    begin = f"Installs from {wheels}" if wheels is not None else f"Downloads about {loads}"
    return (
        f"{begin} and unpacks it, at most {takes}, in {places.home()}. No administrator is needed, and nothing goes "
        "into Blender or the system"
    )


@functools.lru_cache(maxsize=1)
def _has_gpu() -> bool:
    """Whether set-up will ask an NVIDIA driver which GPU it has."""
    return sys.platform != "darwin" and shutil.which("nvidia-smi") is not None


def _draw_why_not(
    context: bpy.types.Context, layout: bpy.types.UILayout, state: EngineState, wheels: Path | None
) -> None:
    reason = why_not(state, wheels)
    if not reason:
        return
    words(context, layout, reason, "INTERNET_OFFLINE")
    if wheels is None and not bpy.app.online_access_override:
        layout.prop(context.preferences.system, "use_online_access", text="Allow Online Access")


def _draw_progress(layout: bpy.types.UILayout) -> None:
    column = layout.column()
    column.label(text="Removing the engine" if INSTALL.removing else "Installing the engine", icon="IMPORT")
    column.progress(factor=INSTALL.share, type="BAR", text=INSTALL.text)
    row = column.row()
    row.enabled = INSTALL.state == "running"
    row.operator("recover_motion.cancel_install", icon="CANCEL")

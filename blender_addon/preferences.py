"""Where the engine is, and installing it, in the add-on's preferences."""

from __future__ import annotations

from pathlib import Path

import bpy

from .engine_state import EngineState, engine_state
from .installing import INSTALL
from .ui.install_box import draw_install, draw_removal

HOW_TO_INSTALL = "Press Install Engine in the add-on's preferences"


class RecoverMotionPreferences(bpy.types.AddonPreferences):
    """The engine: its state, its installation, and where it is taken from."""

    bl_idname = __package__

    engine_python: bpy.props.StringProperty(
        name="Existing Environment",
        description="Python program of an environment of your own that has the engine; empty for the usual place",
        subtype="FILE_PATH",
    )
    wheels: bpy.props.StringProperty(
        name="Folder of Wheels",
        description="Install from this folder, without network: the manual says how to fill it on another machine",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Blender's call."""
        layout = self.layout
        state = state_of(context)
        draw_install(context, layout.box(), state, self.wheels_folder())
        column = layout.column()
        column.use_property_split = True
        column.enabled = not INSTALL.running
        column.prop(self, "wheels")
        column.prop(self, "engine_python")
        if not self.engine_python and state.kind != "missing":
            draw_removal(layout)

    def wheels_folder(self) -> Path | None:
        """The folder of wheels; None where none is chosen."""
        return Path(bpy.path.abspath(self.wheels)).absolute() if self.wheels else None


def preferences_of(context: bpy.types.Context) -> RecoverMotionPreferences | None:
    """The add-on's preferences; None where it was registered without being installed."""
    addon = context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def state_of(context: bpy.types.Context) -> EngineState:
    """The engine that the preferences choose, and how it is."""
    own = preferences_of(context)
    return engine_state(_chosen_path(own.engine_python if own else ""))


def draw_missing_engine(context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
    """For the panels: why there is no engine, and the way to one."""
    own = preferences_of(context)
    draw_install(context, layout, state_of(context), own.wheels_folder() if own else None)


def find_engine(chosen: str = "") -> Path | None:
    """The Python that runs the engine: the chosen one, else the one that set-up made; None where it would not run."""
    return engine_state(_chosen_path(chosen)).python


def chosen_engine(context: bpy.types.Context) -> Path | None:
    """find_engine with the preference; None while it is being installed."""
    return None if INSTALL.running else state_of(context).python


def _chosen_path(chosen: str) -> Path | None:
    return Path(bpy.path.abspath(chosen)).absolute() if chosen else None


def data_folder() -> Path:
    """Where logs and takes of unsaved files go; an extension's own folder is wiped when it is updated."""
    try:
        return Path(bpy.utils.extension_path_user(__package__, create=True))
    except ValueError:  # not installed as an extension
        return Path(bpy.utils.user_resource("DATAFILES", path="recover_motion", create=True))


register, unregister = bpy.utils.register_classes_factory((RecoverMotionPreferences,))

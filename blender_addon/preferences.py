"""Where the engine is, in the add-on's preferences."""

from __future__ import annotations

from pathlib import Path

import bpy

from .ghmr_engine import places
from .translations import local

HOW_TO_INSTALL = "Run 'python3 install.py setup' in the project's folder, or set the engine's Python here"


class RecoverMotionPreferences(bpy.types.AddonPreferences):
    """The path of an environment that has the engine; empty for the usual one."""

    bl_idname = __package__

    engine_python: bpy.props.StringProperty(
        name="Engine's Python",
        description="Python program of the environment with the engine; empty for the usual place",
        subtype="FILE_PATH",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        """Blender's call."""
        self.layout.prop(self, "engine_python")
        found = find_engine(self.engine_python)
        if found is None:
            column = self.layout.column(align=True)
            column.label(text="No engine was found", icon="ERROR")
            column.label(text=HOW_TO_INSTALL)
        else:
            self.layout.label(text=local("Engine: {path}", path=found), icon="CHECKMARK", translate=False)


def find_engine(chosen: str = "") -> Path | None:
    """The Python that runs the engine: the chosen one, else the one that set-up made; None where it is not there."""
    path = Path(bpy.path.abspath(chosen)).absolute() if chosen else places.engine_python()
    return path if path.is_file() else None


def chosen_engine(context: bpy.types.Context) -> Path | None:
    """find_engine with the preference."""
    addon = context.preferences.addons.get(__package__)
    return find_engine(addon.preferences.engine_python if addon and addon.preferences else "")


def data_folder() -> Path:
    """Where logs and takes of unsaved files go; an extension's own folder is wiped when it is updated."""
    try:
        return Path(bpy.utils.extension_path_user(__package__, create=True))
    except ValueError:  # not installed as an extension
        return Path(bpy.utils.user_resource("DATAFILES", path="recover_motion", create=True))


def register() -> None:
    """Called by the add-on."""
    bpy.utils.register_class(RecoverMotionPreferences)


def unregister() -> None:
    """Called by the add-on."""
    bpy.utils.unregister_class(RecoverMotionPreferences)

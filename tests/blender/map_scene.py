"""A rig with the add-on's maps switched on, for tests inside Blender."""

import importlib
import os

import bpy
from scenes import part


class RigMaps:
    """The add-on, switched on for one test; with stand-ins for what the maps hang on where that is not there yet."""

    def __enter__(self):
        if hasattr(bpy.types.Collection, "recover_motion"):
            part("takes").unregister()
        self.addon = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
        self.addon.register()
        return self

    def __exit__(self, *_error):
        self.addon.unregister()


def truth(rig, sides=("L", "R")):
    """Needed roles of a rig by its maker's names; see the tests that use it."""
    return {role: bones for role, bones in part("rig_maps").kept_map(rig).bones.items()}

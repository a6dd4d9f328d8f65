"""The add-on switched on, with what a rig's map hangs on, for tests inside Blender."""

import importlib
import os

import bpy
from scenes import part

_OWN = ("rig_maps", "operators.rig_map", "ui.rig_map")


class RecoverMotionStandIn(bpy.types.PropertyGroup):
    """Where retargeting keeps its settings of a rig."""

    map: bpy.props.StringProperty()


class WithRigMaps:
    """For one test; where retargeting itself is not part of the add-on, stand-ins take its place."""

    def __enter__(self):
        if hasattr(bpy.types.Collection, "recover_motion"):
            part("takes").unregister()  # another test's build put it there
        self.addon = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
        self.addon.register()
        self.alone = not hasattr(bpy.types.Object, "recover_motion_rig_map")
        if self.alone:
            editors = part("ui.editors")
            bpy.utils.register_class(RecoverMotionStandIn)
            bpy.types.Object.recover_motion_retarget = bpy.props.PointerProperty(type=RecoverMotionStandIn)
            draw = {"draw": lambda _self, _context: None, "parent": "Main", "bl_label": "Retarget"}
            self.panels = editors.in_editors(type("Retarget", (editors.Drawn,), draw))
            for panel in self.panels:
                bpy.utils.register_class(panel)
            for name in _OWN:
                part(name).register()
        return self

    def __exit__(self, *_error):
        if self.alone:
            for name in reversed(_OWN):
                part(name).unregister()
            for panel in self.panels:
                bpy.utils.unregister_class(panel)
            del bpy.types.Object.recover_motion_retarget
            bpy.utils.unregister_class(RecoverMotionStandIn)
        self.addon.unregister()

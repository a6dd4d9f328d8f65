"""Recover Motion: people in a video become animated armatures, with the ground and the camera that filmed them."""

from __future__ import annotations

import bpy

from . import (
    cli,
    comparing,
    fixes,
    found_people,
    layer_keys,
    moving,
    preferences,
    properties,
    retarget_settings,
    rig_maps,
    runner,
    take_rows,
    takes,
    translations,
)
from .operators import (
    export,
    feet,
    foot_ik,
    ground,
    import_motion,
    install,
    people,
    people_swap,
    pick,
    pins,
    recover,
    root,
    show_clip,
    worst_frame,
)
from .operators import retarget as retarget_operators
from .operators import rig_map as rig_map_operators
from .operators import takes as take_operators
from .overlay import handlers, settings
from .ui import boxes, fix, panel, pictures, pin_marks
from .ui import export as export_panel
from .ui import foot_ik as foot_ik_panel
from .ui import people as people_panel
from .ui import retarget as retarget_panel
from .ui import rig_map as rig_map_panel
from .ui import takes as takes_panel

_MODULES = (
    translations,
    preferences,
    properties,
    takes,
    comparing,
    take_rows,
    settings,
    fixes,
    retarget_settings,
    rig_maps,
    found_people,
    moving,
    runner,
    layer_keys,
    install,
    recover,
    import_motion,
    people,
    pick,
    show_clip,
    take_operators,
    worst_frame,
    feet,
    root,
    pins,
    people_swap,
    ground,
    foot_ik,
    retarget_operators,
    rig_map_operators,
    export,
    pictures,
    boxes,
    panel,
    people_panel,
    takes_panel,
    fix,
    foot_ik_panel,
    retarget_panel,
    rig_map_panel,
    export_panel,
    handlers,
    pin_marks,
)
_commands: list[object] = []


def register() -> None:
    """Called by Blender."""
    for module in _MODULES:
        module.register()
    # Keyed by what Blender gives back: the one thing that must be remembered to take the command away again.
    _commands.append(bpy.utils.register_cli_command("recover_motion", cli.command))


def unregister() -> None:
    """Called by Blender."""
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    for module in reversed(_MODULES):
        module.unregister()

"""Small pictures in panels: read from files, kept while the file is the same."""

from __future__ import annotations

from pathlib import Path

import bpy
import bpy.utils.previews

_LOADED: list[bpy.utils.previews.ImagePreviewCollection] = []
"""One collection while the add-on is on: Blender's way of keeping icons, which no property can hold."""
_MOST = 64


def icon(path: Path) -> int:
    """The number of a picture for template_icon and label(icon_value=); 0, an empty place, where there is none."""
    try:
        name = f"{path}:{path.stat().st_mtime_ns}"
    except OSError:
        return 0
    pictures = _LOADED[0]
    if name not in pictures:
        if len(pictures) >= _MOST:
            pictures.clear()
        # Asked for its size it is read here and now, in a few thousandths of a second. Left to Blender it would be read
        # by a job at whose end all of the window is drawn anew.
        _ = tuple(pictures.load(name, str(path), "IMAGE").image_size)
    return pictures[name].icon_id


def register() -> None:
    """Called by the add-on."""
    _LOADED.append(bpy.utils.previews.new())


def unregister() -> None:
    """Called by the add-on."""
    while _LOADED:
        bpy.utils.previews.remove(_LOADED.pop())

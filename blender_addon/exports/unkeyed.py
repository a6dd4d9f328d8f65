"""What is posed without a key: it would be lost where Blender looks at a frame anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

_OF_BONES = {"location": 3, "rotation_quaternion": 4, "rotation_euler": 3, "scale": 3}
_OF_OBJECTS = ("location", "rotation_quaternion", "rotation_euler", "scale")


@contextmanager
def unkeyed_kept(scene: bpy.types.Scene) -> Iterator[None]:
    """Around what makes Blender look at the scene's frame anew: places, turns and sizes of objects and bones that have
    curves are the same afterwards, keyed or not."""
    moved = [item for item in scene.objects if item.animation_data is not None]
    known = [(item, *_channels(item)) for item in moved]
    yield
    changed = False
    for item, own, bones in known:
        now, posed = _channels(item)
        for name in _OF_OBJECTS:
            if own[name] != now[name]:
                setattr(item, name, own[name])
                changed = True
        for name, values in bones.items():
            if not np.array_equal(values, posed[name]):
                item.pose.bones.foreach_set(name, values)
                item.update_tag(refresh={"OBJECT", "DATA"})
                changed = True
    if changed and bpy.context.view_layer is not None:
        bpy.context.view_layer.update()


def _channels(item: bpy.types.Object) -> tuple[dict[str, tuple[float, ...]], dict[str, np.ndarray]]:
    """Of the object, and of its bones where it has any."""
    own = {name: tuple(getattr(item, name)) for name in _OF_OBJECTS}
    bones = {}
    for name, size in _OF_BONES.items() if item.pose is not None else ():
        bones[name] = np.empty(size * len(item.pose.bones), dtype=np.float32)
        item.pose.bones.foreach_get(name, bones[name])
    return own, bones

"""What the list of takes does with a take: show and hide it, make it the active one, give it another name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import bpy

from .ghmr_engine.errors import RecoverError
from .motion import MotionFileError
from .scene.camera import show_through
from .takes import filming, holds, motion_of, people_of

_NUMBER = re.compile(r"\.\d{3,}(?=$| )")
"""What Blender adds to a name that is taken; others may be made of that name."""


def is_shown(layer: bpy.types.ViewLayer, take: bpy.types.Collection) -> bool:
    """Whether the take is to be seen in this view layer."""
    return any(place.is_visible for place in _places(layer.layer_collection, take))


def show(layer: bpy.types.ViewLayer, take: bpy.types.Collection, shown: bool) -> None:
    """Show or hide a take as a whole, in viewports and in renders.

    It is hidden by its collection's own switches, which hold in every view layer and cost no time at playback. What
    hid it in this view layer is taken back when it is shown. A linked take, whose switches are another file's, is left
    out of the view layer instead.
    """
    if take.library is None:
        take.hide_viewport = take.hide_render = not shown
    for place in _places(layer.layer_collection, take):
        if shown:
            place.exclude = place.hide_viewport = False
        elif take.library is not None:
            place.exclude = True


def _places(place: bpy.types.LayerCollection, take: bpy.types.Collection) -> Iterator[bpy.types.LayerCollection]:
    if place.collection == take:
        yield place
    for child in place.children:
        yield from _places(child, take)


def activate(context: bpy.types.Context, take: bpy.types.Collection) -> None:
    """Make a take the active one: its first person active and selected, its camera the scene's. It stays hidden where
    it is; one that is left out of the view layer is shown, since nothing in it can be active there."""
    layer = context.view_layer
    if all(place.exclude for place in _places(layer.layer_collection, take)):
        show(layer, take, True)
    active, first = layer.objects.active, next(iter(people_of(take)), filming(take))
    if first is not None and (active is None or not holds(take, active)):
        make_active(layer, first)
    look_through(context.scene, take)


def make_active(layer: bpy.types.ViewLayer, item: bpy.types.Object) -> None:
    """Make an object active and the only selected one; who poses goes on posing."""
    if layer.objects.get(item.name) != item:
        return
    before = layer.objects.active
    mode = before.mode if before is not None else "OBJECT"
    if mode != "OBJECT" and item.mode != mode:
        bpy.ops.object.mode_set(mode="OBJECT")
    if item.mode == "OBJECT":
        for other in layer.objects:
            other.select_set(other == item)
    layer.objects.active = item
    if mode == "POSE" and item.type == "ARMATURE" and item.mode != mode and bpy.ops.object.mode_set.poll():
        bpy.ops.object.mode_set(mode=mode)


def look_through(scene: bpy.types.Scene, take: bpy.types.Collection) -> None:
    """Make the take's camera the scene's, with the scene's picture as large as the clip's."""
    camera, clip = filming(take), take.recover_motion.clip
    if camera is None:
        return
    try:
        show_through(scene, camera, motion_of(take))
    except (RecoverError, MotionFileError):  # without its file a take still has its camera and its clip
        scene.camera = camera
        if clip is not None and min(clip.size) > 0:
            scene.render.resolution_x, scene.render.resolution_y = clip.size


def stem(name: str) -> str:
    """A name without the number that Blender added."""
    return _NUMBER.sub("", name)


def rename(take: bpy.types.Collection, name: str) -> None:
    """Give a take another name, and all of it whose names begin with the take's: objects, their data, actions (which
    the asset browser shows), materials. What the user called otherwise stays so."""
    name = name.strip()
    if not name or name == take.name:
        return
    old = stem(take.name)
    take.name = name
    for part in parts_of(take):
        if part.library is None and (part.name == old or part.name.startswith((f"{old} ", f"{old}."))):
            part.name = stem(name + part.name[len(old) :])


def person_name(take: bpy.types.Collection, owner: bpy.types.Object) -> str:
    """What a person is called within the take."""
    name = stem(owner.name)
    return name.removeprefix(stem(take.name)).strip() or name


def parts_of(take: bpy.types.Collection) -> list[bpy.types.ID]:
    """All that a take consists of but its collection: objects, their data, materials, actions, its clip."""
    parts: list[bpy.types.ID | None] = []
    for item in take.all_objects:
        parts += [item, item.data, *(slot.material for slot in item.material_slots)]
        parts += [*_actions(item), *_actions(item.data)]
    clip = take.recover_motion.clip
    parts += [clip, *_actions(clip)]
    return list(dict.fromkeys(part for part in parts if part is not None))


def _actions(owner: bpy.types.ID | None) -> list[bpy.types.Action | None]:
    """The actions that animate something, the ones in its NLA tracks too."""
    animation = owner.animation_data if owner is not None else None
    if animation is None:
        return []
    return [animation.action, *(strip.action for track in animation.nla_tracks for strip in track.strips)]

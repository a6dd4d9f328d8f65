"""The whole scene of one take: people, ground, paths and camera in a collection of their own."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path, PurePath

import bpy

from ..motion import Motion, Person
from .armature import add_armature
from .background import add_background
from .body import add_body
from .camera import add_camera
from .performance import animate_person
from .skeleton import rest_skeleton
from .surroundings import add_ground, add_path
from .timing import Clock, scene_rate

# Blender's names hold 63 bytes; this leaves room for " person 12 trousers.001".
_LONGEST_NAME = 40


def build_scene(
    context_scene: bpy.types.Scene,
    motion: Motion,
    clip_path: Path | None,
    *,
    set_scene_rate: bool = True,
    start_frame: int = 1,
) -> bpy.types.Collection:
    """Add the take to the scene: a new collection that holds everything, and that is returned.

    clip_path: the file to show behind the camera (background.clip_to_show finds it), None for none.
    set_scene_rate: give the scene the motion's rate and range; otherwise keys fall on parts of the scene's frames.
    start_frame: scene frame of the motion's first frame.
    Nothing that was there is changed but the scene's camera and picture size (and rate and range, where asked for).
    """
    motion_fps = Fraction(*motion.meta["fps"])
    if set_scene_rate:
        context_scene.render.fps, context_scene.render.fps_base = scene_rate(motion_fps)
    scene_fps = context_scene.render.fps / context_scene.render.fps_base
    clock = Clock(motion_fps, scene_fps, start_frame)
    if set_scene_rate:
        context_scene.frame_start, context_scene.frame_end = start_frame, clock.last(motion.meta["frames"])

    name = take_name(motion)
    collection = bpy.data.collections.new(name)
    context_scene.collection.children.link(collection)
    _describe_take(collection, motion)
    for place, (number, person) in enumerate(motion.people.items()):
        if len(person.frames):
            _add_person(context_scene, collection, motion, clock, (f"{name} person {number}", number, person, place))
    add_ground(collection, f"{name} ground", motion)
    camera = add_camera(context_scene, collection, f"{name} camera", motion, clock)
    if clip_path is not None:
        add_background(camera.data, motion, clip_path, clock)
    context_scene.frame_set(start_frame if set_scene_rate else context_scene.frame_current)
    return collection


def take_name(motion: Motion) -> str:
    """The clip's name without its ending, short enough that longer names can be made of it."""
    stem = PurePath(motion.meta["video"]["name"]).stem or "take"
    return stem.encode()[:_LONGEST_NAME].decode(errors="ignore")


def _add_person(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    motion: Motion,
    clock: Clock,
    who: tuple[str, str, Person, int],
) -> None:
    """who: name of the objects, number in the motion file, person, place in the file."""
    name, number, person, place = who
    rest = rest_skeleton(person.joints, person.vertices, person.weights)
    armature = add_armature(scene, collection, name, rest)
    body = add_body(collection, armature, motion, person, rest, place)
    animate_person(armature, body, person, rest, clock, motion.meta["frames"])
    add_path(collection, f"{name} path", person, clock, place)
    armature["person"] = number
    armature["licence"] = motion.meta["licence"]
    for figure, value in motion.meta.get("quality", {}).get(number, {}).items():
        if value is not None:
            armature[figure] = value


def _describe_take(collection: bpy.types.Collection, motion: Motion) -> None:
    """What was recovered from what, by what, on what terms: to be read under the collection's custom properties."""
    meta = motion.meta
    collection["clip"] = meta["video"]["name"]
    collection["clip_sha256"] = meta["video"].get("sha256", "")
    collection["engine"] = meta["engine"]
    collection["licence"] = meta["licence"]
    collection["models"] = json.dumps(meta.get("models", []))
    collection["options"] = json.dumps(meta["options"])
    collection["warnings"] = "\n".join(meta.get("warnings", []))

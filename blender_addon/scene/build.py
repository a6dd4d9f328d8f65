"""The whole scene of one take: people, ground, paths and camera in a collection of their own."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath

import bpy

from ..motion import Motion, Person
from .armature import add_armature
from .asset import mark_as_asset
from .background import add_background
from .body import add_body
from .camera import add_camera, show_through
from .performance import animate_person
from .playhead import go_to
from .skeleton import rest_skeleton
from .surroundings import add_ground, add_path
from .timing import Clock, scene_rate

# Blender's names hold 63 bytes; these leave room for " person 12 trousers.001", and for " trousers.001" after both.
_LONGEST_NAME = 40
_LONGEST_WITH_PERSON = 50
_LONGEST_PERSON = 24


@dataclass(frozen=True)
class Placement:
    """Where in the scene's time a take goes."""

    set_scene_rate: bool = True
    """Give the scene the motion's rate and range; otherwise the motion is resampled onto the scene's frames, and the
    scene's picture stays as large as it is where it has the clip's shape."""
    start_frame: int = 1
    """Scene frame of the motion's first frame."""
    step: float | None = None
    """Scene frames for one motion frame, where something else than the rates says so: a strip that plays slowed."""


def build_scene(
    scene: bpy.types.Scene,
    motion: Motion,
    motion_path: Path,
    clip_path: Path | None,
    placement: Placement = Placement(),
) -> bpy.types.Collection:
    """build_steps at one go."""
    steps = build_steps(scene, motion, motion_path, clip_path, placement)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def build_steps(
    scene: bpy.types.Scene, motion: Motion, motion_path: Path, clip_path: Path | None, placement: Placement
) -> Generator[None, None, bpy.types.Collection]:
    """Add the take to the scene: a new collection that holds everything, and that is returned. Each step is short.

    motion_path: where `motion` was read from. clip_path: the file to show behind the camera (background.clip_to_show
    finds it), None for none. Nothing that was there is changed but the scene's camera and picture size (and rate and
    range, where asked for), and that only in the last step: a take that is not whole is in no scene.
    """
    motion_fps = Fraction(*motion.meta["fps"])
    rate = scene_rate(motion_fps) if placement.set_scene_rate else (scene.render.fps, scene.render.fps_base)
    scene_fps = rate[0] / rate[1] if placement.step is None else placement.step * float(motion_fps)
    clock = Clock(motion_fps, scene_fps, placement.start_frame)

    name = take_name(motion)
    collection = bpy.data.collections.new(name)
    _describe_take(collection, motion)
    yield
    for place, (number, person) in enumerate(motion.people.items()):
        if len(person.frames):
            who = (_person_name(name, motion, number), number, person, place)
            yield from _add_person(collection, motion, clock, who)
    ground = add_ground(collection, f"{name} ground", motion)
    yield
    camera = add_camera(collection, f"{name} camera", motion, clock) if is_filmed(motion) else None
    yield
    if clip_path is not None and camera is not None:
        add_background(camera.data, motion, clip_path, clock)
        yield
    _remember(collection, motion_path, clock, (camera, ground))
    for armature in (item for item in collection.objects if item.type == "ARMATURE"):
        mark_as_asset(armature, motion)

    scene.collection.children.link(collection)
    if camera is not None:
        show_through(scene, camera, motion, keep=not placement.set_scene_rate)
    if placement.set_scene_rate:
        scene.render.fps, scene.render.fps_base = rate
        scene.frame_start, scene.frame_end = placement.start_frame, clock.last(motion.meta["frames"])
        if not scene.frame_start <= scene.frame_current <= scene.frame_end:
            go_to(scene, scene.frame_start)
    return collection


def is_filmed(motion: Motion) -> bool:
    """Whether the camera is known: of motion that was imported it may not be."""
    return motion.meta.get("camera", {}).get("motion_source") != "none"


def take_name(motion: Motion) -> str:
    """The clip's name without its ending, short enough that longer names can be made of it."""
    return _shortened(PurePath(motion.meta["video"]["name"]).stem or "take", _LONGEST_NAME)


def _person_name(take: str, motion: Motion, number: str) -> str:
    """What a person's objects are called: by the name that the user gave, where there is one."""
    given = motion.meta.get("names", {}).get(number)
    if not given:
        return f"{take} person {number}"
    person = _shortened(given, _LONGEST_PERSON)
    return f"{_shortened(take, _LONGEST_WITH_PERSON - 1 - len(person.encode()))} {person}"


def _shortened(name: str, longest: int) -> str:
    """So many bytes of a name at most."""
    return name.encode()[:longest].decode(errors="ignore")


def _remember(
    collection: bpy.types.Collection,
    motion_path: Path,
    clock: Clock,
    made: tuple[bpy.types.Object | None, bpy.types.Object],
) -> None:
    """What later work on the take has to know (takes.py). made: camera, where there is one, and ground."""
    camera, ground = made
    known = collection.recover_motion
    known.motion = relative(motion_path)
    known.start, known.step = clock.start, clock.step
    known.camera, known.ground = camera, ground
    if camera is not None and camera.data.background_images:
        known.clip = camera.data.background_images[0].clip


def relative(path: Path) -> str:
    """A path as a file keeps it: from where the .blend is, where it was saved on the same drive."""
    try:
        return bpy.path.relpath(str(path)) if bpy.data.filepath else str(path)
    except ValueError:
        return str(path)


def _add_person(
    collection: bpy.types.Collection,
    motion: Motion,
    clock: Clock,
    who: tuple[str, str, Person, int],
) -> Iterator[None]:
    """who: name of the objects, number in the motion file, person, place in the file."""
    name, number, person, place = who
    rest = rest_skeleton(person.joints, person.vertices, person.weights)
    armature = add_armature(collection, name, rest)
    yield
    body = yield from add_body(collection, armature, motion, person, rest, place)
    yield from animate_person(armature, body, person, rest, clock, motion.meta["frames"])
    armature.recover_motion.number = number
    armature.recover_motion.path = add_path(collection, f"{name} path", person, clock, place)
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

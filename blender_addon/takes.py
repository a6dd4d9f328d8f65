"""Takes in the scene: what is kept with a take's collection and its people's armatures, and how to find them.

A take's motion file is never changed. What changes a motion writes another file, and the take names that one, so that
undo, which brings the old name back, brings everything back.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path, PureWindowsPath

import bpy

from .compat import RELATIVE
from .ghmr_engine.errors import RecoverError
from .motion import Motion, read_motion
from .scene.skeleton import RestSkeleton, rest_skeleton
from .scene.timing import Clock
from .translations import told

_KEPT = 4
_LARGEST_DENOMINATOR = 2000


class RecoverMotionTake(bpy.types.PropertyGroup):
    """What is known of a take; kept with its collection."""

    motion: bpy.props.StringProperty(
        name="Motion File", description="The numbers that this take shows", subtype="FILE_PATH", options=RELATIVE
    )
    start: bpy.props.IntProperty(description="Scene frame of the motion's frame 0")
    step: bpy.props.FloatProperty(description="Scene frames for one frame of the motion", default=1.0)
    camera: bpy.props.PointerProperty(type=bpy.types.Object, description="The camera that filmed it")
    clip: bpy.props.PointerProperty(type=bpy.types.MovieClip, description="The clip behind that camera")
    ground: bpy.props.PointerProperty(type=bpy.types.Object, description="What they stand on")


class RecoverMotionPerson(bpy.types.PropertyGroup):
    """What is known of a person; kept with the armature."""

    number: bpy.props.StringProperty(description="In the motion file; empty where the object is no recovered person")
    path: bpy.props.PointerProperty(type=bpy.types.Object, description="The curve that shows the way of the pelvis")


def takes_of(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The scene's takes, in the order of its collections."""
    return [item for item in scene.collection.children_recursive if item.recover_motion.motion]


def people_of(take: bpy.types.Collection) -> list[bpy.types.Object]:
    """The armatures of a take's people, by number."""
    found = [item for item in take.all_objects if item.type == "ARMATURE" and item.recover_motion.number]
    return sorted(found, key=lambda item: int(item.recover_motion.number))


def person_of(item: bpy.types.Object | None) -> bpy.types.Object | None:
    """The armature of a person, given it or an object that hangs on it; None for anything else."""
    while item is not None and not item.recover_motion.number:
        item = item.parent
    return item


def take_of(scene: bpy.types.Scene, item: bpy.types.Object | None) -> bpy.types.Collection | None:
    """The take that an object belongs to; None for anything else."""
    if item is None:
        return None
    return next((take for take in takes_of(scene) if holds(take, item)), None)


def holds(take: bpy.types.Collection, item: bpy.types.Object) -> bool:
    """Whether an object lies in a take: the very object, for one of a linked take may have the name of another."""
    return take.all_objects.get(item.name) == item


def is_linked(owner: bpy.types.Collection | bpy.types.Object) -> bool:
    """Whether a take or a person is another file's, so that what is changed here would not be kept."""
    parts = (owner, getattr(owner, "data", None))
    return any(part is not None and (part.library or part.override_library) for part in parts)


def active_take(context: bpy.types.Context) -> bpy.types.Collection | None:
    """The active object's take, else the one whose camera the scene looks through, else the last; None without any."""
    scene, takes = context.scene, takes_of(context.scene)
    mine = take_of(scene, context.view_layer.objects.active) or take_of(scene, scene.camera)
    return mine or (takes[-1] if takes else None)


def active_person(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active object's person, else the only one of the active take; None otherwise."""
    person = person_of(context.view_layer.objects.active)
    if person is not None:
        return person
    take = active_take(context)
    people = people_of(take) if take is not None else []
    return people[0] if len(people) == 1 else None


def ground_of(take: bpy.types.Collection) -> bpy.types.Object | None:
    """The take's ground; None where it was deleted: what a property names stays in the file then, in no collection."""
    ground = take.recover_motion.ground
    return ground if ground is not None and holds(take, ground) else None


def filming(take: bpy.types.Collection) -> bpy.types.Object | None:
    """The camera that filmed the take; None where it was deleted."""
    camera = take.recover_motion.camera
    return camera if camera is not None and holds(take, camera) else None


def motion_path(take: bpy.types.Collection) -> Path:
    """Where the take's motion file is."""
    return where_it_is(take.recover_motion.motion, take.library)


def where_it_is(stored: str, library: bpy.types.Library | None = None) -> Path:
    """Where a file is that was written for the scene: where it was then, else by its name beside the .blend.

    stored: its path as a property keeps it. library: that the property's owner is linked from.
    """
    path = Path(bpy.path.abspath(stored, library=library))
    if not path.is_file() and bpy.data.filepath:
        beside = Path(bpy.data.filepath).parent
        name = PureWindowsPath(stored).name  # either system's separators
        return next((p for p in (beside / name, beside / "recover_motion" / name) if p.is_file()), path)
    return path


def motion_of(take: bpy.types.Collection) -> Motion:
    """What the take shows, as numbers. Raises RecoverError where the file is gone or one of another clip has its name
    (an appended take's relative path leads anywhere), MotionFileError."""
    path = motion_path(take)
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        raise RecoverError(
            "no_motion_file", told("{take}'s motion file {file} is not there.", take=take.name, file=path.name),
            "Put it back, or choose where it is in the list of takes.",
        ) from None  # fmt: skip
    motion, clip = _read(path, changed), take.get("clip_sha256", "")
    if clip and clip != motion.meta["video"].get("sha256", clip):
        raise RecoverError(
            "other_clip", told("{file} is of another clip than {take}.", take=take.name, file=path.name),
            "Choose where its own is in the list of takes.",
        )  # fmt: skip
    return motion


@lru_cache(maxsize=_KEPT)
def _read(path: Path, _changed: int) -> Motion:
    """A file as it was at one moment: panels ask for the same one at every redraw."""
    return read_motion(path)


def rest_of(take: bpy.types.Collection, number: str) -> RestSkeleton:
    """A person's bones at rest. Raises as motion_of."""
    motion_of(take)
    path = motion_path(take)
    return _rest(path, path.stat().st_mtime_ns, number)


@lru_cache(maxsize=4 * _KEPT)
def _rest(path: Path, changed: int, number: str) -> RestSkeleton:
    person = _read(path, changed).people[number]
    return rest_skeleton(person.joints, person.vertices, person.weights)


def clock_of(take: bpy.types.Collection, motion: Motion) -> Clock:
    """How the motion's frames fall on the scene's, as the take was built."""
    fps, known = Fraction(*motion.meta["fps"]), take.recover_motion
    # A property holds 32 bits: over many frames 0.80000001 shifts keys that 4/5 does not.
    simple = float(Fraction(known.step).limit_denominator(_LARGEST_DENOMINATOR))
    step = simple if abs(simple - known.step) <= 1e-7 * known.step else known.step
    return Clock(fps, step * float(fps), known.start)


_CLASSES = (RecoverMotionTake, RecoverMotionPerson)


def register() -> None:
    """Called by the add-on."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Collection.recover_motion = bpy.props.PointerProperty(type=RecoverMotionTake)
    bpy.types.Object.recover_motion = bpy.props.PointerProperty(type=RecoverMotionPerson)


def unregister() -> None:
    """Called by the add-on."""
    _read.cache_clear()
    _rest.cache_clear()
    del bpy.types.Object.recover_motion, bpy.types.Collection.recover_motion
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)

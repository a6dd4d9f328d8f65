"""Writes what a person shows: the take's motion with the layers over it, into the curves that are there."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import PureWindowsPath

import bpy

from . import runner
from .bases import switch_base, with_people
from .compat import new_action, own_curves
from .ghmr_engine.errors import RecoverError
from .handmade import checksum, with_hand_made
from .layers import Layers, layered
from .layers.root import RootFix
from .motion import MotionFileError
from .scene.keys_beyond import keys_beyond, put_back
from .scene.performance import write_cycle, write_pose
from .scene.sampling import cycle_sampling, sampling
from .scene.surroundings import draw_path
from .subjects import Subject, subject_of
from .translations import fault, told

_AT_ONCE = 400
"""Frames that are written between two movements of the mouse; longer ones wait until it rests."""
_REST_S = 0.05
_TAKEN_OVER = "Keys made by hand on {person} were taken over, into {file}."


@dataclass
class _Waiting:
    """Names of the armatures that are to be written when the timer comes."""

    names: set[str] = field(default_factory=set)


_WAITING = _Waiting()


def layers_of(subject: Subject) -> Layers:
    """What the user has set."""
    fixes, clock = subject.armature.recover_motion_fixes, subject.clock
    first = math.ceil((fixes.trim_first - clock.start) / clock.step - 1e-6)
    last = math.floor((fixes.trim_last - clock.start) / clock.step + 1e-6)
    return Layers(
        smoothing=tuple(fixes.smooth),
        root=RootFix(
            fixes.root_height, math.degrees(fixes.root_slope), math.degrees(fixes.root_heading), tuple(fixes.root_about)
        ),
        first=first if fixes.trim else None,
        last=last if fixes.trim else None,
        in_place=fixes.in_place,
        loop=fixes.loop,
    )


def show(subject: Subject) -> None:
    """Write what is shown, hand-made keys taken over first. Raises RecoverError, MotionFileError, OSError."""
    for _ in show_steps(keep_hand_made(subject)):
        pass


def show_steps(subject: Subject, *, beyond: bool = True) -> Iterator[None]:
    """Write what is shown, over whatever keys there are, in short steps.

    beyond: keys before its beginning and after its end stay, unless it goes round; not where the person's frames are
    others now, since old ones would pass for such.
    """
    layers, armature = layers_of(subject), subject.armature
    person = layered(subject.base, subject.clock.motion_fps, layers)
    yield
    curves = own_curves(armature) or new_action(armature.name, armature)
    keys = (cycle_sampling if layers.loop else sampling)(person.frames, subject.clock)
    kept = keys_beyond(curves, *_ends_written(subject)) if beyond and not layers.loop else []
    yield from write_pose(curves, keys, person, subject.rest)
    first, last = keys.at[[0, -1]].tolist()
    put_back(curves, kept, first, last)
    write_cycle(curves, bool(layers.loop), stays=layers.in_place)
    if armature.recover_motion.path is not None:
        draw_path(armature.recover_motion.path.data, person, subject.clock)
    written = {"layers": asdict(layers), "keys": checksum(curves), "ends": [first, last]}
    armature.recover_motion_fixes.written = json.dumps(written)


def keep_hand_made(subject: Subject) -> Subject:
    """Take keys that were changed by hand into a motion file of their own, and say so; the subject as it is then.

    Raises RecoverError, MotionFileError, OSError.
    """
    layers, keys = _written(subject.armature)
    curves = own_curves(subject.armature)
    if curves is None or (keys and keys == checksum(curves)):
        return subject
    person = with_hand_made(subject, layers)
    if person is None:
        return subject
    motion = with_people(subject.motion, {subject.number: person})
    switch_base(subject.take, motion, f"keys made by hand on person {subject.number}")
    name = PureWindowsPath(subject.take.recover_motion.motion).name
    runner.tell(told(_TAKEN_OVER, person=subject.armature.name, file=name))
    return subject_of(subject.armature)


def settled(subject: Subject) -> Subject:
    """The same, and the keys written anew where there were any: as the layers show them, none look made by hand."""
    kept = keep_hand_made(subject)
    if kept is not subject:
        for _ in show_steps(kept):
            pass
    return kept


def layers_written(armature: bpy.types.Object) -> Layers:
    """Those under which its keys were written last."""
    return _written(armature)[0]


def _written(armature: bpy.types.Object) -> tuple[Layers, str]:
    """Layers and checksum; none and "" where the take is as it was built."""
    text = armature.recover_motion_fixes.written
    if not text:
        return Layers(), ""
    known = json.loads(text)
    values = known["layers"]
    root = RootFix(**{**values["root"], "about": tuple(values["root"]["about"])})
    return Layers(**{**values, "smoothing": tuple(values["smoothing"]), "root": root}), known["keys"]


def _ends_written(subject: Subject) -> list[int]:
    """First and last scene frame of the keys that were written last, or when the take was built."""
    text = subject.armature.recover_motion_fixes.written
    return json.loads(text)["ends"] if text else sampling(subject.base.frames, subject.clock).at[[0, -1]].tolist()


def changed(armature: bpy.types.Object) -> None:
    """A layer of this armature was set: write it now, or soon where there is much to write."""
    if not armature.recover_motion.number:
        return
    if bpy.app.background or _frames(armature) <= _AT_ONCE:
        _show_or_say(armature)
        return
    _WAITING.names.add(armature.name)
    if not bpy.app.timers.is_registered(_write_waiting):
        bpy.app.timers.register(_write_waiting, first_interval=_REST_S)


def _frames(armature: bpy.types.Object) -> int:
    try:
        return len(subject_of(armature).base.frames)
    except (RecoverError, MotionFileError, OSError):
        return 0


def _write_waiting() -> None:
    """The timer's call."""
    names, _WAITING.names = _WAITING.names, set()
    for name in names:
        armature = bpy.data.objects.get(name)
        if armature is not None:
            _show_or_say(armature)


def _show_or_say(armature: bpy.types.Object) -> None:
    """A property's change can raise nothing that anybody would see."""
    try:
        subject = subject_of(armature)
        if layers_of(subject) != layers_written(armature):
            show(subject)
    except (RecoverError, MotionFileError, OSError) as error:
        runner.tell(fault(error), warn=True)


@bpy.app.handlers.persistent
def _after_undo(*_arguments: object) -> None:
    """An undo step may have been stored before the timer wrote what belongs to its settings."""
    for armature in bpy.data.objects:
        # Whose motion file is gone was told so before; an undo is no place to say it again.
        if armature.recover_motion.number and _ever_set(armature.recover_motion_fixes) and _frames(armature):
            changed(armature)


def _ever_set(fixes: bpy.types.PropertyGroup) -> bool:
    """Whether a layer is on or was: looked at without reading the motion file."""
    root = (fixes.root_height, fixes.root_slope, fixes.root_heading)
    return bool(fixes.written or any(fixes.smooth) or any(root) or fixes.in_place or fixes.trim or fixes.loop)


_HANDLERS = ("undo_post", "redo_post")


def register() -> None:
    """Called by the add-on."""
    for name in _HANDLERS:
        getattr(bpy.app.handlers, name).append(_after_undo)


def unregister() -> None:
    """Called by the add-on."""
    if bpy.app.timers.is_registered(_write_waiting):
        bpy.app.timers.unregister(_write_waiting)
    for name in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if _after_undo in handlers:
            handlers.remove(_after_undo)

"""Swap People."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np

from ..bases import switch_base, with_people
from ..contacts import contacts_shown, write_contacts_shown
from ..ghmr_engine.errors import RecoverError
from ..layer_keys import keep_hand_made, show_steps
from ..layers.exchange import exchanged
from ..motion import CONTACT_LEVEL, MotionFileError
from ..scene.performance import write_presence
from ..subjects import Subject, subject_of
from ..takes import active_person, people_of, person_of, take_of
from ..translations import fault, told
from .feet import nobody_here

_SWAPPED = "{one} and {other} are swapped from frame {frame} on. Re-solve Feet sets their feet firmly."


class RECOVERMOTION_OT_swap_people(bpy.types.Operator):
    """Two people were taken for each other: from the current frame on each goes on as the other one"""

    bl_idname = "recover_motion.swap_people"
    bl_label = "Swap People From Here"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    other: bpy.props.StringProperty(
        name="With", description="Number of the other person; empty for the other selected one, or the only other one",
        options={"SKIP_SAVE"},
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """With a person who is not alone."""
        if nobody_here(cls, context):
            return False
        take = take_of(context.scene, active_person(context))
        if take is None or len(people_of(take)) < 2:
            cls.poll_message_set(told("There is nobody else in this take"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blender's call."""
        one = active_person(context)
        try:
            other = self._other(context, one)
            frame = subject_of(one).motion_frame(context.scene.frame_current)
            swap(one, other, frame)
        except (RecoverError, MotionFileError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        frame = context.scene.frame_current
        self.report({"INFO"}, told(_SWAPPED, one=one.name, other=other.name, frame=frame))
        return {"FINISHED"}

    def _other(self, context: bpy.types.Context, one: bpy.types.Object) -> bpy.types.Object:
        """Raises RecoverError."""
        others = [item for item in people_of(take_of(context.scene, one)) if item != one]
        if self.other:
            others = [item for item in others if item.recover_motion.number == self.other]
        elif len(others) > 1:
            selected = {person_of(item) for item in context.selected_objects}
            others = [item for item in others if item in selected]
        if len(others) != 1:
            raise RecoverError("which", "It is not clear with whom.", "Select both people.")
        return others[0]


def swap(one: bpy.types.Object, other: bpy.types.Object, frame: int) -> None:
    """Exchange two people of a take from a frame of the motion on. Raises RecoverError, MotionFileError, OSError."""
    a, b = _settled(one, other)
    people = exchanged(a.base, b.base, frame)
    if not all(len(person.frames) for person in people):
        raise RecoverError("nobody_left", "One of them would have no frames left.", "Choose a later frame.")
    if all(len(new.frames) == len(old.frames) and np.array_equal(new.poses, old.poses)
           for new, old in zip(people, (a.base, b.base), strict=True)):  # fmt: skip
        raise RecoverError("too_late", "Neither of them is there from this frame on.", "Choose an earlier frame.")
    # Contacts that wait for being solved go along.
    shown = exchanged(*(replace(item.base, contacts=contacts_shown(item).astype(np.float32)) for item in (a, b)), frame)
    motion = with_people(a.motion, dict(zip((a.number, b.number), people, strict=True)))
    switch_base(a.take, motion, f"people {a.number} and {b.number} swapped from frame {frame} on")
    _swap_pins(one, other, frame)
    for armature, person in zip((one, other), shown, strict=True):
        _write(subject_of(armature), person.contacts >= CONTACT_LEVEL, frame)


def _settled(one: bpy.types.Object, other: bpy.types.Object) -> tuple[Subject, Subject]:
    """Both without keys made by hand, of the same file."""
    keep_hand_made(subject_of(one))
    keep_hand_made(subject_of(other))
    return subject_of(one), subject_of(other)


def _write(subject: Subject, planted: np.ndarray, frame: int) -> None:
    write_contacts_shown(subject, planted)
    owners = [item for item in (subject.armature, subject.body) if item is not None]
    write_presence(tuple(owners), subject.base.frames, subject.clock, subject.motion.meta["frames"])
    for _ in show_steps(subject, beyond=False):
        pass
    fixes, last = subject.armature.recover_motion_fixes, subject.motion.meta["frames"] - 1
    known = fixes.unsolved_first
    fixes.unsolved_first, fixes.unsolved_last = max(frame if known < 0 else min(known, frame), 0), last


def _swap_pins(one: bpy.types.Object, other: bpy.types.Object, frame: int) -> None:
    """Pins lie on who is seen in the picture."""
    lists = [item.recover_motion_fixes.pins for item in (one, other)]
    kept = [[(p.frame, p.joint, p.x, p.y, p.solved) for p in pins] for pins in lists]
    for place, pins in enumerate(lists):
        pins.clear()
        mine, others = kept[place], kept[1 - place]
        for values in [p for p in mine if p[0] < frame] + [p for p in others if p[0] >= frame]:
            pin = pins.add()
            pin.frame, pin.joint, pin.x, pin.y, pin.solved = values


register, unregister = bpy.utils.register_classes_factory((RECOVERMOTION_OT_swap_people,))

"""A person of a take with everything that is known of it: what tools that change a motion work on."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from .ghmr_engine.errors import RecoverError
from .motion import Motion, Person
from .scene.skeleton import RestSkeleton
from .scene.timing import Clock
from .takes import clock_of, holds, motion_of, rest_of
from .translations import told


@dataclass(frozen=True)
class Subject:
    """One person, as the take's motion file has it now."""

    take: bpy.types.Collection
    armature: bpy.types.Object
    motion: Motion
    rest: RestSkeleton
    clock: Clock

    @property
    def number(self) -> str:
        """In the motion file."""
        return self.armature.recover_motion.number

    @property
    def base(self) -> Person:
        """Without layers."""
        return self.motion.people[self.number]

    @property
    def body(self) -> bpy.types.Object | None:
        """The mesh that hangs on the armature; None where it was deleted."""
        return next((item for item in self.armature.children if item.type == "MESH"), None)

    def motion_frame(self, scene_frame: float) -> int:
        """The motion's frame that is nearest to one of the scene's; it may lie before or after all of them."""
        return round((scene_frame - self.clock.start) / self.clock.step)


def _refuse_shared_keys(armature: bpy.types.Object) -> None:
    """Keys that another person shows too (a take's action, dragged onto this one from the asset browser) would be
    lost there. Raises RecoverError."""
    mine = armature.animation_data
    action = mine.action if mine is not None else None
    if action is None or action.users - action.use_fake_user < 2:
        return
    people = (item for item in bpy.data.objects if item != armature and item.recover_motion.number)
    other = next((item for item in people if _keys(item.animation_data) == _keys(mine)), None)
    if other is not None:
        raise RecoverError(
            "shared_keys", told("{person} and {other} share their keys.", person=armature.name, other=other.name),
            "Make the action of one of them a single user (the number beside its name) in the Action editor.",
        )  # fmt: skip


def _keys(animation: bpy.types.AnimData | None) -> tuple[object, object]:
    """Action, and its slot in a Blender that has them."""
    return getattr(animation, "action", None), getattr(animation, "action_slot", None)


def subject_of(armature: bpy.types.Object) -> Subject:
    """The person that an armature shows. Raises RecoverError, also where somebody else has the same keys,
    MotionFileError."""
    take = next((item for item in bpy.data.collections if item.recover_motion.motion and holds(item, armature)), None)
    if take is None:
        raise RecoverError(
            "no_take", told("{person} is in no take.", person=armature.name), "Put it back into its take's collection."
        )
    _refuse_shared_keys(armature)
    motion, number = motion_of(take), armature.recover_motion.number
    if number not in motion.people or not len(motion.people[number].frames):
        raise RecoverError(
            "no_person",
            told("The motion file has no person {number}.", number=number),
            "Choose the right file in the list of takes.",
        )
    return Subject(take, armature, motion, rest_of(take, number), clock_of(take, motion))

"""Find People, and the choice among those who were found: tick, merge, split, forget."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from .. import runner
from ..found_people import RecoverMotionEntry
from ..ghmr_engine import protocol
from ..ghmr_engine.errors import RecoverError
from ..jobs import JOB
from ..people_file import both_visible, clip_of, cut, joined, stretches, visible
from ..places_of_takes import free, new_path, takes_folder
from ..showing import current_frame, redraw_clips
from ..sources import Source, clip_range, source_of
from ..translations import fault, local, told
from .recover import at_work, cannot_start, engine_for, finish_in_background

_TICKED = "ticked"
_MENU: list[tuple[str, str, str, int]] = []
"""Blender needs a menu's words to live on while it is open."""


class RECOVERMOTION_OT_find_people(bpy.types.Operator):
    """Look who is in the clip, to choose before anything is recovered; Recover Motion then goes on from there"""

    bl_idname = "recover_motion.find_people"
    bl_label = "Find People"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """One at a time."""
        return not at_work(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the engine. In a window the list comes later, by a timer; without one this waits for it."""
        try:
            _ask_who(context)
        except (RecoverError, OSError) as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        return finish_in_background(self)


@dataclass(frozen=True)
class _Search:
    """Find People as it was asked for."""

    source: Source
    looked_at: dict[str, int]
    scene: str

    def list_people(self, reply: protocol.Found) -> runner.Steps:
        """Fill the scene's list."""
        scene = bpy.data.scenes.get(self.scene) or bpy.context.scene
        people = scene.recover_motion_people
        people.fill(Path(reply.path), self.source, self.looked_at)
        yield
        count = len(people.people)
        JOB.quality = local("{count} person found" if count == 1 else "{count} people found", count=count)
        for warning in reply.warnings:
            runner.tell(warning, warn=True)
        runner.tell(f"{JOB.quality}.")
        redraw_clips()


def _ask_who(context: bpy.types.Context) -> None:
    """Check what was chosen and ask the engine. Raises RecoverError."""
    source, python = source_of(context), engine_for(context)
    looked_at = clip_range(context.scene.recover_motion, source)
    out = _people_path(takes_folder(), source.path, looked_at)
    search = _Search(replace(source, clip=None), looked_at, context.scene.name)
    task = runner.Task("Find People", search.list_people, lambda: free(out))
    try:
        runner.ask(python, lambda number: protocol.Find(number, str(source.path), str(out), looked_at), task)
    except OSError as error:
        free(out)
        raise cannot_start(error) from error


def _people_path(folder: Path, clip: Path, looked_at: dict[str, int]) -> Path:
    """Where the people file of a clip and a range goes: over an older one of the same, whose place the scene's undo
    history may know, and over nothing else."""
    stem = clip.stem
    if looked_at:
        stem += f".{looked_at.get('start', 0)}-{looked_at.get('end', '')}"
    path = folder / f"{stem}.people.json"
    return path if clip_of(path) == str(clip) else new_path(folder, stem, "people.json")


class _OfTheList(bpy.types.Operator):
    """What all that change the list share."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is somebody to choose, and not while the engine has the list."""
        listed = len(context.scene.recover_motion_people.people) > 0
        if not listed:
            cls.poll_message_set(told("Find People first"))
        return listed and not at_work(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change it, or say why not."""
        try:
            self.change(context)
        except RecoverError as error:
            self.report({"ERROR"}, fault(error))
            return {"CANCELLED"}
        redraw_clips()
        return {"FINISHED"}


class RECOVERMOTION_OT_tick_people(_OfTheList):
    """Tick everybody in the list, or nobody"""

    bl_idname = "recover_motion.tick_people"
    bl_label = "Tick"

    ticked: bpy.props.BoolProperty(name="Tick", description="Tick, rather than untick", default=True)

    @classmethod
    def description(cls, _context: bpy.types.Context, choice: bpy.types.OperatorProperties) -> str:
        """The tooltip."""
        return local("Tick everybody" if choice.ticked else "Untick everybody")

    def change(self, context: bpy.types.Context) -> None:
        """Set all ticks."""
        for entry in context.scene.recover_motion_people.people:
            entry.ticked = self.ticked


def _whom(_operator: object, context: bpy.types.Context) -> list[tuple[str, str, str, int]]:
    """Items of the menu: everybody ticked, then everybody but the active one."""
    people = context.scene.recover_motion_people
    _MENU.clear()
    _MENU.append((_TICKED, "Everybody Ticked", "All who are ticked become the same person as the active one", 0))
    for place, entry in enumerate(people.people):
        if place != people.active:
            _MENU.append((str(entry.number), entry.title, "The same person as the active one", entry.number))
    return _MENU


class RECOVERMOTION_OT_merge_people(_OfTheList):
    """The active person and another one are the same: make one person of them"""

    bl_idname = "recover_motion.merge_people"
    bl_label = "Merge With"

    other: bpy.props.EnumProperty(name="Other", description="Who is the same person", items=_whom)

    def change(self, context: bpy.types.Context) -> None:
        """Give the active one the other's parts. Raises RecoverError."""
        people = context.scene.recover_motion_people
        active, others = people.entry, self._others(people)
        if active is None or not others:
            raise RecoverError("nobody_to_merge", "There is nobody to merge with.", "Tick somebody else too.")
        found = people.file()
        whole = active.get_parts()
        for other in others:
            clash = both_visible(found, whole, other.get_parts())
            if len(clash):
                raise RecoverError(
                    "both_visible",
                    told(
                        "{one} and {other} are both in view in {frames}.",
                        one=active.title,
                        other=other.title,
                        frames=_in_words(context, clash),
                    ),
                    "Split one of them there first.",
                )
            whole += other.get_parts()
        active.set_parts(joined(whole))
        active.ticked = active.ticked or any(other.ticked for other in others)
        active.name = next((name for name in (active.name, *(other.name for other in others)) if name), "")
        _remove(people, {other.number for other in others}, active.number)

    def _others(self, people: bpy.types.PropertyGroup) -> list[RecoverMotionEntry]:
        mine = people.entry
        if self.other == _TICKED:
            return [entry for entry in people.ticked if entry != mine]
        return [entry for entry in people.people if str(entry.number) == self.other and entry != mine]


def _in_words(context: bpy.types.Context, frames: np.ndarray) -> str:
    """Frames of the motion, as the timeline counts them where the clip is shown in it."""
    with contextlib.suppress(RecoverError):
        now = current_frame(context)
        if now is not None:
            return told("frame {frames}", frames=stretches(frames + context.scene.frame_current - now))
    start = context.scene.recover_motion_people.file().start
    return told("frame {frames} of the clip, counted from 0", frames=stretches(frames + start))


def _remove(people: bpy.types.PropertyGroup, numbers: set[int], active: int) -> None:
    """Take entries out of the list; who has the number `active` stays the active one."""
    for place in reversed(range(len(people.people))):
        if people.people[place].number in numbers:
            people.people.remove(place)
    people.active = next(place for place, entry in enumerate(people.people) if entry.number == active)


class RECOVERMOTION_OT_split_person(_OfTheList):
    """From the frame on that is shown now, the active person is somebody else: make two of the one"""

    bl_idname = "recover_motion.split_person"
    bl_label = "Split"

    frame: bpy.props.IntProperty(
        name="Frame", description="First frame of the motion that is somebody else's; -1 for the one now shown",
        default=-1, min=-1, options={"SKIP_SAVE"},
    )  # fmt: skip

    def change(self, context: bpy.types.Context) -> None:
        """Cut the active one's parts. Raises RecoverError."""
        people = context.scene.recover_motion_people
        entry, found = people.entry, people.file()
        if entry is None:
            raise RecoverError("nobody_active", "Nobody is chosen in the list.", "Click on somebody there.")
        frame = self.frame if self.frame >= 0 else current_frame(context)
        if frame is None:
            raise RecoverError(
                "no_frame", "The clip is open nowhere, so that no frame of it is shown.",
                "Open it in the Movie Clip editor and go to the frame where somebody else begins.",
            )  # fmt: skip
        before, after = cut(entry.get_parts(), frame)
        if not len(visible(found, before)) or not len(visible(found, after)):
            raise RecoverError(
                "nothing_to_split",
                told("{person} is not in view both before this frame and from it on.", person=entry.title),
                told("It is seen in {frames}.", frames=_in_words(context, visible(found, entry.get_parts()))),
            )  # fmt: skip
        ticked, place = entry.ticked, people.active
        number = max(*found.people, *(one.number for one in people.people)) + 1
        entry.set_parts(before)
        new = people.people.add()  # `entry` may lie elsewhere from here on
        new.number, new.ticked = number, ticked
        new.set_parts(after)
        people.people.move(len(people.people) - 1, place + 1)


class RECOVERMOTION_OT_forget_people(bpy.types.Operator):
    """Forget who was found: the engine chooses again"""

    bl_idname = "recover_motion.forget_people"
    bl_label = "Forget"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender wants a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is something to forget, and not while the engine has it."""
        found = bool(context.scene.recover_motion_people.path)
        if not found:
            cls.poll_message_set(told("Nobody was looked for"))
        return found and not at_work(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Empty the list; the files stay, for undo."""
        context.scene.recover_motion_people.forget()
        redraw_clips()
        return {"FINISHED"}


_CLASSES = (
    RECOVERMOTION_OT_find_people, RECOVERMOTION_OT_tick_people, RECOVERMOTION_OT_merge_people,
    RECOVERMOTION_OT_split_person, RECOVERMOTION_OT_forget_people,
)  # fmt: skip
register, unregister = bpy.utils.register_classes_factory(_CLASSES)

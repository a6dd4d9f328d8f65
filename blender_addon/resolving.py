"""Asks the engine to solve a part of a person's motion again, and shows what comes back."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from . import runner
from .bases import switch_base, with_people
from .contacts import contacts_changed, contacts_shown, write_contacts_shown
from .ghmr_engine import protocol
from .ghmr_engine.edits import Edits, Pin
from .ghmr_engine.errors import RecoverError
from .handmade import merged, with_hand_made
from .layer_keys import layers_written, show_steps
from .motion import CONTACT_LEVEL, Motion, read_motion, write_motion
from .subjects import Subject, subject_of
from .takes import motion_path, people_of
from .translations import local, told

AROUND_S = 0.5
"""What is solved goes this much farther than what was changed, so that it runs into the rest softly."""


@dataclass(frozen=True)
class _Asked:
    """A solve as it was asked for."""

    armature: str
    """Its object's name then."""
    number: str
    base: Path
    """The take's motion file then."""
    edits: Edits
    folder: Path
    """Holds what the engine reads and writes; it goes when all is done."""

    def drop(self) -> None:
        """Nothing came of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def finish(self, reply: protocol.Done) -> runner.Steps:
        """Show what was solved, in steps."""
        solved = read_motion(Path(reply.path))
        yield
        armature = self._person()
        subject = subject_of(armature)
        by_hand = with_hand_made(subject, layers_written(armature))
        pending = not np.array_equal(contacts_shown(subject), self._planted(solved))
        yield
        switch_base(subject.take, _with_hand_made(subject, solved, by_hand))
        yield
        subject = subject_of(armature)
        if not pending:
            write_contacts_shown(subject, subject.base.contacts >= CONTACT_LEVEL)
        yield from show_steps(subject)
        self._mark(subject, reply)
        self.drop()

    def _person(self) -> bpy.types.Object:
        """The armature, which may have another name by now, and its take's file another path. Raises RecoverError."""
        takes = (take for take in bpy.data.collections if take.recover_motion.motion)
        people = (person for take in takes if motion_path(take).resolve() == self.base for person in people_of(take))
        mine = [person for person in people if person.recover_motion.number == self.number]
        if not mine:
            raise RecoverError("changed", "The take was changed while its feet were solved.", "Solve them again.")
        return min(mine, key=lambda person: person.name != self.armature)

    def _planted(self, solved: Motion) -> np.ndarray:
        return solved.people[self.number].contacts >= CONTACT_LEVEL

    def _mark(self, subject: Subject, reply: protocol.Done) -> None:
        """Keep what was reached, and tell it."""
        fixes, figures = subject.armature.recover_motion_fixes, reply.quality.get(self.number, {})
        if fixes.unsolved_first >= self.edits.first and fixes.unsolved_last <= self.edits.last:
            fixes.unsolved_first = fixes.unsolved_last = -1
        solved = {(pin.frame, pin.joint, pin.x, pin.y) for pin in self.edits.pins}
        for pin in fixes.pins:
            pin.solved = pin.solved or (pin.frame, pin.joint, pin.x, pin.y) in solved
        for figure, value in figures.items():
            if value is not None:
                subject.armature[figure] = value
        for warning in reply.warnings:
            runner.tell(warning, warn=True)
        slide = figures.get("sliding_mm")
        said = told("{person} was solved again.", person=subject.armature.name)
        if slide is not None:
            said = f"{said} {told('Feet slide {slide} mm a frame', slide=f'{slide:.1f}')}."
        runner.tell(said)


def changed_range(subject: Subject) -> tuple[int, int] | None:
    """First and last frame of the motion that wait for being solved: contacts that differ, and what was changed
    otherwise (people swapped, ground moved); None where nothing does."""
    frames = subject.base.frames[contacts_changed(subject)]
    fixes = subject.armature.recover_motion_fixes
    ends = [int(frame) for frame in (*frames[:1], *frames[-1:])]
    if fixes.unsolved_first >= 0:
        ends += [fixes.unsolved_first, fixes.unsolved_last]
    return (min(ends), max(ends)) if ends else None


def around(subject: Subject, first: int, last: int, seconds: float) -> tuple[int, int]:
    """A range of the motion's frames, made longer on both sides as far as there are frames."""
    more = round(seconds * float(subject.clock.motion_fps))
    return max(first - more, 0), min(last + more, subject.motion.meta["frames"] - 1)


def ask_to_solve(python: Path, subject: Subject, first: int, last: int, pins: Sequence[Pin] = ()) -> None:
    """Ask the engine for frames first to last, with the contacts that are shown.

    `subject` has no keys made by hand (layer_keys.settled). Raises RecoverError, MotionFileError, OSError.
    """
    shown, base = contacts_shown(subject), subject.base
    # 0 and 1 tell the engine that somebody said so; the rest stays as sure as it was.
    contacts = np.where(shown != (base.contacts >= CONTACT_LEVEL), shown, base.contacts)
    person = replace(base, contacts=contacts.astype(np.float32))
    edits = Edits((subject.number,), first, last, tuple(pins))
    folder = Path(tempfile.mkdtemp(prefix="recover_motion_"))
    source, out = folder / "changed.motion.npz", folder / "solved.motion.npz"
    asked = _Asked(subject.armature.name, subject.number, motion_path(subject.take).resolve(), edits, folder)
    try:
        write_motion(source, with_people(subject.motion, {subject.number: person}))
        runner.ask(
            python, lambda number: protocol.Resolve(number, str(source), str(out), edits.as_dict()),
            runner.Task(local("Solve Again"), asked.finish, asked.drop),
        )  # fmt: skip
    except BaseException:
        with contextlib.suppress(OSError):
            asked.drop()
        raise


def _with_hand_made(subject: Subject, solved: Motion, by_hand: object) -> Motion:
    """What was solved, with what was keyed by hand while it was."""
    if by_hand is None:
        return solved
    number = subject.number
    return with_people(solved, {number: merged(subject.base, by_hand, solved.people[number])})

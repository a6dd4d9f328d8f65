"""The list of people who were found in a clip: ticked, named, merged and split by the user; kept with the scene.

Boxes are not kept here: they are read from the people file (people_file.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy
import numpy as np

from .ghmr_engine.errors import RecoverError
from .people_file import Part, PeopleFile, box_at, people_in
from .scene.build import relative
from .sources import Source, clip_range, source_of
from .takes import where_it_is
from .translations import local

_TO_THE_END = -1


class RecoverMotionPart(bpy.types.PropertyGroup):
    """Frames of a track of the people file."""

    person: bpy.props.IntProperty(description="The track's number in the people file")
    first: bpy.props.IntProperty(description="First frame of the motion")
    last: bpy.props.IntProperty(description="Last frame of the motion (included)")


class RecoverMotionEntry(bpy.types.PropertyGroup):
    """Somebody in the list."""

    name: bpy.props.StringProperty(name="Name", description="What the armature will be called; may stay empty")
    ticked: bpy.props.BoolProperty(name="Recover", description="Whether this person becomes an armature")
    number: bpy.props.IntProperty(description="In the list, and over the clip")
    parts: bpy.props.CollectionProperty(
        type=RecoverMotionPart, description="The pieces of tracks that this person is made of"
    )

    @property
    def title(self) -> str:
        """What to call this person."""
        return self.name or local("Person {number}", number=self.number)

    def get_parts(self) -> list[Part]:
        """As people_file.py takes them."""
        return [(part.person, part.first, part.last) for part in self.parts]

    def set_parts(self, parts: Iterable[Part]) -> None:
        """The person consists of these from now on."""
        self.parts.clear()
        for person, first, last in parts:
            part = self.parts.add()
            part.person, part.first, part.last = person, first, last


class RecoverMotionPeople(bpy.types.PropertyGroup):
    """Who was found, and in what."""

    path: bpy.props.StringProperty(description="The people file; empty where nobody was looked for")
    clip: bpy.props.StringProperty(description="The clip that they were found in")
    start: bpy.props.IntProperty(description="First frame of the clip that was looked at, counted from 0")
    end: bpy.props.IntProperty(description="Last frame that was looked at; -1 for the clip's end")
    pictures: bpy.props.IntProperty(description="In the clip, where a strip of it was looked at; 0 otherwise")
    people: bpy.props.CollectionProperty(type=RecoverMotionEntry, description="Everybody who was found")
    show_boxes: bpy.props.BoolProperty(
        name="Show Boxes",
        description="Draw boxes and names over the clip; off once a take shows who is who",
        default=True,
    )
    active: bpy.props.IntProperty(name="Person", description="Name, merge or split this one")

    @property
    def clip_path(self) -> Path:
        """Where the clip is."""
        return Path(bpy.path.abspath(self.clip)).absolute()

    @property
    def known_lengths(self) -> dict[Path, int]:
        """How many pictures there are in the clip, as sources.py takes it."""
        return {self.clip_path.resolve(): self.pictures} if self.pictures else {}

    @property
    def entry(self) -> RecoverMotionEntry | None:
        """The active one."""
        return self.people[self.active] if 0 <= self.active < len(self.people) else None

    @property
    def ticked(self) -> list[RecoverMotionEntry]:
        """Those who are wanted."""
        return [entry for entry in self.people if entry.ticked]

    def file(self) -> PeopleFile:
        """The people file's content. Raises RecoverError where it is gone."""
        return people_in(where_it_is(self.path))

    def fill(self, path: Path, source: Source, looked_at: dict[str, int]) -> None:
        """List everybody in a people file; those who matter are ticked. Where the same clip was looked at again and the
        same tracks were found, the user's names, ticks, merges and splits stay.

        source: what was looked at. looked_at: start and end that were asked for.
        Raises RecoverError.
        """
        found = people_in(path)
        if self._is_the_same(found, source, looked_at):
            self.path, self.show_boxes = relative(path), True
            return
        self.forget()
        self.show_boxes = True
        self.path, self.clip = relative(path), relative(source.path)
        self.pictures = source.pictures or 0
        self.start, self.end = looked_at.get("start", 0), looked_at.get("end", _TO_THE_END)
        for number, person in found.people.items():
            entry = self.people.add()
            entry.number, entry.ticked = number, person.main
            entry.set_parts([(number, 0, found.frames - 1)])

    def _is_the_same(self, found: PeopleFile, source: Source, looked_at: dict[str, int]) -> bool:
        """Whether the list is of this clip, this range and these tracks."""
        listed = {person for entry in self.people for person, _, _ in entry.get_parts()}
        length = max((last + 1 for entry in self.people for _, _, last in entry.get_parts()), default=0)
        span = looked_at.get("start", 0), looked_at.get("end", _TO_THE_END)
        return bool(
            self.path and self.clip_path == source.path and span == (self.start, self.end)
            and listed == set(found.people) and length == found.frames
        )  # fmt: skip

    def forget(self) -> None:
        """Back to before anybody was looked for."""
        self.people.clear()
        self.path = self.clip = ""
        self.start = self.active = self.pictures = 0
        self.end = _TO_THE_END

    def boxes_at(self, frame: int) -> np.ndarray:
        """(entries, 4) px, the boxes in a frame of the motion; NaN for who has none. Raises RecoverError."""
        found, nothing = self.file(), np.full(4, np.nan)
        boxes = [box_at(found, entry.get_parts(), frame) for entry in self.people]
        return np.array([nothing if box is None else box for box in boxes]).reshape(-1, 4)

    def source_here(self, context: bpy.types.Context) -> Source | None:
        """The clip that the editor means, told without asking any file; None where there is none."""
        try:
            return source_of(context, measured=False, known=self.known_lengths)
        except RecoverError:
            return None

    def holds_for(self, settings: bpy.types.PropertyGroup, source: Source) -> bool:
        """Whether this is the list of that very clip and range."""
        asked = clip_range(settings, source)
        mine = (self.start, self.end) == (asked.get("start", 0), asked.get("end", _TO_THE_END))
        return bool(self.path) and mine and self.clip_path.resolve() == source.path.resolve()

    def where(self) -> str:
        """In words, what they were found in."""
        if self.end == _TO_THE_END:
            text = "{clip} from frame {start} on" if self.start else "{clip}"
        else:
            text = "frames {start} to {end} of {clip}"
        return local(text, clip=self.clip_path.name, start=self.start, end=self.end)


def wanted(scene: bpy.types.Scene, source: Source) -> list[tuple[str, list[Part]]] | None:
    """Names and parts of those who are ticked in the list of this clip; None where there is no such list.

    Raises RecoverError where nobody is ticked.
    """
    people = scene.recover_motion_people
    if not people.holds_for(scene.recover_motion, source):
        return None
    if not people.ticked:
        raise RecoverError(
            "nobody_ticked", "Nobody is ticked in the list of people.",
            "Tick those whom you want, or press Forget to leave the choice to the engine.",
        )  # fmt: skip
    return [(entry.name.strip(), entry.get_parts()) for entry in people.ticked]


_CLASSES = (RecoverMotionPart, RecoverMotionEntry, RecoverMotionPeople)


def register() -> None:
    """Called by the add-on."""
    for kind in _CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Scene.recover_motion_people = bpy.props.PointerProperty(type=RecoverMotionPeople)


def unregister() -> None:
    """Called by the add-on."""
    del bpy.types.Scene.recover_motion_people
    for kind in reversed(_CLASSES):
        bpy.utils.unregister_class(kind)

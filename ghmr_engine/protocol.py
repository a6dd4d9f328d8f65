"""The messages between Blender and the engine: JSON, one a line. Standard library only: the add-on carries this file.

To the engine a message says what to `do`; from the engine each one has `say` with its kind. Unknown fields are ignored.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import get_args, get_type_hints

from .errors import Cancelled, RecoverError


@dataclass(frozen=True)
class Recover:
    """Turn a clip into a motion file."""

    id: int
    """Chosen by the caller; every answer carries it."""
    video: str
    """Path of the clip."""
    out: str
    """Path of the motion file, NAME.motion.npz."""
    options: dict
    """As options.Options has them; what is left out has its default."""


@dataclass(frozen=True)
class Find:
    """Find the people of a clip, for the user to choose from before they are recovered."""

    id: int
    video: str
    """Path of the clip."""
    out: str
    """Path of the people file, NAME.people.json; a thumbnail of each lies beside it."""
    options: dict
    """As options.Options has them; of these only the range, the rate and the device count."""


@dataclass(frozen=True)
class Resolve:
    """Solve a part of a motion file again by what was changed in it by hand. Answered with `done`."""

    id: int
    motion: str
    """Path of the motion file to start from, its contacts as the user wants them."""
    out: str
    """Path of the motion file to write."""
    edits: dict
    """As edits.Edits has them."""


@dataclass(frozen=True)
class Import:
    """Turn another program's result into a motion file. Answered with `done`."""

    id: int
    file: str
    """Path of the result (docs/import.md)."""
    clip: str | None
    """Path of the clip that it was made of; null for a take without one."""
    fps: float | None
    """Of the result's frames; null asks the file or the clip."""
    out: str
    """Path of the motion file, NAME.motion.npz."""


@dataclass(frozen=True)
class Draw:
    """Draw small pictures of a take: a frame of its clip, the bodies over it, the way they went from above."""

    id: int
    video: str
    """Path of the clip."""
    motion: str
    """Path of its motion file; empty where there is none, then the frame alone is drawn."""
    out: str
    """Path that the pictures' begin with: OUT.frame.jpg, OUT.overlay.jpg, OUT.top.jpg."""


@dataclass(frozen=True)
class Cancel:
    """Stop a job, whether it runs or waits; its answer is an error with the code `cancelled`."""

    id: int


@dataclass(frozen=True)
class Hello:
    """Ask what this engine is; it says so by itself when it starts."""


@dataclass(frozen=True)
class Quit:
    """Stop what runs, and end. Closing the engine's stdin does the same."""


@dataclass(frozen=True)
class Welcome:
    """What this engine is. Sent as `hello`."""

    version: str
    device: str
    """Where networks will run: cpu, or cuda and the name of the device."""
    models: list
    """[{name, licence, open, state}], state being ready, missing or damaged."""


@dataclass(frozen=True)
class Progress:
    """How far a job is. Sent as `progress`, about ten times a second at most."""

    id: int
    stage: str
    """One of progress.STAGES."""
    done: float
    """How much of `total`, in this stage."""
    total: float
    eta_s: float | None
    """Seconds left of this stage; null while unknown."""


@dataclass(frozen=True)
class Done:
    """A job's motion file is there. Sent as `done`."""

    id: int
    path: str
    quality: dict
    """{person: {reprojection_px, sliding_mm, penetration_mm, jitter, seen}}, null where nothing could be measured."""
    seconds: dict
    """{stage: s}."""
    licence: str
    """open or research-only."""
    warnings: list
    """Texts for the user."""


@dataclass(frozen=True)
class Found:
    """A clip's people were found. Sent as `found`."""

    id: int
    path: str
    """Of the people file."""
    warnings: list
    """Texts for the user."""


@dataclass(frozen=True)
class Drawn:
    """A take's pictures are there. Sent as `drawn`."""

    id: int
    pictures: dict
    """{what it shows: path}, what being frame, overlay and top."""


@dataclass(frozen=True)
class Preview:
    """A small picture of what was found so far. Sent as `preview`."""

    id: int
    path: str
    """Of a JPEG, which is replaced by the next one and gone when the job is."""


@dataclass(frozen=True)
class Error:
    """A job, or a message that could not be understood, came to nothing. Sent as `error`."""

    id: int | None
    """The job's; null where the message had none."""
    code: str
    message: str
    fix: str
    """What to do about it."""


Request = Recover | Find | Resolve | Import | Draw | Cancel | Hello | Quit
Reply = Welcome | Progress | Preview | Found | Done | Drawn | Error

REQUESTS = {
    "recover": Recover, "find": Find, "resolve": Resolve, "import": Import, "draw": Draw, "cancel": Cancel,
    "hello": Hello, "quit": Quit,
}  # fmt: skip
REPLIES = {
    "hello": Welcome, "progress": Progress, "preview": Preview, "found": Found, "done": Done, "drawn": Drawn,
    "error": Error,
}  # fmt: skip

_FIX = "Use an engine and an add-on of the same version."


class ProtocolError(Exception):
    """A line that is no message; `reply` is what to answer."""

    def __init__(self, reply: Error) -> None:
        super().__init__(f"{reply.message} {reply.fix}")
        self.reply = reply


def encode(message: Request | Reply) -> str:
    """One line of ASCII without its end. Numbers that are not finite become null, which JSON can say."""
    for key, kinds in (("do", REQUESTS), ("say", REPLIES)):
        for name, kind in kinds.items():
            if type(message) is kind:
                return json.dumps(_plain({key: name, **asdict(message)}), allow_nan=False)
    raise TypeError(f"{type(message).__name__} is not a message")


def decode_request(line: str) -> Request:
    """What the engine is asked to do. Raises ProtocolError."""
    return _decode(line, "do", REQUESTS)


def decode_reply(line: str) -> Reply:
    """What the engine says. Raises ProtocolError."""
    return _decode(line, "say", REPLIES)


def error_reply(job: int | None, error: BaseException) -> Error:
    """What to say of a failure: a user's error as it is, the rest as what it most likely means."""
    if isinstance(error, RecoverError):
        return Error(job, error.code, error.message, error.fix)
    if isinstance(error, Cancelled):
        return Error(job, "cancelled", "Stopped; nothing was written.", "Start again when you like.")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return Error(
            job, "out_of_memory", "There is not enough memory.", "Take a shorter range of frames, or the device cpu."
        )
    if isinstance(error, OSError) and error.filename is not None:
        return Error(
            job, "cannot_use", f"{error.filename} cannot be used ({error.strerror or type(error).__name__}).",
            "Check its name, its permissions and the space on its disk.",
        )  # fmt: skip
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return Error(job, "internal", f"The engine failed ({text}).", "Report it, with the lines above.")


def _decode(line: str, key: str, kinds: dict[str, type]) -> Request | Reply:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise ProtocolError(Error(None, "not_json", f"This line is not JSON: {line.strip()[:80]!r}.", _FIX)) from None
    if not isinstance(values, dict):
        raise ProtocolError(Error(None, "not_a_message", "A message is a JSON object.", _FIX))
    job = values.get("id")
    job = job if type(job) is int else None
    name = values.get(key)
    if not isinstance(name, str) or name not in kinds:
        known = ", ".join(kinds)
        raise ProtocolError(Error(job, "unknown_message", f"'{key}' is {name!r}, not one of: {known}.", _FIX))
    kind = kinds[name]
    hints = get_type_hints(kind)
    known_values = {}
    for field in fields(kind):
        if field.name not in values or not _fits(values[field.name], hints[field.name]):
            text = f"'{name}' needs '{field.name}' ({getattr(hints[field.name], '__name__', hints[field.name])})."
            raise ProtocolError(Error(job, "bad_message", text, _FIX))
        known_values[field.name] = values[field.name]
    return kind(**known_values)


def _fits(value: object, hint: object) -> bool:
    """Whether a JSON value has a field's type; whole numbers will do for float, bool is no number."""
    kinds = get_args(hint) or (hint,)
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) or (isinstance(value, int) and float in kinds)


def _plain(value: object) -> object:
    """Values that JSON can say."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

"""What the user can choose. The command line, the JSON request and the saved metadata all come from this class."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args, get_origin, get_type_hints

from .errors import RecoverError

_READ = ("gyro", "file", "blender")
_FILE_GOES = f"a file with --camera {', '.join(_READ)}, and none otherwise"


@dataclass(frozen=True)
class Options:
    """Choices for one recovery."""

    people: str = "main"
    """main: those who matter (size, time in view); all: everyone believable; a number: the N most important."""
    start: int = 0
    """First frame, counted from 0 at the clip's rate."""
    end: int | None = None
    """Last frame (included); none: to the clip's end."""
    fps: float | None = None
    """Rate of the result; none: the clip's own."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks and optimisation run."""
    camera: Literal["auto", "static", "gyro", "file", "blender", "droid", "dpvo"] = "auto"
    """auto: found from the background; static: it did not move; gyro, file, blender: read from camera_file;
    droid, dpvo: by DROID-SLAM or DPVO, where installed (docs/camera.md)."""
    camera_file: str | None = None
    """For gyro a gyroscope's CSV, for file and blender another program's camera."""
    quality: Literal["fast", "balanced", "best"] = "balanced"
    """fast: without fit and refinement; best: refined with priors of how people move."""
    focal: float | None = None
    """Focal length in pixels of the upright picture; none: the clip's metadata, else solved for or a usual one."""
    lens: float | None = None
    """Focal length in millimetres, instead of --focal."""
    sensor: float = 36.0
    """Width of the sensor that --lens goes with in millimetres, along the picture's longer side."""
    height: float | None = None
    """Height of the first person in metres; none: estimated from a typical body."""
    identities: str | None = None
    """JSON file that says who is who among everybody in the clip (docs/people_file.md), instead of --people."""

    def __post_init__(self) -> None:
        _check_choices(self)
        if self.people not in ("main", "all") and not (self.people.isdigit() and int(self.people) > 0):
            raise _bad("people", self.people, "main, all or a number from 1")
        _require(self.start >= 0, "start", self.start, "a frame number from 0")
        _require(self.end is None or self.end >= self.start, "end", self.end, "a frame number from --start on")
        _require(self.fps is None or 1 <= self.fps <= 240, "fps", self.fps, "a rate from 1 to 240")
        _require(self.focal is None or self.focal > 0, "focal", self.focal, "pixels, more than 0")
        _require(self.lens is None or self.lens > 0, "lens", self.lens, "millimetres, more than 0")
        _require(self.lens is None or self.focal is None, "lens", self.lens, "either --lens or --focal, not both")
        _require(self.sensor > 0, "sensor", self.sensor, "millimetres, more than 0")
        reads = self.camera in _READ
        _require(reads == (self.camera_file is not None), "camera_file", self.camera_file, _FILE_GOES)
        _require(self.height is None or 0.5 <= self.height <= 2.6, "height", self.height, "metres, 0.5 to 2.6")

    @property
    def fits(self) -> bool:
        """Whether the lifting network's pose is brought onto the picture: not by the fast level."""
        return self.quality != "fast"

    def as_dict(self) -> dict[str, object]:
        """Plain values by name, for JSON."""
        return asdict(self)


def options_from(values: dict[str, object]) -> Options:
    """Options from a JSON object; a key that does not exist or a value of another type is an error."""
    hints = get_type_hints(Options)
    known = {field.name for field in fields(Options)}
    for key, value in values.items():
        if key not in known:
            names = ", ".join(sorted(known))
            raise RecoverError("bad_option", f"There is no option '{key}'.", f"Choose from: {names}.")
        kinds = _plain_types(hints[key])
        if value is not None and isinstance(value, int) and not isinstance(value, bool) and float in kinds:
            continue
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise _bad(key, value, " or ".join(kind.__name__ for kind in kinds))
    return Options(**values)  # type: ignore[arg-type]


def _plain_types(hint: object) -> tuple[type, ...]:
    if get_origin(hint) is Literal:
        return (str,)
    parts = get_args(hint)
    return tuple(parts) if parts else (hint,)  # type: ignore[return-value]


def _check_choices(options: Options) -> None:
    for name, hint in get_type_hints(Options).items():
        if get_origin(hint) is Literal and getattr(options, name) not in get_args(hint):
            raise _bad(name, getattr(options, name), " or ".join(get_args(hint)))


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise _bad(name, value, expected)


def _bad(name: str, value: object, expected: str) -> RecoverError:
    return RecoverError("bad_option", f"Option {name} cannot be {value!r}.", f"It takes {expected}.")

"""What the user chooses of a rendered clip; the command line and the suite's list come from this class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ghmr_engine.errors import RecoverError


@dataclass(frozen=True)
class Shot:
    """Choices for one rendered clip."""

    camera: Literal["static", "pan", "walk", "orbit", "follow"] = "static"
    """static: a tripod; pan: turned on one spot; walk: carried along by hand; orbit: around the people; follow: moves
    with them in one line."""
    start: float = 0.0
    """First moment of the motion, in seconds."""
    end: float | None = None
    """Last moment of the motion, in seconds; none: its end."""
    second_start: float = 0.0
    """First moment of the second person's motion, in seconds."""
    seed: int = 0
    """Fixes everything that is drawn by chance: body, clothes, place, camera."""
    light: Literal["day", "low"] = "day"
    """low: dark, with a sensor's noise."""
    occluder: Literal["none", "pillar", "box"] = "none"
    """What stands between camera and person: a pillar, or a low box that hides the feet."""
    engine: Literal["workbench", "eevee", "cycles"] = "workbench"
    """Blender's renderer: the quickest, with soft light, or with real light."""
    blur: bool = False
    """Motion blur of a half-open shutter."""
    width: int = 854
    """Pixels."""
    height: int = 480
    """Pixels."""
    fov: float = 65.0
    """Degrees across the picture's longer side; a phone has 60 to 70."""
    fps: int = 30
    """Frames a second."""

    def __post_init__(self) -> None:
        self._require(self.end is None or self.end > self.start >= 0, "--end must come after --start")
        self._require(64 <= self.width <= 4096 and 64 <= self.height <= 4096, "--width and --height go from 64 to 4096")
        self._require(self.width % 2 == 0 and self.height % 2 == 0, "--width and --height must be even")
        self._require(20 <= self.fov <= 120, "--fov goes from 20 to 120 degrees")
        self._require(10 <= self.fps <= 120, "--fps goes from 10 to 120")

    @staticmethod
    def _require(holds: bool, rule: str) -> None:
        if not holds:
            raise RecoverError("bad_option", f"{rule}.", "See `ghmr render-truth --help`.")

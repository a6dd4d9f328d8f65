"""When pictures are shown: a clip's own constant rate, and which picture each frame at a rate takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options

COMMON_RATES = tuple(
    Fraction(*rate)
    for rate in (
        (10, 1), (12, 1), (25, 2), (15000, 1001), (15, 1), (20, 1), (24000, 1001), (24, 1), (25, 1), (30000, 1001),
        (30, 1), (48000, 1001), (48, 1), (50, 1), (60000, 1001), (60, 1), (90, 1), (100, 1), (120000, 1001), (120, 1),
        (240000, 1001), (240, 1),
    )
)  # fmt: skip
"""What cameras record at, frames a second."""

_SAME_RATE = 2e-4  # relative; 24 and 24000/1001 differ by 1e-3
_OTHER_PROGRAMS = 2e-3  # relative; a container's stated rate may be rounded this far
_NEAR_RATE = 0.02  # relative: an uneven clip's average this near a common rate is that rate with a few frames lost
_EVEN = 0.25  # of a frame: times this near a regular grid are that grid with jitter
_DENOMINATOR = 1001
_UNKNOWN_RATE = Fraction(25)  # of a single picture in a file that states no rate


@dataclass(frozen=True)
class Rate:
    """The constant rate that fits a file's times."""

    fps: Fraction
    constant: bool
    """Whether picture k is shown from k / fps on, exactly, and the container says so too."""


@dataclass(frozen=True)
class Schedule:
    """The frames that are used."""

    fps: Fraction
    first: int
    """Counted at fps from the clip's first picture."""
    shown: np.ndarray
    """(T,) int, not falling: the picture of the file that each frame shows."""


def own_rate(seconds: np.ndarray, tick: float, nominal: tuple[Fraction, ...]) -> Rate:
    """The rate of a clip whose pictures are shown at `seconds` (S,), rising from 0.

    tick: the file's unit of time in seconds, to which times are rounded. nominal: rates the container states, the one
    that other programs take first. Even times keep their rate; uneven ones get the common rate nearest their average,
    else the one nearest their typical step (a phone that drops frames in the dark), else their average.
    """
    if len(seconds) < 2:
        return Rate(nominal[0] if nominal else _UNKNOWN_RATE, constant=True)
    average = Fraction((len(seconds) - 1) / seconds[-1]).limit_denominator(_DENOMINATOR)
    for fps in (*(_tidy(rate) for rate in nominal), _tidy(average), average):
        stated = not nominal or _is_near(nominal[0], fps, _OTHER_PROGRAMS)
        if stated and _strays(seconds, fps) <= 1.01 * tick:
            return Rate(fps, constant=True)
    for fps in (_nearest_common(average), _tidy(average), average):
        if _strays(seconds, fps) <= _EVEN / fps:
            return Rate(fps, constant=False)
    typical = Fraction(1 / float(np.median(np.diff(seconds)))).limit_denominator(_DENOMINATOR)
    for fps in (average, typical):
        common = _nearest_common(fps)
        if _is_near(common, fps, _NEAR_RATE):
            return Rate(common, constant=False)
    return Rate(average, constant=False)


def schedule(seconds: np.ndarray, own: Fraction, options: Options) -> Schedule:
    """Choose frames by options.start, .end (at the rate `own`, both included) and .fps; seconds (S,) as in own_rate.

    Frame k stands for the time k / fps and shows the picture nearest in time, of two equally near the earlier one.
    Raises RecoverError ("start_beyond_end").
    """
    last_own = math.floor(seconds[-1] * own + 0.5)
    if options.start > last_own:
        raise RecoverError(
            "start_beyond_end",
            f"The clip ends at frame {last_own}, before the chosen start at frame {options.start}.",
            "Choose an earlier start.",
        )
    end = last_own if options.end is None else min(options.end, last_own)
    fps = own if options.fps is None else _tidy(Fraction(options.fps), own)
    first, last = math.ceil(options.start * fps / own), math.floor(end * fps / own)
    times = np.arange(first, last + 1) / float(fps)
    halfway = (seconds[:-1] + seconds[1:]) / 2
    return Schedule(fps, first, np.searchsorted(halfway, times - 1e-9))


def _strays(seconds: np.ndarray, fps: Fraction) -> float:
    """Seconds by which the times (S,) are off a regular grid, at most."""
    return float(np.abs(seconds - np.arange(len(seconds)) / float(fps)).max())


def _nearest_common(rate: Fraction) -> Fraction:
    return min(COMMON_RATES, key=lambda common: abs(common - rate))


def _tidy(rate: Fraction, *preferred: Fraction) -> Fraction:
    """The preferred or common rate that `rate` means (29.97 is 30000/1001), else itself as a short fraction."""
    for known in (*preferred, *COMMON_RATES):
        if _is_near(known, rate, _SAME_RATE):
            return known
    return rate.limit_denominator(_DENOMINATOR)


def _is_near(one: Fraction, other: Fraction, share: float) -> bool:
    return abs(one - other) <= share * other

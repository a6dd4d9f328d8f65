"""How bad each frame of a person is, from 0 (as good as it gets) to 1, and why: from the motion file. NumPy only.

A frame is as bad as the worst of three things, each rising evenly from 0 to 1 between the limits below:

- off the picture: `reprojection` (px) over the body's height in the picture (px);
- guessed: the share of joints whose `confidence` is below 0.5;
- sliding: the speed of the fastest point of the soles that should stand still.

What cannot be known is no error: nothing seen of the person (`reprojection` is nan) is HIDDEN, no frame at all ABSENT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .layers.chain import joint_frames, soles
from .motion import CONTACT_LEVEL, JOINT_NAMES, Motion, Person

OFF_PICTURE = (0.015, 0.06)
"""Of the body's height. On two real clips the middle frame has 0.01, one in twenty 0.025."""
GUESSED = (0.15, 0.6)
"""Share of the joints: both hands and feet out of view are 0.17, all below the hips 0.33."""
SLIDING = (0.1, 0.6)
"""m/s."""
LEVEL = 0.3
"""From here on a frame is worth looking at."""
SPACING_S = 0.3
"""Two worst frames are at least so far apart."""
DIP = 0.1
SURE = 0.5
"""Joints with less confidence were guessed."""
HIDDEN = -1.0
ABSENT = np.nan

_GREEN, _YELLOW, _RED = (0.16, 0.62, 0.24), (0.93, 0.77, 0.16), (0.86, 0.15, 0.12)
_GREY = (0.45, 0.45, 0.45)
_ALPHA = 0.9
_MOST_NAMES = 2


@dataclass(frozen=True)
class Rating:
    """One person's frames. N: frames of the person."""

    frames: np.ndarray
    """(N,) of the motion."""
    bad: np.ndarray
    """(N,) 0 to 1, HIDDEN where nothing was seen."""
    off_px: np.ndarray
    """(N,) px, nan where nothing was seen."""
    off: np.ndarray
    """(N,) 0 to 1."""
    guessed: np.ndarray
    """(N, 24) bool."""
    sliding: np.ndarray
    """(N,) m/s."""

    def row(self, count: int) -> np.ndarray:
        """(T,) for each of the motion's `count` frames: 0 to 1, HIDDEN or ABSENT."""
        values = np.full(count, ABSENT)
        values[self.frames] = self.bad
        return values


def rate(motion: Motion, number: str) -> Rating:
    """Rate all frames of a person."""
    person = motion.people[number]
    fps = motion.meta["fps"][0] / motion.meta["fps"][1]
    guessed = np.asarray(person.confidence) < SURE
    off_px = np.asarray(person.reprojection, dtype=np.float64)
    off = _ramp(off_px / _heights_px(motion, person), OFF_PICTURE)
    sliding = _sliding(person, fps)
    worst = np.fmax(np.fmax(off, _ramp(guessed.mean(1), GUESSED)), _ramp(sliding, SLIDING))
    return Rating(person.frames, np.where(np.isfinite(off_px), worst, HIDDEN), off_px, off, guessed, sliding)


def _ramp(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return np.clip((values - limits[0]) / (limits[1] - limits[0]), 0, 1)


def _heights_px(motion: Motion, person: Person) -> np.ndarray:
    """(N,) px: how tall the body would stand in the picture at the pelvis' distance."""
    pelvis = np.asarray(person.joints[0] + person.transl, dtype=np.float64)
    depth = np.einsum("nj,nj->n", motion.R[person.frames, 2], pelvis) + motion.t[person.frames, 2]
    return motion.K[person.frames, 1, 1] * np.ptp(person.vertices[:, 1]) / np.maximum(depth, 0.1)


def _sliding(person: Person, fps: float) -> np.ndarray:
    """(N,) m/s: the fastest contact point that rests in this frame and in the one before or after it."""
    fastest = np.zeros(len(person.frames))
    if len(fastest) < 2:
        return fastest
    points = soles(person, *joint_frames(person))
    rests = person.contacts >= CONTACT_LEVEL
    both = rests[1:] & rests[:-1] & (np.diff(person.frames) == 1)[:, None]
    speed = np.where(both, np.linalg.norm(np.diff(points, axis=0), axis=-1) * fps, 0).max(1)
    fastest[1:] = speed
    fastest[:-1] = np.maximum(fastest[:-1], speed)
    return fastest


def worst_frames(rating: Rating, fps: float) -> np.ndarray:
    """Rising motion frames to look at: peaks of at least LEVEL, SPACING_S apart and with a way down of at least DIP
    between them, so that a long bad stretch is looked at once."""
    taken: list[int] = []
    order = np.argsort(-rating.bad, kind="stable")
    for place in order[: int((rating.bad >= LEVEL).sum())]:
        if not any(_one_peak(rating, place, other, fps) for other in taken):
            taken.append(int(place))
    return rating.frames[np.sort(np.array(taken, dtype=np.int64))]


def _one_peak(rating: Rating, place: int, higher: int, fps: float) -> bool:
    """Whether a frame belongs to a higher peak."""
    first, last = min(place, higher), max(place, higher)
    if rating.frames[last] - rating.frames[first] < SPACING_S * fps:
        return True
    return rating.bad[first : last + 1].min() > rating.bad[place] - DIP


def why(rating: Rating, frame: int) -> list[str]:
    """What is wrong with a frame of the motion, the worst first; nothing where the person has no such frame."""
    place = int(np.searchsorted(rating.frames, frame))
    if place == len(rating.frames) or rating.frames[place] != frame:
        return []
    if rating.bad[place] == HIDDEN:
        return ["not seen"]
    share = rating.guessed[place].mean()
    said = [
        (rating.off[place], f"{rating.off_px[place]:.0f} px off the picture"),
        (_ramp(share, GUESSED), hidden_words(rating.guessed[place])),
        (_ramp(rating.sliding[place], SLIDING), f"a planted foot slides {rating.sliding[place]:.1f} m/s"),
    ]
    said.sort(key=lambda item: -item[0])
    return [text for amount, text in said if amount > 0]


def hidden_words(guessed: np.ndarray) -> str:
    """(24,) bool -> "left wrist and left hand hidden"; a number where they are many."""
    names = [JOINT_NAMES[joint].replace("_", " ") for joint in np.flatnonzero(guessed)]
    return f"{' and '.join(names)} hidden" if len(names) <= _MOST_NAMES else f"{len(names)} of 24 joints hidden"


def on_scene_frames(row: np.ndarray, at: np.ndarray, first: int, last: int) -> np.ndarray:
    """The row (T,) on the scene's whole frames `first` to `last`: nothing bad is lost between two of them.

    at (T,): the scene frames of the motion's frames, rising evenly.
    """
    frames = np.arange(first, last + 1)
    values = np.full(len(frames), ABSENT)
    if not len(row):
        return values
    step = (at[-1] - at[0]) / max(len(at) - 1, 1) or 1.0
    places = np.rint((frames - at[0]) / step).astype(np.int64)
    inside = (places >= 0) & (places < len(row))
    values[inside] = row[places[inside]]
    nearest = np.rint(at).astype(np.int64) - first
    inside = (nearest >= 0) & (nearest < len(values))
    np.fmax.at(values, nearest[inside], row[inside])
    return values


def bars(values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` bars for a row (F,): where each begins and ends (B, 2), in frames, and its worst value (B,).

    Neighbours of one value are one bar; what is ABSENT has none.
    """
    group = max(int(np.ceil(len(values) / max(most, 1))), 1)
    starts = np.arange(0, len(values), group)
    if not len(starts):
        return np.zeros((0, 2)), np.zeros(0)
    worst = np.fmax.reduceat(values, starts)
    new = np.ones(len(worst), dtype=bool)
    new[1:] = ~((worst[1:] == worst[:-1]) | (np.isnan(worst[1:]) & np.isnan(worst[:-1])))
    edges = np.append(starts[new], len(values))
    spans, worst = np.stack([edges[:-1], edges[1:]], 1).astype(float), worst[new]
    known = ~np.isnan(worst)
    return spans[known], worst[known]


def colors(values: np.ndarray) -> np.ndarray:
    """(B,) 0 to 1 or HIDDEN -> (B, 4): green over yellow to red, grey where nothing was seen."""
    stops = np.array([_GREEN, _YELLOW, _RED])
    mixed = np.stack([np.interp(values, [0, 0.5, 1], stops[:, channel]) for channel in range(3)], -1)
    mixed = np.where((values == HIDDEN)[:, None], _GREY, mixed)
    return np.concatenate([mixed, np.full((len(mixed), 1), _ALPHA)], 1)

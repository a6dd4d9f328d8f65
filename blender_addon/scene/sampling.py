"""The motion's values on the scene's frames: keys lie on whole frames, where animators look for them. NumPy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .rotations import slerp
from .timing import Clock, presence


@dataclass(frozen=True)
class Sampling:
    """Where in a row of N samples each of M keys lies."""

    at: np.ndarray
    """(M,) whole scene frames, rising."""
    before: np.ndarray
    """(M,) the sample at or before each key."""
    share: np.ndarray
    """(M,) 0 to 1: how far from there to the next sample."""
    holds: np.ndarray
    """(M,) bool: nothing is known from this key on until the next one."""

    def values(self, samples: np.ndarray) -> np.ndarray:
        """(N, ...) -> (M, ...), straight from sample to sample."""
        share = self.share.reshape(-1, *[1] * (samples.ndim - 1))
        return samples[self.before] * (1 - share) + samples[self._after(samples)] * share

    def turns(self, quaternions: np.ndarray) -> np.ndarray:
        """(N, ..., 4) without flips -> (M, ..., 4), at a constant speed from sample to sample (slerp)."""
        if not self.share.any():  # the usual case: a slider that is dragged writes every key at each step
            return quaternions[self.before]
        share = self.share.reshape(-1, *[1] * (quaternions.ndim - 2))
        return slerp(quaternions[self.before], quaternions[self._after(quaternions)], share)

    def nearest(self, samples: np.ndarray) -> np.ndarray:
        """(N, ...) -> (M, ...), each key's nearest sample."""
        return np.where(
            (self.share < 0.5).reshape(-1, *[1] * (samples.ndim - 1)), samples[self.before],
            samples[self._after(samples)],
        )  # fmt: skip

    def _after(self, samples: np.ndarray) -> np.ndarray:
        return np.minimum(self.before + 1, len(samples) - 1)


def sampling(frames: np.ndarray, clock: Clock) -> Sampling:
    """Keys for samples at the motion frames `frames` (N,), rising, N > 0: as they are where the rates agree, else on
    every whole scene frame from the first to the last of each stretch in which somebody is shown."""
    spans = presence(frames, clock.motion_fps)
    if clock.step == 1:
        at = clock.start + frames.astype(np.int64)
        return Sampling(at, np.arange(len(frames)), np.zeros(len(frames)), np.isin(frames, [b for _, b in spans[:-1]]))
    rows = [_whole_frames(*clock.scene_frames(np.array(span))) for span in spans]
    at = np.concatenate(rows)
    holds = np.zeros(len(at), dtype=bool)
    holds[np.cumsum([len(row) for row in rows])[:-1] - 1] = True
    places = np.interp((at - clock.start) / clock.step, frames, np.arange(len(frames)))
    before = np.minimum(np.floor(places + 1e-9).astype(int), len(frames) - 1)
    return Sampling(at, before, np.clip(places - before, 0, 1), holds)


def cycle_sampling(frames: np.ndarray, clock: Clock) -> Sampling:
    """Keys for one round of a cycle: it begins and ends on a whole scene frame, for which it is stretched by less than
    half a frame where the rates differ."""
    if clock.step == 1:
        return sampling(frames, clock)
    first, last = clock.scene_frames(frames[[0, -1]])
    length = max(round(last - first), 1)
    places = np.interp(np.linspace(frames[0], frames[-1], length + 1), frames, np.arange(len(frames)))
    before = np.minimum(np.floor(places + 1e-9).astype(int), len(frames) - 1)
    at = round(first) + np.arange(length + 1)
    return Sampling(at, before, np.clip(places - before, 0, 1), np.zeros(len(at), dtype=bool))


def _whole_frames(first: float, last: float) -> np.ndarray:
    """Whole frames from `first` to `last`, and one at least."""
    a, b = math.ceil(first - 1e-6), math.floor(last + 1e-6)
    return np.arange(a, b + 1) if b >= a else np.array([round((first + last) / 2)])

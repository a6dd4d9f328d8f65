"""Short gaps in a person's track, bridged by straight lines."""

from __future__ import annotations

import numpy as np

from ghmr_engine.types import Track

BRIDGE_S = 1.0
"""Longer gaps within a person's track stay gaps."""


def bridged_track(
    person: int, have: np.ndarray, keypoints: np.ndarray, world: np.ndarray, fps: float, offsets: np.ndarray, main: bool
) -> Track:
    """The track of who was seen in frames `have` (M,), rising: keypoints (M, 33, 3), world landmarks (M, 33, 3)."""
    gaps = np.diff(have)
    bridged = [np.arange(a, a + gap) if gap <= BRIDGE_S * fps else [a] for a, gap in zip(have, gaps, strict=False)]
    frames = np.concatenate([*bridged, have[-1:]]).astype(int)
    seen = np.isin(frames, have)
    keypoints, world = _between(frames, have, keypoints), _between(frames, have, world)
    keypoints[~seen, :, 2] = 0
    points = keypoints[..., :2]
    return Track(
        person=person,
        frames=frames,
        boxes=np.concatenate([points.min(1), points.max(1)], 1),
        keypoints=keypoints,
        world_landmarks=world,
        seen=seen,
        offsets=offsets,
        main=main,
    )


def _between(frames: np.ndarray, have: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (M, ...) at `have`, interpolated linearly to `frames`."""
    after = np.searchsorted(have, frames).clip(1, max(len(have) - 1, 1))
    if len(have) == 1:
        return values.copy()
    before = after - 1
    share = (frames - have[before]) / (have[after] - have[before])
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return values[before] * (1 - share) + values[after] * share

"""HMR2.0 on a clip: what it says of every tracked person in every frame, plain and in a mirror, as WHAM takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ghmr_engine.crops import Crop, cut_tracks
from ghmr_engine.lift.hmr2 import RESOLUTION, features
from ghmr_engine.lift.hmr2.network import Hmr2
from ghmr_engine.progress import Report, silent
from ghmr_engine.types import Track
from ghmr_engine.video import Video

_AT_ONCE = 16
"""Crops, and as many mirrored: memory does not grow with the clip."""


@dataclass(frozen=True)
class Looked:
    """What HMR2.0 says of one track of N frames."""

    tokens: np.ndarray
    """(N, 1024) picture features."""
    mirrored: np.ndarray
    """(N, 1024) of the mirrored crops."""
    rotations: torch.Tensor
    """(24, 3, 3) SMPL's, in the first frame; the root's is body to camera."""
    betas: torch.Tensor
    """(10,) SMPL's, in the first frame."""


def look(
    video: Video, tracks: Sequence[Track], boxes: Sequence[np.ndarray], network: Hmr2, report: Report
) -> list[Looked]:
    """Every track, in one reading of the clip. boxes: of each track (N, 3) px, centre and side of its squares.

    Raises what `report` and the video raise.
    """
    affines = [np.stack([Crop(x[:2], x[2], 0.0).to_picture(RESOLUTION) for x in each]) for each in boxes]
    width = network.smpl_head.decpose.in_features
    tokens = [np.zeros((2, len(track.frames), width), np.float32) for track in tracks]
    first: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
    for places, crops in cut_tracks(video, tracks, affines, (RESOLUTION, RESOLUTION), _AT_ONCE, report):
        said = features(np.concatenate([crops, crops[:, :, ::-1]]), network, silent)
        both = said.token.unflatten(0, (2, len(places))).cpu().numpy()
        for place, (track, row) in enumerate(places):
            tokens[track][:, row] = both[:, place]
            if row == 0:
                first[track] = said.rotations[place], said.betas[place]
    return [Looked(*tokens[place], *first[place]) for place in range(len(tracks))]

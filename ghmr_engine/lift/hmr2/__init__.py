"""HMR2.0 from a user's checkpoint: of crops of a person, the picture features that WHAM reads, and SMPL's pose."""

from __future__ import annotations

import contextlib

import numpy as np
import torch

from ghmr_engine.checkpoints import State, load_strictly
from ghmr_engine.lift.hmr2.network import PUBLISHED, Answer, Hmr2, Size
from ghmr_engine.progress import Report

RESOLUTION = 256
"""Pixels of a crop's side."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of RGB from 0 to 1
_BESIDE = ("discriminator.", "smpl.", "backbone.cls_token")
"""Left in the published file by its training: not part of the network."""
_AT_ONCE = 32
"""Crops of a batch: memory does not grow with the clip."""


def load_hmr2(state: State, device: torch.device | str, size: Size = PUBLISHED) -> Hmr2:
    """The network with a checkpoint's numbers (checkpoints.read_state), ready to be used.

    Raises RecoverError where any number is missing, left over or of another shape.
    """
    with torch.device("meta"):  # 2.7 GB that are never written
        network = Hmr2(size)
    network = network.to_empty(device=device)
    load_strictly(network, state, "HMR2.0", beside=_BESIDE)
    return network.eval().requires_grad_(False)


@torch.inference_mode()
def features(crops: np.ndarray, network: Hmr2, report: Report, at_once: int = _AT_ONCE) -> Answer:
    """What the network says of N crops (N, 256, 256, 3) uint8 RGB; float32, on the network's device.

    A crop is the square of WHAM's box: 1.2 times the longer side of the sure keypoints' box. The backbone runs in half
    precision on CUDA. Raises what `report` raises.
    """
    device = network.smpl_head.decpose.weight.device
    half = torch.autocast("cuda", torch.float16) if device.type == "cuda" else contextlib.nullcontext()
    answers = []
    for first in range(0, len(crops), at_once):
        with half:
            answers.append(network(normalised(torch.as_tensor(crops[first : first + at_once], device=device))))
        report(min((first + at_once) / len(crops), 1.0))
    return Answer(*(torch.cat(part).float() for part in zip(*answers, strict=True)))


def normalised(crops: torch.Tensor) -> torch.Tensor:
    """(N, H, W, 3) uint8 RGB to (N, 3, H, W) as the network reads them."""
    mean, deviation = torch.tensor(_MEAN, device=crops.device), torch.tensor(_DEVIATION, device=crops.device)
    return ((crops.float() / 255 - mean) / deviation).permute(0, 3, 1, 2)

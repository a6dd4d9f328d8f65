"""The priors that come with the engine: HuMoR's and VPoser's networks, narrower, with weights trained here."""

from __future__ import annotations

from pathlib import Path

import torch

from ghmr_engine.models import MOTION_PRIOR, POSE_PRIOR
from ghmr_engine.own_weights import read_weights
from ghmr_engine.refine.humor.network import HumorNetwork
from ghmr_engine.refine.vposer import VPoser


def load_motion_prior(device: torch.device | str, path: Path = MOTION_PRIOR) -> HumorNetwork:
    """How people move on, ready to be used.

    Raises RecoverError bad_weights where the file lacks, is damaged or another's.
    """
    return read_weights(path, HumorNetwork, "the motion prior", device)


def load_pose_prior(device: torch.device | str, path: Path = POSE_PRIOR) -> VPoser:
    """Which poses people take, ready to be used. Raises RecoverError bad_weights as load_motion_prior does."""
    return read_weights(path, VPoser, "the pose prior", device)

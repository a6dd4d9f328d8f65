"""The open lifting network's weights: a safetensors file that says how large the network is and how it was trained."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from ghmr_engine.lift.network import LiftNetwork, Size
from ghmr_engine.models import LIFT
from ghmr_engine.own_weights import read_weights, save_weights

SHIPPED = LIFT
"""The weights that come with the engine."""


def load_network(path: Path, device: torch.device | str) -> LiftNetwork:
    """The network, ready to be used. Raises RecoverError bad_weights where the file lacks, is damaged or another's."""
    return read_weights(path, lambda **size: LiftNetwork(Size(**size)), "the lifting network", device)


def save_network(network: LiftNetwork, path: Path, described: dict[str, str]) -> None:
    """Half-precision numbers; described: what a model card says, kept in the file."""
    save_weights(network, asdict(network.size), path, described)

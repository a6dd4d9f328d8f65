"""The open lifting network's weights: a safetensors file that says how large the network is and how it was trained."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ghmr_engine.errors import RecoverError
from ghmr_engine.lift.network import LiftNetwork, Size
from ghmr_engine.models import LIFT

SHIPPED = LIFT
"""The weights that come with the engine."""
_SIZE = "size"


def load_network(path: Path, device: torch.device | str) -> LiftNetwork:
    """The network, ready to be used. Raises RecoverError bad_weights where the file lacks, is damaged or another's."""
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            size = Size(**json.loads((file.metadata() or {}).get(_SIZE, "null")))
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  no mapping
        network = LiftNetwork(size)
        network.load_state_dict(state)
    except (OSError, SafetensorError, TypeError, ValueError, RuntimeError) as error:
        raise RecoverError(
            "bad_weights", f"{path.name} does not hold the lifting network's weights.", "Get the project's files anew."
        ) from error
    return network.to(device).eval().requires_grad_(False)


def save_network(network: LiftNetwork, path: Path, described: dict[str, str]) -> None:
    """Half-precision numbers; described: what a model card says, kept in the file."""
    part = path.with_name(f"{path.name}.part")
    state = {name: value.detach().cpu().half().contiguous() for name, value in network.state_dict().items()}
    save_file(state, part, {**described, _SIZE: json.dumps(asdict(network.size))})
    part.replace(path)

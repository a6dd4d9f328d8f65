"""Weights that were trained here: safetensors in half precision, the header a model card and the network's size."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ghmr_engine.errors import RecoverError

_SIZE = "size"
_Network = TypeVar("_Network", bound=torch.nn.Module)


def read_weights(path: Path, make: Callable[..., _Network], whose: str, device: torch.device | str) -> _Network:
    """The network that `make` makes of the size in the header (keyword arguments), with the file's numbers, frozen.

    whose: of which network, for the message. Raises RecoverError bad_weights where the file lacks, is damaged or
    another's.
    """
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            size = json.loads((file.metadata() or {}).get(_SIZE, "null"))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
        network = make(**size)
        network.load_state_dict({name: x.float() if x.is_floating_point() else x for name, x in state.items()})
    except (OSError, SafetensorError, TypeError, ValueError, RuntimeError) as error:
        raise RecoverError(
            "bad_weights", f"{path.name} does not hold {whose}'s weights.", "Get the project's files anew."
        ) from error
    return network.to(device).eval().requires_grad_(False)


def save_weights(network: torch.nn.Module, size: dict[str, int], path: Path, described: dict[str, str]) -> None:
    """Half-precision numbers; described: what a model card says, kept in the file."""
    part = path.with_name(f"{path.name}.part")
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    state = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    save_file(state, part, {**described, _SIZE: json.dumps(size)})
    part.replace(path)

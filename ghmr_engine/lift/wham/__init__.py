"""WHAM from a user's checkpoint: its network and the body that rides along in the file. No stage runs it yet."""

from __future__ import annotations

import torch

from ghmr_engine.checkpoints import State, load_strictly
from ghmr_engine.errors import RecoverError
from ghmr_engine.lift.wham.network import WhamNetwork
from ghmr_engine.lift.wham.rollout import WhamBody

_BODY = "smpl."
_PARTS = {
    "v_template": "v_template", "shapedirs": "shapedirs", "posedirs": "posedirs", "J_regressor": "J_regressor",
    "lbs_weights": "weights", "parents": "parents",
}  # fmt: skip
_POINTS = ("J_regressor_wham", "J_regressor_feet")


def load_wham(state: State, device: torch.device | str) -> tuple[WhamNetwork, WhamBody]:
    """Both with a checkpoint's numbers (checkpoints.added_state("wham")), ready to be used.

    Raises RecoverError where any number is missing, left over or of another shape.
    """
    network = WhamNetwork()
    load_strictly(network, state, "WHAM", beside=(_BODY,))
    missing = [name for name in (*_PARTS, *_POINTS) if _BODY + name not in state]
    if missing:
        fix = "Get the published file anew (docs/models.md)."
        raise RecoverError("bad_checkpoint", f"The checkpoint of WHAM lacks {_BODY}{missing[0]}.", fix)
    parts = {ours: state[_BODY + theirs].to(device) for theirs, ours in _PARTS.items()}
    vertices = len(parts["v_template"])
    # smplx keeps correctives as (207, 3 V).
    posedirs = parts["posedirs"]
    if posedirs.ndim == 2:
        parts["posedirs"] = posedirs.reshape(-1, vertices, 3).permute(1, 2, 0)
    parts["shapedirs"] = parts["shapedirs"][..., :10]
    points = torch.cat([state[_BODY + name] for name in _POINTS]).to(device)
    return network.to(device).eval().requires_grad_(False), WhamBody(**parts, points=points)

"""The body that rides along in WHAM's checkpoint: for the network, its regressed joints and feet; for us, a Body."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import torch

from ghmr_engine.body.smpl import Body, make_body
from ghmr_engine.errors import RecoverError

BUFFERS = (
    "v_template", "shapedirs", "posedirs", "J_regressor", "lbs_weights", "parents", "faces_tensor", "J_regressor_wham",
    "J_regressor_feet",
)  # fmt: skip
_SOURCE = "The WHAM checkpoint's body"
_CHUNK = 128
"""Frames posed at once, so that memory does not grow with the clip."""


@dataclass(frozen=True)
class WhamBody:
    """Only the vertices that WHAM's joints and foot points look at: U of V."""

    sparse: Body
    """Those vertices; its landmarks mean nothing."""
    joints: torch.Tensor
    """(31, U) weights of WHAM's joints, COCO's 17 first."""
    feet: torch.Tensor
    """(4, U) weights of the foot points: left toe, left heel, right toe, right heel."""

    def to(self, device: torch.device | str) -> WhamBody:
        """The same on another device."""
        return WhamBody(self.sparse.to(device), self.joints.to(device), self.feet.to(device))

    def posed(self, rotations: torch.Tensor, betas: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Joints (N, 31, 3) and feet (N, 4, 3), m, of rotations (N, 24, 3, 3) and betas (N, 10); no translation."""
        parts = []
        for rows in torch.arange(len(rotations), device=rotations.device).split(_CHUNK):
            zero = torch.zeros(len(rows), 3).to(rotations)
            vertices = self.sparse.vertices(rotations[rows], zero, betas[rows], chunk=_CHUNK)
            parts.append(torch.cat([self.joints @ vertices, self.feet @ vertices], 1))
        points = torch.cat(parts)
        return points[:, :-4], points[:, -4:]


def buffers_of(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The checkpoint's body under SMPL's file's names, and WHAM's two regressors under their own.

    Raises RecoverError bad_weights where one is missing.
    """
    missing = [name for name in BUFFERS if f"smpl.{name}" not in state]
    if missing:
        raise RecoverError(
            "bad_weights", f"The WHAM checkpoint lacks smpl.{missing[0]}.", "Use the file that its authors published."
        )
    arrays = {name: state[f"smpl.{name}"].detach().cpu().numpy() for name in BUFFERS}
    arrays["weights"], arrays["f"] = arrays.pop("lbs_weights"), arrays.pop("faces_tensor")
    arrays["kintree_table"] = arrays.pop("parents")[None]
    if arrays["posedirs"].ndim == 2:  # smplx lays it out as (207, 3 V)
        arrays["posedirs"] = arrays["posedirs"].T.reshape(-1, 3, 207)
    return arrays


def wham_body(state: dict[str, torch.Tensor]) -> WhamBody:
    """What the network needs of the checkpoint's `smpl.*`. Raises RecoverError bad_weights where one is missing."""
    arrays = buffers_of(state)
    joints, feet = arrays["J_regressor_wham"], arrays["J_regressor_feet"]
    used = np.flatnonzero(np.any(joints != 0, 0) | np.any(feet != 0, 0))
    # Landmarks of a part of a body are of no use: the first vertex stands for them.
    nowhere = {"landmark_vertices": np.zeros((37, 1)), "landmark_weights": np.ones((37, 1))}
    whole = make_body(arrays | nowhere, _SOURCE, "")
    sparse = replace(
        whole, v_template=whole.v_template[used], shapedirs=whole.shapedirs[used], weights=whole.weights[used],
        posedirs=None if whole.posedirs is None else whole.posedirs[used], J_regressor=whole.J_regressor[:, used],
        faces=whole.faces[:0],
    )  # fmt: skip
    return WhamBody(sparse, torch.as_tensor(joints[:, used]).float(), torch.as_tensor(feet[:, used]).float())


def smpl_body(state: dict[str, torch.Tensor], device: torch.device | str = "cpu") -> Body:
    """The checkpoint's body for the rest of the engine, with landmarks at SMPL's published vertices.

    Raises RecoverError: bad_weights where a buffer is missing, bad_body where it has not SMPL's 6890 vertices.
    """
    arrays = buffers_of(state)
    sha256 = hashlib.sha256(b"".join(np.ascontiguousarray(arrays[name]).tobytes() for name in sorted(arrays)))
    return make_body(arrays, _SOURCE, sha256.hexdigest(), device)

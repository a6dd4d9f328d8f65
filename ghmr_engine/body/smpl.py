"""A body in SMPL's format: loading it, posing it, and the landmarks and foot points that fits look at."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from smplx.vertex_ids import vertex_ids

from ghmr_engine.body.skeleton import CONTACT_NAMES, JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.errors import RecoverError
from ghmr_engine.plain_files import read_arrays

_NEEDED = ("v_template", "shapedirs", "J_regressor", "weights", "kintree_table", "f")
LANDMARK_PLACES = [
    JOINT_NAMES.index(name) if name in JOINT_NAMES else 24 + place for place, name in enumerate(LANDMARK_NAMES)
]
"""A landmark's place among the 24 joints and, behind them, the 37 points: one that is a joint is that joint."""
SHAPES = 10
OPEN_BODY = "open body"
"""The name of the body that comes with the engine, in whose shapes the lifting network answers."""


class Posed(NamedTuple):
    """Points of a posed body, metres. N frames."""

    joints: torch.Tensor
    """(N, 24, 3)."""
    landmarks: torch.Tensor
    """(N, 33, 3), BlazePose's."""
    contacts: torch.Tensor
    """(N, 4, 3), on the soles: left heel, left toe, right heel, right toe."""
    turns: torch.Tensor
    """(N, 24, 3, 3): how each joint is turned from the rest pose, all joints above it included."""


@dataclass(frozen=True)
class Body:
    """A loaded body. V vertices, F faces; rest pose a T, y up, facing +z, left is +x, metres."""

    name: str
    licence: str
    sha256: str
    v_template: torch.Tensor
    """(V, 3)."""
    shapedirs: torch.Tensor
    """(V, 3, 10)."""
    posedirs: torch.Tensor | None
    """(V, 3, 207) pose correctives; none where the body has none."""
    J_regressor: torch.Tensor
    """(24, V)."""
    weights: torch.Tensor
    """(V, 24)."""
    parents: torch.Tensor
    """(24,) -1 for the root."""
    faces: torch.Tensor
    """(F, 3)."""
    colors: torch.Tensor | None
    """(V,) region: 0 skin, 1 hair, 2 shirt, 3 trousers, 4 shoes."""
    points: torch.Tensor
    """(37, K) vertices whose weighted mean is a landmark (33) or a foot point (4)."""
    point_weights: torch.Tensor
    """(37, K), rows sum to 1."""
    joints_template: torch.Tensor
    """(24, 3) rest joints of the mean shape."""
    joints_shapedirs: torch.Tensor
    """(24, 3, 10)."""

    def to(self, device: torch.device | str) -> Body:
        """The same body on another device."""
        tensors = {
            field.name: value.to(device)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), torch.Tensor)
        }
        return replace(self, **tensors)

    def rest_joints(self, betas: torch.Tensor) -> torch.Tensor:
        """(..., 24, 3) m for betas (..., 10)."""
        return self.joints_template + torch.einsum("...s,jds->...jd", betas, self.joints_shapedirs)

    def rest_vertices(self, betas: torch.Tensor) -> torch.Tensor:
        """(V, 3) m for betas (10,)."""
        return self.v_template + self.shapedirs @ betas

    def forward(self, rotations: torch.Tensor, transl: torch.Tensor, betas: torch.Tensor) -> Posed:
        """Joints, landmarks and foot points alone: what an optimiser needs, at a hundredth of the whole mesh's cost.

        rotations (N, 24, 3, 3), transl (N, 3) m, betas (10,) or (N, 10). SMPL's linear blend skinning (Loper et al.
        2015, eq. 2 to 10) of the few vertices concerned.
        """
        rest = self.rest_joints(betas)
        turns, joints = self.chain(rotations, rest)
        points = self._skin(self.points.reshape(-1), rotations, turns, joints, rest, betas)
        points = points.reshape(len(rotations), *self.point_weights.shape, 3)
        points = (points * self.point_weights[..., None]).sum(2)
        shift = transl[:, None]
        either = torch.cat([joints, points], 1) + shift
        return Posed(joints + shift, either[:, LANDMARK_PLACES], either[:, -4:], turns)

    def vertices(
        self, rotations: torch.Tensor, transl: torch.Tensor, betas: torch.Tensor, chunk: int = 64
    ) -> torch.Tensor:
        """(N, V, 3) m: the whole mesh, `chunk` frames at a time. betas (10,)."""
        everywhere = torch.arange(len(self.v_template), device=self.v_template.device)
        rest = self.rest_joints(betas)
        parts = []
        for rows in torch.arange(len(rotations)).split(chunk):
            turns, joints = self.chain(rotations[rows], rest)
            parts.append(self._skin(everywhere, rotations[rows], turns, joints, rest, betas) + transl[rows][:, None])
        return torch.cat(parts)

    def chain(self, rotations: torch.Tensor, rest: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Whole turns (N, 24, 3, 3) and places (N, 24, 3) of the joints: forward kinematics, a level of the tree at a
        time (smplx walks it joint by joint, which takes three times as long)."""
        offsets = rest - rest[..., self.parents.clamp(min=0), :]
        offsets = offsets.expand(len(rotations), 24, 3)
        turns, places = rotations[:, :1], rest[..., :1, :].expand(len(rotations), 1, 3)
        order = [0]
        for level in _levels(tuple(self.parents.tolist())):
            above = turns[:, [order.index(int(self.parents[joint])) for joint in level]]
            base = places[:, [order.index(int(self.parents[joint])) for joint in level]]
            turns = torch.cat([turns, above @ rotations[:, level]], 1)
            places = torch.cat([places, base + (above @ offsets[:, level, :, None])[..., 0]], 1)
            order += level
        back = [order.index(joint) for joint in range(24)]
        return turns[:, back], places[:, back]

    def _skin(
        self, which: torch.Tensor, rotations: torch.Tensor, turns: torch.Tensor, joints: torch.Tensor,
        rest_joints: torch.Tensor, betas: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        """(N, len(which), 3) skinned vertices, before translation."""
        count = len(rotations)
        rest = self.v_template[which] + torch.einsum("...s,vds->...vd", betas, self.shapedirs[which])
        rest = rest.expand(count, -1, 3)
        if self.posedirs is not None:
            feature = (rotations[:, 1:] - torch.eye(3).to(rotations)).reshape(count, -1)
            rest = rest + torch.einsum("np,vdp->nvd", feature, self.posedirs[which])
        moves = joints - (turns @ rest_joints.expand(count, 24, 3)[..., None])[..., 0]
        affine = torch.cat([turns, moves[..., None]], -1).reshape(count, 24, 12)
        blended = (self.weights[which] @ affine).reshape(count, -1, 3, 4)
        return (blended[..., :3] * rest[..., None, :]).sum(-1) + blended[..., 3]


@functools.cache
def _levels(parents: tuple[int, ...]) -> list[list[int]]:
    """Joints below the root by their depth in the tree."""
    depth = [0] * len(parents)
    for joint in range(1, len(parents)):
        depth[joint] = depth[parents[joint]] + 1
    return [[joint for joint, at in enumerate(depth) if at == level] for level in range(1, max(depth) + 1)]


def load_body(path: Path, device: torch.device | str = "cpu") -> Body:
    """Read an .npz in SMPL's format. Raises RecoverError where it is missing, damaged or something else."""
    fix = "Run 'python3 install.py setup' to make it anew."
    try:
        data = path.read_bytes()
        arrays = read_arrays(path)
    except FileNotFoundError:
        raise RecoverError("no_body", f"There is no body file {path.name}.", fix) from None
    except (OSError, ValueError) as error:
        raise RecoverError("bad_body", f"The body file {path.name} is damaged.", fix) from error
    missing = [key for key in _NEEDED if key not in arrays]
    if missing:
        raise RecoverError("bad_body", f"The body file {path.name} lacks {missing[0]}.", fix)
    return make_body(arrays, path.name, hashlib.sha256(data).hexdigest(), device)


def make_body(arrays: dict[str, np.ndarray], source: str, sha256: str, device: torch.device | str = "cpu") -> Body:
    """A body from arrays under SMPL's names. source: what to call where they come from in an error.

    Raises RecoverError bad_body where they have neither SMPL's vertices nor landmark vertices of their own.
    """
    points, point_weights = _points(arrays, source)
    template, shapedirs = arrays["v_template"], arrays["shapedirs"][..., :SHAPES]
    regressor = arrays["J_regressor"]
    posedirs = arrays.get("posedirs")
    parents = arrays["kintree_table"][0].astype(np.int64)
    parents[0] = -1

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.asarray(array, np.float32), device=device)

    return Body(
        name=str(arrays.get("name", "SMPL")),
        licence=str(arrays.get("licence", "SMPL body model licence (research only)")),
        sha256=sha256,
        v_template=tensor(template),
        shapedirs=tensor(shapedirs),
        posedirs=tensor(posedirs) if posedirs is not None and np.any(posedirs) else None,
        J_regressor=tensor(regressor),
        weights=tensor(arrays["weights"]),
        parents=torch.as_tensor(parents, device=device),
        faces=torch.as_tensor(arrays["f"].astype(np.int64), device=device),
        colors=torch.as_tensor(arrays["colors"], device=device) if "colors" in arrays else None,
        points=torch.as_tensor(points, device=device),
        point_weights=tensor(point_weights),
        joints_template=tensor(regressor @ template),
        joints_shapedirs=tensor(np.einsum("jv,vds->jds", regressor, shapedirs)),
    )


def _points(arrays: dict[str, np.ndarray], source: str) -> tuple[np.ndarray, np.ndarray]:
    """(37, K) vertices and weights of landmarks and foot points: the file's own, or SMPL's published vertex numbers."""
    if "landmark_vertices" in arrays:
        return arrays["landmark_vertices"].astype(np.int64), arrays["landmark_weights"]
    if len(arrays["v_template"]) != 6890:
        raise RecoverError(
            "bad_body", f"{source} is neither SMPL (6890 vertices) nor has landmark vertices.", "Use SMPL's file."
        )
    ids = vertex_ids["smplh"]
    named = {"nose": ids["nose"], "left_heel": ids["LHeel"], "right_heel": ids["RHeel"],
             "left_foot_index": ids["LBigToe"], "right_foot_index": ids["RBigToe"],
             "mouth_left": ids["nose"], "mouth_right": ids["nose"]}  # fmt: skip
    for side, letter in (("left", "l"), ("right", "r")):
        named |= {f"{side}_eye{part}": ids[f"{letter}eye"] for part in ("", "_inner", "_outer")}
        named |= {f"{side}_ear": ids[f"{letter}ear"], f"{side}_thumb": ids[f"{letter}thumb"]}
        named |= {f"{side}_index": ids[f"{letter}index"], f"{side}_pinky": ids[f"{letter}pinky"]}
    places = [named.get(name, 0) for name in LANDMARK_NAMES]
    places += [ids["LHeel"], ids["LBigToe"], ids["RHeel"], ids["RBigToe"]]
    assert len(places) == len(LANDMARK_NAMES) + len(CONTACT_NAMES)
    return np.array(places, np.int64)[:, None], np.ones((37, 1))

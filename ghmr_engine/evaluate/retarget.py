"""Motion capture onto the body: bones point where the actor's did, feet stand flat on the ground and stay there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import roma
import torch
from scipy.ndimage import binary_closing, binary_opening, gaussian_filter1d, maximum_filter1d

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS
from ghmr_engine.body.smpl import Body, Posed
from ghmr_engine.energy.hold import hold_feet
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.mocap import Capture, forward

_J = {name: place for place, name in enumerate(JOINT_NAMES)}
Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""From y up, facing +z, to z up: then the rest pose faces -y."""
_RESTS_MPS, _RISES_MPS, _RESTS_M = 0.4, 0.15, 0.035
"""A foot point stands that is slower than the first, rises or sinks slower than the second and is lower than the third:
retargeting leaves a planted foot that much. A heel that rises slowly is what the second tells from one that stands."""
_SHORTEST_S, _GAP_S = 0.1, 0.07
_SETTLES_S = 0.1
_UNEVEN_M, _UNEVEN_S = 0.12, 0.35
"""Floors of recordings rise and fall by up to this, and within seconds, not in one step."""
_FASTEST_SPIN = 22.0
"""Radians a second."""
_STAYS_M = 0.01
"""A truly resting point moves by less than this a frame (the measure's own limit, spec FS)."""
_LIMB_CHILD = {
    f"{side}_{part}": f"{side}_{child}"
    for side in ("left", "right")
    for part, child in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
}
_SKIN_EVERY = 7
"""For floor contact every seventh vertex is enough: they lie a centimetre apart."""


@dataclass(frozen=True)
class BodyMotion:
    """One body in motion at a constant rate; the world is z up, metres, ground at z = 0. T frames."""

    rotations: np.ndarray
    """(T, 24, 3, 3) SMPL's; the root's is body to world."""
    transl: np.ndarray
    """(T, 3) m, SMPL's translation."""
    betas: np.ndarray
    """(10,)."""
    contacts: np.ndarray
    """(T, 4) bool: left heel, left toe, right heel, right toe."""


def retarget(capture: Capture, body: Body, betas: np.ndarray, fps: Fraction, start: float, end: float) -> BodyMotion:
    """The capture from `start` to `end` (seconds) on a body of shape `betas` (10,), at `fps`.

    Each limb's bone takes the direction of the actor's bone (the rest poses' difference is one swing a bone, so twist
    is kept); places scale with the length of the legs. Then feet are levelled, the ground is found, feet that stand are
    held, and whatever would sink into the floor is raised.
    """
    capture = _resampled(capture, fps, start, end)
    _check_steady(capture, start)
    shape = torch.as_tensor(betas, dtype=torch.float32)
    rest = body.rest_joints(shape).double().numpy()
    whole = _whole_turns(capture, rest)
    local = whole.copy()
    local[:, 1:] = np.swapaxes(whole[:, list(PARENTS[1:])], -1, -2) @ whole[:, 1:]
    pelvis = _pelvis_path(capture, whole, rest)
    motion = BodyMotion(local, pelvis - rest[0], np.asarray(betas, float), np.zeros((len(local), 4), bool))
    motion = _levelled(motion, body, fps)
    motion = _grounded(motion, body, fps)
    return _planted(_raised(motion, body, fps), body, fps)


def foot_points(motion: BodyMotion, body: Body) -> np.ndarray:
    """(T, 4, 3) m, world."""
    return posed(motion, body).contacts.numpy().astype(float)


def posed(motion: BodyMotion, body: Body) -> Posed:
    """Body.forward of the motion: joints, landmarks and foot points."""
    return body.forward(*_tensors(motion))


def mesh(motion: BodyMotion, body: Body) -> np.ndarray:
    """(T, V, 3) m float32, world."""
    return body.vertices(*_tensors(motion)).numpy()


def _tensors(motion: BodyMotion) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return tuple(torch.as_tensor(x, dtype=torch.float32) for x in (motion.rotations, motion.transl, motion.betas))


def _resampled(capture: Capture, fps: Fraction, start: float, end: float) -> Capture:
    """The capture at another rate: rotations along the shortest turn, places along the line."""
    count = int((end - start) * fps + 1e-6) + 1
    at = (start + np.arange(count) / float(fps)) * float(capture.fps)
    at = at[at <= len(capture.root) - 1]
    before = np.minimum(at.astype(int), max(len(capture.root) - 2, 0))
    after, share = np.minimum(before + 1, len(capture.root) - 1), at - before
    a, b = (torch.as_tensor(capture.rotations[rows]) for rows in (before, after))
    way = roma.rotmat_to_rotvec(a.transpose(-1, -2) @ b)
    turns = a @ roma.rotvec_to_rotmat(way * torch.as_tensor(share)[:, None, None])
    root = capture.root[before] + share[:, None] * (capture.root[after] - capture.root[before])
    return replace(capture, fps=fps, rotations=turns.numpy(), root=root)


def _check_steady(capture: Capture, start: float) -> None:
    """Raises RecoverError where the root spins faster than any acrobat: tracking was lost there."""
    root = torch.as_tensor(capture.rotations[:, 0])
    spin = roma.rotmat_to_rotvec(root[:-1].transpose(-1, -2) @ root[1:]).norm(dim=-1).numpy() * float(capture.fps)
    if (spin > _FASTEST_SPIN).any():
        at = start + float(np.argmax(spin > _FASTEST_SPIN) / capture.fps)
        raise RecoverError(
            "broken_capture", f"{capture.name} turns over within a frame at {at:.2f} s: its tracking was lost there.",
            "Choose another part with --start and --end.",
        )  # fmt: skip


def _whole_turns(capture: Capture, rest: np.ndarray) -> np.ndarray:
    """(T, 24, 3, 3) body to world, z up: the actor's turns times the swing between both rest poses."""
    turns, _ = forward(capture)
    source_rest = _rest_places(capture)
    same_rest = capture.names == JOINT_NAMES
    whole: dict[str, np.ndarray] = {}
    for name in JOINT_NAMES:
        # Toes and fingers flip in many captures: they go with foot and wrist.
        if name not in capture.joints or name.endswith(("foot", "hand")):
            continue
        swing = np.eye(3)
        if name in _LIMB_CHILD and not same_rest:
            ours = rest[_J[_LIMB_CHILD[name]]] - rest[_J[name]]
            swing = _shortest(ours, source_rest[_LIMB_CHILD[name]] - source_rest[name])
        elif name.endswith("ankle") and f"{name.split('_')[0]}_foot" in source_rest and not same_rest:
            foot = f"{name.split('_')[0]}_foot"
            level = np.array([1.0, 0, 1])
            # Only the heading: both rest poses are taken to stand on flat soles.
            ours = (rest[_J[foot]] - rest[_J[name]]) * level
            swing = _shortest(ours, (source_rest[foot] - source_rest[name]) * level)
        whole[name] = turns[:, capture.names.index(capture.joints[name])] @ swing
    _fill_missing(whole)
    return Z_UP @ np.stack([whole[name] for name in JOINT_NAMES], 1)


def _rest_places(capture: Capture) -> dict[str, np.ndarray]:
    """Where the joints that play SMPL's parts lie in the source's rest pose."""
    places = [np.zeros(3)]
    for joint in range(1, len(capture.names)):
        places.append(places[capture.parents[joint]] + capture.offsets[joint])
    return {name: places[capture.names.index(own)] for name, own in capture.joints.items()}


def _fill_missing(whole: dict[str, np.ndarray]) -> None:
    """Joints that the source lacks: on the spine shares of the turn to the next known one, elsewhere the parent's."""
    chain = ["pelvis", "spine1", "spine2", "spine3", "neck", "head"]
    for place, name in enumerate(chain):
        if name in whole:
            continue
        below = chain[place - 1]
        above = next((other for other in chain[place:] if other in whole), None)
        if above is None:
            whole[name] = whole[below]
            continue
        steps = chain.index(above) - place + 1
        way = roma.rotmat_to_rotvec(torch.as_tensor(np.swapaxes(whole[below], -1, -2) @ whole[above]))
        whole[name] = whole[below] @ roma.rotvec_to_rotmat(way / steps).numpy()
    for joint, name in enumerate(JOINT_NAMES):
        if name not in whole:
            whole[name] = whole[JOINT_NAMES[PARENTS[joint]]]


def _pelvis_path(capture: Capture, whole: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(T, 3) m, z up: the hips' middle where the actor's was, all lengths scaled by the legs'."""
    _, places = forward(capture)

    def place(name: str) -> np.ndarray:
        return places[:, capture.names.index(capture.joints[name])]

    def leg(at: Callable[[str], np.ndarray]) -> float:
        return float(np.mean([
            np.linalg.norm(at(f"{side}_{a}") - at(f"{side}_{b}"), axis=-1)
            for side in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))
        ]))  # fmt: skip

    scale = leg(lambda name: rest[_J[name]]) / leg(lambda name: place(name)[:1])
    middle = (place("left_hip") + place("right_hip")) / 2 * scale @ Z_UP.T
    down = (rest[_J["left_hip"]] + rest[_J["right_hip"]]) / 2 - rest[0]
    return middle - whole[:, 0] @ down


def _shortest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(3, 3) the shortest turn of direction a onto b."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis)
    angle = np.arctan2(sine, a @ b)
    return roma.rotvec_to_rotmat(torch.as_tensor(axis / max(sine, 1e-12) * angle)).numpy()


def _speeds(points: np.ndarray, fps: Fraction) -> np.ndarray:
    """(T, 4) m/s of (T, 4, 3)."""
    if len(points) < 2:
        return np.zeros(points.shape[:2])
    return np.linalg.norm(np.gradient(points, axis=0), axis=-1) * float(fps)


def _levelled(motion: BodyMotion, body: Body, fps: Fraction) -> BodyMotion:
    """Ankles turned by one constant a foot, so that a foot whose heel and toe both stand lies level."""
    feet = foot_points(motion, body)
    slow = _speeds(feet, fps) < _RESTS_MPS
    turns, _ = body.chain(torch.as_tensor(motion.rotations), body.rest_joints(_tensors(motion)[2]).double())
    rotations = motion.rotations.copy()
    for place, ankle in enumerate((_J["left_ankle"], _J["right_ankle"])):
        heel, toe = 2 * place, 2 * place + 1
        low = feet[:, heel : toe + 1, 2].min(1) < np.quantile(feet[..., 2].min(1), 0.3) + 0.05
        flat = slow[:, heel] & slow[:, toe] & low
        if flat.sum() < 5:
            continue
        up_in_foot = turns[flat, ankle].numpy()[:, 2]  # the world's z axis in the foot's own axes
        mean = np.median(up_in_foot, 0)
        # A sole that stands must have the world's up along its own y.
        rotations[:, ankle] = rotations[:, ankle] @ _shortest(np.array([0.0, 1, 0]), mean)
    return replace(motion, rotations=rotations)


def _grounded(motion: BodyMotion, body: Body, fps: Fraction) -> BodyMotion:
    """Shifted up or down so that feet which stand do so at z = 0: by one constant, and where a recorded floor is not
    level, by what changes slowly."""
    feet = foot_points(motion, body)
    lowest, which = feet[..., 2].min(1), feet[..., 2].argmin(1)
    still = np.take_along_axis(_speeds(feet, fps), which[:, None], 1)[:, 0] < _RESTS_MPS
    ground = np.quantile(lowest[still], 0.25) if still.any() else lowest.min()
    height = lowest - ground
    sure = (still & (np.abs(height) < _UNEVEN_M)).astype(float)
    spread = _UNEVEN_S * float(fps)
    weight, slow = (gaussian_filter1d(values, spread, mode="nearest") for values in (sure, sure * height))
    return replace(motion, transl=motion.transl - (ground + slow / (weight + 0.02))[:, None] * [0, 0, 1.0])


def _raised(motion: BodyMotion, body: Body, fps: Fraction) -> BodyMotion:
    """The whole body raised, smoothly in time, where hands, knees or back would sink into the floor."""
    lowest = []
    for rows in np.array_split(np.arange(len(motion.transl)), max(len(motion.transl) // 60, 1)):
        part = BodyMotion(motion.rotations[rows], motion.transl[rows], motion.betas, motion.contacts[rows])
        lowest.append(mesh(part, body)[:, ::_SKIN_EVERY, 2].min(1))
    deep = np.maximum(-np.concatenate(lowest) - 0.015, 0)
    window = max(int(0.25 * fps), 1)
    lift = gaussian_filter1d(maximum_filter1d(deep, 2 * window + 1), window / 2, mode="nearest")
    return replace(motion, transl=motion.transl + lift[:, None] * [0, 0, 1.0])


def _planted(motion: BodyMotion, body: Body, fps: Fraction) -> BodyMotion:
    """Feet that stand are held in place by bending the legs; contacts say where they do."""
    feet = foot_points(motion, body)
    rises = _speeds(feet * [0, 0, 1], fps)
    rests = (_speeds(feet, fps) < _RESTS_MPS) & (rises < _RISES_MPS) & (feet[..., 2] < _RESTS_M)
    # What lies outside the clip counts as what is at its edge: a foot that stands there stands on.
    outside = max(round(_SHORTEST_S * fps), 2)
    rests = np.pad(rests, ((outside, outside), (0, 0)), mode="edge")
    rests = binary_closing(rests, np.ones((max(round(_GAP_S * fps), 1) + 1, 1)))
    rests = binary_opening(rests, np.ones((outside, 1)))[outside:-outside]
    motion = replace(motion, transl=motion.transl + _settling(feet, rests, fps))
    rotations, transl, betas = _tensors(motion)
    held = hold_feet(
        rotations, transl, betas, rests.astype(float), np.arange(len(transl)), body, float(fps)
    ).numpy()  # fmt: skip
    planted = replace(motion, rotations=held.astype(float))
    still = _speeds(foot_points(planted, body), fps) < _STAYS_M * float(fps)
    return replace(planted, contacts=rests & still)


def _settling(feet: np.ndarray, rests: np.ndarray, fps: Fraction) -> np.ndarray:
    """(T, 3) m by which the whole body sinks or rises, smoothly, so that legs need not stretch to where feet stand."""
    weight = rests.sum(1).astype(float)
    away = -(feet[..., 2] * rests).sum(1)
    spread = _SETTLES_S * float(fps)
    weight, away = (gaussian_filter1d(values, spread, mode="nearest") for values in (weight, away))
    return (away / (weight + 0.05))[:, None] * [0, 0, 1.0]

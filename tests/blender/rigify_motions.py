"""Motions for the ORG bones of a Rigify rig, made from nothing: a walk with a trunk, arms and fingers that bend."""

from itertools import pairwise

import numpy as np
from scenes import part

PLANT, SWING = 14, 10
"""Frames that a foot stands and flies."""
HEEL_FIRST, TOE_LAST = 3, 5
"""Of a plant's: only the heel stands, only the toe does."""


def about(axis, angles):
    """(N, 3, 3) turns by (N,) rad about an axis."""
    return part("scene.rotations").matrices_from_axis_angle(np.asarray(angles)[:, None] * np.asarray(axis, float))


def frame_of(turns, places):
    whole = np.broadcast_to(np.eye(4), (len(turns), 4, 4)).copy()
    whole[:, :3, :3], whole[:, :3, 3] = turns, places
    return whole


def swaying(rng, frames, width, size):
    """(N, width) of smooth random numbers."""
    t = np.linspace(0, frames / 24, frames)[:, None]
    parts = [rng.normal(0, 1, (1, width)) * np.sin(2 * np.pi * (f * t + rng.random((1, width)))) for f in (0.7, 1.3)]
    return size * sum(parts) / 1.5


def walk(bones, rig_map, frames=60, root=False, seed=0):
    """Wanted matrices (N, B, 4, 4) of org_skeleton's bones, and contacts (N, 4). root: it goes along."""
    rng = np.random.default_rng(seed)
    rest = dict(zip(bones.names, bones.matrices, strict=True))
    role = {name: role for role, names in rig_map.bones.items() for name in names}
    leg = rest[rig_map.bones["left_thigh"][0]][2, 3]
    stride = 0.45 * leg
    feet = [foot(bones, rig_map, side, frames, stride, leg) for side in ("left", "right")]
    forward = -stride * np.arange(frames) / (PLANT + SWING)
    poses = np.zeros((frames, len(bones.names), 4, 4))
    for row, name in enumerate(bones.names):
        above, part_of = bones.parents[row], role[name]
        own = bones.matrices[row] if above < 0 else np.linalg.inv(bones.matrices[above]) @ bones.matrices[row]
        start = own if above < 0 else poses[:, above] @ own
        poses[:, row] = start @ frame_of(turns_of(part_of, rng, frames), np.zeros(3))
        if part_of == "root":
            poses[:, row] = own
            poses[:, row, 1, 3] += forward if root else 0
        elif part_of == "pelvis":
            poses[:, row, :3, 3] = own[:3, 3] if above < 0 else rest[name][:3, 3]
            poses[:, row, :3, 3] += swaying(rng, frames, 3, 0.01 * leg)
            poses[:, row, 1, 3] += forward
            poses[:, row, 2, 3] -= 0.09 * leg
    for (moved, toe_moved, _), side in zip(feet, ("left", "right"), strict=True):
        plant(poses, bones, rig_map, side, moved, toe_moved)
    return poses, np.concatenate([contacts for *_, contacts in feet], 1)


def turns_of(role, rng, frames):
    if "forearm" in role:
        return about([1, 0, 0], 0.7 + swaying(rng, frames, 1, 0.3)[:, 0])
    if any(finger in role for finger in ("thumb", "index", "middle", "ring", "little")):
        return about([1, 0, 0], np.full(frames, 0.3))
    ways = swaying(rng, frames, 3, 0.15 if role != "root" else 0)
    return part("scene.rotations").matrices_from_axis_angle(ways)


def foot(bones, rig_map, side, frames, stride, leg):
    """(N, 4, 4) from rest of foot and toes, and (N, 2) contacts of heel and toe."""
    index = {name: row for row, name in enumerate(bones.names)}
    ankle = bones.matrices[index[rig_map.bones[f"{side}_foot"][0]]][:3, 3]
    ball = bones.matrices[index[rig_map.bones[f"{side}_toe"][0]]][:3, 3]
    heel = np.array([ankle[0], ankle[1] + 0.03 * leg, 0])
    period = PLANT + SWING
    since = np.arange(frames) + (0 if side == "left" else period // 2)
    step, phase = np.divmod(since, period)
    flying = np.clip((phase - PLANT + 1) / (SWING + 1), 0, 1)
    smooth = flying * flying * (3 - 2 * flying)
    stands = phase < PLANT
    roll = np.interp(phase, [0, HEEL_FIRST, PLANT - TOE_LAST, PLANT - 1, period], [-0.25, 0, 0, 0.5, -0.25])
    place = np.zeros((frames, 3))
    place[:, 1] = -stride * (step + smooth - (0.45 if side == "left" else 0.95))
    place[:, 2] = 0.1 * leg * np.sin(np.pi * flying)
    turn = about([1, 0, 0], roll)
    point = np.where(roll[:, None] > 0, ball, heel)
    moved = frame_of(turn, place + point - (turn @ point[:, :, None])[..., 0])
    flat = np.where(roll[:, None, None] > 0, frame_of(np.broadcast_to(np.eye(3), turn.shape), place), moved)
    contacts = np.stack([stands & (phase < PLANT - TOE_LAST + 1), stands & (phase >= HEEL_FIRST)], 1)
    return moved, flat, contacts


def plant(poses, bones, rig_map, side, moved, toe_moved):
    """Put a leg's bones so that the foot is where it shall be. In place."""
    index = {name: row for row, name in enumerate(bones.names)}
    rows = [index[rig_map.bones[f"{side}_{name}"][0]] for name in ("thigh", "shin", "foot", "toe")]
    rest = [bones.matrices[row] for row in rows]
    poses[:, rows[2]], poses[:, rows[3]] = moved @ rest[2], toe_moved @ rest[3]
    poses[:, rows[3], :3, 3] = (poses[:, rows[2]] @ np.linalg.inv(rest[2]) @ rest[3])[:, :3, 3]
    hip, ankle = poses[:, rows[0], :3, 3], poses[:, rows[2], :3, 3]
    thigh, shin = (np.linalg.norm(b[:3, 3] - a[:3, 3]) for a, b in pairwise(rest[:3]))
    far = np.linalg.norm(ankle - hip, axis=1)
    assert far.max() < thigh + shin, "the legs are too short for this walk"
    along = (ankle - hip) / far[:, None]
    left = np.broadcast_to([1.0, 0, 0], along.shape)
    hinge = left - (left * along).sum(1, keepdims=True) * along
    hinge /= np.linalg.norm(hinge, axis=1, keepdims=True)
    ahead = (thigh**2 - shin**2 + far**2) / (2 * far)
    knee = hip + ahead[:, None] * along + np.sqrt(thigh**2 - ahead**2)[:, None] * np.cross(along, hinge)
    for row, own, start, end in ((rows[0], rest[0], hip, knee), (rows[1], rest[1], knee, ankle)):
        y = (end - start) / np.linalg.norm(end - start, axis=1, keepdims=True)
        poses[:, row] = frame_of(np.stack([hinge, y, np.cross(hinge, y)], -1), start)
        assert abs(own[0, 0]) > 0.99, "the meta-rig's legs bend about x"

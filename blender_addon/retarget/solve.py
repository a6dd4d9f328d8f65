"""A person's motion solved for a rig: every bone's place and turn at every frame. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .aligning import aligned, joint
from .assembly import armature_matrices, posed
from .hands import relaxed
from .legs import Leg, ankle_way, bent, hips_shift
from .limbs import limb_turns
from .performance import Performance
from .plants import EASE_S, Foot, Sole, planted
from .rig_map import RigMap
from .rig_rest import RigRest
from .roles import SIDES
from .settings import RetargetSettings
from .smoothing import eased, runs, smooth, stretches
from .standing import Standing, standing
from .trunk import trunk_turns
from .turning import across, mixed, onto, ramp, turned, unit

_PATH_S, _HEADING_S = 0.25, 0.4
"""The root bone's way over the ground and its heading are the hips' without what is shorter than this."""
_SWAY_S = 0.5
_TOE_S = 0.1
_MOST_TOE = np.radians(70)
_BELOW_M = 0.06
"""A person's foot that is deeper than this under the ground has left it (jumped off a roof); less is an error."""
_SLIDES_M = 0.1
"""A plant whose foot strays farther than this from its middle is none."""
_LOW_M = (0.02, 0.12)
"""A foot lower than the first is as low on any rig; from the second on it is where the rig's leg takes it."""
_CLAVICLE = np.radians((10.0, 60.0))


@dataclass(frozen=True)
class Solved:
    """N frames of all B bones of a rig, in RigRest's order."""

    frames: np.ndarray
    """(N,) whole scene frames, as the performance has them."""
    matrices: np.ndarray
    """(N, B, 4, 4) bone to ARMATURE, in the armature's units, without scale: Blender's PoseBone.matrix. Bones of no
    role go along with their parents."""
    turned: np.ndarray
    """(B,) bool: bones of a role, whose rotation is keyed."""
    placed: np.ndarray
    """(B,) bool: whose location is keyed too: the root bone and the pelvis."""
    contacts: np.ndarray
    """(N, 4) bool: left heel, left toe, right heel, right toe are planted."""
    soles: np.ndarray
    """(N, 4, 3) m in the WORLD: the same points of the rig's own soles."""


def solve(performance: Performance, rest: RigRest, rig_map: RigMap, settings: RetargetSettings) -> Solved:
    """Put a motion onto a rig. Raises RecoverError where the map lacks what is needed (roles.NEEDED)."""
    rig = standing(rest, rig_map)
    scale = settings.scale or _leg_lengths(rig, performance)
    parts = [_solve_stretch(_Take(performance, part, rig, settings, scale)) for part in stretches(performance.frames)]
    matrices, soles = (np.concatenate(column) for column in zip(*parts, strict=True))
    turned_bones = np.zeros(len(rest.names), dtype=bool)
    placed = turned_bones.copy()
    for role, bones in rig.bones.items():
        if role != "root" or _on_root(rig, settings):
            turned_bones[list(bones)] = True
    for side in SIDES:
        turned_bones[rig.toes(side)] = True
    placed[rig.carrier()] = True
    if _on_root(rig, settings):
        placed[rig.bones["root"][0]] = True
    return Solved(performance.frames, matrices, turned_bones, placed, performance.contacts, soles)


def _on_root(rig: Standing, settings: RetargetSettings) -> bool:
    """Whether the way over the ground goes onto a root bone, which has to carry the pelvis for that."""
    if settings.root != "root" or not rig.has("root"):
        return False
    bone, roots = rig.bones["pelvis"][0], rig.bones["root"]
    while bone >= 0 and bone not in roots:
        bone = int(rig.rest.parents[bone])
    return bone >= 0


def _leg_lengths(rig: Standing, performance: Performance) -> float:
    """The rig's legs, soles included, for each metre of the person's."""
    rest, own = performance.rest, 0.0
    for side in SIDES:
        hip, knee, ankle = (rest[joint(f"{side}_{part}")] for part in ("hip", "knee", "ankle"))
        own += np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee) + ankle[1] - performance.sole
    return float(sum(sum(rig.leg(side)) for side in SIDES) / own)


class _Take:
    """A stretch of n frames in which the person is there, and the rig's motion as far as it is known."""

    def __init__(
        self, performance: Performance, part: slice, rig: Standing, settings: RetargetSettings, scale: float
    ) -> None:
        self.rig, self.settings, self.scale = rig, settings, scale
        self.fps, self.ground = performance.fps, performance.ground
        self.source = performance.turns[part]
        # Everybody's way is scaled about where it begins: there they stand as the people stood.
        start = performance.places[0, 1:3].mean(0)
        self.about = np.array([start[0], start[1], performance.ground])
        self.hips = self.scaled(performance.places[part, 1:3].mean(1))
        self.rest_hips = 0.5 * (rig.head("left_thigh") + rig.head("right_thigh"))
        self.soles = self.scaled(performance.soles[part])
        own = performance.places[part, 1:3] - performance.places[part, 1:3].mean(1, keepdims=True)
        for side, name in enumerate(SIDES):
            # Who is built with wider hips stands as much wider: the legs keep their directions.
            wider = turned(self.of("pelvis"), rig.head(f"{name}_thigh") - self.rest_hips) - scale * own[:, side]
            self.soles[:, 2 * side : 2 * side + 2, :2] += wider[:, None, :2]
        stays = ~_slides(performance.soles[part], performance.contacts[part])
        self.contacts = performance.contacts[part] & stays & settings.plant_feet
        self.align = aligned(rig, performance.rest)
        self.rest_joints = performance.rest

    def scaled(self, points: np.ndarray) -> np.ndarray:
        """Places of the person's world as the rig's legs make them."""
        return self.about + self.scale * (points - self.about)

    def of(self, name: str) -> np.ndarray:
        """(n, 3, 3) the turn of one of the person's joints."""
        return self.source[:, joint(name)]


def _slides(soles: np.ndarray, contacts: np.ndarray) -> np.ndarray:
    """(n, 4) bool: plants through which the person's own foot goes on sliding, as that of somebody who walks in place:
    to hold it would pull the leg along. soles (n, 4, 3) m."""
    out = np.zeros(contacts.shape, dtype=bool)
    for point in range(contacts.shape[1]):
        for a, b in runs(contacts[:, point]):
            level = soles[a:b, point, :2]
            out[a:b, point] = np.linalg.norm(level - level.mean(0), axis=1).max() > _SLIDES_M
    return out


def _solve_stretch(take: _Take) -> tuple[np.ndarray, np.ndarray]:
    """(n, B, 4, 4) bones in the armature, (n, 4, 3) soles in the world."""
    rig = take.rig
    turns = trunk_turns(rig, take.source)
    turns |= dict.fromkeys(rig.bones["pelvis"], take.of("pelvis"))
    for side in SIDES:
        turns |= _clavicle(take, side, turns)
    limbs = {role: take.of(name) @ take.align[role] for role, name in _limbs() if rig.has(role)}
    feet = {side: _foot(take, side, limbs[f"{side}_foot"]) for side in SIDES}
    legs = {side: _leg(take, side, limbs, feet[side]) for side in SIDES}
    hips = take.hips
    if take.settings.plant_feet:
        shift = hips_shift(list(legs.values()), take.fps)
        hips = hips + shift
        for side, leg in legs.items():
            _bend(take, side, replace(leg, hip=leg.hip + shift), feet[side], limbs)
    for side in SIDES:
        _toe(take, side, limbs)
    turns |= limb_turns(rig, limbs, turns)
    for side in SIDES:
        turns |= dict.fromkeys(rig.toes(side), limbs.get(f"{side}_toe"))
    for bone, turn in relaxed(rig, take.settings.relaxed_hands).items():
        turns[bone] = turns[_hand_of(rig, bone)] @ turn
    if take.settings.root == "in_place":
        way = smooth(hips[:, :2], _SWAY_S * take.fps)
        hips = hips - np.pad(way - way[0], ((0, 0), (0, 1)))
    places = {rig.bones["pelvis"][0]: hips + turned(take.of("pelvis"), rig.head("pelvis") - take.rest_hips)}
    _root(take, hips, turns, places)
    whole, points = posed(rig, turns, _carried(rig, turns, places))
    return armature_matrices(rig, whole, points), _soles(rig, whole, points)


def _limbs() -> list[tuple[str, str]]:
    """Roles, and the person's joints that turn them."""
    parts = (
        ("upper_arm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist"),
        ("thigh", "hip"), ("shin", "knee"), ("foot", "ankle"), ("toe", "foot"),
    )  # fmt: skip
    return [(f"{side}_{role}", f"{side}_{name}") for side in SIDES for role, name in parts]


def _clavicle(take: _Take, side: str, turns: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """As the person's against the chest, and less where the rig's lies otherwise: it moves the shoulder elsewhere."""
    rig, role = take.rig, f"{side}_clavicle"
    if not rig.has(role):
        return {}
    own = unit(rig.head(f"{side}_upper_arm") - rig.head(role))
    mine = unit(take.rest_joints[joint(f"{side}_shoulder")] - take.rest_joints[joint(f"{side}_collar")])
    share = 1 - 0.7 * np.clip((np.arccos(np.clip(own @ mine, -1, 1)) - _CLAVICLE[0]) / np.ptp(_CLAVICLE), 0, 1)
    chest = take.of("spine3") if not rig.has("spine") else turns[rig.bones["spine"][-1]]
    against = np.swapaxes(take.of("spine3"), -1, -2) @ take.of(f"{side}_collar")
    turn = chest @ mixed(np.broadcast_to(np.eye(3), against.shape), against, np.array(share))
    return dict.fromkeys(rig.bones[role], turn)


def _foot(take: _Take, side: str, turn: np.ndarray) -> Foot:
    rig, first = take.rig, 2 * SIDES.index(side)
    middle = take.soles[:, first : first + 2].mean(1)
    return planted(middle, turn, take.contacts[:, first : first + 2], _sole(rig, side), take.ground, take.fps)


def _sole(rig: Standing, side: str) -> Sole:
    ankle, ball = rig.head(f"{side}_foot"), rig.ball(side)
    drop = np.array([0.0, -ankle[1], 0.0])
    way = rig.forward(side)
    return Sole(drop, drop + way * max(float((ball - ankle) @ way), 0.02))


def _leg(take: _Take, side: str, limbs: dict[str, np.ndarray], foot: Foot) -> Leg:
    rig = take.rig
    hip, knee, ankle = (rig.head(f"{side}_{part}") for part in ("thigh", "shin", "foot"))
    first = 2 * SIDES.index(side)
    height = np.abs(take.soles[:, first : first + 2, 2].min(1) - take.ground)
    return Leg(
        take.hips + turned(take.of("pelvis"), hip - take.rest_hips), turned(limbs[f"{side}_thigh"], knee - hip),
        turned(limbs[f"{side}_shin"], ankle - knee), take.of(f"{side}_hip")[:, :, 0], foot.ankle, foot.stands,
        1 - ramp(height, *_LOW_M),
    )  # fmt: skip


def _bend(take: _Take, side: str, leg: Leg, foot: Foot, limbs: dict[str, np.ndarray]) -> None:
    """Set a leg's turns so that its foot stands, and never under the ground."""
    sole, first = _sole(take.rig, side), 2 * SIDES.index(side)
    ankle = ankle_way(leg, max(round(EASE_S * take.fps), 1))
    heel, toe = turned(foot.turn, sole.heel), turned(foot.turn, sole.toe)
    low = np.minimum(heel[:, 2] - sole.rise(toe - heel), toe[:, 2]) + ankle[:, 2]
    floor = take.ground + np.minimum(take.soles[:, first : first + 2, 2].min(1) - take.ground + _BELOW_M, 0)
    ankle[:, 2] += np.where(leg.stands, 0, np.maximum(floor - low, 0))
    thigh, shin = bent(leg, ankle)
    limbs[f"{side}_thigh"] = thigh @ limbs[f"{side}_thigh"]
    limbs[f"{side}_shin"] = shin @ limbs[f"{side}_shin"]
    # The toes' own bend stays as it is against the foot.
    if f"{side}_toe" in limbs:
        against = np.swapaxes(limbs[f"{side}_foot"], -1, -2) @ limbs[f"{side}_toe"]
        limbs[f"{side}_toe"] = foot.turn @ against
    limbs[f"{side}_foot"] = foot.turn


def _toe(take: _Take, side: str, limbs: dict[str, np.ndarray]) -> None:
    """Toes that stand lie flat while the foot rolls over them."""
    role = f"{side}_toe"
    if role not in limbs:
        return
    foot, stands = limbs[f"{side}_foot"], take.contacts[:, 2 * SIDES.index(side) + 1]
    way = turned(foot, take.rig.forward(side))
    level = way * (1, 1, 0)
    rolls = (way[:, 2] < 0) & (np.linalg.norm(level, axis=-1) > np.cos(_MOST_TOE))
    share = eased(np.ones((len(foot), 1)), stands & rolls, max(round(_TOE_S * take.fps), 1))[:, 0]
    flat = np.where(rolls[:, None, None], onto(way, level) @ foot, limbs[role])
    limbs[role] = mixed(limbs[role], flat, np.clip(share, 0, 1))


def _hand_of(rig: Standing, bone: int) -> int:
    for side in SIDES:
        if any(bone in bones for role, bones in rig.bones.items() if role.startswith(side)):
            return rig.bones[f"{side}_hand"][-1]
    raise ValueError(bone)


def _root(take: _Take, hips: np.ndarray, turns: dict[int, np.ndarray], places: dict[int, np.ndarray]) -> None:
    """The root bone under the hips, smoothly, upright, and looking where they do."""
    rig = take.rig
    if not _on_root(rig, take.settings):
        return
    pelvis, up = take.of("pelvis"), np.array([0.0, 0.0, 1.0])
    heading = unit(across(pelvis[:, :, 2], up)) + unit(np.cross(across(pelvis[:, :, 0], up), up))
    heading = unit(smooth(unit(heading), _HEADING_S * take.fps))
    turn = np.stack([np.cross(up, heading), np.broadcast_to(up, heading.shape), heading], -1)
    below = np.column_stack([smooth(hips[:, :2], _PATH_S * take.fps), np.full(len(hips), take.ground)])
    for bone in rig.bones["root"]:
        turns[bone] = turn
    places[rig.bones["root"][0]] = below + turned(turn, rig.head("root"))


def _carried(rig: Standing, turns: dict[int, np.ndarray], places: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Places such that a pelvis that is connected to its parent comes where it has to be."""
    pelvis, carrier = rig.bones["pelvis"][0], rig.carrier()
    if carrier == pelvis:
        return places
    wanted = places[pelvis]
    rest = {bone: place for bone, place in places.items() if bone != pelvis}
    points = posed(rig, turns, rest)[1]
    return {**rest, carrier: points[:, carrier] + wanted - points[:, pelvis]}


def _soles(rig: Standing, turns: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 4, 3) m: below ankles and balls."""
    out = []
    for side in SIDES:
        bone, sole = rig.bones[f"{side}_foot"][0], _sole(rig, side)
        out += [points[:, bone] + turned(turns[:, bone], below) for below in (sole.heel, sole.toe)]
    return np.stack(out, 1)

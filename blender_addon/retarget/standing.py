"""A rig at rest in the axes and units of the person's rest pose: x to its left, y up, z forward, metres. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..ghmr_engine.errors import RecoverError
from .rig_map import RigMap
from .rig_rest import RigRest
from .roles import FINGERS, LABELS, NEEDED, SIDES
from .turning import across, unit

_EVEN = 1e-2
_SOLE_BELOW_BALL = (0.0, 0.15)
"""How far below the ball's joint a sole may be, in lengths of the leg."""
_USUAL_SOLE = 0.025
_SHORT_M = 0.02


@dataclass(frozen=True)
class Standing:
    """A rig's B bones, the middle of its hips above the origin, its soles at 0."""

    rest: RigRest
    bones: dict[str, tuple[int, ...]]
    """Role to bones from the root outwards."""
    heads: np.ndarray
    """(B, 3) m."""
    turns: np.ndarray
    """(B, 3, 3): columns are a bone's axes."""
    axes: np.ndarray
    """(3, 3): from the armature's axes to these."""
    unit_m: float
    """Metres of the world in one of the armature's units."""

    def has(self, role: str) -> bool:
        """Whether the rig has bones for a role."""
        return role in self.bones

    def head(self, role: str) -> np.ndarray:
        """(3,) where a role begins."""
        return self.heads[self.bones[role][0]]

    def tail(self, bone: int) -> np.ndarray:
        """(3,) where Blender draws a bone's end: on many rigs not where the limb ends."""
        return self.heads[bone] + self.turns[bone][:, 1] * self.rest.lengths[bone] * self.unit_m

    def end(self, bone: int) -> np.ndarray:
        """(3,) where a limb's last bone ends: at what hangs on it farthest away, else where it is drawn to end."""
        heads = [self.heads[child] for child in self.children(bone)]
        far = max(heads, key=lambda head: np.linalg.norm(head - self.heads[bone]), default=self.heads[bone])
        return far if np.linalg.norm(far - self.heads[bone]) > _SHORT_M else self.tail(bone)

    def children(self, bone: int) -> list[int]:
        """Bones that hang on one."""
        return np.flatnonzero(self.rest.parents == bone).tolist()

    def leg(self, side: str) -> tuple[float, float, float]:
        """m: thigh, shin, and how high the ankle is above the sole."""
        hip, knee, ankle = (self.head(f"{side}_{part}") for part in ("thigh", "shin", "foot"))
        return float(np.linalg.norm(knee - hip)), float(np.linalg.norm(ankle - knee)), float(ankle[1])

    def ball(self, side: str) -> np.ndarray:
        """(3,) where the toes begin."""
        if self.has(f"{side}_toe"):
            return self.head(f"{side}_toe")
        bone = self.bones[f"{side}_foot"][-1]
        ankle = self.head(f"{side}_foot")
        ends = [self.heads[child] for child in self.children(bone)]
        ends = [end for end in ends if np.linalg.norm((end - ankle)[[0, 2]]) > 0.3 * max(ankle[1], 0.03)]
        return np.mean(ends, axis=0) if ends else self.tail(bone)

    def toes(self, side: str) -> list[int]:
        """Bones beside the mapped toe that hang on the foot where the toes begin: MakeHuman's feet have five."""
        if not self.has(f"{side}_toe"):
            return []
        ankle, ball, forward = self.head(f"{side}_foot"), self.ball(side), self.forward(side)
        known = {bone for bones in self.bones.values() for bone in bones}
        beside = [bone for bone in self.children(self.bones[f"{side}_foot"][-1]) if bone not in known]
        return [bone for bone in beside if (self.heads[bone] - ankle) @ forward > 0.7 * ((ball - ankle) @ forward)]

    def carrier(self) -> int:
        """The bone whose place moves the pelvis: itself, or what it is connected to, for then it has none."""
        bone = self.bones["pelvis"][0]
        while self.rest.connected[bone] and self.rest.parents[bone] >= 0:
            bone = int(self.rest.parents[bone])
        return bone

    def forward(self, side: str) -> np.ndarray:
        """(3,) unit, level: where a foot points."""
        way = (self.ball(side) - self.head(f"{side}_foot")) * (1, 0, 1)
        straight = np.array([0.0, 0.0, 1.0])
        return unit(way) if way[2] > 0.3 * max(self.leg(side)[2], 0.03) else straight

    def knuckles(self, side: str) -> dict[str, np.ndarray]:
        """(3,) where each finger of a hand begins to bend, the thumb left out."""
        found = {}
        for finger in FINGERS[1:]:
            joints = self.finger(side, finger)
            if joints:
                found[finger] = self.heads[joints[0]]
        return found

    def finger(self, side: str, finger: str) -> tuple[int, ...]:
        """Its bones that bend: not one that lies in the palm, but for the thumb."""
        joints = self.bones.get(f"{side}_{finger}", ())
        if finger == "thumb" or len(joints) < 2 or not self.has(f"{side}_hand"):
            return joints
        near, far = (np.linalg.norm(self.heads[bone] - self.head(f"{side}_hand")) for bone in joints[:2])
        return joints[1:] if near < 0.5 * far else joints


def standing(rest: RigRest, rig_map: RigMap) -> Standing:
    """Raises RecoverError where the map lacks what is needed, or the rig is scaled unevenly."""
    places = {name: place for place, name in enumerate(rest.names)}
    bones = {role: tuple(places[name] for name in names if name in places) for role, names in rig_map.bones.items()}
    bones = {role: found for role, found in bones.items() if found}
    lacking = [role for role in NEEDED if role not in bones]
    if lacking:
        raise RecoverError(
            "map_lacks",
            f"The rig has no bone for: {', '.join(LABELS[role] for role in lacking)}.",
            "Choose these bones in the map of the rig.",
        )
    _check_tree(rest, bones)
    unit_m = _unit(rest.world)
    heads, axes = rest.matrices[:, :3, 3], _axes(rest.matrices[:, :3, 3], bones)
    turned = heads @ axes.T * unit_m
    hips = 0.5 * (turned[bones["left_thigh"][0]] + turned[bones["right_thigh"][0]])
    here = Standing(rest, bones, turned - hips, axes @ _straight(rest.matrices), axes, unit_m)
    floor = _floor(here, hips)
    return Standing(rest, bones, here.heads - (0, floor, 0), here.turns, axes, unit_m)


def _check_tree(rest: RigRest, bones: dict[str, tuple[int, ...]]) -> None:
    """Legs hang on the pelvis."""
    for side in SIDES:
        bone = bones[f"{side}_thigh"][0]
        while bone >= 0 and bone not in bones["pelvis"]:
            bone = int(rest.parents[bone])
        if bone < 0:
            raise RecoverError(
                "map_tree", f"The {side} thigh does not hang on the pelvis.",
                "Choose as pelvis the bone that thighs and spine hang on.",
            )  # fmt: skip


def _unit(world: np.ndarray) -> float:
    sizes = np.linalg.norm(world[:3, :3], axis=0)
    if np.ptp(sizes) > _EVEN * sizes.max() or sizes.min() <= 0 or np.linalg.det(world[:3, :3]) < 0:
        raise RecoverError(
            "uneven_scale", "The rig is scaled unevenly, or mirrored.", "Give its object the same scale in x, y and z."
        )
    return float(sizes.mean())


def _straight(matrices: np.ndarray) -> np.ndarray:
    """(B, 3, 3) without rounding errors."""
    u, _, v = np.linalg.svd(matrices[:, :3, :3])
    return u @ v


def _axes(heads: np.ndarray, bones: dict[str, tuple[int, ...]]) -> np.ndarray:
    """(3, 3), rows: left, up and forward in the armature's axes. Up is one of these, the one that the body is along."""

    def middle(part: str) -> np.ndarray:
        return np.mean([heads[bones[f"{side}_{part}"][0]] for side in SIDES], axis=0)

    along = middle("upper_arm") - middle("foot")
    up = np.zeros(3)
    up[np.abs(along).argmax()] = np.sign(along[np.abs(along).argmax()])
    pairs = [heads[bones[f"left_{part}"][0]] - heads[bones[f"right_{part}"][0]] for part in ("thigh", "upper_arm")]
    left = unit(across(np.sum(pairs, axis=0), up))
    return np.stack([left, up, np.cross(left, up)])


def _floor(rig: Standing, hips: np.ndarray) -> float:
    """Height of the soles: of what hangs on the rig, or its object's origin, whichever can be; else a guess."""
    ball = min(rig.ball(side)[1] for side in SIDES)
    size = np.mean([sum(rig.leg(side)[:2]) for side in SIDES])
    low, high = (ball - part * size for part in reversed(_SOLE_BELOW_BALL))
    guesses = [] if rig.rest.bounds is None else [(rig.rest.bounds @ rig.axes[1]).min() * rig.unit_m]
    guesses.append(0.0)
    fitting = (guess - hips[1] for guess in guesses if low - 1e-3 <= guess - hips[1] <= high + 1e-3)
    return float(next(fitting, ball - _USUAL_SOLE * size))

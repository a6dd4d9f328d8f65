"""Limbs of more than one bone: stiff, and twisted towards their end, as skin is between shoulder and elbow."""

from __future__ import annotations

import numpy as np

from .roles import SIDES
from .standing import Standing
from .turning import about, back, twist_about, unit

_CHAINS = (("clavicle", "upper_arm", "forearm", "hand"), ("pelvis", "thigh", "shin", "foot", "toe"))


def limb_turns(rig: Standing, limbs: dict[str, np.ndarray], trunk: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Bone to (N, 3, 3) for all bones of arms and legs.

    limbs: a role to its turn (N, 3, 3) from the rig's rest pose; trunk: the same by bone, of what they hang on.
    """
    out: dict[int, np.ndarray] = {}
    for side in SIDES:
        for chain in _CHAINS:
            above = None
            for part in chain:
                role = part if part == "pelvis" else f"{side}_{part}"
                bones = rig.bones.get(role, ())
                if role in limbs:
                    out |= _twisted(rig, bones, limbs[role], above, _end(rig, side, part))
                    above = limbs[role]
                elif bones:
                    above = trunk[bones[-1]]
                elif part == "clavicle" and rig.has("spine"):
                    above = trunk[rig.bones["spine"][-1]]
    return out


def _end(rig: Standing, side: str, part: str) -> np.ndarray:
    """(3,) where a limb ends: at the next role, or as its last bone is drawn."""
    following = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot", "foot": "toe"}.get(part)
    if following is not None and rig.has(f"{side}_{following}"):
        return rig.head(f"{side}_{following}")
    return rig.end(rig.bones[f"{side}_{part}"][-1])


def _twisted(
    rig: Standing, bones: tuple[int, ...], turn: np.ndarray, above: np.ndarray | None, end: np.ndarray
) -> dict[int, np.ndarray]:
    if len(bones) == 1 or above is None:
        return dict.fromkeys(bones, turn)
    axis = unit(end - rig.heads[bones[0]])
    against = back(above) @ turn
    twist = twist_about(against, axis)
    twist = np.unwrap((twist + np.pi) % (2 * np.pi) - np.pi)
    out = {}
    for place, bone in enumerate(bones):
        missing = 1 - place / (len(bones) - 1)
        out[bone] = turn @ about(np.broadcast_to(axis, (len(twist), 3)), -missing * twist)
    return out

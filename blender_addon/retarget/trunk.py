"""How the person's back and neck go over any number of bones: by length, without a step between two. NumPy only."""

from __future__ import annotations

import numpy as np

from .aligning import joint
from .standing import Standing
from .turning import mixed


def trunk_turns(rig: Standing, turns: np.ndarray) -> dict[int, np.ndarray]:
    """Bone to (N, 3, 3) for the rig's spine, neck and head. turns (N, 24, 3, 3): the person's."""
    of = {name: turns[:, joint(name)] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")}
    out: dict[int, np.ndarray] = {}
    spine = rig.bones.get("spine", ())
    if spine:
        at = _middles(rig, spine, "neck" if rig.has("neck") else "head")
        # The last one carries shoulders and neck: it turns as the person's chest does.
        at = at / at[-1] if len(spine) > 1 else np.array([0.8])
        knots = np.array([0.0, 0.3, 0.65, 1.0])
        out |= _along(spine, at, knots, [of["pelvis"], of["spine1"], of["spine2"], of["spine3"]])
    neck = rig.bones.get("neck", ())
    if neck:
        at = _middles(rig, neck, "head")
        out |= _along(neck, at, np.array([-0.5, 0.5, 1.5]), [of["spine3"], of["neck"], of["head"]])
    return out | dict.fromkeys(rig.bones.get("head", ()), of["head"])


def _middles(rig: Standing, bones: tuple[int, ...], following: str) -> np.ndarray:
    """(n,) 0 to 1: where along the chain each bone's middle is."""
    end = rig.head(following) if rig.has(following) else rig.tail(bones[-1])
    points = np.array([*(rig.heads[bone] for bone in bones), end])
    sizes = np.maximum(np.linalg.norm(np.diff(points, axis=0), axis=1), 1e-6)
    return (np.cumsum(sizes) - 0.5 * sizes) / sizes.sum()


def _along(bones: tuple[int, ...], at: np.ndarray, knots: np.ndarray, turns: list[np.ndarray]) -> dict[int, np.ndarray]:
    out = {}
    for bone, place in zip(bones, np.clip(at, knots[0], knots[-1]), strict=True):
        k = int(np.clip(np.searchsorted(knots, place, side="right") - 1, 0, len(knots) - 2))
        share = (place - knots[k]) / (knots[k + 1] - knots[k])
        out[bone] = mixed(turns[k], turns[k + 1], np.array(share))
    return out

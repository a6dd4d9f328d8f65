"""The trunk's controls of a Rigify rig: torso, hips and chest carry most of it, FK bones and tweaks what is left."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .controls import Controls
from .rigid import blended, rigid
from .rigify_names import control, tweak
from .turning import onto

TORSO, HIPS, CHEST, NECK, HEAD = "torso", "hips", "chest", "neck", "head"
_LEAST_TWIST = np.radians(0.1)


def trunk_controls(controls: Controls, spine: Sequence[str], neck: Sequence[str], head: Sequence[str]) -> None:
    """Values of all of them. spine: ORG bones from the pelvis up; neck and head may be empty."""
    _torso(controls, spine)
    followers = [(name, control(name, "fk")) for name in spine]
    for name, follower in sorted(
        (pair for pair in followers if pair[1] in controls.posing), key=lambda pair: controls.posing.index[pair[1]]
    ):
        controls.follow(name, follower)
    for name in (spine[0], spine[-1]):
        # What limbs hang on has to stand exactly; with FK bones the tweak has nothing to do.
        if control(name, "fk") not in controls.posing:
            controls.follow(name, tweak(name))
    if head:
        _head(controls, neck, head[0])
    line = [*spine, *neck, *head[:1]]
    for name, following in pairwise(line):
        _tweak(controls, name, controls.wanted[following][:, :3, 3])


def _torso(controls: Controls, spine: Sequence[str]) -> None:
    """The torso goes with the place where hips and chest part, and turns by half of each."""
    posing = controls.posing
    if TORSO not in posing:
        return
    pivot = _pivot(controls, spine)
    carrier = min(spine, key=lambda name: float(np.linalg.norm(posing.at_rest(name)[:3, 3] - pivot)))
    point = (controls.moved(carrier) @ np.append(pivot, 1.0))[:, :3]
    turn = blended(controls.moved(spine[0]), controls.moved(spine[-1]), 0.5)[:, :3, :3]
    rest = posing.at_rest(TORSO)
    controls.bring(TORSO, rigid(turn @ rest[:3, :3], point - turn @ (pivot - rest[:3, 3])))
    for bone, name in ((spine[0], HIPS), (spine[-1], CHEST)):
        if name in posing:
            controls.bring(name, controls.attached(bone, name), placed=False)


def _pivot(controls: Controls, spine: Sequence[str]) -> np.ndarray:
    """(3,) where the chest's part of the spine hangs on the torso, at rest."""
    posing = controls.posing
    name: str | None = control(spine[-1], "fk")
    if name not in posing:
        name = tweak(spine[-1])
    while name is not None and name in posing:
        if posing.parent(name) == TORSO:
            return posing.at_rest(name)[:3, 3]
        name = posing.parent(name)
    return posing.at_rest(TORSO)[:3, 3]


def _head(controls: Controls, neck: Sequence[str], head: str) -> None:
    """The neck reaches from where it begins to the head, turned by the mean of its bones; the head stands exactly."""
    posing = controls.posing
    if neck and NECK in posing:
        rest = posing.at_rest(NECK)
        turn = blended(controls.moved(neck[0]), controls.moved(neck[-1]), 0.5)[:, :3, :3]
        start = controls.wanted[neck[0]][:, :3, 3]
        along = turn @ (posing.at_rest(head)[:3, 3] - posing.at_rest(neck[0])[:3, 3])
        turn = onto(along, controls.wanted[head][:, :3, 3] - start) @ turn
        controls.bring(NECK, rigid(turn @ rest[:3, :3], start + turn @ (rest[:3, 3] - posing.at_rest(neck[0])[:3, 3])))
    controls.follow(head, HEAD)


def _tweak(controls: Controls, name: str, following: np.ndarray) -> None:
    """What is left for a tweak: the bone's place, and its twist about the line to the next one, `following` (N, 3)."""
    posing, own = controls.posing, tweak(name)
    if own not in posing or own in controls.written:
        return
    here = controls.wanted[name][:, :3, 3]
    before, _ = posing.space(own)
    turned = onto(before[:, :, 1], following - here) @ before
    rest = np.linalg.inv(posing.at_rest(name)) @ posing.at_rest(own)
    left = np.swapaxes(turned, 1, 2) @ controls.wanted[name][:, :3, :3] @ rest[:3, :3]
    angle = np.arctan2(left[:, 0, 2] - left[:, 2, 0], left[:, 0, 0] + left[:, 2, 2])
    distance = np.linalg.norm(posing.pose(own)[:, :3, 3] - here, axis=1)
    placed = bool(distance.max(initial=0.0) > 5 * controls.least)
    if not placed and np.abs(angle).max(initial=0.0) < _LEAST_TWIST:
        return
    sine, cosine, zero, one = np.sin(angle), np.cos(angle), np.zeros_like(angle), np.ones_like(angle)
    twist = np.stack([cosine, zero, sine, zero, one, zero, -sine, zero, cosine], -1).reshape(-1, 3, 3)
    controls.bring(own, rigid(before @ twist, here), placed=placed)

"""Which bones of a hand are which fingers, told by their places: the thumb begins nearest the wrist, and apart."""

from __future__ import annotations

import numpy as np

from .bone_tree import BoneTree

_NAMES = ("index", "middle", "ring", "little")
_BONES = 3


def fingers_of(tree: BoneTree, hand: int) -> dict[str, list[int]]:
    """Fingers by name, each from its knuckle on (the thumb from its base): bones of the tree. A hand with fewer than
    two fingers has none; with fewer than five, the little one is missing first."""
    wrist = tree.heads[hand]
    chains = _chains(tree, hand)
    if not 2 <= len(chains) <= 6:
        return {}
    bare = [_without_metacarpal(tree, wrist, chain) for chain in chains]
    thumb = _thumb(tree, wrist, bare)
    first = bare[thumb]
    rest = [chain for place, chain in enumerate(bare) if place != thumb]
    along = np.mean([tree.heads[chain[0]] for chain in rest], axis=0) - wrist
    along /= np.linalg.norm(along)
    across = tree.heads[first[-1]] - np.mean([tree.heads[chain[0]] for chain in rest], axis=0)
    if len(rest) > 1:
        # The knuckles' own line, towards the thumb: the thumb itself may hang below the palm.
        knuckles = np.array([tree.heads[chain[0]] for chain in rest])
        spread = np.linalg.svd(knuckles - knuckles.mean(0))[2][0]
        across = spread * np.sign(spread @ (across - (across @ along) * along) or 1.0)
    rest.sort(key=lambda chain: -float(tree.heads[chain[0]] @ across))
    named = {"thumb": chains[thumb][:_BONES]}
    return named | {name: chain[:_BONES] for name, chain in zip(_NAMES, rest, strict=False)}


def _chains(tree: BoneTree, hand: int) -> list[list[int]]:
    """What hangs on the hand in chains of two bones and more; a bone of the palm that carries several is none's."""
    longest: dict[int, list[int]] = {}
    for path in tree.paths(hand):
        chain = path[1:]
        while chain and sum(bool(tree.children[child]) for child in tree.children[chain[0]]) > 1:
            chain = chain[1:]
        if len(chain) > 1 and len(chain) > len(longest.get(chain[0], ())):
            longest[chain[0]] = chain
    return list(longest.values())


def _without_metacarpal(tree: BoneTree, wrist: np.ndarray, chain: list[int]) -> list[int]:
    """A chain that begins near the wrist has a bone in the palm before the knuckle."""
    if len(chain) < 4:
        return chain
    first, second = (np.linalg.norm(tree.heads[bone] - wrist) for bone in chain[:2])
    return chain[1:] if first < 0.6 * second else chain


def _thumb(tree: BoneTree, wrist: np.ndarray, chains: list[list[int]]) -> int:
    ways = np.array([_unit(tree.tails[chain[-1]] - tree.heads[chain[0]]) for chain in chains])
    starts = np.array([np.linalg.norm(tree.heads[chain[0]] - wrist) for chain in chains])
    others = np.array([_unit(np.delete(ways, place, 0).sum(0)) for place in range(len(chains))])
    odd = np.degrees(np.arccos(np.clip((ways * others).sum(1), -1, 1)))
    return int((odd / 30 - starts / starts.max()).argmax())


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(np.linalg.norm(vector), 1e-12)

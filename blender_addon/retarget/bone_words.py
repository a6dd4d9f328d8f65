"""What a bone's name says: which side, which part of a body, which number. Standard library only.

The words are data, assets/bone_words.json: `sides` in pairs; `parts` by role; `either`: words with several meanings,
the likeliest first; `helpers`: words of bones that are nobody's limb; `ignored`: words that say nothing.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from .roles import FINGERS, LIMBS, SIDES

FILE = Path(__file__).resolve().parent.parent / "assets" / "bone_words.json"

_SPLIT = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EAST = re.compile(r"([左右])")
_SHORTEST_PREFIX = 4
"""A side glued to what follows, as in leftarm, counts from this many letters on."""
_FEWEST_LETTERS = 6
"""Bones that a pair of letters other than l and r must pair, to be sides."""


@dataclass(frozen=True)
class Meaning:
    """What one name may say."""

    side: str
    """`left`, `right`, or `` for none."""
    parts: tuple[str, ...]
    """Roles without their side, the likeliest first."""
    number: tuple[int, ...]
    """Numbers in the name, in order."""


@cache
def _words() -> MappingProxyType:
    return MappingProxyType(json.loads(FILE.read_text(encoding="utf-8")))


@cache
def _meanings() -> dict[str, tuple[str, ...]]:
    said = {word: (part,) for part, listed in _words()["parts"].items() for word in listed}
    return said | {word: tuple(parts) for word, parts in _words()["either"].items()}


def tokens(name: str) -> list[str]:
    """The name's words in small letters without accents: `mixamorig:LeftUpLeg.001` gives left, up, leg."""
    plain = unicodedata.normalize("NFKC", re.sub(r"\.\d\d\d$", "", name)).rsplit("|", 1)[-1]
    plain = _EAST.sub(r" \1 ", _bare(plain))
    parts = [part for word in _SPLIT.findall(plain) for part in _CAMEL.split(word)]
    return [part.casefold() for part in parts]


def _bare(text: str) -> str:
    """Latin letters without their accents; ß is ss."""
    letters = (
        unicodedata.normalize("NFD", letter)[0] if ord(letter) < 0x250 and letter.isalpha() else letter
        for letter in text.replace("ß", "ss")
    )
    return "".join(letters)


def read_names(names: tuple[str, ...]) -> dict[str, Meaning]:
    """What the names of one rig say, by name. Left and right are words that stand in two names that are the same
    otherwise; helpers, and what says nothing, are left out."""
    split = {name: _unglued(tokens(name)) for name in names}
    sides = _sides(split)
    found = {}
    for name, words in split.items():
        side, place = sides.get(name, ("", -1))
        rest = [word for at, word in enumerate(words) if at != place]
        parts = _parts([word for word in rest if not word.isdigit()], bool(side))
        if parts:
            found[name] = Meaning(side, parts, tuple(int(word) for word in rest if word.isdigit()))
    return found


def _unglued(words: list[str]) -> list[str]:
    """leftarm as left and arm."""
    found = []
    for word in words:
        glued = next(
            (side for pair in _words()["sides"] for side in pair
             if len(side) >= _SHORTEST_PREFIX and word.startswith(side) and word[len(side):] in _meanings()),
            None,
        )  # fmt: skip
        found += [word] if glued is None else [glued, word[len(glued) :]]
    return found


def _sides(split: dict[str, list[str]]) -> dict[str, tuple[str, int]]:
    """Name to its side and where in its words that stands; words that pair more bones are believed first."""
    found = [_paired(split, pair) for pair in _words()["sides"]]
    sides: dict[str, tuple[str, int]] = {}
    for bones, pair in sorted(zip(found, _words()["sides"], strict=True), key=lambda one: -len(one[0])):
        if len(bones) >= (2 if len(pair[0]) > 1 or pair[0] in "l左" else _FEWEST_LETTERS):
            sides = bones | sides
    return sides


def _paired(split: dict[str, list[str]], pair: list[str]) -> dict[str, tuple[str, int]]:
    """Bones that have one of the two words and a partner with the other in its place."""
    marked: dict[tuple[str, ...], dict[str, tuple[str, int]]] = {}
    for name, words in split.items():
        for place, word in enumerate(words):
            if word in pair:
                key = (*words[:place], "*", *words[place + 1 :])
                marked.setdefault(key, {})[name] = (SIDES[pair.index(word)], place)
    both = [same for same in marked.values() if {side for side, _ in same.values()} == set(SIDES)]
    return {name: at for same in both for name, at in same.items()}


def _parts(words: list[str], sided: bool) -> tuple[str, ...]:
    """Which part of the body the words name, `` where none."""
    listed = _words()
    if any(word in listed["helpers"] for word in words):
        return ()
    finger = next((part for word in words for part in _meanings().get(word, ()) if part in FINGERS), None)
    if finger and sided:
        other = any(word in listed["toes"] for word in words)
        palm = finger != "thumb" and any(word in listed["metacarpal"] for word in words)
        return () if other or palm else (finger,)
    core = [word for word in words if word not in listed["ignored"]]
    parts = _longest(core) or _longest(words)
    fitting = [part for part in parts if sided == (part in LIMBS or part in FINGERS)]
    return tuple(fitting)


def _longest(words: list[str]) -> tuple[str, ...]:
    """What the most words next to each other say together; where several as long say different things, nothing."""
    for length in range(len(words), 0, -1):
        runs = ("".join(words[start : start + length]) for start in range(len(words) - length + 1))
        said = {_meanings()[run] for run in runs if run in _meanings()}
        if said:
            return said.pop() if len(said) == 1 else ()
    return ()

"""Rigs whose names are known: the files in assets/rig_maps. Standard library only.

{"format": "recover-motion-rig-preset", "version": 1, "name": "Mixamo", "kind": "bones", "sides": ["Left", "Right"],
 "bones": {"pelvis": ["Hips"], "clavicle": ["{side}Shoulder"], ...}}

A role's bones are those of its list that a rig has; all of them may have the same words before and behind them
(`mixamorig:`, `.001`). `needs`: bones without which it is not this rig; `without`: bones with which it is not.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .rig_map import RigMap
from .roles import CENTRE, NEEDED, SIDES

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "rig_maps"
FORMAT, VERSION = "recover-motion-rig-preset", 1


@dataclass(frozen=True)
class Preset:
    """A kind of rig by its bones' names."""

    map: RigMap
    """With the names in full, of every bone that such a rig may have."""
    needs: tuple[str, ...]
    without: tuple[str, ...]


@cache
def presets() -> tuple[Preset, ...]:
    """All that are shipped."""
    return tuple(read_preset(path) for path in sorted(FOLDER.glob("*.json")))


def read_preset(path: Path) -> Preset:
    """One of the files. Raises ValueError where it is none."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if data.get("format") != FORMAT or data.get("version") != VERSION:
        raise ValueError(f"{path} is no preset")
    bones = {role: tuple(names) for role, names in data["bones"].items() if role in CENTRE}
    for side, word in zip(SIDES, data["sides"], strict=True):
        for part, names in data["bones"].items():
            if part not in CENTRE:
                bones[f"{side}_{part}"] = tuple(name.replace("{side}", word) for name in names)
    return Preset(
        RigMap(data["name"], data["kind"], bones), tuple(data.get("needs", ())), tuple(data.get("without", ()))
    )


def matching(names: tuple[str, ...]) -> RigMap | None:
    """The map by the preset that finds most of its bones among these; None where none finds all that is needed."""
    spelled: dict[str, str] = {}
    for name in names:
        spelled.setdefault(_plain(name), name)
    found = [fit for preset in presets() for fit in _fits(preset, spelled)]
    return max(found, key=lambda fit: sum(map(len, fit.bones.values())), default=None)


def _fits(preset: Preset, spelled: dict[str, str]) -> list[RigMap]:
    """The preset's map for every beginning and end that the names may have."""
    pelvis = _plain(preset.map.bones["pelvis"][0])
    around = re.compile(rf"(.*?){re.escape(pelvis)}(\.\d\d\d)?")
    fits = []
    for name in spelled:
        match = around.fullmatch(name)
        if match is None:
            continue
        before, behind = match[1], match[2] or ""

        def own(bone: str, before: str = before, behind: str = behind) -> str | None:
            return spelled.get(f"{before}{_plain(bone)}{behind}")

        bones = {role: tuple(filter(None, map(own, listed))) for role, listed in preset.map.bones.items()}
        bones = {role: listed for role, listed in bones.items() if listed}
        there = all(role in bones for role in NEEDED) and all(map(own, preset.needs))
        if there and not any(map(own, preset.without)):
            fits.append(RigMap(preset.map.name, preset.map.kind, bones))
    return fits


def _plain(name: str) -> str:
    """A name as it is compared: capitals, and the two widths of Japanese letters, are all the same."""
    return unicodedata.normalize("NFKC", name).casefold()

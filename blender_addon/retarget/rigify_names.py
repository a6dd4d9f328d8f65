"""How Rigify names what it makes of a bone: ORG-thigh.L gives thigh_fk.L, MCH-thigh_ik_target.L and so on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .rig_map import RigMap
from .rig_rest import RigRest
from .roles import SIDES

_SIDE = re.compile(r"(?P<base>.*?)(?P<side>[._-][LRlr])?(?P<number>\.\d+)?$")


def plain(name: str) -> str:
    """The bone's name in the meta-rig."""
    return name.removeprefix("ORG-")


def derived(name: str, ending: str) -> str:
    """A name with an ending before the side: thigh.L and _fk give thigh_fk.L, spine.001 gives spine_fk.001."""
    found = _SIDE.fullmatch(name)
    return f"{found['base']}{ending}{found['side'] or ''}{found['number'] or ''}"


def control(name: str, kind: str) -> str:
    """thigh_fk.L, hand_ik.L of an ORG bone."""
    return derived(plain(name), f"_{kind}")


def mechanism(name: str, kind: str) -> str:
    """MCH-thigh_ik_target.L of an ORG bone."""
    return "MCH-" + control(name, kind)


def deform(name: str) -> str:
    """The bone that deforms."""
    return "DEF-" + plain(name)


def tweak(name: str) -> str:
    """A spine bone's tweak."""
    return "tweak_" + plain(name)


@dataclass(frozen=True)
class Limb:
    """An arm or a leg: ORG bones by part."""

    kind: Literal["arm", "leg"]
    side: str
    bones: dict[str, str]
    """upper, lower, end, and toe where there is one."""

    @property
    def switch(self) -> str:
        """The bone that has the limb's properties."""
        return control(self.bones["upper"], "parent")


_PARTS = {"arm": ("upper_arm", "forearm", "hand"), "leg": ("thigh", "shin", "foot")}


def limbs_of(rest: RigRest, rig_map: RigMap) -> list[Limb]:
    """The limbs that have Rigify's controls, FK and IK."""
    limbs = []
    for kind, parts in _PARTS.items():
        for side in SIDES:
            found = [rig_map.bones.get(f"{side}_{part}", ()) for part in parts]
            if any(len(names) != 1 for names in found):
                continue
            bones = dict(zip(("upper", "lower", "end"), (names[0] for names in found), strict=True))
            toe = rig_map.bones.get(f"{side}_toe", ())
            if kind == "leg" and toe:
                bones["toe"] = toe[0]
            limb = Limb(kind, side, bones)
            if {limb.switch, control(bones["upper"], "fk"), control(bones["end"], "ik")} <= set(rest.names):
                limbs.append(limb)
    return limbs


def chain_of(limb: Limb) -> tuple[str, ...]:
    """The limb's ORG bones from the body outwards."""
    return tuple(limb.bones[part] for part in ("upper", "lower", "end", "toe") if part in limb.bones)

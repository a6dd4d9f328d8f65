"""Which bones of a rig play which roles, and the JSON file that keeps it. Standard library only.

{"format": "recover-motion-rig-map", "version": 1, "name": "Mixamo", "kind": "bones",
 "bones": {"pelvis": ["mixamorig:Hips"], "spine": ["mixamorig:Spine", "mixamorig:Spine1"], ...}}
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FORMAT, VERSION = "recover-motion-rig-map", 1

Kind = Literal["bones", "rigify"]


@dataclass(frozen=True)
class RigMap:
    """A rig's bones by role."""

    name: str
    """For people: `Mixamo`, or the rig's own."""
    kind: Kind = "bones"
    """`bones`: the motion goes onto these very bones. `rigify`: they are the ORG bones of a generated Rigify rig, whose
    controls, in FK and IK, and switches go by Rigify's own names."""
    bones: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Role (roles.ROLES) to bones from the root outwards: spine and neck from below up, a finger from its base on, a
    limb of more than one bone (MakeHuman's upperarm01, upperarm02) as one stiff piece whose last bone takes the twist.
    What the rig lacks is left out. Bones of no role (twist, helper, face) stay as they rest."""

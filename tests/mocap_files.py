"""Motion capture files of every form, small enough to work out by hand."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

# Mixamo's names, in cm: upright, facing +z, arms sideways.
MIDDLE = [("Hips", "", (0, 100, 0)), ("Spine", "Hips", (0, 10, 0)), ("Spine1", "Spine", (0, 10, 0)),
          ("Spine2", "Spine1", (0, 10, 0)), ("Neck", "Spine2", (0, 20, 0)), ("Head", "Neck", (0, 10, 0))]  # fmt: skip
LIMBS = [("UpLeg", "Hips", (10, 0, 0)), ("Leg", "UpLeg", (0, -40, 0)), ("Foot", "Leg", (0, -45, 0)),
         ("ToeBase", "Foot", (0, -5, 15)), ("Shoulder", "Spine2", (5, 15, 0)), ("Arm", "Shoulder", (12, 0, 0)),
         ("ForeArm", "Arm", (28, 0, 0)), ("Hand", "ForeArm", (25, 0, 0))]  # fmt: skip
PERSON = MIDDLE + [
    (side + name, parent if parent in ("Hips", "Spine2") else side + parent, (sign * x, y, z))
    for side, sign in (("Left", 1), ("Right", -1))
    for name, parent, (x, y, z) in LIMBS
]


def bvh(person=PERSON, order="ZXY", turns=None, frames=1, seconds="0.008333", place=(0, 100, 0), rename=str):
    """A file in which the joints of `turns` have these angles (in the order of the channels) in all frames."""
    numbers = []

    def block(name, offset, pad):
        rotation = " ".join(f"{axis}rotation" for axis in order)
        channels = f"6 Xposition Yposition Zposition {rotation}" if not pad else f"3 {rotation}"
        numbers.extend([*(place if not pad else ()), *(turns or {}).get(name, (0, 0, 0))])
        inner = "".join(block(child, to, pad + "\t") for child, parent, to in person if parent == name)
        end = "End Site\n{\nOFFSET 0 1 0\n}\n"
        title = "JOINT" if pad else "ROOT"
        x, y, z = offset
        return f"{title} {rename(name)}\n{{\nOFFSET {x} {y} {z}\nCHANNELS {channels}\n{inner or end}}}\n"

    skeleton = block(person[0][0], person[0][2], "")
    rows = "\n".join([" ".join(map(str, numbers))] * frames)
    return f"HIERARCHY\n{skeleton}MOTION\nFrames: {frames}\nFrame Time: {seconds}\n{rows}\n"


def bone(name, direction, axis="0 0 0", dof=""):
    return f"begin\nid 1\nname {name}\ndirection {direction}\nlength 2\naxis {axis} XYZ\n{dof and 'dof ' + dof}\nend\n"


# A bone's description is (direction, axis, dof); what is not listed is straight down or sideways and does not turn.
SIDE = {"hipjoint": "1 0 0", "femur": "0 -1 0", "tibia": "0 -1 0", "foot": "0 0 1", "clavicle": "1 0 0",
        "humerus": "1 0 0", "radius": "1 0 0", "wrist": "1 0 0", "hand": "1 0 0"}  # fmt: skip


def asf(**special):
    bones = {"thorax": ("0 1 0",)}
    for side, sign in (("l", ""), ("r", "-")):
        bones |= {side + name: ((sign + way) if way[0] == "1" else way,) for name, way in SIDE.items()}
    bones |= special
    data = "".join(bone(name, *described) for name, described in bones.items())
    chains = ("hipjoint femur tibia foot", "clavicle humerus radius wrist hand")
    links = ["root lhipjoint rhipjoint thorax", "thorax lclavicle rclavicle"]
    for chain in chains:
        words = chain.split()
        links += [f"{s}{a} {s}{b}" for s in "lr" for a, b in pairwise(words)]
    root = "order TX TY TZ RX RY RZ\naxis XYZ\nposition 0 0 0\norientation 0 0 0\n"
    hierarchy = "\n".join(links)
    return f":units\nlength 0.45\nangle deg\n:root\n{root}:bonedata\n{data}:hierarchy\nbegin\n{hierarchy}\nend\n"


def amc(*lines, frames=1):
    rows = "".join(f"{frame + 1}\nroot 1 17 2 0 0 0\n" + "".join(f"{line}\n" for line in lines)
                   for frame in range(frames))  # fmt: skip
    return f"#!OML:ASF x\n:FULLY-SPECIFIED\n:DEGREES\n{rows}"


def humanoid(turns=None, durations=(0.0333, 0.0)):
    """Frames of the rest pose 1 m high, with the numbers of `turns` (place -> value)."""
    row = [1.0, 0] + [1, 0, 0, 0] * 4 + [0] + [1, 0, 0, 0] * 2 + [0] + [1, 0, 0, 0] + [0] + [1, 0, 0, 0] * 2 + [0]
    row = [0.0, 0.5, *row]
    for place, value in (turns or {}).items():
        row[place] = value
    return json.dumps({"Loop": "none", "Frames": [[seconds, *row[1:]] for seconds in durations]})


def expmap(turns=None, frames=1):
    row = np.zeros(117)
    row[:6] = 1, 17, 2, 0, 1e-9, 0
    for place, value in (turns or {}).items():
        row[place] = value
    return "\n".join([",".join(map(repr, row.tolist()))] * frames) + "\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path

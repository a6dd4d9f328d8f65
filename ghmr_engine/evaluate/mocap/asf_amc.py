"""Reads Acclaim's pair of files: a skeleton of bones (.asf) and their angles in every frame (.amc)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.mocap.capture import Capture
from ghmr_engine.evaluate.mocap.facing import facing_forward
from ghmr_engine.evaluate.mocap.source import bad_capture, check_joints, rate_of, read_numbers, read_text

_MIDDLE = {
    "pelvis": "root", "spine1": "lowerback", "spine2": "upperback", "spine3": "thorax",
    "neck": "lowerneck", "head": "head",
}  # fmt: skip
# The bone `lwrist` is the forearm's lower third; the wrist is where the hand begins.
_SIDE = {
    "hip": "femur", "knee": "tibia", "ankle": "foot", "foot": "toes", "collar": "clavicle",
    "shoulder": "humerus", "elbow": "radius", "wrist": "hand", "hand": "fingers",
}  # fmt: skip
BONES = _MIDDLE | {f"{side}_{part}": f"{side[0]}{bone}" for side in ("left", "right") for part, bone in _SIDE.items()}
"""SMPL's joint name -> the name of the bone that begins there, as CMU names bones."""

_RATE = Fraction(120)
_ANGLES = {"rx": "x", "ry": "y", "rz": "z"}
_PLACES = ("tx", "ty", "tz")
_SHIFTS = (*_PLACES, "l")


@dataclass(frozen=True)
class _Bone:
    end: np.ndarray
    """(3,) from the bone's start to its end at rest, in ASF units."""
    frame: Rotation
    """The bone's axes at rest, in the world."""
    channels: tuple[str, ...]
    """What a frame says about the bone: rx ry rz, and tx ty tz of the root."""


def read_asf_amc(path: Path) -> Capture:
    """The motion of an .amc file on the skeleton beside it: `NN.asf` for `NN_MM.amc`, else the only .asf there.

    Lengths stay in the ASF's units. A bone becomes the joint at its start; the ends of the outermost bones are joints
    NAME_end that do not turn. CMU's rate, 120 Hz, holds where the file names no other.
    """
    amc = read_text(path)
    asf = _skeleton_path(path)
    bones, parents, start = _read_skeleton(read_text(asf), asf)
    values, fps, in_degrees = _read_frames(amc, bones, path)
    names = tuple(bones)
    count = len(next(iter(values.values())))
    rotations = np.tile(np.eye(3), (count, len(names), 1, 1))
    for joint, (name, bone) in enumerate(bones.items()):
        rotations[:, joint] = _turns(bone, values.get(name), in_degrees, count)
    root = np.tile(start, (count, 1))
    for column, channel in enumerate(bones["root"].channels):
        if channel in _PLACES:
            root[:, _PLACES.index(channel)] += values["root"][:, column]
    joints = {name: bone for name, bone in BONES.items() if bone in bones}
    check_joints(joints, asf)
    offsets = np.stack([np.zeros(3), *(bones[names[above]].end for above in parents[1:])])
    return facing_forward(Capture(path.stem, fps, names, parents, offsets, rotations, root, joints))


def _skeleton_path(amc: Path) -> Path:
    own = amc.with_name(f"{amc.stem.split('_')[0]}.asf")
    if own.is_file():
        return own
    found = sorted(path for path in amc.parent.iterdir() if path.suffix.lower() == ".asf")
    if len(found) == 1:
        return found[0]
    many = "are several skeletons, none of them" if found else "is no skeleton"
    raise RecoverError("no_skeleton", f"Beside {amc.name} there {many} {own.name}.", "Put its .asf file there.")


def _read_skeleton(text: str, path: Path) -> tuple[dict[str, _Bone], tuple[int, ...], np.ndarray]:
    """Bones with the root first and every bone after its parent, the parents' indices, and the root's start (3,)."""
    sections = _sections(text)
    lacking = [name for name in (":root", ":bonedata", ":hierarchy") if not sections.get(name)]
    if lacking:
        raise bad_capture(path, f"has no {lacking[0]} section")
    units = {line[0].lower(): line[-1].lower() for line in sections.get(":units", [])}
    in_degrees = not units.get("angle", "deg").startswith("rad")
    root = {line[0].lower(): line[1:] for line in sections[":root"]}
    axes = (root.get("axis") or ["XYZ"])[0]
    frame = _frame(root.get("orientation", ["0", "0", "0"]), axes, in_degrees, path)
    order = tuple(word.lower() for word in root.get("order", []))
    _check_channels(order, "root", path)
    found = {"root": _Bone(np.zeros(3), frame, order)} | _read_bones(sections[":bonedata"], in_degrees, path)
    start = _triple(root.get("position", ["0", "0", "0"]), "the root's position", path)
    return *_ordered(found, sections[":hierarchy"], path), start


def _sections(text: str) -> dict[str, list[list[str]]]:
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words and words[0].startswith(":"):
            lines = sections.setdefault(words[0].lower(), [])
        elif words:
            lines.append(words)
    return sections


def _read_bones(lines: list[list[str]], in_degrees: bool, path: Path) -> dict[str, _Bone]:
    bones = {}
    fields: dict[str, list[str]] = {}
    for key, *words in lines:
        if key == "begin":
            fields = {}
        elif key == "end":
            name, bone = _read_bone(fields, in_degrees, path)
            bones[name] = bone
        else:
            fields[key.lower()] = words
    return bones


def _read_bone(fields: dict[str, list[str]], in_degrees: bool, path: Path) -> tuple[str, _Bone]:
    name = " ".join(fields.get("name", []))
    axis, length = fields.get("axis", []), fields.get("length", [])
    if not name or len(axis) != 4 or len(length) != 1:
        raise bad_capture(path, f"has a bone without a name, an axis or a length: {name or 'no name'}")
    direction = _triple(fields.get("direction", []), f"the direction of {name}", path)
    channels = tuple(word.lower() for word in fields.get("dof", []))
    _check_channels(channels, name, path)
    end = direction * read_numbers(length, path, f"the length of {name}")
    return name, _Bone(end, _frame(axis[:3], axis[3], in_degrees, path), channels)


def _check_channels(channels: tuple[str, ...], bone: str, path: Path) -> None:
    odd = [channel for channel in channels if channel not in (*_ANGLES, *_SHIFTS)]
    if odd or len(set(channels)) < len(channels) or (bone == "root" and not channels):
        raise bad_capture(path, f"has channels of {bone} that no ASF has: {' '.join(channels) or 'none'}")


def _triple(words: list[str], where: str, path: Path) -> np.ndarray:
    if len(words) != 3:
        raise bad_capture(path, f"has {len(words)} numbers instead of 3 in {where}")
    return read_numbers(words, path, where)


def _frame(words: list[str], order: str, in_degrees: bool, path: Path) -> Rotation:
    if sorted(order.upper()) != ["X", "Y", "Z"]:
        raise bad_capture(path, f"has an axis order that is none: {order[:20]}")
    return Rotation.from_euler(order.lower(), _triple(words, "an axis", path), degrees=in_degrees)


def _ordered(bones: dict[str, _Bone], lines: list[list[str]], path: Path) -> tuple[dict[str, _Bone], tuple[int, ...]]:
    """The bones and the ends of the outermost ones, depth first from the root, and the index of each one's parent."""
    below = {line[0]: line[1:] for line in lines if line[0] not in ("begin", "end")}
    unknown = [name for names in below.values() for name in names if name not in bones]
    if unknown:
        raise bad_capture(path, f"has no bone {unknown[0]}, which its hierarchy names")
    found: dict[str, _Bone] = {}
    parents: list[int] = []
    waiting = [("root", -1)]
    while waiting:
        name, above = waiting.pop()
        if name in found:
            raise bad_capture(path, f"has a hierarchy that names {name} twice")
        place = len(found)
        found[name] = bones[name]
        parents.append(above)
        waiting += [(child, place) for child in reversed(below.get(name, []))]
        if not below.get(name):
            found[f"{name}_end"] = _Bone(np.zeros(3), Rotation.identity(), ())
            parents.append(place)
    return found, tuple(parents)


def _read_frames(text: str, bones: dict[str, _Bone], path: Path) -> tuple[dict[str, np.ndarray], Fraction, bool]:
    """Each bone's values (T, its channels), frames a second, and whether angles are degrees."""
    lines = text.splitlines()
    first = next((place for place, line in enumerate(lines) if line.strip().isdecimal()), len(lines))
    fps, in_degrees = _RATE, True
    for line in lines[:first]:
        words = line.lower().split() or [""]
        in_degrees = in_degrees and words[0] != ":radians"
        if words[0] == ":samples-per-second" and len(words) == 2:
            fps = 1 / rate_of(words[1], path)
    layout = _first_frame(lines[first + 1 :])
    if not layout:
        raise bad_capture(path, "has no frames")
    return _values("\n".join(lines[first:]).split(), layout, bones, path), fps, in_degrees


def _values(
    words: list[str], layout: list[tuple[str, int]], bones: dict[str, _Bone], path: Path
) -> dict[str, np.ndarray]:
    """Each bone's values (T, its channels): the first frame's layout serves all, so that frames need no loop."""
    width = 1 + sum(1 + count for _, count in layout)
    if len(words) % width:
        raise bad_capture(path, f"ends in the middle of a frame, or its frames differ (after {len(words) // width})")
    table = np.array(words).reshape(-1, width)
    counted = read_numbers(table[:, 0], path, "the frames' numbers")
    if (np.diff(counted) != 1).any():
        raise bad_capture(path, f"lacks frames after frame {counted[:-1][np.diff(counted) != 1][0]:.0f}")
    values, column = {}, 1
    for name, count in layout:
        _check_bone(name, count, bones, path)
        if (table[:, column] != name).any():
            raise bad_capture(path, "has frames with different bones")
        block = table[:, column + 1 : column + 1 + count]
        values[name] = read_numbers(block.ravel(), path, f"the angles of {name}").reshape(-1, count)
        column += 1 + count
    if "root" not in values:
        raise bad_capture(path, "says nothing about the root")
    return values


def _first_frame(lines: list[str]) -> list[tuple[str, int]]:
    """The first frame's bones and how many numbers each has; `lines` begin after its number."""
    frame = takewhile(lambda line: not line.strip().isdecimal(), lines)
    return [(words[0], len(words) - 1) for words in map(str.split, frame) if words]


def _check_bone(name: str, count: int, bones: dict[str, _Bone], path: Path) -> None:
    if name not in bones:
        raise bad_capture(path, f"moves a bone {name[:20]} that the skeleton lacks", "Put the right .asf beside it.")
    if count != len(bones[name].channels):
        what = f"has {count} numbers for {name}, the skeleton {len(bones[name].channels)}"
        raise bad_capture(path, what, "Put the right .asf beside it.")


def _turns(bone: _Bone, values: np.ndarray | None, in_degrees: bool, count: int) -> np.ndarray:
    """(T, 3, 3) a bone's own turn in the world's axes at rest."""
    columns = [place for place, channel in enumerate(bone.channels) if channel in _ANGLES]
    if values is None or not columns:
        return np.tile(np.eye(3), (count, 1, 1))
    order = "".join(_ANGLES[bone.channels[place]] for place in columns)
    turn = Rotation.from_euler(order, values[:, columns], degrees=in_degrees)
    return (bone.frame * turn * bone.frame.inv()).as_matrix()

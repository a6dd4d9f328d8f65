"""Reads Biovision's .bvh: any hierarchy, any order of channels, names as Mixamo, CMU, Rokoko and Xsens give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ghmr_engine.evaluate.mocap.bvh_names import known_joints
from ghmr_engine.evaluate.mocap.capture import Capture
from ghmr_engine.evaluate.mocap.facing import facing_forward
from ghmr_engine.evaluate.mocap.source import bad_capture, check_joints, rate_of, read_numbers, read_text

_AXES = "xyz"


@dataclass
class _Node:
    name: str
    parent: int
    offset: np.ndarray
    channels: list[str] = field(default_factory=list)
    """As `xposition` and `zrotation`, in the file's order."""
    first: int = 0
    """Its first column in the motion's table."""


def read_bvh(path: Path) -> Capture:
    """The motion of a .bvh file in its own length unit, turned so that it rests upright and faces +z.

    Joints above the pelvis (a `Reference`) are folded into it; what hangs on them otherwise is left out.
    """
    head, marker, motion = read_text(path).partition("MOTION")
    if not marker:
        raise bad_capture(path, "has no MOTION section")
    nodes = _read_hierarchy(head.split(), path)
    seconds, table = _read_motion(motion.split(), nodes, path)
    rotations = np.stack([_turns(node, table) for node in nodes], 1)
    names, parents = tuple(node.name for node in nodes), tuple(node.parent for node in nodes)
    joints = known_joints(names, parents)
    check_joints(joints, path)
    pelvis = names.index(joints["pelvis"])
    turn, root = _pelvis(nodes, pelvis, rotations, table)
    rotations[:, pelvis] = turn
    kept = [joint for joint in range(len(nodes)) if joint == pelvis or _is_below(joint, pelvis, parents)]
    capture = Capture(
        path.stem,
        rate_of(seconds, path),
        tuple(names[joint] for joint in kept),
        tuple(-1 if joint == pelvis else kept.index(parents[joint]) for joint in kept),
        np.stack([nodes[joint].offset for joint in kept]),
        rotations[:, kept],
        root,
        {name: joint for name, joint in joints.items() if names.index(joint) in kept},
    )
    check_joints(capture.joints, path)
    return facing_forward(capture)


def _read_hierarchy(words: list[str], path: Path) -> list[_Node]:
    nodes: list[_Node] = []
    open_nodes: list[int] = []
    column = place = 0
    try:
        while place < len(words):
            word = words[place].upper()
            if word in ("ROOT", "JOINT", "END"):
                nodes.append(_node(word, words[place + 1], nodes, open_nodes, path))
                open_nodes.append(len(nodes) - 1)
                # The brace after the name is stepped over too.
                place += 3
            elif word == "OFFSET":
                nodes[-1].offset = read_numbers(words[place + 1 : place + 4], path, "an offset").reshape(3)
                place += 4
            elif word == "CHANNELS":
                count = int(words[place + 1])
                nodes[-1].channels = _channels(words[place + 2 : place + 2 + count], count, path)
                nodes[-1].first, column = column, column + count
                place += 2 + count
            else:
                _close(word, open_nodes, path)
                place += 1
    except (IndexError, ValueError) as error:
        raise bad_capture(path, "has a broken hierarchy") from error
    if not nodes or open_nodes:
        raise bad_capture(path, "has a hierarchy that does not end" if nodes else "has no skeleton")
    return nodes


def _node(word: str, name: str, nodes: list[_Node], open_nodes: list[int], path: Path) -> _Node:
    if word == "ROOT" and nodes:
        fix = "Export one person to a file."
        raise bad_capture(path, f"holds more than one skeleton ({nodes[0].name}, {name})", fix)
    if word == "END":
        name = f"{nodes[open_nodes[-1]].name}_end"
    elif name in {node.name for node in nodes}:
        raise bad_capture(path, f"has two joints called {name}", "Give every joint a name of its own.")
    return _Node(name, open_nodes[-1] if word != "ROOT" else -1, np.zeros(3))


def _close(word: str, open_nodes: list[int], path: Path) -> None:
    if word == "}":
        open_nodes.pop()
    elif word not in ("{", "HIERARCHY"):
        raise bad_capture(path, f"has the word {word[:20]} where a joint should be")


def _channels(words: list[str], count: int, path: Path) -> list[str]:
    channels = [word.lower() for word in words]
    known = {f"{axis}{kind}" for axis in _AXES for kind in ("position", "rotation")}
    if len(channels) != count or len(set(channels)) != count or not set(channels) <= known:
        raise bad_capture(path, f"has channels that no BVH has: {' '.join(words)[:60]}")
    return channels


def _read_motion(words: list[str], nodes: list[_Node], path: Path) -> tuple[str, np.ndarray]:
    """The frame time as it is written, and the table (T, channels)."""
    if [word.lower() for word in (*words[:1], *words[2:4])] != ["frames:", "frame", "time:"] or len(words) < 5:
        raise bad_capture(path, "does not say `Frames:` and `Frame Time:` after MOTION")
    if not words[1].isdecimal() or words[1].strip("0") == "":
        raise bad_capture(path, f"has no frames (Frames: {words[1][:20]})")
    count, width = int(words[1]), sum(len(node.channels) for node in nodes)
    if len(words) - 5 != count * width:
        what = f"has {len(words) - 5} numbers; {count} frame(s) of {width} channels need {count * width}"
        raise bad_capture(path, what)
    return words[4], read_numbers(words[5:], path, "its frames").reshape(count, width)


def _turns(node: _Node, table: np.ndarray) -> np.ndarray:
    """(T, 3, 3): the first rotation that the file lists turns last."""
    order, columns = _columns(node, "rotation")
    if not order:
        return np.tile(np.eye(3), (len(table), 1, 1))
    return Rotation.from_euler(order.upper(), table[:, columns], degrees=True).as_matrix()


def _place(node: _Node, table: np.ndarray) -> np.ndarray:
    """(T, 3) from the parent to the joint: its position channels where it has any, else its offset."""
    order, columns = _columns(node, "position")
    place = np.tile(np.zeros(3) if order else node.offset, (len(table), 1))
    place[:, [_AXES.index(axis) for axis in order]] = table[:, columns]
    return place


def _columns(node: _Node, kind: str) -> tuple[str, list[int]]:
    found = [(name[0], node.first + place) for place, name in enumerate(node.channels) if name.endswith(kind)]
    return "".join(axis for axis, _ in found), [column for _, column in found]


def _pelvis(nodes: list[_Node], pelvis: int, rotations: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pelvis's whole turn (T, 3, 3) and place (T, 3) in the world."""
    turn, place = rotations[:, pelvis], _place(nodes[pelvis], table)
    joint = nodes[pelvis].parent
    while joint >= 0:
        place = _place(nodes[joint], table) + (rotations[:, joint] @ place[..., None])[..., 0]
        turn = rotations[:, joint] @ turn
        joint = nodes[joint].parent
    return turn, place


def _is_below(joint: int, above: int, parents: tuple[int, ...]) -> bool:
    while joint > above:
        joint = parents[joint]
    return joint == above

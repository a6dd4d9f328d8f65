"""What a motion can be exported as: one table for panel, operator, command line and writers. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..ghmr_engine.errors import RecoverError

Format = Literal["fbx", "gltf", "bvh", "usd", "amass"]
Axes = Literal["z_up", "y_up"]


@dataclass(frozen=True)
class Kind:
    """One way to export."""

    name: str
    """In scripts and on the command line."""
    label: str
    suffix: str
    description: str
    """The tooltip."""
    format: Format
    axes: Axes
    """Up in the file. z_up faces -y there, y_up faces +z."""
    centimetres: bool
    """Otherwise metres."""
    rooted: bool = False
    """A bone on the ground carries the way of the whole body."""
    people_only: bool = False
    """Only a recovered person can be exported so: it goes by SMPL's joints."""


_ALL = (
    Kind(
        "fbx_unreal", "FBX for Unreal", ".fbx",
        "Z up, facing -Y, centimetres, with a root bone on the ground that carries the way",
        "fbx", "z_up", True, rooted=True,
    ),
    Kind(
        "fbx_unity", "FBX for Unity", ".fbx",
        "Y up, facing Z, at scale 1, with a root bone on the ground that carries the way",
        "fbx", "y_up", True, rooted=True,
    ),
    Kind(
        "fbx_mixamo", "FBX with Mixamo's Names", ".fbx",
        "A recovered person with the bones' names that Mixamo gives, for tools that know those",
        "fbx", "y_up", True, people_only=True,
    ),
    Kind(
        "gltf", "glTF", ".glb", "For the web, Godot and viewers: one file with body, bones and the motion as a clip",
        "gltf", "z_up", False,
    ),
    Kind(
        "bvh", "BVH", ".bvh", "Bones only, Y up, centimetres: nearly every animation program reads it",
        "bvh", "y_up", True,
    ),
    Kind("usd", "USD", ".usdc", "Skeleton and body for film pipelines: Z up, metres", "usd", "z_up", False),
    Kind(
        "amass", "AMASS", ".npz", "The body model's numbers for research programs that read AMASS's files",
        "amass", "z_up", False, people_only=True,
    ),
)  # fmt: skip

KINDS = {kind.name: kind for kind in _ALL}
"""By name, in the order in which they are offered."""

_SHORT = {"fbx": "fbx_unreal", "glb": "gltf"}


def kind_named(word: str) -> Kind:
    """The kind by its name as people type it: fbx-unity, or fbx alone for Unreal's. Raises RecoverError."""
    name = word.lower().replace("-", "_")
    kind = KINDS.get(_SHORT.get(name, name))
    if kind is None:
        raise RecoverError("bad_option", f"There is no format {word}.", f"Choose of: fbx, {', '.join(KINDS)}.")
    return kind

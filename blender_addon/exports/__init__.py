"""What a rig shows, written for other programs: FBX, glTF, BVH, USD, and the numbers of AMASS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ..ghmr_engine.errors import RecoverError
from ..takes import take_of
from ..translations import told
from . import place, writers
from .bones import kept, with_root
from .kinds import KINDS, Kind
from .mixamo import as_mixamo
from .motion_shown import Shown, in_units
from .person import write_person
from .stand_in import Looks, stand_in
from .watching import Watched, frames_of, watch

__all__ = ["KINDS", "export_motion", "file_name", "file_words", "why_not"]

_TO_FILE = {"z_up": np.eye(3), "y_up": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])}
"""Blender's axes to the file's."""


def export_motion(
    context_or_scene: bpy.types.Context | bpy.types.Scene, rig: bpy.types.Object, path: Path, kind: str
) -> Path:
    """Write what `rig` shows, a recovered person or any other armature, with its meshes; where the file is.

    Nothing in Blender is changed by it. kind: one of KINDS. A path without the kind's ending gets it; a file that is
    there is replaced. Raises RecoverError, MotionFileError (a person's motion file, for AMASS).
    """
    scene = getattr(context_or_scene, "scene", context_or_scene)
    how = KINDS[kind]
    reason = why_not(rig, how)
    if reason:
        raise RecoverError("cannot_export", f"{told(reason)}.", "Choose another rig, or another format.")
    writers.refuse_missing(how)
    path = place.check_place(Path(path), how.suffix)
    with place.whole_or_nothing(path) as part:
        shown = watch(scene, rig, frames_of(scene, rig))
        if how.format == "amass":
            write_person(scene, rig, shown.motion, part)
        else:
            _write_copy(scene, rig, shown, how, part)
    return path


def why_not(rig: bpy.types.Object | None, kind: Kind) -> str:
    """Why an object cannot be exported so; empty where it can."""
    if rig is None or rig.type != "ARMATURE":
        return "Select a person of a take, or an armature"
    if kind.people_only and not rig.recover_motion.number:
        return "Only people of a take can be exported in this format"
    if rig.mode == "EDIT":
        return "Leave edit mode first"
    return ""


def file_name(name: str, kind: str) -> str:
    """What the file of a rig of this name is called, on any system."""
    return bpy.path.clean_name(name) + KINDS[kind].suffix


def file_words(names: Sequence[str]) -> list[str]:
    """What people of these names are called in files' names, no two of them alike on any system."""
    words = [bpy.path.clean_name(name) for name in names]
    counts = Counter(word.casefold() for word in words)
    return [word if counts[word.casefold()] == 1 else f"{word}_{number}" for number, word in enumerate(words, 1)]


def _write_copy(scene: bpy.types.Scene, rig: bpy.types.Object, shown: Watched, kind: Kind, path: Path) -> None:
    motion, owners, heirs = _arranged(shown.motion, kind)
    turn, size = _TO_FILE[kind.axes], 100.0 if kind.centimetres else 1.0
    motion = in_units(motion, turn, size)
    if kind.format == "gltf":  # seconds from the clip's first frame, so that its sound and its people keep step
        motion = replace(motion, frames=motion.frames - _beginning(scene, rig, motion))
    to_file = np.eye(4)
    to_file[:3, :3] = size * turn
    looks = Looks(
        title=rig.name,
        # Unreal takes a node by another name for a bone.
        armature="Armature" if kind.format == "fbx" else rig.name,
        owners=owners,
        heirs=heirs,
        to_file=Matrix(to_file),
        # The FBX exporter turns objects: turned back beforehand, they are not turned in the file.
        turned=Matrix(turn.T).to_4x4() if kind.format == "fbx" else Matrix(),
        unit_m=1 / size,
        bones_only=kind.format == "bvh",
        sizes=kind.format != "bvh",
    )
    with stand_in(scene, motion, shown.meshes, looks) as copy:
        writers.write(kind, copy, path)


def _arranged(motion: Shown, kind: Kind) -> tuple[Shown, dict[str, str], dict[str, str]]:
    """The bones that the file gets; which of them takes over the weights of each that it does not get, and which of
    them what hung on such a one hangs on."""
    motion, heirs = kept(motion)
    if kind.name == "fbx_mixamo":
        motion, owners = as_mixamo(motion)
        return motion, owners, owners
    return (with_root(motion) if kind.rooted else motion), {}, heirs


def _beginning(scene: bpy.types.Scene, rig: bpy.types.Object, motion: Shown) -> int:
    """The scene frame at which a take's clip begins, or the motion, where that is earlier or of no take."""
    take = take_of(scene, rig) if rig.recover_motion.number else None
    first = int(motion.frames[0])
    return first if take is None else min(first, take.recover_motion.start)

"""One clip's scene without a window: built from its motion file, put onto the animator's rig, exported, saved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import exports
from .headless import save_whole
from .motion import read_motion
from .retarget.settings import RetargetSettings
from .retargeting import bake, retarget
from .rig_files import rigs_from_file
from .rig_maps import kept_map, load, map_for, missing
from .scene.background import clip_to_show
from .scene.build import build_scene
from .takes import people_of


@dataclass(frozen=True)
class Plan:
    """What becomes of every take."""

    rig: Path | None = None
    """A .blend with the rig that each person's motion is put onto; None: people stay as they were recovered."""
    rig_map: Path | None = None
    """JSON file that says which of the rig's bones are what; None: found by itself."""
    kinds: tuple[str, ...] = ()
    """Formats of exports.KINDS that everybody is exported in."""


@dataclass(frozen=True)
class Made:
    """What came of a plan; paths are absolute."""

    blend: Path
    exports: tuple[Path, ...]
    retarget: dict[str, dict[str, float]]
    """Figures of each person on the rig."""
    warnings: tuple[str, ...] = ()
    """What the map names and the rig lacks."""


def make_scene(motion_path: Path, clip: Path, out: Path, plan: Plan) -> Made:
    """Build the take in an empty file, do what the plan says, and save it as `out`, whole or not at all.

    Exports lie beside it: NAME_person1.fbx. The add-on has to be on. Raises RecoverError, MotionFileError, OSError.
    """
    motion = read_motion(motion_path)
    # Not read_factory_settings, which would switch the user's add-ons off, and this one.
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True, load_ui=False)
    take = build_scene(bpy.context.scene, motion, motion_path, clip_to_show(motion, motion_path, clip))
    people = {person.recover_motion.number: person for person in people_of(take)}
    known = motion.meta.get("names", {})
    words = dict(zip(people, exports.file_words([known.get(each) or f"person{each}" for each in people]), strict=True))
    figures = {}
    if plan.rig is not None:
        for number, person in people.items():
            people[number], figures[words[number]] = _onto_rig(person, plan)
    save_whole(out)
    written = tuple(
        exports.export_motion(bpy.context, rig, _export_path(out, words[number], kind, plan.kinds), kind)
        for kind in plan.kinds
        for number, rig in people.items()
    )
    rigs = people.values() if plan.rig is not None else ()
    return Made(out, written, figures, tuple({text: None for rig in rigs for text in missing(rig, kept_map(rig))}))


def _onto_rig(person: bpy.types.Object, plan: Plan) -> tuple[bpy.types.Object, dict[str, float]]:
    """A copy of the rig with the person's motion baked onto it, and how well it went."""
    rig = rigs_from_file(plan.rig)
    rig_map = load(plan.rig_map) if plan.rig_map is not None else map_for(rig)
    report = retarget(person, rig, rig_map, RetargetSettings())
    bake(rig)
    figures = {"limbs off, degrees": report.directions_deg.mean, "feet sink in, mm": report.sunk_mm}
    if report.sliding_mm is not None:
        figures |= {"feet slide a frame, mm": report.sliding_mm.mean, "at most, mm": report.sliding_mm.greatest}
    return rig, {name: round(value, 3) for name, value in figures.items()}


def _export_path(out: Path, person: str, kind: str, kinds: tuple[str, ...]) -> Path:
    """NAME_PERSON.SUFFIX, with the kind before it where another one has the same ending."""
    suffix = exports.KINDS[kind].suffix
    shared = Counter(exports.KINDS[each].suffix for each in kinds)[suffix] > 1
    return out.with_name(f"{out.stem}_{person}{f'_{kind}' if shared else ''}{suffix}")

"""A person's motion on the animator's own rig: put on, updated, taken off again, or baked for good.

The rig gets an action of its own; what it had before is kept with it (rig_before.py) until the motion is baked.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import bpy
import numpy as np

from . import runner
from .compat import Curves, curves_in, new_action
from .ghmr_engine.errors import RecoverError
from .retarget.channels import turn_channels
from .retarget.local_basis import basis
from .retarget.measure import Report, Spread, measured
from .retarget.performance import Performance
from .retarget.rig_map import RigMap, from_text
from .retarget.rig_rest import RigRest
from .retarget.rigify import org_skeleton
from .retarget.settings import RetargetSettings
from .retarget.solve import solve
from .retarget_settings import keep_settings, settings_of
from .rig_before import keep_before, keep_switches, kept_switches, put_back
from .rig_maps import keep_map, kept_map
from .rigify_controls import put_back as switch_back
from .rigify_controls import write_rigify
from .rigs import rest_of_rig
from .scene.keys import key_values, write_curves
from .scene.performance import write_cycle
from .shown_motion import performance_of, pose_over
from .translations import told

_LOOKED_AT, _BLOCK = 120, 12
"""So many frames are measured at most, in blocks of so many that follow each other."""


def retarget(person: bpy.types.Object, rig: bpy.types.Object, rig_map: RigMap, settings: RetargetSettings) -> Report:
    """Put a person's motion, as it is shown now, onto a rig; what was put there before is replaced.

    The rig must be one of this file's, or an override (editable_rig). How well it went, measured on what Blender shows.
    Raises RecoverError; the rig is then as it was.
    """
    _check(person, rig)
    bpy.context.view_layer.update()  # what a script moved just now is where it was before that
    render = bpy.context.scene.render
    performance = performance_of(person, render.fps / render.fps_base)
    rest = rest_of_rig(rig)
    write = _WRITERS[rig_map.kind]
    ready = write(rig, rest, rig_map, performance, settings)  # all that can fail is done before the rig is touched
    if is_retargeted(rig):
        _keep_changed(rig)
        _take_off(rig)
    keep_before(rig, *ready.bones, mute=not ready.constrained)
    own = rig.recover_motion_retarget
    try:
        curves = new_action(f"{rig.name} {person.name}", rig)
        keep_switches(rig, ready.write(curves) or [])
    except BaseException:
        put_back(rig)
        raise
    if person.recover_motion_fixes.loop:
        write_cycle(curves, True, stays=settings.root == "in_place", names=None)
    own.person, own.action = person, curves.action
    if kept_map(rig) != rig_map:
        keep_map(rig, rig_map)
    own.written = checksum(curves.action)
    keep_settings(rig, settings)
    report = _look(performance, rest, rig_map, settings, rig)
    own.report = json.dumps(asdict(report))
    return report


def update(rig: bpy.types.Object) -> Report:
    """The same once more: the person's motion, the map and the settings as they are now. Raises RecoverError."""
    own = rig.recover_motion_retarget
    _check_shown(rig, "Press Retarget first.")
    if own.person is None:
        raise RecoverError(
            "person_gone", told("The person whose motion {rig} shows is gone.", rig=rig.name),
            "Bake the motion, or choose another person and retarget.",
        )  # fmt: skip
    return retarget(own.person, rig, from_text(own.map), settings_of(rig))


def remove(rig: bpy.types.Object) -> None:
    """Take the motion off: the rig is as it was before. Keys made on it by hand stay, in an action of theirs."""
    _check_shown(rig, "Nothing to remove.")
    _keep_changed(rig)
    _take_off(rig)


def bake(rig: bpy.types.Object) -> bpy.types.Action:
    """Make it final: the action is the rig's own from now on, marked as an asset; nothing is put back any more, and
    the former action stays in the file. Raises RecoverError."""
    own = rig.recover_motion_retarget
    _check_shown(rig, "Press Retarget first.")
    action, person = own.action, own.person
    if action is None or rig.animation_data is None or rig.animation_data.action != action:
        raise RecoverError(
            "other_action", told("{rig} has another action now.", rig=rig.name), "Press Update first, or Remove."
        )
    action.asset_mark()
    said = action.asset_data
    said.description = told("{person} on {rig}", person=person.name if person else "?", rig=rig.name)
    said.author = "Recover Motion"
    licence = person.get("licence", "") if person is not None else ""
    said.license = licence
    for tag in filter(None, ("Recover Motion", licence)):
        said.tags.new(tag, skip_if_exists=True)
    _keep_unused(own.former)
    if not rig.animation_data.nla_tracks:  # or it would not move once it is pushed down
        rig.animation_data.use_nla = True
    own.action = own.former = None
    own.before = own.written = ""
    return action


def is_retargeted(rig: bpy.types.Object) -> bool:
    """Whether a motion was put onto it that can be taken off again, even where its action is gone."""
    return bool(rig.recover_motion_retarget.before)


def report_of(rig: bpy.types.Object) -> Report | None:
    """How well it went the last time; None where it never did."""
    text = rig.recover_motion_retarget.report
    if not text:
        return None
    values = json.loads(text)
    return Report(**{name: Spread(**value) if isinstance(value, dict) else value for name, value in values.items()})


def checksum(action: bpy.types.Action) -> str:
    """Of all keys of an action."""
    total = 0
    for curve in curves_in(action):
        total = zlib.crc32(f"{curve.data_path} {curve.array_index}".encode() + key_values(curve).tobytes(), total)
    return f"{total:08x}"


def _check(person: bpy.types.Object, rig: bpy.types.Object) -> None:
    if rig.type != "ARMATURE" or rig.recover_motion.number:
        raise RecoverError("no_rig", told("{rig} is no rig.", rig=rig.name), "Choose your character's armature.")
    if rig.library is not None:
        raise RecoverError(
            "linked_rig", told("{rig} is linked from another file.", rig=rig.name),
            "Make a library override of it: Retarget does so by itself.",
        )  # fmt: skip
    if rig.mode == "EDIT" or person.mode == "EDIT":
        raise RecoverError("edit_mode", "An armature is in edit mode.", "Leave edit mode first.")
    _check_tweaked(rig)


def _check_shown(rig: bpy.types.Object, fix: str) -> None:
    if not is_retargeted(rig):
        raise RecoverError("not_retargeted", told("{rig} shows nobody's motion.", rig=rig.name), fix)
    _check_tweaked(rig)


def _check_tweaked(rig: bpy.types.Object) -> None:
    """In tweak mode Blender gives a rig no other action."""
    if rig.animation_data is not None and rig.animation_data.use_tweak_mode:
        raise RecoverError(
            "tweak_mode", told("A strip of {rig} is in tweak mode.", rig=rig.name), "Leave tweak mode in the NLA first."
        )


def _keep_changed(rig: bpy.types.Object) -> None:
    """What somebody keyed on top of the motion, or into another action that the rig was given meanwhile, is not thrown
    away: that action stays in the file, and it is said."""
    own, animation = rig.recover_motion_retarget, rig.animation_data
    other = animation.action if animation is not None else None
    if other not in (None, own.action, own.former) and checksum(other) != own.written:
        _keep_unused(other)
        _say_kept(rig, other)
    if own.action is not None and checksum(own.action) != own.written:
        own.action.name = f"{own.action.name} edited"
        own.action.use_fake_user = True
        _say_kept(rig, own.action)
        own.action = None


def _keep_unused(action: bpy.types.Action | None) -> None:
    """An action that nothing else uses would be gone once the file is saved."""
    if action is not None and action.library is None and action.users <= 1:
        action.use_fake_user = True


def _say_kept(rig: bpy.types.Object, action: bpy.types.Action) -> None:
    runner.tell(told("Keys made by hand on {rig} are kept in the action {name}.", rig=rig.name, name=action.name))


def _take_off(rig: bpy.types.Object) -> None:
    own = rig.recover_motion_retarget
    switches, action = kept_switches(rig), own.action
    put_back(rig)
    switch_back(rig, switches)
    own.action, own.written, own.report = None, "", ""
    if action is not None and action.users - action.use_fake_user == 0:
        bpy.data.actions.remove(action)


@dataclass(frozen=True)
class _Ready:
    """A motion that only has to be written."""

    bones: tuple[list[str], list[str]]
    """Names of those that get keys, and of those that go to rest."""
    write: Callable[[Curves], list[list] | None]
    """What writes it, and says which of the rig's own switches it set."""
    constrained: bool = False
    """The bones' constraints are part of how the rig works."""


def _ready_bones(
    rig: bpy.types.Object, rest: RigRest, rig_map: RigMap, performance: Performance, settings: RetargetSettings
) -> _Ready:
    """Keys on the very bones of the map."""
    solved = solve(performance, rest, rig_map, settings)
    moved = solved.turned | solved.placed
    keyed = [rest.names[bone] for bone in np.flatnonzero(moved)]
    holds = np.append(np.diff(solved.frames) > 1, False)

    def write(curves: Curves) -> None:
        for bone in np.flatnonzero(moved).tolist():
            name = rest.names[bone]
            turns, places = basis(rest, solved.matrices, bone)
            prop, values = turn_channels(turns, rest.rotation_modes[bone])
            path = f'pose.bones["{bpy.utils.escape_identifier(name)}"]'
            if solved.placed[bone]:
                write_curves(curves, f"{path}.location", solved.frames, places, name, holds)
            else:
                rig.pose.bones[name].location = (0, 0, 0)
            rig.pose.bones[name].scale = (1, 1, 1)
            if solved.turned[bone]:
                write_curves(curves, f"{path}.{prop}", solved.frames, values, name, holds)

    return _Ready((keyed, _between(rest, solved.turned)), write)


def _between(rest: RigRest, turned: np.ndarray) -> list[str]:
    """Bones that turned ones hang on, without a turn of their own."""
    found = set()
    for bone in np.flatnonzero(turned).tolist():
        above = int(rest.parents[bone])
        while above >= 0:
            if not turned[above]:
                found.add(above)
            above = int(rest.parents[above])
    return [rest.names[bone] for bone in sorted(found)]


def _ready_rigify(
    rig: bpy.types.Object, rest: RigRest, rig_map: RigMap, performance: Performance, settings: RetargetSettings
) -> _Ready:
    """Keys on Rigify's controls, which bring its ORG bones to where they are solved."""
    solved = solve(performance, org_skeleton(rest, rig_map), rig_map, settings)
    controls = [name for name in rest.names if not name.startswith(("ORG-", "DEF-", "MCH-", "VIS_"))]

    def write(curves: Curves) -> list[list]:
        return write_rigify(rig, curves, rest, rig_map, solved, performance.fps, settings)

    return _Ready((controls, []), write, constrained=True)


_WRITERS = {"bones": _ready_bones, "rigify": _ready_rigify}


def _look(
    performance: Performance, rest: RigRest, rig_map: RigMap, settings: RetargetSettings, rig: bpy.types.Object
) -> Report:
    """Measured on what Blender shows, at some of the frames."""
    rows = _looked_at(len(performance.frames))
    names = [name for name in rest.names if any(name in bones for bones in rig_map.bones.values())]
    index = [rest.names.index(name) for name in names]
    matrices = np.tile(rest.matrices, (len(rows), 1, 1, 1))
    matrices[:, index] = pose_over(rig, names, performance.frames[rows])[0]
    seen = replace(
        performance, frames=performance.frames[rows], turns=performance.turns[rows],
        places=performance.places[rows], contacts=performance.contacts[rows],
    )  # fmt: skip
    return measured(seen, rest, rig_map, matrices, stays=settings.root == "in_place")


def _looked_at(count: int) -> np.ndarray:
    """Rows of so many frames, in blocks that are spread evenly."""
    if count <= _LOOKED_AT:
        return np.arange(count)
    starts = np.linspace(0, count - _BLOCK, _LOOKED_AT // _BLOCK).astype(int)
    return np.unique(starts[:, None] + np.arange(_BLOCK))

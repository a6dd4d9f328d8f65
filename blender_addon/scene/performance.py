"""A person's action: pose, place, presence and foot contacts over time."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..compat import Curves, new_action, own_curves
from ..motion import CONTACT_LEVEL, CONTACT_NAMES, JOINT_NAMES, Person
from .keys import changes, write_curves, write_steps
from .sampling import Sampling, sampling
from .skeleton import RestSkeleton, bone_quaternions, pelvis_locations, pelvis_world
from .timing import Clock, presence

_CONTACT_GROUP = "Foot contact"
_CYCLE = "Recover Motion loop"
_PRESENCE = ("hide_viewport", "hide_render")


def animate_person(
    armature: bpy.types.Object,
    body: bpy.types.Object,
    person: Person,
    rest: RestSkeleton,
    clock: Clock,
    clip_frames: int,
) -> Iterator[None]:
    """Give the armature its action, and the body the same presence, in steps. clip_frames: T."""
    curves = new_action(armature.name, armature)
    keys = sampling(person.frames, clock)
    write_contacts(armature, curves, keys, person.contacts >= CONTACT_LEVEL)
    yield
    yield from write_pose(curves, keys, person, rest)
    write_presence((armature, body), person.frames, clock, clip_frames)


def write_pose(curves: Curves, keys: Sampling, person: Person, rest: RestSkeleton) -> Iterator[None]:
    """Root first, a bone a step; a person who leaves stands still, hidden, until the return."""
    for path, bone, values in pose_channels(keys, person, rest):
        write_curves(curves, path, keys.at, values, bone, keys.holds)
        yield


def pose_channels(keys: Sampling, person: Person, rest: RestSkeleton) -> Iterator[tuple[str, str, np.ndarray]]:
    """Data path, bone and values (M, C) at the keys, channel by channel: the pelvis' place, then every bone's turn."""
    locations = pelvis_locations(rest, pelvis_world(person.joints, person.transl))
    quaternions = keys.turns(bone_quaternions(rest, person.poses))
    yield f'pose.bones["{JOINT_NAMES[0]}"].location', JOINT_NAMES[0], keys.values(locations)
    for index, name in enumerate(JOINT_NAMES):
        yield f'pose.bones["{name}"].rotation_quaternion', name, quaternions[:, index]


def write_presence(owners: tuple[bpy.types.Object, ...], seen: np.ndarray, clock: Clock, clip_frames: int) -> None:
    """Hide armature and body while the person is away: no keys where the clip shows them all the time.

    seen (N,): the person's frames. clip_frames: T.
    """
    spans = presence(seen, clock.motion_fps)
    for owner in owners:
        curves = own_curves(owner)
        if spans != [(0, clip_frames - 1)]:
            _write_presence(curves or new_action(owner.name, owner), spans, clock, clip_frames)
            continue
        for path in _PRESENCE:
            curve = curves.fcurves.find(path) if curves is not None else None
            if curve is not None:
                curves.fcurves.remove(curve)
                setattr(owner, path, False)


def _write_presence(curves: Curves, spans: list[tuple[int, int]], clock: Clock, clip_frames: int) -> None:
    """Hidden, in the viewport and in renders, wherever the clip does not show the person."""
    hidden_at = {0: True} | {edge: hidden for a, b in spans for edge, hidden in ((a, False), (b + 1, True))}
    # What comes after the clip is not known: who was there at its end stays.
    hidden_at.pop(clip_frames, None)
    # Who comes between two whole frames is there from the later one on, where the first key of the pose is.
    frames = np.ceil(clock.scene_frames(np.array(list(hidden_at))) - 1e-6)
    hidden = np.array(list(hidden_at.values()))
    for path in _PRESENCE:
        write_steps(curves, path, frames, hidden, "Presence")


def write_contacts(armature: bpy.types.Object, curves: Curves, keys: Sampling, planted: np.ndarray) -> None:
    """Four properties with keys, coloured in the dope sheet, and a pose marker wherever one changes.

    planted (N, 4) bool.
    """
    planted = keys.nearest(planted)
    for index, contact in enumerate(CONTACT_NAMES):
        write_contact(armature, curves, contact, keys.at, planted[:, index])


def write_contact(
    armature: bpy.types.Object, curves: Curves, contact: str, frames: np.ndarray, planted: np.ndarray
) -> None:
    """One of them, anew where it was there. frames (M,) scene frames, planted (M,) bool."""
    name, (side, part) = f"contact_{contact}", contact.split("_")
    if name not in armature:
        armature[name] = 0
        armature.id_properties_ui(name).update(
            min=0, max=1, description=f"1 while the {side} {part} is planted on the ground"
        )
    write_steps(curves, contact_path(contact), frames, planted, _CONTACT_GROUP, ("BREAKDOWN", "EXTREME"))
    curves.groups[_CONTACT_GROUP].show_expanded = True
    names = {word: f"{side[0].upper()} {part} {word}" for word in ("down", "up")}
    markers = curves.action.pose_markers
    for marker in [marker for marker in markers if marker.name in names.values()]:
        markers.remove(marker)
    for place in np.flatnonzero(changes(planted)):
        if place or planted[0]:
            markers.new(names["down" if planted[place] else "up"]).frame = int(frames[place])


def contact_path(contact: str) -> str:
    """Data path of one of CONTACT_NAMES on the armature."""
    return f'["contact_{contact}"]'


def write_cycle(
    curves: Curves, repeats: bool, *, stays: bool, names: tuple[str, ...] | None = tuple(JOINT_NAMES)
) -> None:
    """Let the pose repeat after its last key, or no longer. stays: the place on the ground repeats too; otherwise each
    round goes on from where the last one has come to. names: of the bones, None: all."""
    # Not foot IK's bones: their keys have other ends.
    starts = ("pose.bones[",) if names is None else tuple(f'pose.bones["{name}"]' for name in names)
    for curve in curves.fcurves:
        if not curve.data_path.startswith(starts):
            continue
        found = next((item for item in curve.modifiers if item.type == "CYCLES" and item.name == _CYCLE), None)
        if not repeats:
            if found is not None:
                curve.modifiers.remove(found)
            continue
        found = found or curve.modifiers.new("CYCLES")
        found.name = _CYCLE
        goes_on = curve.data_path.endswith("location") and not stays
        found.mode_before, found.mode_after = "NONE", "REPEAT_OFFSET" if goes_on else "REPEAT"

"""A person's action: pose, place, presence and foot contacts over time."""

from __future__ import annotations

import bpy
import numpy as np

from ..compat import Curves, new_action
from ..motion import CONTACT_NAMES, JOINT_NAMES, Person
from .keys import changes, write_curves, write_steps
from .skeleton import RestSkeleton, bone_quaternions, pelvis_locations, pelvis_world
from .timing import Clock, presence

CONTACT_LEVEL = 0.5
"""From this probability on a foot counts as planted."""

_CONTACT_GROUP = "Foot contact"


def animate_person(
    armature: bpy.types.Object,
    body: bpy.types.Object,
    person: Person,
    rest: RestSkeleton,
    clock: Clock,
    clip_frames: int,
) -> None:
    """Give the armature its action, and the body the same presence. clip_frames: T."""
    curves = new_action(armature.name, armature)
    frames = clock.scene_frames(person.frames)
    spans = presence(person.frames, clock.motion_fps)
    _write_contacts(armature, curves, frames, person.contacts >= CONTACT_LEVEL)
    _write_pose(curves, frames, person, rest, holds=_last_before_absence(person.frames, spans))
    if spans != [(0, clip_frames - 1)]:
        _write_presence(curves, spans, clock, clip_frames)
        _write_presence(new_action(body.name, body), spans, clock, clip_frames)


def _write_pose(curves: Curves, frames: np.ndarray, person: Person, rest: RestSkeleton, holds: np.ndarray) -> None:
    """Root first; a person who leaves stands still, hidden, until the return."""
    locations = pelvis_locations(rest, pelvis_world(person.joints, person.transl))
    quaternions = bone_quaternions(rest, person.poses)
    write_curves(curves, f'pose.bones["{JOINT_NAMES[0]}"].location', frames, locations, JOINT_NAMES[0], holds)
    for index, name in enumerate(JOINT_NAMES):
        path = f'pose.bones["{name}"].rotation_quaternion'
        write_curves(curves, path, frames, quaternions[:, index], name, holds)


def _last_before_absence(frames: np.ndarray, spans: list[tuple[int, int]]) -> np.ndarray:
    """(N,) bool: keys after which the person is away."""
    return np.isin(frames, [last for _, last in spans[:-1]])


def _write_presence(curves: Curves, spans: list[tuple[int, int]], clock: Clock, clip_frames: int) -> None:
    """Hidden, in the viewport and in renders, wherever the clip does not show the person."""
    hidden_at = {0: True} | {edge: hidden for a, b in spans for edge, hidden in ((a, False), (b + 1, True))}
    # What comes after the clip is not known: who was there at its end stays.
    hidden_at.pop(clip_frames, None)
    frames, hidden = clock.scene_frames(np.array(list(hidden_at))), np.array(list(hidden_at.values()))
    for path in ("hide_viewport", "hide_render"):
        write_steps(curves, path, frames, hidden, "Presence")


def _write_contacts(armature: bpy.types.Object, curves: Curves, frames: np.ndarray, planted: np.ndarray) -> None:
    """Four properties with keys, coloured in the dope sheet, and a pose marker wherever one changes.

    planted (N, 4) bool.
    """
    for index, contact in enumerate(CONTACT_NAMES):
        name = f"contact_{contact}"
        side, part = contact.split("_")
        armature[name] = 0
        armature.id_properties_ui(name).update(
            min=0, max=1, description=f"1 while the {side} {part} is planted on the ground"
        )
        write_steps(curves, f'["{name}"]', frames, planted[:, index], _CONTACT_GROUP, ("BREAKDOWN", "EXTREME"))
        for place in np.flatnonzero(changes(planted[:, index])):
            if place == 0 and not planted[0, index]:
                continue
            word = "down" if planted[place, index] else "up"
            marker = curves.action.pose_markers.new(f"{side[0].upper()} {part} {word}")
            marker.frame = round(frames[place])
    curves.groups[_CONTACT_GROUP].show_expanded = True

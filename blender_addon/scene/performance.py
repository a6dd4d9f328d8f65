"""A person's action: pose, place, presence and foot contacts over time."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..compat import Curves, new_action
from ..motion import CONTACT_NAMES, JOINT_NAMES, Person
from .keys import changes, write_curves, write_steps
from .sampling import Sampling, sampling
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
) -> Iterator[None]:
    """Give the armature its action, and the body the same presence, in steps. clip_frames: T."""
    curves = new_action(armature.name, armature)
    spans = presence(person.frames, clock.motion_fps)
    keys = sampling(person.frames, clock)
    write_contacts(armature, curves, keys, person.contacts >= CONTACT_LEVEL)
    yield
    yield from write_pose(curves, keys, person, rest)
    if spans != [(0, clip_frames - 1)]:
        _write_presence(curves, spans, clock, clip_frames)
        _write_presence(new_action(body.name, body), spans, clock, clip_frames)


def write_pose(curves: Curves, keys: Sampling, person: Person, rest: RestSkeleton) -> Iterator[None]:
    """Root first, a bone a step; a person who leaves stands still, hidden, until the return."""
    locations = pelvis_locations(rest, pelvis_world(person.joints, person.transl))
    quaternions = keys.turns(bone_quaternions(rest, person.poses))
    path = f'pose.bones["{JOINT_NAMES[0]}"].location'
    write_curves(curves, path, keys.at, keys.values(locations), JOINT_NAMES[0], keys.holds)
    for index, name in enumerate(JOINT_NAMES):
        path = f'pose.bones["{name}"].rotation_quaternion'
        write_curves(curves, path, keys.at, quaternions[:, index], name, keys.holds)
        yield


def _write_presence(curves: Curves, spans: list[tuple[int, int]], clock: Clock, clip_frames: int) -> None:
    """Hidden, in the viewport and in renders, wherever the clip does not show the person."""
    hidden_at = {0: True} | {edge: hidden for a, b in spans for edge, hidden in ((a, False), (b + 1, True))}
    # What comes after the clip is not known: who was there at its end stays.
    hidden_at.pop(clip_frames, None)
    # Who comes between two whole frames is there from the later one on, where the first key of the pose is.
    frames = np.ceil(clock.scene_frames(np.array(list(hidden_at))) - 1e-6)
    hidden = np.array(list(hidden_at.values()))
    for path in ("hide_viewport", "hide_render"):
        write_steps(curves, path, frames, hidden, "Presence")


def write_contacts(armature: bpy.types.Object, curves: Curves, keys: Sampling, planted: np.ndarray) -> None:
    """Four properties with keys, coloured in the dope sheet, and a pose marker wherever one changes.

    planted (N, 4) bool.
    """
    planted = keys.nearest(planted)
    for index, contact in enumerate(CONTACT_NAMES):
        name = f"contact_{contact}"
        side, part = contact.split("_")
        armature[name] = 0
        armature.id_properties_ui(name).update(
            min=0, max=1, description=f"1 while the {side} {part} is planted on the ground"
        )
        write_steps(curves, f'["{name}"]', keys.at, planted[:, index], _CONTACT_GROUP, ("BREAKDOWN", "EXTREME"))
        for place in np.flatnonzero(changes(planted[:, index])):
            if place == 0 and not planted[0, index]:
                continue
            word = "down" if planted[place, index] else "up"
            marker = curves.action.pose_markers.new(f"{side[0].upper()} {part} {word}")
            marker.frame = int(keys.at[place])
    curves.groups[_CONTACT_GROUP].show_expanded = True

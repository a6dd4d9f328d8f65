"""Another program's people and camera, placed in our world: z up, metres, feet on z = 0, the first camera along +y."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ghmr_engine.body.smpl import OPEN_BODY, Body
from ghmr_engine.others.axes import Z_UP, turn_about_z, turn_to_z
from ghmr_engine.others.bodies import legs_of, own_betas, pelvis, size_of_steps, sized
from ghmr_engine.others.planted import planted, seen_from
from ghmr_engine.others.record import Other, OtherPerson
from ghmr_engine.types import WorldPerson
from ghmr_engine.world.contacts import find_contacts
from ghmr_engine.world.gravity import find_up, ground_level

_BESIDE_M, _EYE_M = 4.0, 1.2
"""Where a camera that nobody knows is put: so far before everybody, so high."""


@dataclass(frozen=True)
class CameraPath:
    """The camera's. T frames."""

    R: np.ndarray
    """(T, 3, 3) world to camera."""
    t: np.ndarray
    """(T, 3) m."""
    known: np.ndarray
    """(T,) bool: elsewhere it is as in the nearest frame."""

    def moved(self, turn: np.ndarray, shift: np.ndarray) -> CameraPath:
        """In the world x' = turn x + shift."""
        R = self.R @ turn.T
        return replace(self, R=R, t=self.t - R @ shift)


@dataclass(frozen=True)
class _Walker:
    """One person on the way into our world."""

    source: OtherPerson
    frames: np.ndarray
    rotations: np.ndarray
    """(N, 24, 3, 3), the root's in the world as it is by now."""
    pelvis: np.ndarray
    """(N, 3) m."""
    body: Body
    contacts: np.ndarray | None = None

    def moved(self, turn: np.ndarray, shift: np.ndarray) -> _Walker:
        """In the world x' = turn x + shift."""
        rotations = self.rotations.copy()
        rotations[:, 0] = turn @ rotations[:, 0]
        return replace(self, rotations=rotations, pelvis=self.pelvis @ turn.T + shift)

    def posed(self) -> tuple[np.ndarray, np.ndarray]:
        """Joints (N, 24, 3) and foot points (N, 4, 3), m."""
        like = self.body.v_template
        betas = torch.as_tensor(own_betas(self.source, self.body)).to(like)
        with torch.no_grad():
            posed = self.body.forward(torch.as_tensor(self.rotations).to(like), torch.zeros(len(self.frames), 3), betas)
        joints, feet = posed.joints.double().numpy(), posed.contacts.double().numpy()
        shift = (self.pelvis - joints[:, 0])[:, None]
        return joints + shift, feet + shift


@dataclass(frozen=True)
class Placed:
    """All of it in our world."""

    people: tuple[WorldPerson, ...]
    bodies: tuple[Body, ...]
    """One of each person's size."""
    camera: CameraPath | None
    """None where nothing is known of it."""


def place(other: Other, body: Body, count: int, fps: float) -> Placed:
    """Everybody, and the camera where it is known, in one world. count: T, frames of the clip."""
    camera = _given_camera(other, count) or _camera_of(other, body, count)
    people = [_walker(person, body, camera, count) for person in other.people]
    up = other.up if other.up is not None else _found_up(people, camera, fps)
    turn = turn_to_z(up)
    people = [person.moved(turn, np.zeros(3)) for person in people]
    camera = None if camera is None else camera.moved(turn, np.zeros(3))
    through = camera is not None and all(person.world is None for person in other.people)
    people = [_standing_on(person, camera if through else None, fps) for person in people]
    if other.own_worlds:
        people, camera = _in_one_world(people, camera, body)
    if camera is not None:
        people, camera = _facing_y(people, camera)
    people, camera = _on_ground(people, camera)
    return Placed(
        tuple(_finished(person, number) for number, person in enumerate(people, 1)),
        tuple(person.body for person in people),
        camera,
    )


def somewhere(people: tuple[WorldPerson, ...], count: int) -> CameraPath:
    """A camera where none is known: it stands before everybody and looks along +y. count: T."""
    places = np.concatenate([person.transl for person in people])
    low, high = places.min(0), places.max(0)
    away = max(_BESIDE_M, float((high - low)[0]))
    R = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    t = -R @ np.array([(low + high)[0] / 2, low[1] - away, _EYE_M])
    return CameraPath(np.tile(R, (count, 1, 1)), np.tile(t, (count, 1)), np.zeros(count, bool))


def _given_camera(other: Other, count: int) -> CameraPath | None:
    if other.R is None or other.t is None:
        return None
    return _filled(other.R[:count], other.t[:count], np.arange(min(len(other.R), count)), count)


def _camera_of(other: Other, body: Body, count: int) -> CameraPath | None:
    """From where somebody is in the camera and in the world: whoever is seen longest; the world is the camera's frame
    where there is no other."""
    both = [person for person in other.people if person.world is not None and person.camera is not None]
    if not both:
        return None if other.people[0].camera is None else CameraPath(
            np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3)), np.ones(count, bool)
        )  # fmt: skip
    person = max(both, key=lambda one: len(one.frames))
    R = person.camera.root @ np.swapaxes(person.world.root, -1, -2)
    t = pelvis(person.camera, person, body) - np.einsum("nij,nj->ni", R, pelvis(person.world, person, body))
    inside = person.frames < count
    return _filled(R[inside], t[inside], person.frames[inside], count)


def _filled(R: np.ndarray, t: np.ndarray, frames: np.ndarray, count: int) -> CameraPath:
    """For all frames: where nothing is said, as in the nearest frame in which something is."""
    after = np.searchsorted(frames, np.arange(count)).clip(max=len(frames) - 1)
    before = (after - 1).clip(min=0)
    nearer = np.abs(frames[before] - np.arange(count)) < np.abs(frames[after] - np.arange(count))
    nearest = np.where(nearer, before, after)
    return CameraPath(R[nearest], t[nearest], np.isin(np.arange(count), frames))


def _walker(person: OtherPerson, body: Body, camera: CameraPath | None, count: int) -> _Walker:
    inside = person.frames < count
    frames = person.frames[inside]
    if person.world is not None:
        root, place = person.world.root[inside], pelvis(person.world, person, body)[inside]
    else:
        back = np.swapaxes(camera.R[frames], -1, -2)
        root = back @ person.camera.root[inside]
        seen = pelvis(person.camera, person, body)[inside] - camera.t[frames]
        place = np.einsum("nij,nj->ni", back, seen)
    rotations = np.concatenate([root[:, None], person.joints[inside]], 1)
    if person.rest is not None:
        own = legs_of(body.joints_template.double().numpy())
        body = sized(body, float(np.clip(legs_of(person.rest) / own, 0.5, 2.0)))
    contacts = None if person.contacts is None else person.contacts[inside]
    return _Walker(person, frames, rotations, place, body, contacts)


def _found_up(people: list[_Walker], camera: CameraPath, fps: float) -> np.ndarray:
    """Up in the world, from how people stand and step; world/gravity.py looks from the first camera."""
    first, shift = camera.R[0], camera.t[0]
    seen = [person.moved(first, shift) for person in people]
    posed = [person.posed() for person in seen]
    axes = np.concatenate([_standing(joints) for joints, _ in posed])
    up, _ = find_up(axes, [np.zeros((0, 3))] * len(people), fps)
    turn = turn_to_z(up)
    stances = []
    for person, (_, feet) in zip(seen, posed, strict=True):
        rests = find_contacts(feet @ turn.T, person.frames, np.zeros((len(feet), 3)), fps, False)
        stances.append(feet[rests > 0.5])
    up, _ = find_up(axes, stances, fps)
    return first.T @ up


def _standing(joints: np.ndarray) -> np.ndarray:
    """(A, 3) unit, from feet to neck, in frames in which somebody is about straight. joints (N, 24, 3)."""
    ankles = joints[:, [7, 8]].mean(1)
    torso, legs = joints[:, 12] - joints[:, 0], joints[:, 0] - ankles
    cosine = (torso * legs).sum(1) / np.linalg.norm(torso, axis=1) / np.maximum(np.linalg.norm(legs, axis=1), 1e-6)
    whole = (joints[:, 12] - ankles)[cosine > np.cos(np.radians(25))]
    return whole / np.linalg.norm(whole, axis=1, keepdims=True)


def _eyes(person: _Walker, camera: CameraPath | None) -> np.ndarray | None:
    """(N, 3) m: the camera's places in the person's frames; None without one."""
    if camera is None:
        return None
    return -np.einsum("nji,nj->ni", camera.R[person.frames], camera.t[person.frames])


def _standing_on(person: _Walker, camera: CameraPath | None, fps: float) -> _Walker:
    """With contacts, and in the size that steps tell where the body is not the person's own. camera: that places were
    read through, if they were."""
    eyes, said = _eyes(person, camera), person.source.contacts is not None
    mine = person.body.name != OPEN_BODY and person.source.betas is not None
    if not mine and person.source.rest is None:
        feet = person.posed()[1]
        loose = person.contacts if said else find_contacts(feet, person.frames, seen_from(feet, eyes), fps, False)
        factor = size_of_steps(person.pelvis, feet, loose, person.frames, fps)
        person = replace(person, body=sized(person.body, factor))
    return person if said else replace(person, contacts=planted(person.posed()[1], person.frames, fps, eyes))


def _in_one_world(
    people: list[_Walker], camera: CameraPath | None, body: Body
) -> tuple[list[_Walker], CameraPath | None]:
    """People with worlds of their own, brought to where the camera sees them from the world of the one seen longest;
    each stands on the ground."""
    main = max(people, key=lambda person: len(person.frames))
    placed = []
    for person in people:
        there = person if person is main or camera is None else _seen_there(person, camera, body)
        placed.append(there.moved(np.eye(3), -_ground([there]) * Z_UP))
    return placed, None if camera is None else camera.moved(np.eye(3), -_ground([main]) * Z_UP)


def _seen_there(person: _Walker, camera: CameraPath, body: Body) -> _Walker:
    """Turned about z and shifted to where the camera sees them, in the mean over frames."""
    rows = np.isin(person.source.frames, person.frames)
    seen, back = person.source.camera, np.swapaxes(camera.R[person.frames], -1, -2)
    where = np.einsum("nij,nj->ni", back, pelvis(seen, person.source, body)[rows] - camera.t[person.frames])
    turns = back @ seen.root[rows] @ np.swapaxes(person.rotations[:, 0], -1, -2)
    sine, cosine = turns[:, 1, 0] - turns[:, 0, 1], turns[:, 0, 0] + turns[:, 1, 1]
    turn = turn_about_z(float(np.arctan2(sine.sum(), cosine.sum())))
    return person.moved(turn, np.median(where - person.pelvis @ turn.T, axis=0))


def _facing_y(people: list[_Walker], camera: CameraPath) -> tuple[list[_Walker], CameraPath]:
    """With the first camera looking along +y."""
    ahead = camera.R[0, 2]
    turn = turn_about_z(float(np.pi / 2 - np.arctan2(ahead[1], ahead[0]))) if np.hypot(*ahead[:2]) > 1e-6 else np.eye(3)
    return [person.moved(turn, np.zeros(3)) for person in people], camera.moved(turn, np.zeros(3))


def _on_ground(people: list[_Walker], camera: CameraPath | None) -> tuple[list[_Walker], CameraPath | None]:
    """With feet at rest on z = 0 and the first pelvis above the origin."""
    shift = -np.array([*people[0].pelvis[0, :2], _ground(people)])
    people = [person.moved(np.eye(3), shift) for person in people]
    return people, None if camera is None else camera.moved(np.eye(3), shift)


def _ground(people: list[_Walker]) -> float:
    """m: the height of resting feet, or of the lowest where none rests."""
    feet = [(person.posed()[1][..., 2], person.contacts) for person in people]
    resting = np.concatenate([heights[contacts > 0.5] for heights, contacts in feet])
    if len(resting):
        return ground_level(resting)
    return min(float(heights.min()) for heights, _ in feet)


def _finished(person: _Walker, number: int) -> WorldPerson:
    betas = own_betas(person.source, person.body)
    rest = person.body.rest_joints(torch.as_tensor(betas).to(person.body.v_template))[0].double().numpy()
    count = len(person.frames)
    return WorldPerson(
        person=number, frames=person.frames, rotations=person.rotations, transl=person.pelvis - rest, betas=betas,
        contacts=person.contacts, confidence=np.ones((count, 24)), keypoints=np.zeros((count, 33, 3)),
        reprojection=np.full(count, np.nan), seen=np.ones(count, bool),
    )  # fmt: skip

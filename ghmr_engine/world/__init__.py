"""Stage 5, world: everybody and the camera in one metric world, z up, ground at 0, feet held where they rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.hold import held
from ghmr_engine.energy.parameters import change_frame
from ghmr_engine.energy.placed import Placed, reprojection_error
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, LiftedPerson, VideoInfo, WorldPerson, WorldScene
from ghmr_engine.world.contacts import find_contacts
from ghmr_engine.world.gravity import UpHint, find_up, ground_level, shared_scale, world_from_camera
from ghmr_engine.world.scale import Feet, find_scale, ground_plane
from ghmr_engine.world.solve import solve
from ghmr_engine.world.vanishing import vanishing_up

VERSION = 6

_J = {name: place for place, name in enumerate(JOINT_NAMES)}


def place_in_world(
    lifted: tuple[LiftedPerson, ...],
    camera: CameraMotion,
    body: Body,
    info: VideoInfo,
    options: Options,
    report: Report,
) -> WorldScene:
    """Find up and the ground, decide which feet rest, and solve people (and a moving camera's path) so that they do.

    Places come out in metres in the design's world. Runs on `body`'s device. Raises what `report` raises.
    """
    fps = float(info.fps)
    walks = _walks(camera)
    known = np.array([options.height is not None and person.person == 1 for person in lifted])
    camera, hints, scale_deviation = _metric(lifted, camera, body, fps, sized=bool(known.any()))
    people = [_in_first_camera(person, camera, body) for person in lifted]
    hints += _said_up(lifted, camera)
    up, heights = _up_and_heights(people, camera, body, fps, walks, hints)
    if not walks:
        lifted = tuple(
            _sized(person, factor, body) for person, factor in zip(lifted, shared_scale(heights, known), strict=True)
        )
        people = [_in_first_camera(person, camera, body) for person in lifted]
    resting = [points for points, _ in _resting(people, up, camera, body, fps, walks)]
    ground = ground_level(np.concatenate(resting) @ up)
    pelvis = (people[0].transl[0] + body.rest_joints(people[0].betas)[0]).cpu().numpy()
    turn = world_from_camera(up, ground, pelvis)
    R = camera.R @ turn[0].T
    t = camera.t - np.einsum("tij,j->ti", R, turn[1])
    people = [_turned(person, *turn, body) for person in people]
    contacts = [
        rests for _, rests in _resting(people, np.array([0.0, 0, 1]), replace(camera, R=R, t=t), body, fps, walks)
    ]
    people = [
        replace(person, contacts=torch.as_tensor(rests * source.seen[:, None]).to(person.transl))
        for person, rests, source in zip(people, contacts, lifted, strict=True)
    ]
    solved, t = solve(people, R, t, camera.K, body, fps, walks, report)
    solved = [held(person, body, fps) for person in solved]
    return WorldScene(
        people=tuple(
            _finished(person, source, body, R, t, camera.K) for person, source in zip(solved, lifted, strict=True)
        ),
        R=R, t=t, K=camera.K, camera_confidence=camera.confidence, distortion=camera.distortion,
        scale_deviation=scale_deviation,
        warnings=tuple(_warnings(walks, scale_deviation)),
    )  # fmt: skip


_PATH_WARNING = "The camera's path was taken from planted feet, not from the background: distances may drift."
_UNSURE = 0.2
_SCALE_WARNING = "How far the camera moved, in metres, is not certain: people hardly show it. A known height helps."
_STANDS_DEG = 2.0
"""A camera that turns by less than this stands on its spot; a carried one sways more."""


def _warnings(walks: bool, scale_deviation: float | None) -> Iterator[str]:
    if scale_deviation is not None and scale_deviation > _UNSURE:
        yield _SCALE_WARNING
    if walks:
        yield _PATH_WARNING


def _walks(camera: CameraMotion) -> bool:
    """Whether the camera may have been carried along a path that nothing tells: it is then solved for."""
    cosine = (np.einsum("tij,ij->t", camera.R, camera.R[0]) - 1) / 2
    return (
        camera.unit == "none"
        and camera.moving
        and bool(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() > _STANDS_DEG)
    )


def _in_first_camera(person: LiftedPerson, camera: CameraMotion, body: Body) -> Placed:
    """A lifted person in the first camera's frame."""

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array).to(body.v_template)

    R = camera.R[person.frames]
    betas = tensor(person.betas)
    back = -np.einsum("nji,nj->ni", R, camera.t[person.frames])
    rotations, transl = change_frame(
        tensor(person.rotations), tensor(person.transl), body.rest_joints(betas)[0],
        tensor(np.swapaxes(R, 1, 2)), tensor(back),
    )  # fmt: skip
    said = None if person.contacts is None else tensor(person.contacts)
    moves = None if person.velocity is None else tensor(np.einsum("nji,nj->ni", R, person.velocity))
    return Placed(person.person, person.frames, rotations, transl, betas, tensor(person.keypoints),
                  tensor(person.offsets), contacts=said, velocity=moves)  # fmt: skip


def _turned(person: Placed, R: np.ndarray, t: np.ndarray, body: Body) -> Placed:
    """Into the world x' = R x + t."""
    rotations, transl = change_frame(
        person.rotations, person.transl, body.rest_joints(person.betas)[0],
        torch.as_tensor(R).to(person.transl), torch.as_tensor(t).to(person.transl),
    )  # fmt: skip
    velocity = person.velocity if person.velocity is None else person.velocity @ torch.as_tensor(R).to(transl).T
    return replace(person, rotations=rotations, transl=transl, velocity=velocity)


def _sized(person: LiftedPerson, factor: float, body: Body) -> LiftedPerson:
    """A person made larger by a factor, and farther from the camera by as much: the picture stays the same."""
    betas, transl = (torch.as_tensor(array).to(body.v_template) for array in (person.betas, person.transl))
    step = torch.zeros(10).to(betas)
    step[0] = 1.0

    def stature(betas: torch.Tensor) -> float:
        rest = body.rest_vertices(betas)[:, 1]
        return float(rest.max() - rest.min())

    now = stature(betas)
    larger = betas + step * (factor - 1) * now / (stature(betas + step) - now)
    transl = factor * (transl + body.rest_joints(betas)[0]) - body.rest_joints(larger)[0]
    return replace(person, betas=larger.cpu().numpy(), transl=transl.cpu().numpy())


def _metric(
    lifted: tuple[LiftedPerson, ...], camera: CameraMotion, body: Body, fps: float, sized: bool
) -> tuple[CameraMotion, tuple[UpHint, ...], float | None]:
    """The camera with its path in metres, what the background tells of up, and how unsure the path's scale is."""
    axes = np.concatenate([_body_axes(_in_first_camera(person, camera, body), body) for person in lifted])
    up = find_up(axes, [np.zeros((0, 3))] * len(lifted), fps)[0]
    upright = vanishing_up(camera.upright, up, _GUESSED_LENS if camera.focal_source == "default" else 0.0)
    hints = () if upright is None else (upright,)
    if camera.unit != "any":
        return camera, hints, None
    eyes = -np.einsum("tji,tj->ti", camera.R, camera.t)
    plane = ground_plane(camera.points, eyes, up if upright is None else upright.direction)
    if plane is not None:
        hints = (*hints, UpHint(plane.normal, _FLOOR_LEVEL))
    feet = []
    for person in lifted:
        motion = (
            torch.as_tensor(array).to(body.v_template) for array in (person.rotations, person.transl, person.betas)
        )
        feet.append(Feet(person.frames, body.forward(*motion).contacts.cpu().double().numpy()))
    scale = find_scale(feet, camera.R, camera.t, plane, fps, sized)
    metric = replace(camera, t=scale.alpha * camera.t, points=scale.alpha * camera.points, unit="metre")
    return metric, hints, scale.deviation


def _said_up(lifted: tuple[LiftedPerson, ...], camera: CameraMotion) -> tuple[UpHint, ...]:
    """Up as the lifting network reads it off each person, in the middle of all frames; in the first camera's frame."""
    said = [
        np.einsum("nji,nj->ni", camera.R[person.frames], person.up)[person.seen]
        for person in lifted if person.up is not None
    ]  # fmt: skip
    if not sum(map(len, said)):
        return ()
    return (UpHint(_unit(np.median(np.concatenate(said), 0)), _SAID_UP),)


_SAID_UP = np.radians(4.0)
"""How far the network's up is off."""
_GUESSED_LENS = 0.15
"""Deviation of the logarithm of a focal length that nothing tells."""
_FLOOR_LEVEL = np.radians(1.0)
"""How level floors and streets are."""


def _resting(
    people: list[Placed], up: np.ndarray, camera: CameraMotion, body: Body, fps: float, walks: bool
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each person the foot points that rest (S, 3), in the people's own frame, and probabilities (N, 4): a
    network's, where one was asked."""
    R, _ = world_from_camera(up, 0.0, np.zeros(3)) if abs(up[2]) < 1 else (np.eye(3), None)
    found = []
    for person in people:
        feet = body.forward(person.rotations, person.transl, person.betas).contacts.cpu().numpy()
        eye = -np.einsum("nji,nj->ni", camera.R[person.frames], camera.t[person.frames])
        if person.contacts is None:
            rests = find_contacts(feet @ R.T, person.frames, eye @ R.T, fps, walks)
        else:
            rests = person.contacts.cpu().numpy()
        found.append((feet[rests > 0.5], rests))
    return found


def _up_and_heights(
    people: list[Placed], camera: CameraMotion, body: Body, fps: float, walks: bool, hints: tuple[UpHint, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Up and each person's ground along it, in the first camera's frame: once from how people stand, which tells what
    rests, then from both."""
    axes = np.concatenate([_body_axes(person, body) for person in people])
    up, _ = find_up(axes, [np.zeros((0, 3))] * len(people), fps, hints)
    stances = [points for points, _ in _resting(people, up, camera, body, fps, walks)]
    return find_up(axes, stances, fps, hints)


def _body_axes(person: Placed, body: Body) -> np.ndarray:
    """(A, 3) unit vectors from the feet to the neck, of frames in which knees and hips are nearly straight."""
    joints = body.forward(person.rotations, person.transl, person.betas).joints.cpu().numpy()
    ankles = (joints[:, _J["left_ankle"]] + joints[:, _J["right_ankle"]]) / 2
    torso = _unit(joints[:, _J["neck"]] - joints[:, _J["pelvis"]])
    legs = _unit(joints[:, _J["pelvis"]] - ankles)
    knees = person.rotations[:, [_J["left_knee"], _J["right_knee"]]].cpu().numpy()
    bend = np.arccos(np.clip((np.trace(knees, axis1=-2, axis2=-1) - 1) / 2, -1, 1)).max(1)
    upright = ((torso * legs).sum(1) > np.cos(np.radians(25))) & (bend < np.radians(60))
    return _unit(joints[upright, _J["neck"]] - ankles[upright])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _finished(
    person: Placed, source: LiftedPerson, body: Body, R: np.ndarray, t: np.ndarray, K: np.ndarray
) -> WorldPerson:
    return WorldPerson(
        person=person.person,
        frames=person.frames,
        rotations=person.rotations.cpu().numpy(),
        transl=person.transl.cpu().numpy(),
        betas=person.betas.cpu().numpy(),
        contacts=person.contacts.cpu().numpy(),
        confidence=source.confidence,
        keypoints=source.keypoints,
        reprojection=reprojection_error(person, body, R, t, K),
        seen=source.seen,
    )

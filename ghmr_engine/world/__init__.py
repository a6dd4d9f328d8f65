"""Stage 5, world: everybody and the camera in one metric world, z up, ground at 0, feet held where they rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ghmr_engine.body.skeleton import JOINT_NAMES
from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.parameters import change_frame
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, LiftedPerson, VideoInfo, WorldPerson, WorldScene
from ghmr_engine.world.contacts import find_contacts
from ghmr_engine.world.gravity import find_up, world_from_camera
from ghmr_engine.world.solve import Placed, reprojection_error, solve

VERSION = 1

_J = {name: place for place, name in enumerate(JOINT_NAMES)}


def place_in_world(
    lifted: tuple[LiftedPerson, ...],
    camera: CameraMotion,
    body: Body,
    info: VideoInfo,
    options: Options,  # noqa: ARG001  a stage's signature
    report: Report,
) -> WorldScene:
    """Find up and the ground, decide which feet rest, and solve people (and a moving camera's path) so that they do.

    Places come out in metres in the design's world. Runs on `body`'s device. Raises what `report` raises.
    """
    fps = float(info.fps)
    first = [_in_first_camera(person, camera, body) for person in lifted]
    up, ground = _up_and_ground(first, camera, body, fps)
    pelvis = (first[0].transl[0] + body.rest_joints(first[0].betas)[0]).cpu().numpy()
    turn = world_from_camera(up, ground, pelvis)
    R = camera.R @ turn[0].T
    t = camera.t - np.einsum("tij,j->ti", R, turn[1])
    people = [_turned(person, *turn, body) for person in first]
    people = [
        replace(person, contacts=_contacts(person, source, R, t, body, fps, camera.moving))
        for person, source in zip(people, lifted, strict=True)
    ]
    solved, t = solve(people, R, t, camera.K, body, fps, camera.moving, report)
    return WorldScene(
        people=tuple(
            _finished(person, source, body, R, t, camera.K) for person, source in zip(solved, lifted, strict=True)
        ),
        R=R, t=t, K=camera.K, camera_confidence=camera.confidence,
        warnings=_warnings(camera),
    )  # fmt: skip


def _warnings(camera: CameraMotion) -> tuple[str, ...]:
    if not camera.moving:
        return ()
    return ("The camera's path was taken from planted feet, not from the background: distances may drift.",)


def _in_first_camera(person: LiftedPerson, camera: CameraMotion, body: Body) -> Placed:
    """A lifted person in the first camera's frame."""
    device = body.v_template.device

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, dtype=torch.float32, device=device)

    R = camera.R[person.frames]
    betas = tensor(person.betas)
    back = -np.einsum("nji,nj->ni", R, camera.t[person.frames])
    rotations, transl = change_frame(
        tensor(person.rotations), tensor(person.transl), body.rest_joints(betas)[0],
        tensor(np.swapaxes(R, 1, 2)), tensor(back),
    )  # fmt: skip
    return Placed(person.person, person.frames, rotations, transl, betas, tensor(person.keypoints), contacts=None)


def _turned(person: Placed, R: np.ndarray, t: np.ndarray, body: Body) -> Placed:
    """Into the world x' = R x + t."""
    rotations, transl = change_frame(
        person.rotations, person.transl, body.rest_joints(person.betas)[0],
        torch.as_tensor(R).to(person.transl), torch.as_tensor(t).to(person.transl),
    )  # fmt: skip
    return replace(person, rotations=rotations, transl=transl)


def _contacts(
    person: Placed, source: LiftedPerson, R: np.ndarray, t: np.ndarray, body: Body, fps: float, camera_moves: bool
) -> torch.Tensor:
    """(N, 4) probabilities, 0 where the person was hidden."""
    feet = body.forward(person.rotations, person.transl, person.betas).contacts.cpu().numpy()
    eye = -np.einsum("nji,nj->ni", R[person.frames], t[person.frames])
    rests = find_contacts(feet, person.frames, eye, fps, camera_moves) * source.seen[:, None]
    return torch.as_tensor(rests).to(person.transl)


def _up_and_ground(people: list[Placed], camera: CameraMotion, body: Body, fps: float) -> tuple[np.ndarray, float]:
    """Up and the ground's height along it in the first camera's frame: once from how people stand, which tells what
    rests, then from both."""
    posed = [body.forward(person.rotations, person.transl, person.betas) for person in people]
    axes = np.concatenate(
        [_body_axes(body_.joints.cpu().numpy(), person) for body_, person in zip(posed, people, strict=True)]
    )
    up, _ = find_up(axes, np.zeros((0, 3)), fps)
    R, _ = world_from_camera(up, 0.0, np.zeros(3))
    resting = [np.zeros((0, 3))]
    for body_, person in zip(posed, people, strict=True):
        feet = body_.contacts.cpu().numpy()
        eye = -np.einsum("nji,nj->ni", camera.R[person.frames], camera.t[person.frames]) @ R.T
        rests = find_contacts(feet @ R.T, person.frames, eye, fps, camera.moving)
        resting.append(feet[rests > 0.5])
    return find_up(axes, np.concatenate(resting), fps)


def _body_axes(joints: np.ndarray, person: Placed) -> np.ndarray:
    """(A, 3) unit vectors from the feet to the neck, of frames in which knees and hips are nearly straight."""
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
        betas=source.betas,
        contacts=person.contacts.cpu().numpy(),
        confidence=source.confidence,
        keypoints=source.keypoints,
        reprojection=reprojection_error(person, body, R, t, K),
        seen=source.seen,
    )

"""Stage 4, lift: SMPL pose, one shape a person and the root, in each frame's camera, from 2D and 3D landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.geometry import straightened
from ghmr_engine.lift.fit import fit_person, lay_onto
from ghmr_engine.lift.limbs import laid_along
from ghmr_engine.lift.network import LiftNetwork
from ghmr_engine.lift.observations import guess_from, joint_confidence, observe
from ghmr_engine.lift.predict import Prediction, predict
from ghmr_engine.lift.wham import Reading, Wham, WhamMotion, lift_with_wham
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, LiftedPerson, People, Track, VideoInfo

VERSION = 7
_BY_FRAME = ("frames", "boxes", "keypoints", "world_landmarks", "seen")
"""What a track has one of for each of its frames."""


def lift_people(
    people: People, camera: CameraMotion, body: Body, info: VideoInfo, options: Options, network: LiftNetwork | None,
    report: Report, wham: Wham | None = None, readings: list[Reading] | None = None,
) -> tuple[LiftedPerson, ...]:  # fmt: skip
    """Every track's motion: the network's, which the fit then brings onto the picture; all frames of a window at once.

    network: None fits to the landmarks alone. The fast level leaves out the fit (options.fits). Places are metres in
    each frame's camera. `options.height` sets the height of the first person. Runs on `body`'s device. Raises what
    `report` raises.

    wham: its motion is then what the fit begins from and keeps to, and `body` has to be its checkpoint's
    (wham.body.smpl_body), whose shapes it speaks of. readings: what it takes of each track beside the track, such as
    HMR2.0's first pose; None begins from the network's pose, and without a network from the landmarks'.
    """
    fps = float(info.fps)
    tracks = [_straightened(track, camera) for track in people.tracks]
    share = 0.2 if wham is None else 0.1
    said: list[Prediction | None] = [None] * len(tracks)
    if network is not None:
        said = predict(tracks, camera, network, fps, lambda done: report(share * done))
    guesses: list[Prediction | WhamMotion | None] = list(said)
    if wham is not None:
        starts = readings or [_reading(*each, camera, wham) for each in zip(tracks, said, strict=True)]
        size = (info.width, info.height)
        guesses = lift_with_wham(tracks, starts, camera, wham, size, info.fps, lambda done: report(0.1 + 0.1 * done))
    shares = np.cumsum([0, *(len(track.frames) for track in tracks)]).astype(float)
    shares = 0.2 + 0.8 * shares / max(shares[-1], 1)

    def lift(place: int, track: Track) -> LiftedPerson:
        def part(done: float) -> None:
            report(shares[place] + done * (shares[place + 1] - shares[place]))

        seen, told = observe(track, camera, body.v_template.device), guesses[place]
        height = options.height if track.person == 1 else None
        if told is not None:
            seen = replace(seen, guess=guess_from(told, seen, body))
        if told is not None and not options.fits and height is None:
            rotations, transl, betas = lay_onto(seen, body, fps)
        else:
            rotations, transl, betas = fit_person(seen, track.frames, body, fps, height, part)
        return LiftedPerson(
            person=track.person,
            frames=track.frames,
            rotations=rotations,
            transl=transl,
            betas=betas,
            keypoints=track.keypoints,
            confidence=joint_confidence(track),
            seen=track.seen,
            offsets=track.offsets,
            velocity=None if said[place] is None else _in_camera(said[place]),
            contacts=None if told is None else told.contacts.cpu().numpy(),
            up=None if said[place] is None else said[place].up.cpu().numpy(),
            expected=None if told is None else told.rotations.cpu().numpy(),
            spread=None if told is None else told.spread.cpu().numpy(),
        )

    return tuple(lift(place, track) for place, track in enumerate(tracks))


def _reading(track: Track, said: Prediction | None, camera: CameraMotion, wham: Wham) -> Reading:
    """Where WHAM begins when HMR2.0 has not seen the person."""
    if said is None:
        start = replace(track, **{name: getattr(track, name)[:1] for name in _BY_FRAME})
        seen = observe(start, camera, wham.device)
        rotations = laid_along(seen.landmarks)[0]
        rotations = torch.cat([(seen.R[0] @ rotations[0])[None], rotations[1:]])
    else:
        rotations = said.rotations[0]
    # The open body's shape says nothing in SMPL's: the mean shape begins.
    return Reading(wham.first_pose(rotations, torch.zeros(10)))


def _in_camera(said: Prediction) -> np.ndarray:
    """(N, 3) m/s: the network's velocity along the axes of each frame's camera."""
    return (said.rotations[:, 0] @ said.velocity[..., None])[..., 0].cpu().numpy()


def _straightened(track: Track, camera: CameraMotion) -> Track:
    straight = straightened(track.keypoints[..., :2], camera.K[track.frames], camera.distortion)
    return replace(track, keypoints=np.concatenate([straight, track.keypoints[..., 2:]], -1))

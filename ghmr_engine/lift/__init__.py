"""Stage 4, lift: SMPL pose, one shape a person and the root, in each frame's camera, from 2D and 3D landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ghmr_engine.body.smpl import Body
from ghmr_engine.geometry import straightened
from ghmr_engine.lift.fit import fit_person
from ghmr_engine.lift.observations import joint_confidence, observe
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, LiftedPerson, People, Track, VideoInfo

VERSION = 3


def lift_people(
    people: People, camera: CameraMotion, body: Body, info: VideoInfo, options: Options, report: Report
) -> tuple[LiftedPerson, ...]:
    """Fit the body to every track: all frames of a window at once, no loop over frames.

    Places are metres in each frame's camera. `options.height` sets the height of the first person. Runs on `body`'s
    device. Raises what `report` raises.
    """
    shares = np.cumsum([0, *(len(track.frames) for track in people.tracks)]).astype(float)
    shares /= max(shares[-1], 1)

    def lift(place: int, track: Track) -> LiftedPerson:
        def part(done: float) -> None:
            report(shares[place] + done * (shares[place + 1] - shares[place]))

        straight = straightened(track.keypoints[..., :2], camera.K[track.frames], camera.distortion)
        track = replace(track, keypoints=np.concatenate([straight, track.keypoints[..., 2:]], -1))
        seen = observe(track, camera, body.v_template.device)
        height = options.height if track.person == 1 else None
        rotations, transl, betas = fit_person(seen, track.frames, body, float(info.fps), height, part)
        return LiftedPerson(
            person=track.person,
            frames=track.frames,
            rotations=rotations,
            transl=transl,
            betas=betas,
            keypoints=track.keypoints,
            confidence=joint_confidence(track),
            seen=track.seen,
        )

    return tuple(lift(place, track) for place, track in enumerate(people.tracks))

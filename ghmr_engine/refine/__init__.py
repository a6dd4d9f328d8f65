"""Stage 6, refine: all people, their shapes, the ground and the camera's scale in one optimisation (SLAHMR's problem).

Ye and others 2023 solve it in stages of L-BFGS over minutes to hours. Here everything starts from the lifting network's
motion in the world, so that no stages are needed, and the joint energy's structure is used (joint.py): seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ghmr_engine.body.smpl import Body
from ghmr_engine.energy.hold import held
from ghmr_engine.energy.placed import Placed, reprojection_error
from ghmr_engine.energy.solver import windows
from ghmr_engine.options import Options
from ghmr_engine.progress import Report
from ghmr_engine.refine.clip import clip_of
from ghmr_engine.refine.gate import judge
from ghmr_engine.refine.level import camera_in, level_of
from ghmr_engine.refine.priors import Priors
from ghmr_engine.refine.shared import Shared
from ghmr_engine.types import LiftedPerson, VideoInfo, WorldScene

VERSION = 3

WINDOW, OVERLAP = 400, 24
STEPS = 15


def refine(
    scene: WorldScene, lifted: tuple[LiftedPerson, ...], body: Body, info: VideoInfo, options: Options, report: Report,
    priors: Priors | None = None,
) -> WorldScene:  # fmt: skip
    """All that is known of a scene weighed at once, or the scene as it was where that made it no better (gate.py).

    priors: what the best level weighs besides. scene.refinement says which it is. Runs on `body`'s device. Raises what
    `report` raises.
    """
    fps = float(info.fps)
    clip = clip_of(scene, lifted, body, fps, known={1} if options.height is not None else set(), priors=priors)
    spans = list(windows(len(scene.R), WINDOW, OVERLAP))
    people, shared = clip.solve(spans, STEPS, report)
    level = level_of(shared.ground().cpu().double().numpy())
    planted = [held(person, body, fps) for person in level.of(people, body)]
    energy = (
        clip.energy(clip.people, Shared.none(clip.people), spans),
        clip.energy(level.back().of(planted, body), shared, spans),
    )
    refinement = judge(clip.people, planted, energy, body)
    if refinement.fault is not None:
        return replace(scene, refinement=refinement)
    R, t = camera_in(level, float(shared.scale()), scene.R, scene.t)
    return replace(_moved(scene, planted, R, t, body), refinement=refinement)


def _moved(scene: WorldScene, people: Sequence[Placed], R: np.ndarray, t: np.ndarray, body: Body) -> WorldScene:
    moved = [
        replace(
            before,
            rotations=person.rotations.cpu().numpy(),
            transl=person.transl.cpu().numpy(),
            betas=person.betas.cpu().numpy(),
            reprojection=reprojection_error(person, body, R, t, scene.K),
        )
        for before, person in zip(scene.people, people, strict=True)
    ]
    return replace(scene, people=tuple(moved), R=R, t=t)

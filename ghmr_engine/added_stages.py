"""What the user's own models change in a recovery: ViTPose the people stage, WHAM and HMR2.0 the lift and the body,
HuMoR and VPoser the best level's priors.

A checkpoint is opened when its stage runs: a result that was kept needs none of them, but for the body that is WHAM's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch

from ghmr_engine import lift, people, refine
from ghmr_engine.added_models import Added, body_path
from ghmr_engine.body.smpl import Body, load_body
from ghmr_engine.checkpoints import State, read_state
from ghmr_engine.lift.hmr2 import load_hmr2
from ghmr_engine.lift.hmr2.pictures import look
from ghmr_engine.lift.network import LiftNetwork
from ghmr_engine.lift.wham import Reading, Wham, load_wham
from ghmr_engine.lift.wham.body import smpl_body
from ghmr_engine.lift.wham.inputs import crop_boxes
from ghmr_engine.models import PRIORS
from ghmr_engine.options import Options
from ghmr_engine.people.vitpose import find_keypoints, load_vitpose, taken_over
from ghmr_engine.progress import Report
from ghmr_engine.refine.humor import load_humor
from ghmr_engine.refine.open_priors import load_motion_prior, load_pose_prior
from ghmr_engine.refine.priors import Priors
from ghmr_engine.refine.vposer import load_vposer
from ghmr_engine.types import CameraMotion, LiftedPerson, People, VideoInfo, WorldScene
from ghmr_engine.video import Video

_FINDING, _LOOKING = 0.5, 0.8
"""Shares of their stages' time that go before ViTPose, and to HMR2.0."""


class AddedStages:
    """The people stage and the lift with the models that are on, by their names in KINDS; without any, as they are."""

    def __init__(self, on: Mapping[str, Added], device: str) -> None:
        # Features without WHAM are read by nobody, and WHAM speaks of the body in its own file.
        unused = set(PRIORS.values()) | ({"hmr2"} if "wham" not in on else {"smpl"})
        self.on = {name: added for name, added in on.items() if name not in unused}
        self.priors = {name: added for name, added in on.items() if name in PRIORS.values()}
        """Used by the best quality level alone: another take neither names them nor has their licence."""
        self._device = torch.device(device)

    def body(self) -> Body:
        """The body that people get."""
        if "wham" in self.on:
            return smpl_body(self._wham_state, self._device)
        return load_body(body_path(self.on), self._device)

    def find_people(self, video: Video, options: Options, report: Report, watch: people.Watch | None = None) -> People:
        """people.find_people, then ViTPose's keypoints where it is on."""
        if "vitpose" not in self.on:
            return people.find_people(video, options, report, watch)
        network = load_vitpose(self._state("vitpose"), self._device)
        found = people.find_people(video, options, lambda done: report(_FINDING * done), watch)
        said = find_keypoints(video, found.tracks, network, lambda done: report(_FINDING + (1 - _FINDING) * done))
        return replace(found, tracks=tuple(map(taken_over, found.tracks, said)))

    def lift_people(
        self, video: Video, found: People, camera: CameraMotion, body: Body, info: VideoInfo, options: Options,
        network: LiftNetwork | None, report: Report,
    ) -> tuple[LiftedPerson, ...]:  # fmt: skip
        """lift.lift_people, from WHAM's motion where it is on, which begins from HMR2.0's pose where that is too."""
        if "wham" not in self.on:
            return lift.lift_people(found, camera, body, info, options, network, report)
        wham, readings, looking = load_wham(self._wham_state).to(self._device), None, 0.0
        if "hmr2" in self.on:
            looking = _LOOKING
            readings = self._readings(video, found, wham, float(info.fps), lambda done: report(looking * done))
        return lift.lift_people(found, camera, body, info, options, network,
                                lambda done: report(looking + (1 - looking) * done),
                                wham=wham, readings=readings)  # fmt: skip

    def refine_scene(
        self, scene: WorldScene, lifted: tuple[LiftedPerson, ...], body: Body, info: VideoInfo, options: Options,
        report: Report,
    ) -> WorldScene:  # fmt: skip
        """refine.refine, at the best level with priors: the user's, or those that come with the engine."""
        priors = None
        if options.quality == "best":
            motion = load_humor(self._prior("humor")) if "humor" in self.priors else load_motion_prior(self._device)
            pose = load_vposer(self._prior("vposer")) if "vposer" in self.priors else load_pose_prior(self._device)
            priors = Priors(motion.to(self._device), pose.to(self._device))
        return refine.refine(scene, lifted, body, info, options, report, priors)

    def _readings(self, video: Video, found: People, wham: Wham, fps: float, report: Report) -> list[Reading]:
        network = load_hmr2(self._state("hmr2"), self._device)
        boxes = [crop_boxes(track, fps) for track in found.tracks]
        return [
            Reading(wham.first_pose(said.rotations, said.betas), None, said.tokens, said.mirrored)
            for said in look(video, found.tracks, boxes, network, report)
        ]

    @cached_property
    def _wham_state(self) -> State:
        return self._state("wham")

    def _prior(self, name: str) -> State:
        return read_state(Path(self.priors[name].path))

    def _state(self, name: str) -> State:
        return read_state(Path(self.on[name].path))

"""A scene in the world becomes a motion file's content: bodies at rest, axis-angle poses, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import roma
import torch

from ghmr_engine import __version__, quality
from ghmr_engine.added_models import Added
from ghmr_engine.body.skeleton import PARENTS
from ghmr_engine.body.smpl import Body
from ghmr_engine.models import LIFT, LIFT_LICENCE, PRIORS, known_models, sha256_of
from ghmr_engine.motion_file import FORMAT, VERSION, Motion, Person
from ghmr_engine.options import Options
from ghmr_engine.types import CameraMotion, People, Refinement, VideoInfo, WorldPerson, WorldScene

NETWORKS = ("pose_detection", "pose_landmark_full")
"""What the people stage runs, by the names of the list of models."""
SEEING = (*NETWORKS, "vitpose")
"""The same, and what a user may add to it."""

# First words of bodies' licences; any other is taken for research only, which is the careful answer.
_OPEN_LICENCES = ("Apache-2.0", "CC0-1.0", "CC-BY-4.0", "MIT", "BSD-3-Clause")


@dataclass(frozen=True)
class UsedModel:
    """A model that a result was made with."""

    name: str
    licence: str
    """SPDX."""
    sha256: str
    open: bool
    """False where the licence allows research only."""


def models_used(body: Body, added: Iterable[Added] = ()) -> list[UsedModel]:
    """The networks of the people stage, the lifting network, the body, and the user's own models that are used.

    Of the user's files the licence is the one that their kind is published under, whatever the file says of itself.
    """
    known = known_models()
    models = [UsedModel(m.name, m.licence, m.sha256, m.open) for m in (known[name] for name in NETWORKS)]
    models.append(UsedModel("lift", LIFT_LICENCE, sha256_of(LIFT), open=True))
    own = [UsedModel(each.name, each.kind.licence, each.sha256, each.kind.open) for each in added]
    if body.sha256 not in {model.sha256 for model in own}:
        is_open = body.licence.split()[0] in _OPEN_LICENCES
        models.append(UsedModel(body.name, body.licence, body.sha256, is_open))
    return models + own


def priors_used(added: Mapping[str, Added]) -> list[UsedModel]:
    """The best level's priors: those that come with the engine, unless the user's own are among `added`."""
    own = {name: each for name, each in added.items() if name in PRIORS.values()}
    shipped = [
        UsedModel(path.stem, LIFT_LICENCE, sha256_of(path), open=True)
        for path, name in PRIORS.items()
        if name not in own
    ]
    return shipped + [UsedModel(each.name, each.kind.licence, each.sha256, each.kind.open) for each in own.values()]


def seeing(added: Mapping[str, Added]) -> list[str]:
    """SHA-256 of the models that the people stage runs, in order."""
    known = known_models()
    own = [each.sha256 for name, each in added.items() if name in SEEING]
    return sorted([*(known[name].sha256 for name in NETWORKS), *own])


def make_motion(scene: WorldScene, body: Body, meta: dict) -> Motion:
    """The motion file's content. Adds to `meta` the people and their quality."""
    people = {str(person.person): _person(person, body) for person in scene.people}
    fps = meta["fps"][0] / meta["fps"][1]
    figures = {str(person.person): _figures(person, body, fps) for person in scene.people}
    return Motion(
        meta={**meta, "quality": figures, "people": list(people)},
        R=scene.R, t=scene.t, K=scene.K, camera_confidence=scene.camera_confidence, distortion=scene.distortion,
        people=people,
        faces=_numpy(body.faces), parents=np.array(PARENTS),
        colors=_numpy(body.colors) if body.colors is not None else np.zeros(0, np.uint8),
    )  # fmt: skip


def describe(
    info: VideoInfo,
    background: str | None,
    options: Options,
    models: list[UsedModel],
    people: People,
    camera: CameraMotion,
    scene: WorldScene,
    names: dict[str, str],
) -> dict:
    """`meta` of docs/motion_file.md, without the stages' seconds and the people.

    background: file name of the clip's copy beside the motion file, None where there is none. names: of the people by
    their numbers.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "engine": __version__,
        "fps": [info.fps.numerator, info.fps.denominator],
        "frames": info.frames,
        "image_size": [info.width, info.height],
        "video": {**_video(info), "background": background},
        "options": options.as_dict(),
        "models": [{"name": model.name, "licence": model.licence, "sha256": model.sha256} for model in models],
        "names": names,
        "licence": "open" if all(model.open for model in models) else "research-only",
        "camera": {
            "focal_source": camera.focal_source,
            "motion_source": camera.motion_source,
            "scale_deviation": None if scene.scale_deviation is None else round(scene.scale_deviation, 4),
        },
        "refinement": None if scene.refinement is None else _refinement(scene.refinement),
        "warnings": list(dict.fromkeys([*info.warnings, *people.warnings, *camera.warnings, *scene.warnings])),
    }


def _refinement(what: Refinement) -> dict:
    return {
        "kept": what.fault is None,
        "fault": what.fault,
        "energy": {"before": round(what.energy[0], 2), "after": round(what.energy[1], 2)},
        "sliding_mm": {"before": round(what.sliding_mm[0], 4), "after": round(what.sliding_mm[1], 4)},
    }


def _video(info: VideoInfo) -> dict:
    kept = ("name", "bytes", "sha256", "start", "rotation", "constant_rate", "interlaced")
    return {"path": str(info.path.absolute()), **{name: getattr(info, name) for name in kept}}


def _person(person: WorldPerson, body: Body) -> Person:
    betas = torch.as_tensor(person.betas).to(body.v_template)
    return Person(
        frames=person.frames,
        poses=roma.rotmat_to_rotvec(torch.as_tensor(person.rotations)).numpy(),
        transl=person.transl,
        betas=person.betas,
        contacts=person.contacts,
        confidence=person.confidence,
        keypoints=person.keypoints,
        reprojection=person.reprojection,
        vertices=_numpy(body.rest_vertices(betas)),
        weights=_numpy(body.weights),
        joints=_numpy(body.rest_joints(betas)),
    )


def _figures(person: WorldPerson, body: Body, fps: float) -> dict[str, float | None]:
    like = body.v_template
    with torch.no_grad():
        posed = body.forward(*(torch.as_tensor(x).to(like) for x in (person.rotations, person.transl, person.betas)))
    return quality.figures(person, _numpy(posed.joints), _numpy(posed.contacts), fps)


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()

"""From a clip to a motion file: the stages in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ghmr_engine import camera, lift, output, people, refine, result, video, world
from ghmr_engine.added_models import switched_on
from ghmr_engine.added_stages import AddedStages
from ghmr_engine.body.smpl import Body
from ghmr_engine.cache import Cache
from ghmr_engine.device import choose_device
from ghmr_engine.lift.weights import SHIPPED, load_network
from ghmr_engine.motion_file import Motion, write_motion
from ghmr_engine.options import Options
from ghmr_engine.progress import Progress, Report
from ghmr_engine.steps import Steps
from ghmr_engine.types import CameraMotion, LiftedPerson, People, WorldScene


@dataclass(frozen=True)
class Found:
    """A clip after all stages but refine: what each of them found."""

    stages: AddedStages
    models: list[result.UsedModel]
    body: Body
    people: People
    camera: CameraMotion
    lifted: tuple[LiftedPerson, ...]
    scene: WorldScene


def recover(
    video_path: Path,
    out: Path,
    options: Options,
    emit: Callable[[Progress], None],
    cache_dir: Path | None = None,
) -> Motion:
    """Recover everybody and the camera of a clip, write the motion file `out`, and return what is in it.

    emit: is told of progress often, and raises Cancelled to stop. cache_dir: where results of stages are kept, None for
    nowhere. Raises RecoverError for what the user can mend; then, and when stopped, nothing is written.
    """
    output.check_out(out, video_path)
    steps = Steps(options, emit, None if cache_dir is None else Cache(cache_dir))

    clip = steps.run("video", video.open_video, video_path, options)
    info = clip.info
    output.check_space(out, info)
    found = place(clip, options, steps)
    body, scene = found.body, found.scene
    priors = result.priors_used(found.stages.priors) if options.quality == "best" else []
    if options.quality != "fast":
        scene = steps.run_kept("refine", refine.VERSION, found.stages.refine_scene, scene, found.lifted, body, info,
                               options, content=tuple(model.sha256 for model in priors))  # fmt: skip

    with output.whole_or_nothing(out):
        copy = steps.run("write", _copy_clip, clip, out)
        meta = result.describe(info, copy, options, found.models + priors, found.people, found.camera, scene)
        motion = result.make_motion(scene, body, {**meta, "seconds": steps.seconds, "cached": steps.cached})
        write_motion(out, motion)
    return motion


def place(clip: video.Video, options: Options, steps: Steps) -> Found:
    """All stages between video and refine. Raises as `recover` does."""
    info = clip.info
    added = AddedStages(switched_on(), choose_device(options.device))
    body = added.body()
    network = load_network(SHIPPED, body.v_template.device)
    models = result.models_used(body, added.on.values())
    seeing = {model.sha256 for model in models if model.name in result.SEEING}
    lifting = tuple(model.sha256 for model in models if model.sha256 not in seeing)

    steps.depend_on("video", video.VERSION, info.sha256, *sorted(seeing))
    found = steps.run_kept("people", people.VERSION, added.find_people, clip, options)
    read = (camera.file_sha256(options),)
    filmed = steps.run_kept("camera", camera.VERSION, camera.track_camera, clip, found, options, content=read)
    lifted = steps.run_kept("lift", lift.VERSION, added.lift_people, clip, found, filmed, body, info, options, network,
                            content=lifting)  # fmt: skip
    scene = steps.run_kept("world", world.VERSION, world.place_in_world, lifted, filmed, body, info, options)
    return Found(added, models, body, found, filmed, lifted, scene)


def _copy_clip(clip: video.Video, out: Path, report: Report) -> str | None:
    """File name of the upright copy at a constant rate, which is written where programs need it, else None."""
    if not output.needs_background(clip.info):
        return None
    video.write_background(clip, output.background_part(out), report)
    return output.background_path(out).name

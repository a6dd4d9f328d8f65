"""From a clip to a motion file, or to a people file: the stages in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ghmr_engine import camera, lift, output, people, people_file, refine, result, video, world
from ghmr_engine.added_models import switched_on
from ghmr_engine.added_stages import AddedStages
from ghmr_engine.body.smpl import Body
from ghmr_engine.cache import Cache
from ghmr_engine.device import choose_device
from ghmr_engine.lift.weights import SHIPPED, load_network
from ghmr_engine.motion_file import Motion, write_motion
from ghmr_engine.options import Options
from ghmr_engine.people import identities
from ghmr_engine.previews import Previews, Show
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
    names: dict[str, str]
    """Of people by their numbers, where the user gave some."""


def find(
    video_path: Path,
    out: Path,
    options: Options,
    emit: Callable[[Progress], None],
    cache_dir: Path | None = None,
    show: Show | None = None,
) -> dict:
    """Find everybody in a clip, write the people file `out` with a thumbnail of each, and return what is in it.

    Of the options the range, the rate and the device count. The rest, and what is raised, as with `recover`, which uses
    the kept result again where it asks for all people or for identities.
    """
    output.check_place(out, output.PEOPLE_SUFFIX)
    options = Options(people="all", start=options.start, end=options.end, fps=options.fps, device=options.device)
    steps = Steps(options, emit, None if cache_dir is None else Cache(cache_dir))
    clip = steps.run("video", video.open_video, video_path, options)
    added = AddedStages(switched_on(), choose_device(options.device))
    previews = Previews(show)
    found = _find_people(clip, options, steps, added, previews)
    previews.people(clip, found)
    with output.whole_or_nothing(out):
        return steps.run("write", people_file.write_people, out, clip, found)


def recover(
    video_path: Path,
    out: Path,
    options: Options,
    emit: Callable[[Progress], None],
    cache_dir: Path | None = None,
    show: Show | None = None,
) -> Motion:
    """Recover everybody and the camera of a clip, write the motion file `out`, and return what is in it.

    emit: is told of progress often, and raises Cancelled to stop. cache_dir: where results of stages are kept, None for
    nowhere. show: is given a small picture of what was found, now and then; None draws none. Raises RecoverError for
    what the user can mend; then, and when stopped, nothing is written.
    """
    output.check_out(out, video_path)
    if options.identities is not None:  # they speak of everybody by number
        options = replace(options, people="all")
    steps = Steps(options, emit, None if cache_dir is None else Cache(cache_dir))

    clip = steps.run("video", video.open_video, video_path, options)
    info = clip.info
    output.check_space(out, info)
    found = place(clip, options, steps, Previews(show))
    body, scene = found.body, found.scene
    priors = result.priors_used(found.stages.priors) if options.quality == "best" else []
    if options.quality != "fast":
        scene = steps.run_kept("refine", refine.VERSION, found.stages.refine_scene, scene, found.lifted, body, info,
                               options, content=tuple(model.sha256 for model in priors))  # fmt: skip

    with output.whole_or_nothing(out):
        copy = steps.run("write", _copy_clip, clip, out)
        meta = result.describe(info, copy, options, found.models + priors, found.people, found.camera, scene,
                               found.names)  # fmt: skip
        motion = result.make_motion(scene, body, {**meta, "seconds": steps.seconds, "cached": steps.cached})
        write_motion(out, motion)
    return motion


def place(clip: video.Video, options: Options, steps: Steps, previews: Previews) -> Found:
    """All stages between video and refine. Raises as `recover` does."""
    info = clip.info
    chosen = None if options.identities is None else identities.read_identities(Path(options.identities))
    added = AddedStages(switched_on(), choose_device(options.device))
    body = added.body()
    network = load_network(SHIPPED, body.v_template.device)
    models = result.models_used(body, added.on.values())
    seeing = result.seeing(added.on)
    lifting = tuple(model.sha256 for model in models if model.sha256 not in seeing)

    found = _find_people(clip, options, steps, added, previews)
    if chosen is not None:
        steps.depend_on("identities", identities.VERSION, chosen.sha256)
        found = identities.identified(found, chosen, float(info.fps))
    previews.people(clip, found)
    read = (camera.file_sha256(options),)
    filmed = steps.run_kept("camera", camera.VERSION, camera.track_camera, clip, found, options, content=read)
    lifted = steps.run_kept("lift", lift.VERSION, added.lift_people, clip, found, filmed, body, info, options, network,
                            content=lifting)  # fmt: skip
    scene = steps.run_kept("world", world.VERSION, world.place_in_world, lifted, filmed, body, info, options)
    previews.scene(clip, scene, body)
    return Found(added, models, body, found, filmed, lifted, scene, {} if chosen is None else chosen.names)


def _find_people(clip: video.Video, options: Options, steps: Steps, added: AddedStages, previews: Previews) -> People:
    """The people stage, the same for `find` and `recover`: what one kept is the other's too."""
    steps.depend_on("video", video.VERSION, clip.info.sha256, *result.seeing(added.on))
    call = partial(added.find_people, watch=previews.watch(clip))
    return steps.run_kept("people", people.VERSION, call, clip, options)


def _copy_clip(clip: video.Video, out: Path, report: Report) -> str | None:
    """File name of the upright copy at a constant rate, which is written where programs need it, else None."""
    if not output.needs_background(clip.info):
        return None
    video.write_background(clip, output.background_part(out), report)
    return output.background_path(out).name

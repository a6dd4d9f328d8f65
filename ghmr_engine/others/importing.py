"""From another program's file to a motion file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ghmr_engine import __version__, output, video
from ghmr_engine.added_models import body_path, switched_on
from ghmr_engine.body.smpl import OPEN_BODY, Body, load_body
from ghmr_engine.device import choose_device
from ghmr_engine.errors import RecoverError
from ghmr_engine.geometry import intrinsics
from ghmr_engine.models import sha256_of
from ghmr_engine.motion_file import FORMAT, VERSION, Motion, write_motion
from ghmr_engine.options import Options
from ghmr_engine.others import amass, gvhmr, phalp, romp, slahmr, tram, wham
from ghmr_engine.others.content import read_content
from ghmr_engine.others.placing import Placed, place, somewhere
from ghmr_engine.others.record import Other, refused
from ghmr_engine.progress import Progress
from ghmr_engine.result import make_motion
from ghmr_engine.types import VideoInfo, WorldScene

_RATE = Fraction(30)
"""Where neither file nor user says one."""
_SIZE = (1920, 1080)
"""Of the picture of a camera that nobody knows."""
_SQUARE = (512, 512)
"""Of one whose size is only known as padded."""
_CUT_FRAMES = 3
"""Programs count a clip's last frames differently."""
_SAME_SHAPE = 0.01
_WRONG = (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError)
_READERS: tuple[tuple[Callable, Callable], ...] = (
    (wham.is_wham, lambda content, path: wham.read_wham(content, path.name)),
    (gvhmr.is_gvhmr, lambda content, path: gvhmr.read_gvhmr(content, path.name)),
    (slahmr.is_slahmr, slahmr.read_slahmr),
    (tram.is_tram, lambda _content, path: tram.read_tram(path)),
    (phalp.is_phalp, lambda content, path: phalp.read_phalp(content, path.name)),
    (romp.is_trace, lambda content, path: romp.read_trace(content, path.name)),
    (romp.is_romp, lambda content, path: romp.read_romp(content, path.name)),
    (amass.is_amass, lambda content, path: amass.read_amass(content, path.name)),
)
_APPROXIMATE = (
    "Proportions are approximate: the file's shape is SMPL's, and the open body stands in for it. "
    "Add SMPL's body (docs/models.md) for the exact one."
)
_OWN_RATE = "{} reads clips at the rate of its configuration: where that is not the clip's own, give it as --fps."
_NO_RATE = "The file does not say its rate: 30 frames a second are taken. Give the clip, or --fps."


@dataclass(frozen=True)
class _Shot:
    """What frames the people are in."""

    count: int
    fps: Fraction
    size: tuple[int, int]
    focal: float | None
    """px; None where the lens is not known."""
    info: VideoInfo | None
    warnings: tuple[str, ...]


def import_file(
    path: Path, out: Path, clip: Path | None, fps: float | None, emit: Callable[[Progress], None]
) -> Motion:
    """Read another program's result, write the motion file `out`, and return what is in it.

    clip: what was filmed, None for a take without one. fps: of the result's frames; None asks file or clip. Nothing
    that the file names is run. Raises RecoverError; then, and when `emit` raises Cancelled, nothing is written.
    """
    began = time.monotonic()
    output.check_out(out, path if clip is None else clip)
    if fps is not None and not 1 <= fps <= 1000:
        raise RecoverError("bad_rate", f"{fps:g} frames a second cannot be.", "Give the clip's own rate.")
    emit(Progress("video", 0.0, None))
    other = read_other(path)
    emit(Progress("video", 0.5, None))
    shot = _shot(other, clip, fps)
    emit(Progress("world", 0.0, None))
    choose_device("cpu")  # too small a problem for another
    body = load_body(body_path({name: added for name, added in switched_on().items() if name == "smpl"}))
    placed = place(other, body, shot.count, float(shot.fps))
    emit(Progress("write", 0.0, None))
    with output.whole_or_nothing(out):
        copy = None
        if shot.info is not None and output.needs_background(shot.info):
            opened = video.open_video(clip, _options(fps))
            video.write_background(
                opened, output.background_part(out), lambda done: emit(Progress("write", done, None))
            )
            copy = output.background_path(out).name
        meta = _meta(path, other, shot, body, copy)
        motion = _motion(placed, shot, {**meta, "seconds": {"world": round(time.monotonic() - began, 2)}})
        write_motion(out, motion)
        emit(Progress("write", 1.0, None))
    return motion


def read_other(path: Path) -> Other:
    """What a file says, by its contents. A folder is TRAM's. Raises RecoverError."""
    if path.is_dir():
        return tram.read_tram(path)
    content = read_content(path)
    for fits, read in _READERS:
        if fits(content):
            try:
                other = read(content, path)
            except _WRONG as error:
                raise refused(path.name, "is not as the program writes it") from error
            if not other.people:
                raise RecoverError("nobody", f"There is nobody in {path.name}.", "Choose another file.")
            return other
    if isinstance(content, dict) and "camera/R" in content:
        raise RecoverError("own_file", f"{path.name} is a motion file already.", "Open it in Blender as it is.")
    if romp.is_one_picture(content):
        raise RecoverError("one_picture", f"{path.name} is of one picture.", "Import ROMP's video_results.npz.")
    raise RecoverError(
        "unknown_result", f"{path.name} is no result that can be imported.",
        "Choose one of WHAM, SLAHMR, GVHMR, TRAM, 4D-Humans, ROMP, TRACE or AMASS (docs/import.md).",
    )  # fmt: skip


def _options(fps: float | None) -> Options:
    return Options() if fps is None else Options(fps=fps)


def _shot(other: Other, clip: Path | None, fps: float | None) -> _Shot:
    last = max(int(person.frames[-1]) for person in other.people) + 1
    if clip is None:
        rate = Fraction(fps).limit_denominator(1001) if fps is not None else other.fps
        size = other.image_size or (_SQUARE if other.focal_by_size == "padded" else None)
        return _Shot(
            last, rate or _RATE, size or _SIZE, None if size is None else _focal(other, size), None,
            () if rate else (_NO_RATE,),
        )  # fmt: skip
    if all(person.camera is None for person in other.people) and other.R is None:
        raise RecoverError("other_clip", f"A file of {other.system} knows no camera.", "Import it without a clip.")
    info = video.open_video(clip, _options(fps)).info
    if last > info.frames + _CUT_FRAMES:
        raise RecoverError(
            "other_clip", f"{clip.name} has {info.frames} frames, the file speaks of frame {last - 1}.",
            "Choose the clip that the file was made of.",
        )  # fmt: skip
    size = (info.width, info.height)
    if other.image_size is not None:
        shape, own = other.image_size[0] / other.image_size[1], size[0] / size[1]
        if abs(shape / own - 1) > _SAME_SHAPE:
            raise RecoverError(
                "other_clip", f"{clip.name} has pictures of {size[0]} x {size[1]}, "
                f"the file is of {other.image_size[0]} x {other.image_size[1]}.",
                "Choose the clip that the file was made of.",
            )  # fmt: skip
    uneven = () if info.constant_rate else ("The clip's rate is uneven: the file's frames may lie beside the clip's.",)
    unsure = (_OWN_RATE.format(other.system),) if other.own_rate and fps is None else ()
    return _Shot(info.frames, info.fps, size, _focal(other, size), info, (*info.warnings, *uneven, *unsure))


def _focal(other: Other, size: tuple[int, int]) -> float | None:
    if other.focal is None:
        return None
    if other.focal_by_size == "diagonal":
        return other.focal * float(np.hypot(*size))
    if other.focal_by_size == "padded":
        return other.focal * max(size)
    return other.focal * size[0] / (other.image_size or size)[0]


def _meta(path: Path, other: Other, shot: _Shot, body: Body, copy: str | None) -> dict:
    approximate = body.name == OPEN_BODY or any(person.betas is None for person in other.people)
    warnings = [*other.warnings, *shot.warnings, *([_APPROXIMATE] if approximate else [])]
    digest = "" if path.is_dir() else sha256_of(path)
    seen = shot.focal is not None
    return {
        "format": FORMAT, "version": VERSION, "engine": __version__,
        "fps": [shot.fps.numerator, shot.fps.denominator], "frames": shot.count, "image_size": list(shot.size),
        "video": _video(path, shot.info, copy), "options": {}, "names": {}, "cached": [], "refinement": None,
        "models": [
            {"name": other.system, "licence": other.licence, "sha256": digest},
            {"name": body.name, "licence": body.licence, "sha256": body.sha256},
        ],
        "licence": "open" if other.open and body.name == OPEN_BODY else "research-only",
        "camera": {
            "focal_source": "imported" if seen else "none",
            "motion_source": "imported" if seen else "none",
            "scale_deviation": None,
        },
        "imported": {"system": other.system, "file": path.name, "sha256": digest},
        "warnings": list(dict.fromkeys(warnings)),
    }  # fmt: skip


def _video(path: Path, info: VideoInfo | None, copy: str | None) -> dict:
    """What was filmed; a take without a clip is named after its file and has no checksum."""
    if info is None:
        return {"path": "", "name": path.name.partition(".")[0], "bytes": 0, "sha256": "", "start": 0, "rotation": 0,
                "constant_rate": True, "interlaced": False, "background": None}  # fmt: skip
    kept = ("name", "bytes", "sha256", "start", "rotation", "constant_rate", "interlaced")
    return {"path": str(info.path.absolute()), **{name: getattr(info, name) for name in kept}, "background": copy}


def _motion(placed: Placed, shot: _Shot, meta: dict) -> Motion:
    """Each person with a body of their own size."""
    camera = placed.camera if shot.focal is not None else None
    if camera is None:
        meta = {**meta, "camera": {**meta["camera"], "motion_source": "none", "focal_source": "none"}}
        camera = somewhere(placed.people, shot.count)
    K = np.tile(intrinsics(shot.focal or max(shot.size), *shot.size), (shot.count, 1, 1))
    parts = [
        make_motion(WorldScene((person,), camera.R, camera.t, K, camera.known.astype(float)), own, meta)
        for person, own in zip(placed.people, placed.bodies, strict=True)
    ]
    people = {name: person for part in parts for name, person in part.people.items()}
    quality = {name: figures for part in parts for name, figures in part.meta["quality"].items()}
    return replace(parts[0], people=people, meta={**meta, "quality": quality, "people": list(people)})

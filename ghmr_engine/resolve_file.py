"""From a motion file and what a user changed in it by hand to another one, in seconds: without clip or networks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ghmr_engine import output, places
from ghmr_engine.body.smpl import load_body
from ghmr_engine.device import choose_device
from ghmr_engine.edits import Edits, edits_from
from ghmr_engine.errors import RecoverError
from ghmr_engine.motion_file import Motion, MotionFileError, read_motion, write_motion
from ghmr_engine.plain_files import read_json
from ghmr_engine.progress import Progress, stage_report
from ghmr_engine.resolve import resolve


def resolve_file(motion_path: Path, out: Path, edits: Edits, emit: Callable[[Progress], None]) -> Motion:
    """Solve a part of a motion file again, write the motion file `out`, and return what is in it.

    `meta`'s last of `edits` says how long it took and what could not be done. emit: as pipeline.recover's. Raises
    RecoverError for what the user can mend; then, and when stopped, nothing is written.
    """
    began = time.monotonic()
    output.check_out(out, motion_path)
    if motion_path.exists() and out.exists() and out.samefile(motion_path):
        raise RecoverError("bad_name", f"{out} is the motion to start from.", "Choose another name for the result.")
    try:
        motion = read_motion(motion_path)
    except MotionFileError as error:
        message, _, fix = str(error).rpartition(". ")
        raise RecoverError("bad_motion", f"{message}.", fix) from error
    choose_device("cpu")  # too small a problem for another
    known = load_body(places.body_path()) if places.body_path().is_file() else None
    motion = resolve(motion, edits, stage_report("refine", emit), known)
    *before, last = motion.meta["edits"]
    last = {**last, "seconds": round(time.monotonic() - began, 2)}
    with output.whole_or_nothing(out):
        video = {**motion.meta["video"], "background": _copied_clip(motion, motion_path, out)}
        motion = replace(motion, meta={**motion.meta, "edits": [*before, last], "video": video})
        write_motion(out, motion)
        emit(Progress("write", 1.0, None))
    return motion


def read_edits(path: Path) -> Edits:
    """Edits from a JSON file (edits.py). Raises RecoverError."""
    try:
        values = read_json(path)
    except FileNotFoundError:
        raise RecoverError("no_edits", f"There is no file {path}.", "Check the name.") from None
    except (OSError, ValueError):
        raise RecoverError("bad_edit", f"{path} cannot be read as JSON.", "See docs/resolve.md.") from None
    if not isinstance(values, dict):
        raise RecoverError("bad_edit", f"{path} is not a JSON object.", "See docs/resolve.md.")
    return edits_from(values)


def _copied_clip(motion: Motion, motion_path: Path, out: Path) -> str | None:
    """File name of the clip's copy, which lies beside a motion file and goes along into another folder."""
    name = motion.meta["video"].get("background")
    if name is None or out.parent.samefile(motion_path.parent):
        return name
    copy = motion_path.with_name(name)
    if not copy.is_file():
        return name
    shutil.copyfile(copy, output.background_part(out))
    return output.background_path(out).name

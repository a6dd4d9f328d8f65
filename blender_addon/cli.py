"""`blender -b --command recover_motion CLIPS... --out X.blend|FOLDER`: from clips to scenes, characters, other formats.

Any option of `ghmr recover` is one of it too; --engine PYTHON says which engine.
"""

from __future__ import annotations

import argparse
import glob
import sys
import time
from pathlib import Path
from typing import NoReturn

from . import overnight
from .exports.kinds import KINDS, kind_named
from .ghmr_engine import protocol
from .ghmr_engine.errors import RecoverError
from .ghmr_engine.options import options_from
from .jobs import JOB
from .motion import MotionFileError
from .preferences import data_folder, find_engine
from .scene_making import Plan, make_scene
from .stopping import check, stoppable

_POLL_S = 0.1
_STOPPED = "Stopped. Nothing is half written, what is done stays; of a folder the same command goes on from there."
_OPTIONS = {
    "people": (str, "main, all, or how many"),
    "start": (int, "first frame, counted from 0"),
    "end": (int, "last frame"),
    "fps": (float, "rate of the result; left out: the clip's"),
    "device": (str, "auto, cpu or cuda"),
    "camera": (str, "auto; static where it did not move; gyro or file, read from --camera-file; droid; dpvo"),
    "camera_file": (str, "for gyro a gyroscope's CSV, for file another program's camera"),
    "quality": (str, "fast, balanced or best"),
    "focal": (float, "focal length in pixels"),
    "lens": (float, "focal length in millimetres"),
    "sensor": (float, "width of the sensor that the lens goes with, in millimetres"),
    "height": (float, "of the first person, in metres"),
    "identities": (str, "JSON file that says who is who among everybody in the clip, instead of --people"),
}


class _Parser(argparse.ArgumentParser):
    """Bad arguments are one line, as everything else that is wrong."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse."""
        raise RecoverError("bad_option", f"{message[:1].upper()}{message[1:]}.", "--help lists what there is.")


def command(arguments: list[str]) -> int:
    """Recover clips and write scenes. Returns the exit code: 0, 2 for bad input, 1 for any other failure, 3 where all
    went well and something is for review, 130 where it was stopped."""
    try:
        chosen = _parser().parse_args(arguments)
        options = options_from(_options(chosen))
        python = find_engine(chosen.engine)
        with stoppable():
            if chosen.out.suffix != ".blend":
                return _batch(chosen, python)
            _recover(_one_clip(chosen), chosen.out.absolute(), options.as_dict(), _found(python), _plan(chosen))
    except RecoverError as error:
        return _say(f"Error: {error.message} {error.fix}", 1 if error.code in ("engine_died", "internal") else 2)
    except (MotionFileError, OSError) as error:
        return _say(f"Error: {error}", 1)
    except KeyboardInterrupt:
        return _say(_STOPPED, 130)
    finally:
        JOB.stop()
    return _say(f"Wrote {chosen.out}", 0)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="recover_motion", description="People in videos become armatures, or move your character.")
    parser.add_argument("clips", nargs="+", help="videos; for a folder also folders and patterns")
    parser.add_argument(
        "--out", type=Path, required=True,
        help="of one clip the .blend to write, X.motion.npz goes beside it; of any number a folder",
    )  # fmt: skip
    parser.add_argument("--retarget", type=Path, metavar="RIG.blend", help="put everybody onto a copy of this rig")
    parser.add_argument("--rig-map", type=Path, metavar="MAP.json", help="which of its bones are what; else found")
    parser.add_argument("--export", action="append", default=[], metavar="FORMAT", help=f"any of {', '.join(KINDS)}")
    parser.add_argument("--max-sliding", type=float, help="takes whose feet slide more, mm a frame, are for review")
    parser.add_argument("--min-seen", type=float, help="takes with people seen in less, 0 to 1, are for review")
    parser.add_argument("--ray", help="on the machines of a Ray cluster: its address, or auto")
    parser.add_argument("--engine", default="", help="Python of the engine's environment; left out: the usual one")
    for name, (kind, text) in _OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=text)
    return parser


def _options(chosen: argparse.Namespace) -> dict[str, object]:
    """Those of `ghmr recover` that were given."""
    named = {name: getattr(chosen, name) for name in _OPTIONS}
    for name in ("camera_file", "identities"):  # the engine runs in a folder of its own
        if named[name]:
            named[name] = str(Path(named[name]).absolute())
    return {name: value for name, value in named.items() if value is not None}


def _plan(chosen: argparse.Namespace) -> Plan:
    for path in (chosen.retarget, chosen.rig_map):
        if path is not None and not path.is_file():
            raise RecoverError("no_file", f"There is no file {path}.", "Check the name and the folder.")
    out, rig = chosen.out.resolve(), None if chosen.retarget is None else chosen.retarget.resolve()
    if rig is not None and out in (rig, rig.parent):
        raise RecoverError("own_file", f"A scene could replace the rig {chosen.retarget}.", "Choose another --out.")
    if chosen.rig_map is not None and chosen.retarget is None:
        raise RecoverError("bad_option", "A map needs a rig.", "Give --retarget RIG.blend with --rig-map.")
    kinds = tuple(dict.fromkeys(kind_named(word).name for word in chosen.export))
    if chosen.retarget is not None and any(KINDS[kind].people_only for kind in kinds):
        only = ", ".join(kind for kind in kinds if KINDS[kind].people_only)
        raise RecoverError("bad_option", f"{only} takes recovered people only.", "Leave it or --retarget out.")
    rig, rig_map = (path.absolute() if path is not None else None for path in (chosen.retarget, chosen.rig_map))
    return Plan(rig, rig_map, kinds)


def _found(python: Path | None) -> Path:
    if python is None:
        raise RecoverError("no_engine", "No engine was found.", "Run 'python3 install.py setup', or give --engine.")
    return python


def _one_clip(chosen: argparse.Namespace) -> Path:
    if len(chosen.clips) > 1 or chosen.ray or chosen.max_sliding is not None or chosen.min_seen is not None:
        raise RecoverError("bad_option", "A .blend takes one clip, without limits.", "Give --out a folder.")
    clip = Path(chosen.clips[0]).absolute()
    if not clip.is_file():
        raise RecoverError("no_file", f"There is no file {clip}.", "Check the name and the folder.")
    return clip


def _batch(chosen: argparse.Namespace, python: Path | None) -> int:
    """All clips, into a folder."""
    limits = {"max_sliding": chosen.max_sliding, "min_seen": chosen.min_seen, "ray": chosen.ray}
    given = {**_options(chosen), **{name: value for name, value in limits.items() if value is not None}}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    clips = [_from_here(clip) for clip in chosen.clips]
    plan, folder = _plan(chosen), chosen.out.absolute()
    if folder.suffix and not folder.is_dir() and len(clips) == 1 and Path(clips[0]).is_file():
        raise RecoverError(
            "bad_option", f"{folder.name} is no .blend.", "Give --out a name that ends with .blend, or a folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    return overnight.run(overnight.Night(_found(python), (*options, *clips), folder, plan))


def _from_here(clip: str) -> str:
    """A file, folder or pattern, absolute: the engine runs in a folder of its own."""
    return str(Path(clip).absolute() if Path(clip).exists() else Path(glob.escape(str(Path.cwd())), clip))


def _recover(clip: Path, out: Path, options: dict[str, object], python: Path, plan: Plan) -> None:
    if not out.parent.is_dir():
        raise RecoverError("no_folder", f"There is no folder {out.parent}.", "Make it, or choose another --out.")
    motion_path = out.with_suffix(".motion.npz")
    log = data_folder() / "engine.log"
    JOB.start(python, log, lambda number: protocol.Recover(number, str(clip), str(motion_path), options))
    shown = ""
    while JOB.poll():
        if JOB.stage != shown:
            shown = JOB.stage
            sys.stderr.write(f"{shown}\n")
            sys.stderr.flush()
        check()
        time.sleep(_POLL_S)
    if JOB.error is not None:
        raise RecoverError(JOB.error.code, JOB.error.message, JOB.error.fix)
    for warning in JOB.done.warnings:
        sys.stderr.write(f"Warning: {warning}\n")
    made = make_scene(motion_path, clip, out, plan)
    for path in made.exports:
        sys.stderr.write(f"Wrote {path}\n")


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code

"""`blender -b --command recover_motion CLIP --out X.blend`: any option of `ghmr recover`, and --engine PYTHON."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import NoReturn

from .ghmr_engine import protocol
from .ghmr_engine.errors import RecoverError
from .ghmr_engine.options import options_from
from .headless import build_file
from .jobs import JOB
from .motion import MotionFileError
from .preferences import data_folder, find_engine

_POLL_S = 0.1
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
    """Recover a clip and write X.blend and X.motion.npz. Returns the exit code: 0, 2 for bad input, 1 otherwise."""
    try:
        chosen = _parser().parse_args(arguments)
        named = {name: getattr(chosen, name) for name in _OPTIONS}
        for name in ("camera_file", "identities"):  # the engine runs in a folder of its own
            if named[name]:
                named[name] = str(Path(named[name]).absolute())
        options = options_from({name: value for name, value in named.items() if value is not None})
        _recover(chosen.clip.absolute(), chosen.out.absolute(), options.as_dict(), chosen.engine)
    except RecoverError as error:
        return _say(f"Error: {error.message} {error.fix}", 1 if error.code in ("engine_died", "internal") else 2)
    except (MotionFileError, OSError) as error:
        return _say(f"Error: {error}", 1)
    except KeyboardInterrupt:
        return _say("Stopped; nothing was written.", 130)
    finally:
        JOB.stop()
    return _say(f"Wrote {chosen.out}", 0)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="recover_motion", description="People in a video become armatures.")
    parser.add_argument("clip", type=Path, help="the video")
    parser.add_argument("--out", type=Path, required=True, help="the .blend to write; X.motion.npz goes beside it")
    parser.add_argument("--engine", default="", help="Python of the engine's environment; left out: the usual one")
    for name, (kind, text) in _OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=text)
    return parser


def _recover(clip: Path, out: Path, options: dict[str, object], engine: str) -> None:
    if out.suffix != ".blend":
        raise RecoverError("bad_option", f"{out.name} is no .blend.", "Give --out a name that ends with .blend.")
    if not out.parent.is_dir():
        raise RecoverError("no_folder", f"There is no folder {out.parent}.", "Make it, or choose another --out.")
    if not clip.is_file():
        raise RecoverError("no_file", f"There is no file {clip}.", "Check the name and the folder.")
    python = find_engine(engine)
    if python is None:
        raise RecoverError("no_engine", "No engine was found.", "Run 'python3 install.py setup', or give --engine.")
    motion_path = out.with_suffix(".motion.npz")
    log = data_folder() / "engine.log"
    JOB.start(python, log, lambda number: protocol.Recover(number, str(clip), str(motion_path), options))
    shown = ""
    while JOB.poll():
        if JOB.stage != shown:
            shown = JOB.stage
            sys.stderr.write(f"{shown}\n")
            sys.stderr.flush()
        time.sleep(_POLL_S)
    if JOB.error is not None:
        raise RecoverError(JOB.error.code, JOB.error.message, JOB.error.fix)
    for warning in JOB.done.warnings:
        sys.stderr.write(f"Warning: {warning}\n")
    build_file(motion_path, clip, out)


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code

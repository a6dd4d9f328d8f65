"""`blender -b --command recover_motion CLIP --out X.blend`: any option of `ghmr recover`, and --engine PYTHON."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import fields
from pathlib import Path

from .ghmr_engine.errors import RecoverError
from .ghmr_engine.options import Options, options_from
from .headless import build_file
from .jobs import JOB
from .motion import MotionFileError
from .preferences import data_folder, find_engine

_POLL_S = 0.1
_NUMBERS = {"start": int, "end": int, "fps": float, "focal": float, "height": float}


def command(arguments: list[str]) -> int:
    """Recover a clip and write X.blend and X.motion.npz. Returns the exit code: 0, 2 for bad input, 1 otherwise."""
    chosen = _parser().parse_args(arguments)
    named = {field.name: getattr(chosen, field.name) for field in fields(Options)}
    try:
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
    parser = argparse.ArgumentParser(prog="recover_motion", description="People in a video become armatures.")
    parser.add_argument("clip", type=Path, help="the video")
    parser.add_argument("--out", type=Path, required=True, help="the .blend to write; X.motion.npz goes beside it")
    parser.add_argument("--engine", default="", help="Python of the engine's environment; left out: the usual one")
    for field in fields(Options):
        parser.add_argument(
            f"--{field.name}", type=_NUMBERS.get(field.name, str), help=f"as in: ghmr recover {field.name}"
        )
    return parser


def _recover(clip: Path, out: Path, options: dict[str, object], engine: str) -> None:
    if out.suffix != ".blend":
        raise RecoverError("bad_option", f"{out.name} is no .blend.", "Give --out a name that ends with .blend.")
    if not out.parent.is_dir():
        raise RecoverError("no_folder", f"There is no folder {out.parent}.", "Make it, or choose another --out.")
    python = find_engine(engine)
    if python is None:
        raise RecoverError("no_engine", "No engine was found.", "Run 'python3 install.py setup', or give --engine.")
    motion_path = out.with_suffix(".motion.npz")
    JOB.start(python, data_folder() / "engine.log", clip, motion_path, options)
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

"""Builds a .blend from a motion file without a window: `python -m recover_motion.headless MOTION CLIP OUT.blend`.

install.py starts it, with Blender as a Python module or inside a Blender program (arguments after `--`).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import bpy

from . import takes
from .motion import MotionFileError, read_motion
from .scene.background import clip_to_show
from .scene.build import build_scene, relative


def build_file(motion_path: Path, clip: Path, out: Path) -> None:
    """Build the take in an empty file and save it as `out`, whole or not at all; paths in it are relative to it.

    Raises MotionFileError, OSError.
    """
    motion = read_motion(motion_path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if not hasattr(bpy.types.Collection, "recover_motion"):  # the add-on itself is off here
        takes.register()
    build_scene(bpy.context.scene, motion, motion_path, clip_to_show(motion, motion_path, clip))
    save_whole(out)


def save_whole(out: Path) -> None:
    """Save the open file as `out` by way of a temporary file beside it.

    Raises OSError where the folder cannot be written.
    """
    part = out.with_name(f"{out.stem}.{os.getpid()}.part.blend")
    bpy.context.preferences.filepaths.save_version = 0
    try:
        _save(part)
        # Paths can be made relative only to a file that is there; on Windows not to one on another drive.
        bpy.ops.file.make_paths_relative()
        for take in takes.takes_of(bpy.context.scene):
            take.recover_motion.motion = relative(takes.motion_path(take))
        _save(part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _save(path: Path) -> None:
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False, compress=True, relative_remap=False)
    except RuntimeError as error:
        raise OSError(str(error).strip()) from error


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    if arguments is None:
        arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    parser = argparse.ArgumentParser(prog="headless", description=__doc__)
    for name, help_text in (("motion", "a .motion.npz"), ("clip", "its video"), ("out", "the .blend to write")):
        parser.add_argument(name, type=Path, help=help_text)
    chosen = parser.parse_args(arguments)
    try:
        build_file(chosen.motion.absolute(), chosen.clip.absolute(), chosen.out.absolute())
    except (MotionFileError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's module may crash while the interpreter shuts down, its work done; the exit code must tell of the work.
    os._exit(code)

"""Runs inside Blender: saves one of rigs.py's rigs in a file of its own. After --: its name, and the file."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]

import bpy  # noqa: E402
import rigs  # noqa: E402

name, out = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.read_factory_settings(use_empty=True)
getattr(rigs, name)()
bpy.ops.wm.save_as_mainfile(filepath=out)

"""The tests: their tools, the bpy wheels, the real Blenders that are here, and pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ghmr_engine import places
from installer import ROOT, child, setup
from installer.machine import blender_programs
from installer.stamps import write_whole

BPY_VERSIONS = ("4.2.23", "5.0.1")
BPY_VARIABLE = "RECOVER_MOTION_BPY_PYTHONS"
BLENDERS_VARIABLE = "RECOVER_MOTION_BLENDERS"
"""Both: paths with os.pathsep between. Interpreters that import bpy; Blender programs."""

_OPTIONS = ("-ra", "--durations=15", "--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder")
"""Two files at a time, in their order: most tests wait for one process of their own. `-n0` after that: one alone."""
_TOOL = Path("shared") / "tools" / "real_blender.sh"


def run_tests(wheels: Path | None, arguments: list[str]) -> int:
    """Set up what tests need and run them; returns pytest's exit code."""
    setup.set_up(wheels, BPY_VERSIONS, tests=True)
    pythons = [places.interpreter(places.blender_env(version)) for version in BPY_VERSIONS]
    blenders = [*(program for program, _version in blender_programs()), *_tool_blenders(ROOT.parent / _TOOL)]
    extra = {
        BPY_VARIABLE: os.pathsep.join(map(str, pythons)),
        BLENDERS_VARIABLE: os.pathsep.join(map(str, blenders)),
    }
    print(f"Testing with {len(pythons)} bpy wheels and {len(blenders)} Blender programs")
    sys.stdout.flush()
    command = [places.engine_python(), "-m", "pytest", *_OPTIONS, *arguments]
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT, env=child.clean_environment(extra))
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _tool_blenders(tool: Path) -> list[Path]:
    """Blenders in root folders of their own, each as a small program that enters its folder."""
    folder = Path(os.environ.get("REAL_BLENDER_HOME") or Path.home() / ".cache" / "real-blender")
    if not tool.is_file() or sys.platform != "linux" or os.geteuid() != 0:
        return []
    found = []
    for installed in sorted(folder.glob("*/usr/bin/blender")):
        version = installed.relative_to(folder).parts[0]
        program = places.home() / "blenders" / f"blender-{version}"
        write_whole(program, f'#!/bin/sh\nexec bash "{tool}" run {version} "$@"\n'.encode())
        program.chmod(0o755)
        found.append(program)
    return found

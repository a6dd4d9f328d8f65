"""From a clip to a .blend: the engine first, then Blender, then a picture if asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError
from installer import ASSETS, ROOT, addon, child, machine, packages, setup
from installer.show import Step

DEMO = ASSETS / "demo.mp4"


def check_paths(clip: Path, out: Path) -> None:
    """Raises RecoverError no_file, bad_out, cannot_write, before anything is set up for them."""
    try:
        there = clip.is_file()
    except OSError as error:  # a name that is too long
        raise RecoverError("no_file", f"{clip} cannot be used ({error.strerror}).", "Check the path.") from error
    if not there:
        raise RecoverError("no_file", f"There is no file {clip}.", "Check the path.")
    if out.suffix != ".blend":
        raise RecoverError(
            "bad_out", f"--out has to end in .blend, not '{out.suffix}'.", "For example: --out take.blend"
        )
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise RecoverError("cannot_write", f"The folder {out.parent} cannot be written.", "Choose another with --out.")


def recover(clip: Path, out: Path, picture: bool, blender: str | None, engine_options: list[str]) -> int:
    """Make `out` (an absolute .blend) and its .motion.npz from the clip; returns the exit code.

    blender: a Blender program, or None for Blender as a Python module. engine_options: handed to `ghmr recover`.
    Raises RecoverError.
    """
    starter = _blender_starter(blender)
    motion = out.with_suffix(".motion.npz")
    print(f"Recovering {clip.name}")
    engine = [places.engine_python(), "-m", "ghmr_engine.cli", "recover", clip, "--out", motion, *engine_options]
    code = _show(engine)
    if code:
        return code
    with Step("Blender scene") as step:
        command, extra = starter(motion, clip, out)
        code, said = child.run_logged(command, lambda _line: None, step.tick, extra)
        if code or not out.is_file():
            raise RecoverError(
                "scene_failed",
                f"The motion is in {motion.name}, but the scene was not built: {_reason(said)}",
                f"See {child.log_file()}.",
            )
    made = [out, motion]
    if picture:
        made.append(out.with_suffix(".png"))
        with Step("Picture") as step:
            command = [places.engine_python(), "-m", "ghmr_engine.picture", motion, clip, made[-1]]
            code, said = child.run_logged(command, lambda _line: None, step.tick)
            if code:
                raise RecoverError(
                    "picture_failed", f"The picture was not made: {_reason(said)}", f"See {child.log_file()}."
                )
    print("\nThe results:")
    for file in made:
        print(f"  {file}  ({file.stat().st_size / 1e6:.1f} MB)")
    return 0


def prepare(wheels: Path | None, blender: str | None) -> None:
    """Set up what `recover` needs: Blender as a module only where no program is given or has to stand in."""
    version = None if blender else setup.blender_for_here()
    if version is None and not (blender or machine.blender_programs()):
        version = "4.2.23"  # its check says which Python is missing and how to get it
    setup.set_up(wheels, (version,) if version else ())


def demo(wheels: Path | None, engine_options: list[str]) -> int:
    """Set up, and turn the bundled clip into demo.blend, demo.motion.npz and demo.png in the current folder."""
    if not DEMO.is_file():
        raise RecoverError(
            "no_demo", "The demo clip is not part of the extension.", f"Get the project: {ROOT} has none."
        )
    out = Path.cwd() / "demo.blend"
    check_paths(DEMO, out)
    prepare(wheels, None)
    return recover(DEMO, out, True, None, engine_options)


def _blender_starter(blender: str | None):
    """A function that gives command and extra environment for (motion, clip, out)."""
    module = f"{addon.PACKAGE}.headless"
    version = None if blender else setup.blender_for_here()
    path = {"PYTHONPATH": str(addon.lay_out())}
    if version and packages.has_bpy(version):
        python = places.interpreter(places.blender_env(version))
        return lambda *files: ([python, "-m", module, *files], path)
    program = _program(blender)
    run = f"import os, sys; from {module} import main; code = main(); sys.stdout.flush(); os._exit(code)"
    start = [program, "--background", "--factory-startup", "--python-use-system-env", "--python-exit-code", "1"]
    return lambda *files: ([*start, "--python-expr", run, "--", *files], path)


def _program(blender: str | None) -> Path:
    if blender is None:
        found = machine.blender_programs()
        if not found:
            raise RecoverError("no_blender", "There is no Blender here.", "Run `python3 install.py setup`.")
        return found[0][0]
    program = Path(shutil.which(blender) or blender)
    version = machine.blender_version(program)
    if version is None or version < machine.OLDEST_BLENDER:
        raise RecoverError("no_blender", f"{blender} is not Blender 4.2 or newer.", "Give the program with --blender.")
    return program


def _show(command: list[str | Path]) -> int:
    """Run a program that talks to the user itself. Ctrl-C reaches it too; it cleans up, and then we end."""
    sys.stdout.flush()
    process = subprocess.Popen([str(part) for part in command], env=child.clean_environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _reason(said: list[str]) -> str:
    lines = [line for line in said if line.strip()]
    return lines[-1] if lines else "no reason was given"

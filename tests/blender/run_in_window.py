"""Runs a session in a real Blender window, step by step by a timer, and ends with an exit code that can be believed.

    blender --factory-startup --python run_in_window.py -- PACKAGE REPO FILE

PACKAGE: folder of the assembled extension. FILE has a generator session(): what it yields is how many seconds Blender
is left alone before it goes on. Between the steps Blender draws, and the add-on's timers fire, as when somebody sits
before it.
"""

import importlib
import importlib.util
import os
import sys
import time
import traceback
from pathlib import Path

import bpy

LONGEST_S = 900


def say(line: str) -> None:
    """One line on the standard output."""
    os.write(1, f"{line}\n".encode())


def load(path: Path) -> object:
    """The session's file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def leave(code: int) -> None:
    """End Blender at once."""
    say(f"session over, {code}, Blender {bpy.app.version_string}")
    os._exit(code)


def main() -> None:
    """Switch the add-on on and begin."""
    package, repo, file = map(Path, sys.argv[sys.argv.index("--") + 1 :])
    sys.path[:0] = [str(package.parent), str(repo), str(repo / "tests"), str(repo / "tests" / "blender")]
    os.environ["RECOVER_MOTION_PACKAGE"] = package.name
    bpy.context.preferences.view.show_splash = False
    importlib.import_module(package.name).register()
    steps = load(file).session()
    end = time.monotonic() + LONGEST_S

    def go_on() -> float:
        try:
            if time.monotonic() > end:
                raise TimeoutError("the session hangs")
            return next(steps) or 0.01
        except StopIteration:
            leave(0)
        except BaseException:  # noqa: BLE001  whatever it is has to reach the exit code
            traceback.print_exc()
            sys.stderr.flush()
            leave(1)

    bpy.app.timers.register(go_on, first_interval=1.0, persistent=True)


try:
    main()
except BaseException:  # noqa: BLE001  even a failing import has to reach the exit code
    traceback.print_exc()
    sys.stderr.flush()
    leave(1)

"""Runs test files inside Blender, or inside the bpy module, and ends with an exit code that can be believed.

    blender -b --factory-startup --python-exit-code 1 --python run_in_blender.py -- PACKAGE REPO FILE...
    python run_in_blender.py -- PACKAGE REPO FILE...

PACKAGE: folder of the assembled extension, imported by its name. A test is a function test_*, run in an empty file.
"""

import importlib.util
import os
import sys
import time
import traceback
from pathlib import Path

import bpy


def say(line: str) -> None:
    """One line on the standard output."""
    sys.stdout.write(line + "\n")


def load(path: Path) -> object:
    """A test file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path: Path) -> tuple[int, int]:
    """Run one file's tests: how many, and how many failed."""
    module = load(path)
    tests = {name: value for name, value in vars(module).items() if name.startswith("test_")}
    failed = 0
    for name, test in tests.items():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        began = time.perf_counter()
        try:
            test()
        except Exception:  # noqa: BLE001 - a runner reports whatever a test raises and goes on
            failed += 1
            traceback.print_exc()
            say(f"FAILED {path.name} {name}")
        else:
            say(f"passed {path.name} {name} {time.perf_counter() - began:.2f} s")
    return len(tests), failed


def main() -> int:
    """Run every file named; 0 only where tests ran and none failed."""
    package, repo, *files = map(Path, sys.argv[sys.argv.index("--") + 1 :])
    sys.path[:0] = [str(package.parent), str(repo), str(repo / "tests"), str(repo / "tests" / "blender")]
    os.environ["RECOVER_MOTION_PACKAGE"] = package.name
    results = [run(file) for file in files]
    total, failed = (sum(column) for column in zip(*results, strict=True))
    say(f"{total} tests, {failed} failed, Blender {bpy.app.version_string}")
    return 1 if failed or not total else 0


if __name__ == "__main__":
    try:
        code = main()
    except BaseException:  # noqa: BLE001 - even a failing import has to reach the exit code
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the 4.2 module may crash while the interpreter ends, when all is done

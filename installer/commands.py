"""install.py's command line."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import fields
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options
from installer import addon, child, doctor, for_program, recover, setup, testing

_OPTIONS = tuple(field.name for field in fields(Options))


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    chosen, rest = _read(arguments)
    try:
        return _run(chosen, rest)
    except RecoverError as error:
        print(f"\n{error.message}\nWhat to do: {error.fix}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where it was.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"\n{error}\nWhat to do: look at {child.log_file()}", file=sys.stderr)
        return 1


def _read(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The chosen command, and for `test` what is handed on to pytest."""
    parser = _parser()
    chosen, rest = parser.parse_known_args(arguments)
    if rest and chosen.command != "test":
        parser.error(f"unknown: {' '.join(rest)}")
    return chosen, rest


def _for_engine(chosen: argparse.Namespace) -> list[str]:
    """The options of `ghmr recover` that were given, as it takes them; it checks their values."""
    given = []
    for name in (*_OPTIONS, "cache"):
        value = getattr(chosen, name)
        given += [] if value is None else [f"--{name}", value]
    return [*given, *(["--no-cache"] if chosen.no_cache else [])]


def _run(chosen: argparse.Namespace, rest: list[str]) -> int:
    command = chosen.command
    if command == "setup":
        return _setup(chosen)
    if command == "recover":
        clip = chosen.clip.absolute()  # a name may begin with a dash
        out = (chosen.out or clip.with_suffix(".blend")).absolute()
        recover.check_paths(clip, out)
        recover.prepare(chosen.wheels, chosen.blender)
        return recover.recover(clip, out, chosen.picture, chosen.blender, _for_engine(chosen))
    if command == "demo":
        return recover.demo(chosen.wheels, _for_engine(chosen))
    if command == "test":
        return testing.run_tests(chosen.wheels, rest)
    if command == "doctor":
        return doctor.report(chosen.json)
    if command == "addon":
        print(addon.build_zip(chosen.out))
        return 0
    return _uninstall(chosen.yes)


def _setup(chosen: argparse.Namespace) -> int:
    if chosen.json:
        return for_program.run(lambda: _install(chosen), setup.STEPS)
    _install(chosen)
    print(f"Ready. Engine: {places.engine_python()}")
    return 0


def _install(chosen: argparse.Namespace) -> None:
    if chosen.engine_only:
        setup.set_up(chosen.wheels)
    else:
        recover.prepare(chosen.wheels, None)


def _uninstall(yes: bool) -> int:
    """Remove the home folder: all that set-up made. Clips, scenes and the add-on in Blender stay."""
    home = places.home()
    if not home.exists():
        print(f"There is nothing at {home}.")
        return 0
    if not (home / "setup.json").is_file():
        raise RecoverError("not_ours", f"{home} was not made by set-up.", "Remove it yourself if it should go.")
    if not yes and input(f"Remove {home} and all in it? [y/N] ").strip().lower() not in ("y", "yes"):
        print("Nothing was removed.")
        return 1
    shutil.rmtree(home)
    print(f"Removed {home}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install.py",
        description="Recover Motion: people in one metric world, and the camera, from a video. "
        f"Everything is kept in {places.home()} ({places.HOME_VARIABLE} chooses another folder).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, help_text: str, offline: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
        if offline:
            command.add_argument(
                "--wheels", type=Path, metavar="FOLDER", help="install from this folder of wheels, without network"
            )
        return command

    install = add("setup", "install the engine, its models and Blender as a Python module", offline=True)
    install.add_argument("--engine-only", action="store_true", help="without Blender as a Python module")
    install.add_argument("--json", action="store_true", help="for programs: progress as JSON lines")
    demo = add("demo", "set up and recover the bundled clip into the current folder", True)
    _add_engine_options(demo)
    add("test", "set up what the tests need and run them (arguments go to pytest)", True)
    take = add("recover", "make a Blender scene from a clip", True)
    take.add_argument("clip", type=Path, help="the video")
    take.add_argument("--out", type=Path, metavar="X.blend", help="the scene; X.motion.npz comes to lie beside it")
    take.add_argument("--picture", action="store_true", help="make X.png as well: overlay and side view")
    take.add_argument("--blender", metavar="PROGRAM", help="build the scene with this Blender (4.2 or newer)")
    _add_engine_options(take)
    look = add("doctor", "say what is installed, what is missing and what to do")
    look.add_argument("--json", action="store_true", help="for programs")
    extension = add("addon", "build the extension's zip for Blender")
    extension.add_argument("--out", type=Path, metavar="ZIP", help="file or folder (the current one)")
    remove = add("uninstall", "remove everything that set-up made")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _add_engine_options(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("options of the engine (`ghmr recover --help` explains them)")
    for name in _OPTIONS:
        group.add_argument(f"--{name}", metavar="VALUE")
    group.add_argument("--cache", metavar="FOLDER")
    group.add_argument("--no-cache", action="store_true")

"""The commands `ghmr batch` and `ghmr sheet`."""

from __future__ import annotations

import signal
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ghmr_engine.batch import manifest
from ghmr_engine.batch.clips import find_clips
from ghmr_engine.batch.lock import locked
from ghmr_engine.batch.run import Batch, made_folder, open_batch, run_here
from ghmr_engine.batch.said import Said, say_json
from ghmr_engine.batch.sheet import write_sheet
from ghmr_engine.batch.warm_engine import WarmEngine
from ghmr_engine.batch.work import Limits, in_words
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.options import Options
from ghmr_engine.terminal import fail, options_as_parameters, say_error

STOPPED = 130
_FILES = ("camera_file", "identities")


def add_batch(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("batch")(batch_command)
    app.command("sheet")(sheet_command)


@options_as_parameters(Options)
def batch_command(
    clips: Annotated[list[str], typer.Argument(help="Videos, folders of videos, patterns.")],
    out: Annotated[Path, typer.Option(help="Folder for the takes, the manifest and the sheet.")],
    max_sliding: Annotated[
        float | None, typer.Option(help="Takes whose feet slide more, in mm a frame, are for review.")
    ] = None,
    min_seen: Annotated[
        float | None, typer.Option(help="Takes with a person seen in less, a share from 0 to 1, are for review.")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="On the machines of a Ray cluster: its address, or auto for the one here.")
    ] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="Progress as JSON lines (docs/batch.md).")] = False,
    **chosen: Any,
) -> None:
    """Recover many clips; what is done already stays. Exit code: 1 where any failed, 3 where any is for review."""
    try:
        options, limits = _absolute(Options(**chosen)), Limits(max_sliding, min_seen)
        paths, folder = find_clips(clips, out), made_folder(out)
        with locked(folder) as lock:
            code = _run(open_batch(paths, folder, options, limits), ray, json_lines, lock)
    except Exception as error:  # noqa: BLE001  every failure ends in one line and a code
        if json_lines and isinstance(error, RecoverError):
            with suppress(Cancelled):
                say_json({"state": "error", "error": in_words(error)})
        fail(error)
    raise typer.Exit(code)


def sheet_command(
    folder: Annotated[Path, typer.Argument(help="The folder of a batch.")],
) -> None:
    """Write a batch's contact sheet, index.html, anew from its manifest."""
    try:
        path = write_sheet(folder.absolute())
    except Exception as error:  # noqa: BLE001  every failure ends in one line and a code
        fail(error)
    typer.echo(f"Wrote {path}.")


def _run(batch: Batch, ray: str | None, json_lines: bool, lock: int) -> int:
    """Work, and write the sheet however that ends. Returns the exit code."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    said = Said(batch.folder, batch.clips, json_lines)
    stopped = False
    try:
        try:
            _work(batch, ray, said, lock)
        except (KeyboardInterrupt, Cancelled):
            stopped = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # who stops it now gets the sheet all the same
        sheet = write_sheet(batch.folder) if manifest.read(batch.folder) else None
        code = STOPPED if stopped else said.code
        with suppress(Cancelled):
            said.end(code, sheet)
    finally:
        signal.signal(signal.SIGTERM, before)
    if stopped:
        say_error("Stopped. What is done stays;", "the same command goes on from there.")
    return code


def _work(batch: Batch, ray: str | None, said: Said, lock: int) -> None:
    """All clips, here or on a cluster."""
    with closing(said):
        if ray is None:
            with closing(WarmEngine(batch.folder, (lock,))) as engine:
                run_here(batch, engine, said)
        else:
            from ghmr_engine.batch.farm import run_on_farm

            run_on_farm(batch, ray, said)


def _absolute(options: Options) -> Options:
    """The engine runs in a folder of its own."""
    given = {name: getattr(options, name) for name in _FILES}
    return replace(options, **{name: str(Path(value).absolute()) for name, value in given.items() if value})


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt

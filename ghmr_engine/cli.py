"""The command line, `ghmr`. Exit codes: 2 for bad input, 1 for any other failure, 130 when stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ghmr_engine import __version__, output, places, protocol
from ghmr_engine.batch.command import add_batch
from ghmr_engine.cache import Cache
from ghmr_engine.camera_words import camera_line
from ghmr_engine.errors import Cancelled
from ghmr_engine.export import FORMATS, export_file
from ghmr_engine.interrupt import interrupt_as_wish
from ghmr_engine.models_command import add_models
from ghmr_engine.motion_file import Motion, MotionFileError, read_motion
from ghmr_engine.native_output import native_stderr_aside
from ghmr_engine.options import Options
from ghmr_engine.progress import STAGES, Progress
from ghmr_engine.serve import Emit, ProgressLines, done_reply, found_reply
from ghmr_engine.terminal import JOB, Bars, OneLineErrors, fail, options_as_parameters, say_error, say_message

_UNITS = {
    "reprojection_px": "{:.1f} px from the landmarks",
    "sliding_mm": "feet slide {:.1f} mm a frame",
    "penetration_mm": "and sink in {:.1f} mm",
    "jitter": "jitter {:.1f}",
    "seen": "seen in {:.0%} of its frames",
}


app = typer.Typer(cls=OneLineErrors, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
add_models(app)
add_batch(app)
if find_spec("ghmr_engine.evaluate"):  # the engine in Blender's extension comes without
    from ghmr_engine.evaluate.command import add_evaluation
    from ghmr_engine.train.command import add_training

    add_evaluation(app)
    add_training(app)


Result = TypeVar("Result")
Clip = Annotated[Path, typer.Argument(help="The video.")]
CacheFolder = Annotated[Path | None, typer.Option(help="Folder for results of stages, which the next run uses.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Use and keep no results of stages.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Progress and result as JSON, one message a line.")]


@app.command("recover")
@options_as_parameters(Options)
def recover_command(
    clip: Clip,
    out: Annotated[Path, typer.Option(help=f"The result: NAME{output.SUFFIX}.")],
    cache: CacheFolder = None,
    no_cache: NoCache = False,
    json_lines: JsonLines = False,
    **chosen: Any,
) -> None:
    """Recover everybody in a clip, and the camera, in one metric world."""
    folder = None if no_cache else cache or places.cache_dir()

    def work(emit: Emit) -> Motion:
        options = Options(**chosen)
        emit(Progress(STAGES[0], 0.0, None))
        from ghmr_engine.pipeline import recover  # PyTorch takes seconds: --help does without

        return recover(clip, out, options, emit, folder)

    motion = _worked(work, out, folder, json_lines)
    if json_lines:
        say_message(done_reply(JOB, out, motion.meta))
    else:
        typer.echo("\n".join([f"Wrote {out}.", *_summary(motion.meta)]))


@app.command("find")
@options_as_parameters(Options, only=("start", "end", "fps", "device"))
def find_command(
    clip: Clip,
    out: Annotated[Path, typer.Option(help=f"The result: NAME{output.PEOPLE_SUFFIX}, a thumbnail of each beside it.")],
    cache: CacheFolder = None,
    no_cache: NoCache = False,
    json_lines: JsonLines = False,
    **chosen: Any,
) -> None:
    """Find everybody in a clip, to choose from with --identities."""
    folder = None if no_cache else cache or places.cache_dir()

    def work(emit: Emit) -> dict:
        options = Options(**chosen)
        emit(Progress(STAGES[0], 0.0, None))
        from ghmr_engine.pipeline import find

        return find(clip, out, options, emit, folder)

    found = _worked(work, out, folder, json_lines)
    if json_lines:
        say_message(found_reply(JOB, out, found))
    else:
        people = (f"Person {each['person']}: seen in {each['seen']:.0%} of the frames." for each in found["people"])
        typer.echo("\n".join([f"Wrote {out}.", *people, *(f"Warning: {text}" for text in found["warnings"])]))


@app.command("resolve")
def resolve_command(
    motion: Annotated[Path, typer.Argument(help=f"A motion file, NAME{output.SUFFIX}.")],
    edits: Annotated[Path, typer.Option(help="What was changed, as JSON (docs/resolve.md).")],
    out: Annotated[Path, typer.Option(help=f"The result: another NAME{output.SUFFIX}.")],
) -> None:
    """Solve a part of a motion again by foot contacts and joints that were corrected by hand."""
    try:
        from ghmr_engine.resolve_file import read_edits, resolve_file

        with closing(Bars()) as show:
            meta = resolve_file(motion, out, read_edits(edits), show).meta
    except Exception as error:  # noqa: BLE001  every failure ends in one line and a code
        fail(error)
    last = meta["edits"][-1]
    lines = _people(meta, last["people"]) + [f"Warning: {text}" for text in last["warnings"]]
    typer.echo("\n".join([f"Wrote {out} in {last['seconds']:.1f} seconds.", *lines]))


@app.command("export")
def export_command(
    motion: Annotated[Path, typer.Argument(help=f"A motion file, NAME{output.SUFFIX}.")],
    out: Annotated[Path, typer.Option(help="Folder for the files, one a person.")],
    form: Annotated[str, typer.Option("--format", help="amass: SMPL-H's numbers as AMASS has them.")] = FORMATS[0],
) -> None:
    """Write the people of a motion file for other programs."""
    try:
        written = export_file(motion, form, out)
    except Exception as error:  # noqa: BLE001  every failure ends in one line and a code
        fail(error)
    typer.echo("\n".join(f"Wrote {path}." for path in written))


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="The result: of WHAM, SLAHMR, GVHMR, 4D-Humans and others.")],
    out: Annotated[Path, typer.Option(help=f"The motion file: NAME{output.SUFFIX}.")],
    clip: Annotated[Path | None, typer.Option(help="The video that the result was made of.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames of the result a second, where nothing tells.")] = None,
    json_lines: JsonLines = False,
) -> None:
    """Turn another program's result into a motion file (docs/import.md)."""

    def work(emit: Emit) -> Motion:
        emit(Progress(STAGES[0], 0.0, None))
        from ghmr_engine.others.importing import import_file

        return import_file(file, out, clip, fps, emit)

    motion = _worked(work, out, None, json_lines)
    if json_lines:
        say_message(done_reply(JOB, out, motion.meta))
    else:
        typer.echo("\n".join([f"Wrote {out}.", *_summary(motion.meta)]))


@app.command("info")
def info_command(file: Annotated[Path, typer.Argument(help=f"A motion file, NAME{output.SUFFIX}.")]) -> None:
    """Print what a motion file says of itself, as JSON."""
    try:
        motion = read_motion(file)
    except MotionFileError as error:
        say_error(str(error))
        raise typer.Exit(2) from None
    typer.echo(json.dumps(motion.meta, indent=2))


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """People in one metric world, and the camera that filmed them, from a video."""
    if version:
        typer.echo(f"ghmr {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _worked(work: Callable[[Emit], Result], out: Path, folder: Path | None, json_lines: bool) -> Result:
    """What a job came to; shows its progress, and ends the command where it fails or is stopped.

    work: is called with `emit`. out: what it writes. folder: of kept results.
    """
    bars = Bars()
    show = ProgressLines(JOB, say_message) if json_lines else bars

    def last_words() -> None:
        bars.close()
        output.drop_unfinished(out)
        if folder is not None:
            Cache(folder).drop_unfinished()
        stopped = protocol.error_reply(JOB, Cancelled())
        if json_lines:
            say_message(stopped)
        say_error(stopped.message, stopped.fix)

    try:
        with native_stderr_aside(), closing(bars), interrupt_as_wish(last_words) as wish:

            def emit(progress: Progress) -> None:
                if wish.is_set():
                    raise Cancelled
                show(progress)

            return work(emit)
    except Exception as error:  # noqa: BLE001  every failure ends in one line and a code
        fail(error, say_message if json_lines else None)


def _summary(meta: dict) -> list[str]:
    """Lines about a result: people and quality, seconds, licence, warnings."""
    fps = meta["fps"][0] / meta["fps"][1]
    lines = [
        f"{meta['frames']} frames at {fps:.6g} a second, {len(meta['people'])} people, licence: {meta['licence']}."
    ]
    lines += _people(meta, meta["people"])
    lines += [f"{line}." for line in camera_line(meta["camera"])]
    kept = {stage: " (kept)" for stage in meta["cached"]}
    spent = ", ".join(f"{stage} {seconds:.1f}{kept.get(stage, '')}" for stage, seconds in meta["seconds"].items())
    return [*lines, f"Seconds: {spent}.", *(f"Warning: {text}" for text in meta["warnings"])]


def _people(meta: dict, names: Iterable[str]) -> list[str]:
    """A line about each of some people's quality."""
    lines = []
    for name in names:
        figures = meta["quality"][name]
        said = [text.format(figures[key]) for key, text in _UNITS.items() if figures.get(key) is not None]
        lines.append(f"Person {name}: {', '.join(said)}.")
    return lines


if __name__ == "__main__":
    app()

"""The command line, `ghmr`. Exit codes: 2 for bad input, 1 for any other failure, 130 when stopped."""

from __future__ import annotations

import ast
import inspect
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, NoReturn, get_type_hints

import typer
from tqdm import tqdm
from typer.core import TyperGroup
from typer.exceptions import TyperException

from ghmr_engine import __version__, output, places, protocol
from ghmr_engine.cache import Cache
from ghmr_engine.errors import Cancelled
from ghmr_engine.interrupt import interrupt_as_wish
from ghmr_engine.motion_file import MotionFileError, read_motion
from ghmr_engine.native_output import native_stderr_aside
from ghmr_engine.options import Options
from ghmr_engine.progress import STAGES, Progress
from ghmr_engine.serve import ProgressLines, done_reply

_JOB = 1
_MACHINES_FAULT = {
    "model_missing",
    "unknown_model",
    "disk_full",
    "cannot_write",
    "no_cuda",
    "out_of_memory",
    "internal",
}
_UNITS = {
    "reprojection_px": "{:.1f} px from the landmarks",
    "sliding_mm": "feet slide {:.1f} mm a frame",
    "penetration_mm": "and sink in {:.1f} mm",
    "jitter": "jitter {:.1f}",
    "seen": "seen in {:.0%} of its frames",
}


class OneLineErrors(TyperGroup):
    """Says what is wrong with a command in one line, as all other errors are said."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command and leave with its exit code."""
        try:
            code = super().main(*args, standalone_mode=False, **extra)
        except TyperException as error:
            _say_error(error.format_message().rstrip(".") + ".", "See `ghmr --help`.")
            code = 2
        if standalone_mode:
            sys.exit(code)
        return code


app = typer.Typer(cls=OneLineErrors, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _options_as_parameters(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's **keywords by a parameter for every field of Options, its docstring being the help."""
    texts, hints = _field_texts(Options), get_type_hints(Options)
    signature = inspect.signature(command, eval_str=True)
    own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    chosen = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=Annotated[
                hints[field.name], typer.Option(help=texts[field.name], show_default=bool(field.default))
            ],
        )
        for field in fields(Options)
    ]
    command.__signature__ = signature.replace(parameters=[*own, *chosen])  # type: ignore[attr-defined]
    return command


def _field_texts(record: type) -> dict[str, str]:
    """The docstring under each field of a dataclass."""
    (definition,) = ast.parse(inspect.getsource(record)).body
    texts = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):  # type: ignore[attr-defined]
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            texts[field.target.id] = " ".join(str(text.value.value).split())  # type: ignore[union-attr]
    return texts


@app.command("recover")
@_options_as_parameters
def recover_command(
    clip: Annotated[Path, typer.Argument(help="The video.")],
    out: Annotated[Path, typer.Option(help=f"The result: NAME{output.SUFFIX}.")],
    cache: Annotated[Path | None, typer.Option(help="Folder for results of stages, which the next run uses.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Use and keep no results of stages.")] = False,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Progress and result as JSON, one message a line.")
    ] = False,
    **chosen: Any,
) -> None:
    """Recover everybody in a clip, and the camera, in one metric world."""
    folder = None if no_cache else cache or places.cache_dir()
    bars = Bars()
    show = ProgressLines(_JOB, _say_message) if json_lines else bars

    def last_words() -> None:
        bars.close()
        output.drop_unfinished(out)
        if folder is not None:
            Cache(folder).drop_unfinished()
        _say_failure(protocol.error_reply(_JOB, Cancelled()), json_lines)

    try:
        with native_stderr_aside(), closing(bars), interrupt_as_wish(last_words) as wish:

            def emit(progress: Progress) -> None:
                if wish.is_set():
                    raise Cancelled
                show(progress)

            options = Options(**chosen)
            emit(Progress(STAGES[0], 0.0, None))
            from ghmr_engine.pipeline import recover  # PyTorch takes seconds: --help does without

            motion = recover(clip, out, options, emit, folder)
    except Exception as error:  # noqa: BLE001  every failure ends in one line and a code
        _fail(error, json_lines)
    if json_lines:
        _say_message(done_reply(_JOB, out, motion.meta))
    else:
        typer.echo("\n".join([f"Wrote {out}.", *_summary(motion.meta)]))


@app.command("info")
def info_command(file: Annotated[Path, typer.Argument(help=f"A motion file, NAME{output.SUFFIX}.")]) -> None:
    """Print what a motion file says of itself, as JSON."""
    try:
        motion = read_motion(file)
    except MotionFileError as error:
        _say_error(str(error))
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


class Bars:
    """A progress bar for each stage, where there is a terminal to see it."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm | None = None

    def __call__(self, progress: Progress) -> None:
        """Move the stage's bar, or begin the next stage's."""
        if self._bar is None or self._stage != progress.stage:
            self.close()
            self._stage = progress.stage
            form = "{desc:8} {percentage:3.0f}% |{bar}| {elapsed}<{remaining}"
            size = shutil.get_terminal_size()  # tqdm shows nothing where a terminal calls itself 0 by 0
            self._bar = tqdm(
                desc=progress.stage, total=1.0, bar_format=form, ncols=min(size.columns, 100), nrows=size.lines,
                file=sys.stderr, disable=None,
            )  # fmt: skip
        self._bar.update(progress.done - self._bar.n)

    def close(self) -> None:
        """Leave the last bar as it is, and end its line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _summary(meta: dict) -> list[str]:
    """Lines about a result: people and quality, seconds, licence, warnings."""
    fps = meta["fps"][0] / meta["fps"][1]
    lines = [
        f"{meta['frames']} frames at {fps:.6g} a second, {len(meta['people'])} people, licence: {meta['licence']}."
    ]
    for name, figures in meta["quality"].items():
        said = [text.format(figures[key]) for key, text in _UNITS.items() if figures[key] is not None]
        lines.append(f"Person {name}: {', '.join(said)}.")
    kept = {stage: " (kept)" for stage in meta["cached"]}
    spent = ", ".join(f"{stage} {seconds:.1f}{kept.get(stage, '')}" for stage, seconds in meta["seconds"].items())
    return [*lines, f"Seconds: {spent}.", *(f"Warning: {text}" for text in meta["warnings"])]


def _fail(error: Exception, json_lines: bool) -> NoReturn:
    reply = protocol.error_reply(_JOB, error)
    if reply.code == "internal":
        traceback.print_exception(error)
    _say_failure(reply, json_lines)
    raise typer.Exit(1 if reply.code in _MACHINES_FAULT else 2) from None


def _say_failure(reply: protocol.Error, json_lines: bool) -> None:
    if json_lines:
        _say_message(reply)
    _say_error(reply.message, reply.fix)


def _say_error(*texts: str) -> None:
    line = " ".join(" ".join(texts).split())
    sys.stderr.write(f"Error: {line}\n")
    sys.stderr.flush()


def _say_message(reply: protocol.Reply) -> None:
    os.write(1, (protocol.encode(reply) + "\n").encode())


if __name__ == "__main__":
    app()

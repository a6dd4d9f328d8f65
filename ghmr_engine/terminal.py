"""What the commands of `ghmr` share: one line for each error, exit codes, progress bars, options from a record."""

from __future__ import annotations

import ast
import inspect
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, NoReturn, get_type_hints

import typer
from tqdm import tqdm
from typer.core import TyperGroup
from typer.exceptions import TyperException

from ghmr_engine import protocol
from ghmr_engine.progress import Progress

JOB = 1
"""The number of a command line's only job, in the protocol's messages."""
_MACHINES_FAULT = {
    "model_missing",
    "unknown_model",
    "disk_full",
    "cannot_write",
    "cannot_use",
    "no_cuda",
    "out_of_memory",
    "no_engine",
    "engine_died",
    "internal",
}


class OneLineErrors(TyperGroup):
    """Says what is wrong with a command in one line, as all other errors are said."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command and leave with its exit code."""
        try:
            code = super().main(*args, standalone_mode=False, **extra)
        except TyperException as error:
            say_error(error.format_message().rstrip(".") + ".", "See `ghmr --help`.")
            code = 2
        if standalone_mode:
            sys.exit(code)
        return code


def options_as_parameters(
    record: type, only: tuple[str, ...] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that replaces a command's **keywords by a parameter for every field of a dataclass, or for `only`
    those that are named.

    The docstring under a field is its help."""
    texts, hints = _field_texts(record), get_type_hints(record)

    def replace(command: Callable[..., None]) -> Callable[..., None]:
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
            for field in fields(record)
            if not only or field.name in only
        ]
        command.__signature__ = signature.replace(parameters=[*own, *chosen])  # type: ignore[attr-defined]
        return command

    return replace


def _field_texts(record: type) -> dict[str, str]:
    """The docstring under each field of a dataclass."""
    (definition,) = ast.parse(inspect.getsource(record)).body
    texts = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):  # type: ignore[attr-defined]
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            texts[field.target.id] = " ".join(str(text.value.value).split())  # type: ignore[union-attr]
    return texts


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


def fail(error: Exception, also: Callable[[protocol.Error], None] | None = None) -> NoReturn:
    """End a command: one line on stderr, a traceback only for what nobody foresaw, the exit code that fits.

    also: told the failure as a message, for who reads those.
    """
    reply = protocol.error_reply(JOB, error)
    if reply.code == "internal":
        traceback.print_exception(error)
    if also is not None:
        also(reply)
    say_error(reply.message, reply.fix)
    raise typer.Exit(1 if reply.code in _MACHINES_FAULT else 2) from None


def say_error(*texts: str) -> None:
    """One line on stderr."""
    line = " ".join(" ".join(texts).split())
    sys.stderr.write(f"Error: {line}\n")
    sys.stderr.flush()


def say_message(reply: protocol.Reply) -> None:
    """One message as JSON, on stdout."""
    os.write(1, (protocol.encode(reply) + "\n").encode())

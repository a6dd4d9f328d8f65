"""The commands `ghmr models`: what the engine can use, under which licences, and the user's own files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from ghmr_engine import places
from ghmr_engine.added_models import KINDS, Added, added_models, remember, switch
from ghmr_engine.errors import RecoverError
from ghmr_engine.models import LIFT, LIFT_LICENCE, MOTION_PRIOR, POSE_PRIOR, known_models, sha256_of
from ghmr_engine.terminal import fail, say_message

_Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
_Name = Annotated[str, typer.Argument(help="The model's name, as `ghmr models` shows it.")]
_SETUP = "python3 install.py setup"


@dataclass(frozen=True)
class Listed:
    """One line of the table."""

    name: str
    use: str
    licence: str
    open: bool
    """False where the licence allows research only."""
    state: str
    """'on'; 'off'; 'missing'; 'damaged' or 'changed' since; 'not added' of what a user can add."""
    path: str | None
    sha256: str | None
    added: bool
    """Whether it is a kind that users add, which can be switched."""


def add_models(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(add_completion=False, rich_markup_mode=None)
    group.callback(invoke_without_command=True)(models_command)
    group.command("add")(add_command)
    group.command("on")(on_command)
    group.command("off")(off_command)
    app.add_typer(group, name="models")


def models_command(context: typer.Context, as_json: _Json = False) -> None:
    """List the models, their licences and whether they are on; add, on and off change that."""
    if context.invoked_subcommand is not None:
        return
    with_code(lambda: _say_list(listed_models(), as_json), as_json)


def add_command(
    file: Annotated[Path, typer.Argument(help="A checkpoint or a body; what it is, is seen from its content.")],
    as_json: _Json = False,
) -> None:
    """Add a model's file, which stays where it is, and switch it on."""

    def add() -> None:
        from ghmr_engine.checkpoints import recognise  # PyTorch takes seconds: --help does without

        _say_one(remember(recognise(file), file), as_json)

    with_code(add, as_json)


def on_command(name: _Name, as_json: _Json = False) -> None:
    """Use an added model."""
    with_code(lambda: _say_one(_switched(name, on=True), as_json), as_json)


def off_command(name: _Name, as_json: _Json = False) -> None:
    """Leave an added model out; it stays in the list."""
    with_code(lambda: _say_one(_switched(name, on=False), as_json), as_json)


def with_code(command: Callable[[], None], as_json: bool) -> None:
    """Run a command; every failure ends in one line and a code."""
    try:
        command()
    except Exception as error:  # noqa: BLE001  as said
        fail(error, say_message if as_json else None)


def listed_models() -> list[Listed]:
    """Every model that comes with the engine, then every kind that can be added. Raises RecoverError."""
    added = added_models()
    shipped = [
        Listed(m.name, m.use, m.licence, m.open, "on" if m.state() == "ready" else m.state(), str(m.path), m.sha256,
               added=False)
        for m in known_models().values()
    ]  # fmt: skip
    own = []
    for kind in KINDS.values():
        entry = added.get(kind.name)
        state, path, sha256 = (entry.state, entry.path, entry.sha256) if entry else ("not added", None, None)
        own.append(Listed(kind.name, kind.use, kind.licence, kind.open, state, path, sha256, added=True))
    own_body = any(each.name in ("smpl", "wham") and each.state == "on" for each in own)
    on = {each.name for each in own if each.state == "on"}
    trained = [
        _trained("lift", "lifts landmarks to poses in 3D", LIFT, replaced=False),
        _trained("motion_prior", "motion prior of `--quality best`", MOTION_PRIOR, "humor" in on),
        _trained("pose_prior", "pose prior of `--quality best`", POSE_PRIOR, "vposer" in on),
    ]
    return [*shipped, *trained, _open_body(own_body), *own]


def _trained(name: str, use: str, path: Path, replaced: bool) -> Listed:
    """Weights of our own."""
    state = "missing" if not path.is_file() else "off" if replaced else "on"
    sha256 = None if state == "missing" else sha256_of(path)
    return Listed(name, use, LIFT_LICENCE, True, state, str(path), sha256, added=False)


def _open_body(replaced: bool) -> Listed:
    path = places.body_path()
    state = "missing" if not path.is_file() else "off" if replaced else "on"
    licence = "CC0-1.0 (shapes), Apache-2.0 (code)"
    return Listed("open_body", "the body that people get", licence, True, state, str(path), None, added=False)


def _switched(name: str, on: bool) -> Added:
    shipped = {model.name for model in listed_models() if not model.added}
    if name in shipped:
        fix = "Add SMPL's to have another." if name == "open_body" else "Only added models are switched."
        raise RecoverError("not_added", f"'{name}' comes with the engine.", fix)
    return switch(name, on)


def _say_list(models: list[Listed], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"models": [asdict(model) for model in models]}, indent=1))
        return
    rows = [("NAME", "STATE", "ALLOWED", "LICENCE", "USE")]
    rows += [(m.name, m.state, "open" if m.open else "research only", m.licence, m.use) for m in models]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip())
    if any(model.state in ("missing", "damaged") and not model.added for model in models):
        typer.echo(f"What comes with the engine is set up by: {_SETUP}")


def _say_one(entry: Added, as_json: bool) -> None:
    """What an added model is and may be used for."""
    kind = entry.kind
    if as_json:
        (listed,) = (model for model in listed_models() if model.name == entry.name)
        typer.echo(json.dumps(asdict(listed), indent=1))
        return
    lines = [f"{kind.title} ({entry.name}): {kind.use}. It is {entry.state}.", f"Licence: {kind.licence}."]
    if entry.name == "hmr2" and "wham" not in {name for name, each in added_models().items() if each.on}:
        lines.append("It runs for WHAM: add that too.")
    if entry.on and not kind.open:
        lines.append("Takes made with it are for research only, and say so.")
    typer.echo("\n".join(lines))
